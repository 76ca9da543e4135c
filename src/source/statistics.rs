//! What the footers say about one column of every row group: least and greatest value, and how many nulls.
//!
//! Only integers are taken, and only where writers agree on their order: signed ones of 32 or 64 bits.

use parquet::basic::{LogicalType, Type as Physical};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

/// The extent of a column in a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Least and greatest stored integer; `None` where unknown, or without values.
    pub(crate) ends: Option<(i128, i128)>,
    /// Number of nulls; `None` where unknown.
    pub(crate) nulls: Option<u64>,
}

/// The extent of `leaf` in every row group of `metadata`, which was read with the statistics of that leaf.
pub(super) fn extents(metadata: &ParquetMetaData, leaf: usize) -> Vec<Extent> {
    let column = metadata.file_metadata().schema_descr().column(leaf);
    let unsigned = matches!(column.logical_type_ref(), Some(LogicalType::Integer(kind)) if !kind.is_signed)
        || column.converted_type().to_string().starts_with("UINT");
    let ordered = matches!(column.physical_type(), Physical::INT32 | Physical::INT64) && !unsigned;
    let required = column.max_def_level() == 0;
    let of = |statistics: Option<&Statistics>| {
        let ends = match statistics {
            Some(Statistics::Int32(found)) if ordered => {
                found.min_opt().zip(found.max_opt()).map(|(&low, &high)| (low.into(), high.into()))
            }
            Some(Statistics::Int64(found)) if ordered => {
                found.min_opt().zip(found.max_opt()).map(|(&low, &high)| (low.into(), high.into()))
            }
            _ => None,
        };
        let nulls = if required { Some(0) } else { statistics.and_then(Statistics::null_count_opt) };
        Extent { ends: ends.filter(|(low, high)| low <= high), nulls }
    };
    metadata.row_groups().iter().map(|group| of(group.column(leaf).statistics())).collect()
}
