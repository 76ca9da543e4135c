//! Between which ends a figure is usual: the mean of what ten parts of the reference had, less and plus three standard
//! deviations (NannyML: `StandardDeviationThreshold` over `DefaultChunker`).

use std::collections::BTreeMap;

use super::sample::Sample;
use super::{FIGURES, LOSSES, Mean, figure};
use crate::format::real;

/// Parts of equally many rows; what is left over is one more.
const PARTS: usize = 10;
/// Standard deviations (ddof 0) from the mean.
const DEVIATIONS: f64 = 3.0;

/// The ends by figure, none below 0; nothing where there are fewer rows than parts, or a row has no such loss.
pub(super) fn of(sample: &Sample) -> BTreeMap<&'static str, [f64; 2]> {
    let order = sample.in_time();
    let size = order.len() / PARTS;
    if size == 0 {
        return BTreeMap::new();
    }
    let means: Vec<Vec<f64>> = (0..LOSSES)
        .map(|loss| {
            let (losses, weights) = (sample.losses(loss), sample.weights());
            let mean =
                |part: &[usize]| part.iter().fold(Mean::default(), |mean, &row| mean.and((losses[row], weights[row])));
            order.chunks(size).map(|part| mean(part).value().unwrap_or(f64::NAN)).collect()
        })
        .collect();
    let ends = |(name, loss, root): (&'static str, usize, bool)| {
        let figures: Vec<f64> = means[loss].iter().map(|mean| figure(*mean, root)).collect();
        let centre = mean(figures.iter().copied(), figures.len());
        let variance = mean(figures.iter().map(|figure| (figure - centre) * (figure - centre)), figures.len());
        let width = DEVIATIONS * libm::sqrt(variance);
        let ends = [(centre - width).max(0.0), centre + width];
        ends.iter().all(|end| end.is_finite()).then_some((name, ends))
    };
    // A root of NaN is NaN, so a figure that rests on it has no ends.
    FIGURES
        .into_iter()
        .filter(|(_, loss, _)| means[*loss].iter().all(|mean| mean.is_finite()))
        .filter_map(ends)
        .collect()
}

fn mean(values: impl Iterator<Item = f64>, n: usize) -> f64 {
    values.sum::<f64>() / real(n as u64)
}
