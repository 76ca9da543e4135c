//! Columns of units, read into the keys and facts of atoms.

use super::context::{Context, Counting, Failure, Reading};
use super::memory::Pool;
use super::parts::{Cut, CutUnit, Sample};
use crate::backend::Column;
use crate::column::{
    CategoryTable, Facts, FactsLevel, Parted, read_codes, read_keys, read_parted_codes, read_parted_keys,
    read_weighted_codes, read_weighted_keys,
};
use crate::counts::{Keys, Weighted};
use std::collections::BTreeMap;

/// Takes the keys of one atom that have come together; leaves the vector empty.
pub(super) type FlushAtom<'f> = &'f mut dyn FnMut(usize, &mut Keys) -> Result<(), Failure>;

/// One reading of a column in a unit: what is read, and how many keys may come together.
#[derive(Clone, Copy)]
pub(super) struct UnitRead<'r> {
    pub(super) cut: &'r Cut<'r>,
    pub(super) unit: &'r CutUnit,
    pub(super) column: usize,
    pub(super) window: usize,
}

impl UnitRead<'_> {
    /// Appends the keys of every atom of the unit to `out`; the facts of each. Where the unit is one atom and `weighted` is
    /// there, it takes the keys that many rows have.
    pub(super) fn keys(
        &self,
        reading: &Reading,
        level: FactsLevel,
        out: &mut [Keys],
        weighted: Option<&mut Weighted>,
        flush: FlushAtom<'_>,
    ) -> Result<Vec<Facts>, Failure> {
        let Self { cut, unit, column, window } = *self;
        let (encoding, data) = (&reading.encoding, cut.data);
        if let (Some(atom), [out]) = (unit.whole(), &mut *out) {
            let mut flush = |keys: &mut Keys| flush(atom, keys);
            let facts = match weighted {
                Some(weighted) => read_weighted_keys(data, &unit.unit, column, encoding, level, out, weighted),
                None => read_keys(data, &unit.unit, column, encoding, level, out, window, &mut flush),
            };
            return facts.map(|facts| vec![facts]);
        }
        let map = cut.map(unit)?;
        let parted = Parted { map: &map, rows: &unit.rows };
        let mut flush = |part: usize, keys: &mut Keys| flush(unit.atoms[part], keys);
        read_parted_keys(data, &unit.unit, column, encoding, level, parted, out, window, &mut flush)
    }

    /// Appends the codes of every atom of the unit to `out`; the facts of each. Where the unit is one atom and `weighted` is
    /// there, it takes the codes that many rows have.
    pub(super) fn codes(
        &self,
        reading: &Reading,
        table: &mut CategoryTable,
        out: &mut [Keys],
        weighted: Option<&mut Weighted>,
        flush: FlushAtom<'_>,
    ) -> Result<Vec<Facts>, Failure> {
        let Self { cut, unit, column, window } = *self;
        let (encoding, data) = (&reading.encoding, cut.data);
        if let (Some(atom), [out]) = (unit.whole(), &mut *out) {
            let mut flush = |keys: &mut Keys| flush(atom, keys);
            let facts = match weighted {
                Some(weighted) => read_weighted_codes(data, &unit.unit, column, encoding, table, out, weighted),
                None => read_codes(data, &unit.unit, column, encoding, table, out, window, &mut flush),
            };
            return facts.map(|facts| vec![facts]);
        }
        let map = cut.map(unit)?;
        let parted = Parted { map: &map, rows: &unit.rows };
        let mut flush = |part: usize, keys: &mut Keys| flush(unit.atoms[part], keys);
        read_parted_codes(data, &unit.unit, column, encoding, table, parted, out, window, &mut flush)
    }
}

/// Every unit that a reading needs rows of, with the column to read there.
pub(super) fn units_of<'c>(context: &'c Context<'_>, reading: &Reading, window: usize) -> Vec<UnitRead<'c>> {
    let cuts = context.parts.cuts.iter().zip(reading.columns);
    cuts.filter_map(|(cut, column)| Some((cut, column?)))
        .flat_map(|(cut, column)| cut.units.iter().map(move |unit| UnitRead { cut, unit, column, window }))
        .filter(|read| read.unit.atoms.iter().any(|atom| reading.needs(*atom)))
        .collect()
}

