//! Which row groups must be sorted together.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::error::ConceptError;
use crate::source::rows::footer;
use crate::source::{Dataset, Unit, Values};

/// Row groups whose ranges of times overlap, in the order of the files.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) units: Vec<Unit>,
}

/// Least and greatest time of a row group, as far as its footer tells.
type Range = Option<(i64, i64)>;

/// Clusters in the order of their times. A row group without statistics overlaps with everything.
pub(super) fn clusters(
    data: &Dataset,
    column: usize,
    units: impl Iterator<Item = Unit>,
) -> Result<Vec<Cluster>, ConceptError> {
    let mut ranged: Vec<(usize, Unit, Range)> = Vec::new();
    let (mut file, mut ranges) = (usize::MAX, Vec::new());
    for (position, unit) in units.enumerate() {
        if unit.file != file {
            (file, ranges) = (unit.file, ranges_of(data, column, &unit)?);
        }
        ranged.push((position, unit, ranges.get(unit.row_group).copied().flatten()));
    }
    Ok(overlapping(ranged).into_iter().map(|units| Cluster { units }).collect())
}

fn ranges_of(data: &Dataset, column: usize, unit: &Unit) -> Result<Vec<Range>, ConceptError> {
    if !matches!(data.values(unit, column), Values::Leaf { .. }) {
        return Ok(Vec::new());
    }
    let footer =
        footer(data, unit.file).map_err(|fault| ConceptError::Read(Box::new(fault.at(data.place(unit, column)))))?;
    let name = &data.columns()[column].name;
    let Ok(converter) = StatisticsConverter::try_new(name, footer.schema(), footer.parquet_schema()) else {
        return Ok(Vec::new());
    };
    let groups = footer.metadata().row_groups();
    let ends = converter.row_group_mins(groups).and_then(|least| Ok((least, converter.row_group_maxes(groups)?)));
    let Ok((least, greatest)) = ends else { return Ok(Vec::new()) };
    let integers = |ends| arrow::compute::cast(ends, &DataType::Int64);
    let (Ok(least), Ok(greatest)) = (integers(&least), integers(&greatest)) else { return Ok(Vec::new()) };
    let (least, greatest) = (least.as_primitive::<Int64Type>(), greatest.as_primitive::<Int64Type>());
    let range = |(low, high): (Option<i64>, Option<i64>)| Some((low?, high?));
    Ok(if least.len() == greatest.len() { least.iter().zip(greatest).map(range).collect() } else { Vec::new() })
}

/// Groups of overlapping ranges, ordered by time; inside a group in the order of the positions.
fn overlapping<T>(mut ranged: Vec<(usize, T, Range)>) -> Vec<Vec<T>> {
    if ranged.iter().any(|(_, _, range)| range.is_none()) {
        return if ranged.is_empty() {
            Vec::new()
        } else {
            vec![ranged.into_iter().map(|(_, item, _)| item).collect()]
        };
    }
    ranged.sort_by_key(|&(position, _, range)| (range, position));
    let mut groups: Vec<Group<T>> = Vec::new();
    for (position, item, range) in ranged {
        let Some((low, high)) = range else { continue };
        let mut group = Group { low, high, first: position, last: position, items: vec![(position, item)] };
        while let Some(before) = groups.pop_if(|before| before.must_join(&group)) {
            group.join(before);
        }
        groups.push(group);
    }
    groups.into_iter().map(Group::in_order).collect()
}

/// Ranges that are sorted together: where they begin and end, in time and in position.
struct Group<T> {
    low: i64,
    high: i64,
    first: usize,
    last: usize,
    items: Vec<(usize, T)>,
}

impl<T> Group<T> {
    /// Whether a later group cannot simply follow. One that only touches can, when it stands behind in the files, too: rows of
    /// equal times keep their order.
    fn must_join(&self, later: &Self) -> bool {
        later.low < self.high || (later.low == self.high && later.first < self.last)
    }

    fn join(&mut self, other: Self) {
        (self.low, self.high) = (self.low.min(other.low), self.high.max(other.high));
        (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
        self.items.extend(other.items);
    }

    fn in_order(mut self) -> Vec<T> {
        self.items.sort_by_key(|&(position, _)| position);
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(ranges: &[Range]) -> Vec<Vec<usize>> {
        overlapping(ranges.iter().enumerate().map(|(at, range)| (at, at, *range)).collect())
    }

    #[test]
    fn what_overlaps_is_sorted_together_and_the_rest_follows() {
        assert_eq!(groups(&[Some((0, 9)), Some((10, 19)), Some((20, 29))]), [vec![0], vec![1], vec![2]]);
        assert_eq!(groups(&[Some((20, 29)), Some((10, 19)), Some((0, 9))]), [vec![2], vec![1], vec![0]]);
        assert_eq!(groups(&[Some((0, 15)), Some((10, 19)), Some((20, 29))]), [vec![0, 1], vec![2]]);
        assert_eq!(groups(&[Some((0, 30)), Some((1, 2)), Some((3, 4)), Some((30, 31))]), [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn equal_times_keep_the_order_of_the_files() {
        assert_eq!(groups(&[Some((0, 10)), Some((10, 20))]), [vec![0], vec![1]]);
        assert_eq!(groups(&[Some((10, 20)), Some((0, 10))]), [vec![0, 1]], "file 0 has its rows of time 10 first");
        assert_eq!(groups(&[Some((5, 5)), Some((5, 5))]), [vec![0], vec![1]]);
        assert_eq!(groups(&[Some((10, 11)), Some((0, 10)), Some((10, 10))]), [vec![0, 1, 2]]);
    }

    #[test]
    fn without_statistics_everything_is_sorted_together() {
        assert_eq!(groups(&[Some((20, 29)), None, Some((0, 9))]), [vec![0, 1, 2]]);
        assert_eq!(groups(&[]), Vec::<Vec<usize>>::new());
    }
}
