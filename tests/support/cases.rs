//! Hand-made cases: data, not code. Every backend must answer them as the oracle does.

use super::Case;
use gpudrift::counts::{CellMap, CellSet, Key, Keys};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Threads of a workgroup, and the edges around it.
const SIZES: [usize; 10] = [0, 1, 2, 255, 256, 257, 1023, 1024, 1025, 70_001];

/// How the keys of a column are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spread {
    Uniform,
    AllEqual,
    AllDistinct,
    FewValues,
    MostlyZero,
    TwoFarModes,
    Ends,
    /// Across a carry from one half of the key into the other, in a range that leaves a shift between 0 and a half.
    AcrossHalves,
}

pub(crate) const SPREADS: [Spread; 8] = [
    Spread::Uniform,
    Spread::AllEqual,
    Spread::AllDistinct,
    Spread::FewValues,
    Spread::MostlyZero,
    Spread::TwoFarModes,
    Spread::Ends,
    Spread::AcrossHalves,
];

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `n` keys of `bits` bits.
pub(crate) fn keys(spread: Spread, bits: u32, n: usize, seed: u64) -> Vec<u128> {
    let mut rng = rng(seed);
    let max = u128::MAX >> (128 - bits);
    let draw = |rng: &mut ChaCha8Rng| rng.random::<u128>() & max;
    let still = draw(&mut rng);
    (0..n)
        .map(|index| match spread {
            Spread::Uniform => draw(&mut rng),
            Spread::AllEqual => still,
            Spread::AllDistinct => (still & (max >> 1)) + index as u128 * 3,
            Spread::FewValues => (draw(&mut rng) % 17) * (max / 17),
            Spread::MostlyZero if rng.random::<u32>() % 10 < 6 => 0,
            Spread::MostlyZero => draw(&mut rng),
            Spread::TwoFarModes => draw(&mut rng) % 1000 + if rng.random() { max - 1000 } else { 5 },
            Spread::Ends => [0, max, 1, max - 1][index % 4],
            Spread::AcrossHalves => {
                (1 << (bits / 2 + 1)) - (1 << (bits / 2 - 3)) + draw(&mut rng) % (1 << (bits / 2 - 2))
            }
        })
        .collect()
}

/// Keys of `bits` bits as a column of one piece.
pub(crate) fn piece(bits: u32, wide: &[u128]) -> Keys {
    match bits {
        32 => Keys::U32(wide.iter().map(|&key| u32::narrow(key)).collect()),
        64 => Keys::U64(wide.iter().map(|&key| u64::narrow(key)).collect()),
        _ => Keys::U128(wide.to_vec()),
    }
}

/// A column cut into pieces of uneven length, one of them empty.
pub(crate) fn pieces(bits: u32, wide: &[u128]) -> Vec<Keys> {
    let (a, b) = wide.split_at(wide.len() / 3);
    let (b, c) = b.split_at(b.len() / 2);
    vec![piece(bits, a), piece(bits, b), Keys::empty(bits), piece(bits, c)]
}

/// The map that a scan would make of `sample`.
pub(crate) fn map_of(sample: &[u128], cells: u32, pivots: bool) -> CellMap {
    let mut sample = sample.to_vec();
    sample.sort_unstable();
    let (lo, hi) = (sample.first().copied().unwrap_or(0), sample.last().copied().unwrap_or(0));
    CellMap::new(lo, hi, &sample, cells, pivots)
}

/// Every cell whose index has a remainder of 0 by `step`.
pub(crate) fn every(map: &CellMap, step: usize) -> CellSet {
    let mut set = CellSet::none(map.n_cells());
    (0..map.n_cells()).step_by(step).for_each(|cell| set.insert(cell));
    set
}

fn one(cell: usize, map: &CellMap) -> CellSet {
    let mut set = CellSet::none(map.n_cells());
    set.insert(cell.min(map.n_cells() - 1));
    set
}

/// Adds the questions that are worth asking about a column with this map.
fn ask(case: &mut Case, column: usize, map: &CellMap) {
    case.counts.push((column, map.clone()));
    case.selects.push((column, map.clone(), CellSet::none(map.n_cells())));
    case.selects.push((column, map.clone(), CellSet::all(map.n_cells())));
    case.selects.push((column, map.clone(), every(map, 3)));
    case.selects.push((column, map.clone(), one(map.n_cells() / 2, map)));
}

/// Every size, width and spread with maps of its own keys: 32 columns and more in one batch of mixed widths.
pub(crate) fn sizes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, spread) in SPREADS.into_iter().enumerate() {
        let mut case = Case { name: format!("sizes, {spread:?}"), ..Case::default() };
        for n in SIZES {
            for bits in [32, 64, 128] {
                let wide = keys(spread, bits, n, index as u64 * 1000 + n as u64);
                let column = case.columns.len();
                case.columns.push(pieces(bits, &wide));
                let pivots = (column + index).is_multiple_of(2);
                ask(&mut case, column, &map_of(&wide[..n.div_ceil(2)], 700, pivots));
            }
        }
        assert!(case.columns.len() >= 30);
        cases.push(case);
    }
    cases
}