/// Keys of one atom in one unit.
struct Piece {
    atom: usize,
    keys: Keys,
    /// Keys that many rows have, beside the others.
    weighted: Option<Weighted>,
    /// Whether the buffer came from the pool, where those of whole units are kept.
    pooled: bool,
}

/// What is held of a feature: keys and facts by atom.
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    /// The keys of a sample without rows: none, and of the feature's width.
    none: Keys,
    facts: BTreeMap<usize, Facts>,
}

/// What one unit gave.
pub(super) struct Held {
    pieces: Vec<Piece>,
    facts: Vec<Facts>,
}

impl Held {
    /// Reads a unit with `read`, into buffers that are large enough.
    pub(super) fn read(
        context: &Context<'_>,
        unit: &CutUnit,
        bits: u32,
        read: impl FnOnce(&mut [Keys], Option<&mut Weighted>) -> Result<Vec<Facts>, Failure>,
    ) -> Result<Self, Failure> {
        let most = context.memory.keys();
        let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX).min(most);
        let pooled = unit.whole().is_some();
        let mut out: Vec<Keys> = match pooled {
            true => vec![context.pool.take(bits, size(unit.unit.rows))],
            false => unit.rows.iter().map(|&rows| Keys::with_capacity(bits, size(rows))).collect(),
        };
        // Of keys that are to be sorted each must be there.
        let by_code = pooled && context.wanted.counting != Counting::Sorting;
        let mut weighted = by_code.then(|| Weighted::empty(bits));
        let facts = context.clock.decode.time(|| read(&mut out, weighted.as_mut()))?;
        let piece = |(&atom, keys)| Piece { atom, keys, weighted: weighted.take(), pooled };
        let pieces = unit.atoms.iter().zip(out).map(piece).collect();
        Ok(Self { pieces, facts })
    }
}

impl Pieces {
    /// Nothing yet, of keys of `bits` bits.
    pub(super) fn new(bits: u32) -> Self {
        Self { pieces: Vec::new(), none: Keys::empty(bits), facts: BTreeMap::new() }
    }

    /// Adds what a unit gave, as far as `reading` needs it.
    pub(super) fn add(&mut self, reading: &Reading, held: Held) {
        for (piece, facts) in held.pieces.into_iter().zip(held.facts) {
            if reading.needs(piece.atom) {
                self.facts.entry(piece.atom).or_default().merge(&facts);
                self.pieces.push(piece);
            }
        }
    }

    /// The keys of a sample.
    pub(super) fn column(&self, sample: &Sample) -> Column<'_> {
        let of_sample = |piece: &&Piece| sample.atoms.binary_search(&piece.atom).is_ok();
        let keys: Column<'_> = self.pieces.iter().filter(of_sample).map(|piece| &piece.keys).collect();
        if keys.is_empty() { vec![&self.none] } else { keys }
    }

    /// The keys of a sample that many rows have, beside those of its column.
    pub(super) fn weighted(&self, sample: &Sample) -> Vec<&Weighted> {
        let of_sample = |piece: &&Piece| sample.atoms.binary_search(&piece.atom).is_ok();
        self.pieces.iter().filter(of_sample).filter_map(|piece| piece.weighted.as_ref()).collect()
    }

    /// The facts of a sample.
    pub(super) fn facts(&self, sample: &Sample) -> Facts {
        facts_of(&self.facts, sample)
    }

    /// Gives the buffers back.
    pub(super) fn release(self, pool: &Pool) {
        self.pieces.into_iter().filter(|piece| piece.pooled).for_each(|piece| pool.give(piece.keys));
    }
}

/// The facts of a sample, from those of its atoms.
pub(super) fn facts_of(atoms: &BTreeMap<usize, Facts>, sample: &Sample) -> Facts {
    let mut facts = Facts::default();
    sample.atoms.iter().filter_map(|atom| atoms.get(atom)).for_each(|atom| facts.merge(atom));
    facts
}
