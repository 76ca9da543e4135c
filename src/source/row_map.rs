//! Which part each row of a row group belongs to.

/// Runs shorter than this on average are stored row by row.
const SHORT: usize = 3;
/// From so many runs on it is asked whether they are short.
const MANY: usize = 256;

/// For every row of a unit the number of its part, or none: the row is not read.
///
/// Rows in the order of time form long runs; rows of mixed segments do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowMap {
    rows: usize,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// Where each run ends, and its part.
    Runs(Vec<(usize, u32)>),
    /// One part a row.
    Each(Vec<u32>),
}

impl RowMap {
    /// The part of rows that belong to none.
    pub(crate) const NONE: u32 = u32::MAX;

    /// No rows yet.
    pub(crate) fn new() -> Self {
        Self { rows: 0, form: Form::Runs(Vec::new()) }
    }

    /// `rows` rows of one part.
    pub(crate) fn constant(part: u32, rows: usize) -> Self {
        let mut map = Self::new();
        map.push(part, rows);
        map
    }

    /// Memory that the map takes, about.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            Form::Runs(runs) => runs.capacity() * size_of::<(usize, u32)>(),
            Form::Each(parts) => parts.capacity() * size_of::<u32>(),
        }
    }

    /// The next `n` rows belong to `part`.
    #[inline]
    pub(crate) fn push(&mut self, part: u32, n: usize) {
        if n == 0 {
            return;
        }
        self.rows += n;
        match &mut self.form {
            Form::Each(parts) => parts.resize(self.rows, part),
            Form::Runs(runs) => match runs.last_mut() {
                Some((end, last)) if *last == part => *end = self.rows,
                _ => {
                    runs.push((self.rows, part));
                    if runs.len() >= MANY && self.rows / runs.len() < SHORT {
                        let mut parts = Vec::with_capacity(2 * self.rows);
                        for &(end, part) in runs.iter() {
                            parts.resize(end, part);
                        }
                        self.form = Form::Each(parts);
                    }
                }
            },
        }
    }

    /// The map is complete.
    pub(crate) fn shrink(&mut self) {
        match &mut self.form {
            Form::Runs(runs) => runs.shrink_to_fit(),
            Form::Each(parts) => parts.shrink_to_fit(),
        }
    }

    /// Writes the parts of the rows from `from` on into `out`, `n` of them or as many as there are.
    pub(crate) fn read(&self, from: usize, n: usize, out: &mut Vec<u32>) {
        out.clear();
        let to = from.saturating_add(n).min(self.rows);
        if from >= to {
            return;
        }
        match &self.form {
            Form::Each(parts) => out.extend_from_slice(&parts[from..to]),
            Form::Runs(runs) => {
                let first = runs.partition_point(|&(end, _)| end <= from);
                for &(end, part) in &runs[first..] {
                    out.resize(end.min(to) - from, part);
                    if end >= to {
                        break;
                    }
                }
            }
        }
    }

    /// Shows the runs of equal parts in the order of the rows: part, number of rows.
    pub(crate) fn runs(&self, mut each: impl FnMut(u32, usize)) {
        match &self.form {
            Form::Each(parts) => {
                parts.chunk_by(|a, b| a == b).for_each(|run| each(run[0], run.len()));
            }
            Form::Runs(runs) => {
                let mut from = 0;
                for &(end, part) in runs {
                    each(part, end - from);
                    from = end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_map_holds_what_was_pushed(
            pushed in prop::collection::vec((prop_oneof![0_u32..4, Just(RowMap::NONE)], 0_usize..5), 0..900),
            from in 0_usize..2000,
            n in 0_usize..2000,
        ) {
            let mut map = RowMap::new();
            let mut wanted = Vec::new();
            for &(part, n) in &pushed {
                map.push(part, n);
                wanted.resize(wanted.len() + n, part);
            }
            map.shrink();
            prop_assert_eq!(map.rows, wanted.len());
            let mut all = Vec::new();
            map.runs(|part, n| all.resize(all.len() + n, part));
            prop_assert_eq!(&all, &wanted);
            let mut some = vec![7];
            map.read(from, n, &mut some);
            let from = from.min(wanted.len());
            prop_assert_eq!(&some[..], &wanted[from..(from + n).min(wanted.len())]);
        }
    }

    #[test]
    fn long_runs_take_little_memory() {
        let mut map = RowMap::constant(3, 1 << 40);
        map.push(RowMap::NONE, 1 << 20);
        assert!(map.bytes() < 1000);
    }
}