/// Maps made from samples that have nothing to do with the keys, and maps of every size.
pub(crate) fn odd_maps() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in [32, 64] {
        let max = u128::MAX >> (128 - bits);
        let wide = keys(Spread::Uniform, bits, 5000, 77);
        let modes = keys(Spread::TwoFarModes, bits, 5000, 78);
        let mut case = Case { name: format!("odd maps, {bits} bits"), ..Case::default() };
        case.columns = vec![pieces(bits, &wide), pieces(bits, &modes), pieces(bits, &[0, max, max / 2])];
        for pivots in [false, true] {
            let mut maps = vec![
                CellMap::new(0, 0, &[], 0, pivots),
                CellMap::new(0, max, &[], 0, pivots),
                CellMap::new(0, max, &[], 4096, pivots),
                CellMap::new(7, 7, &[7], 100, pivots),
                CellMap::new(max, max, &[max], 100, pivots),
                CellMap::new(max / 2, max / 2 + 3, &[max / 2], 100, pivots),
                map_of(&modes, 3000, pivots),
                map_of(&keys(Spread::FewValues, bits, 999, 5), 500, pivots),
            ];
            // One of each kernel size: counters of 32 bits, of 16 bits, and too many for either.
            maps.extend([900, 2_900, 6_000, 13_000, 90_000].map(|cells| map_of(&wide, cells, pivots)));
            for column in 0..3 {
                for map in &maps {
                    case.counts.push((column, map.clone()));
                    case.selects.push((column, map.clone(), every(map, 7)));
                }
            }
        }
        cases.push(case);
    }
    cases
}

/// Category codes.
pub(crate) fn codes() -> Vec<Case> {
    let mut case = Case { name: "codes".into(), ..Case::default() };
    for (column, n) in [1_u32, 2, 1024, 1025, 100_000].into_iter().enumerate() {
        let wide: Vec<u128> =
            keys(Spread::Uniform, 32, 20_000, n.into()).iter().map(|key| key % u128::from(n)).collect();
        case.columns.push(pieces(32, &wide));
        ask(&mut case, column, &CellMap::identity(n));
    }
    vec![case]
}

/// Keys on, just below and just above the pivots, and on the bounds of cells.
pub(crate) fn on_the_pivots() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in [32, 64] {
        let max = u128::MAX >> (128 - bits);
        let map = map_of(&keys(Spread::FewValues, bits, 3000, 9), 900, true);
        let pivots = map.pivots().expect("asked for").to_vec();
        let on: Vec<u128> = pivots.iter().map(|&pivot| pivot.min(max)).collect();
        let beside: Vec<u128> = on.iter().flat_map(|&pivot| [pivot.saturating_sub(1), (pivot + 1).min(max)]).collect();
        let bounds = (0..map.n_cells()).filter_map(|cell| map.bounds(cell));
        let edges: Vec<u128> = bounds.flat_map(|(first, last)| [first.min(max), last.min(max)]).collect();
        let mut case = Case { name: format!("on the pivots, {bits} bits"), ..Case::default() };
        case.columns = vec![pieces(bits, &on), pieces(bits, &beside), pieces(bits, &edges)];
        (0..3).for_each(|column| ask(&mut case, column, &map));
        cases.push(case);
    }
    cases
}

/// Several jobs on one column, several columns with one map, no job, no column, a column of no piece.
pub(crate) fn jobs() -> Vec<Case> {
    let wide = keys(Spread::Uniform, 32, 3000, 21);
    let (a, b) = (map_of(&wide, 300, false), map_of(&wide, 300, true));
    let mut many = Case { name: "many jobs".into(), ..Case::default() };
    many.columns =
        vec![vec![], pieces(32, &wide), pieces(32, &wide[..7]), vec![Keys::empty(64)], vec![Keys::empty(128)]];
    for column in [1, 0, 2, 1, 3, 4, 1] {
        ask(&mut many, column, &a);
        ask(&mut many, column, &b);
    }
    let none = Case { name: "no job".into(), columns: vec![pieces(32, &wide)], ..Case::default() };
    vec![many, none, Case { name: "no column".into(), ..Case::default() }]
}

/// More columns than one dimension of a dispatch has workgroups.
pub(crate) fn many_columns() -> Case {
    let wide = keys(Spread::Uniform, 32, 4096, 33);
    let map = map_of(&wide, 0, false);
    let small = CellMap::new(1 << 30, (1 << 30) + 5, &[], 0, true);
    let mut case = Case { name: "70 000 columns".into(), ..Case::default() };
    for column in 0..70_000_usize {
        let at = column % 4000;
        case.columns.push(vec![piece(32, &wide[at..at + 1 + column % 3])]);
        case.counts.push((column, small.clone()));
    }
    case.selects.push((69_999, map.clone(), every(&map, 2)));
    case
}

/// All cases that are cheap enough for every backend.
pub(crate) fn all() -> Vec<Case> {
    [sizes(), odd_maps(), codes(), on_the_pivots(), jobs()].concat()
}
