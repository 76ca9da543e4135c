//! Gradient boosting, with the settings that LightGBM has by default and NannyML leaves as they are.
//!
//! `forust-ml` sums gradients in f64 and in the order of the rows, so the trees do not depend on threads.

use forust_ml::GradientBooster;
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::objective::ObjectiveType;

const TREES: usize = 100;
const RATE: f32 = 0.1;
const LEAVES: usize = 31;
const ROWS_OF_A_LEAF: f32 = 20.0;
const BINS: u16 = 255;

/// What losses follow from numbers.
pub(super) enum Learner {
    /// The same loss always.
    Constant(f64),
    /// Trees for those `columns` that have more than one value, and what their losses are multiples of.
    Trees { booster: Box<GradientBooster>, columns: Vec<usize>, unit: f64 },
}

impl Learner {
    /// Learns finite losses from columns of numbers, NaN where there is none; rows count by their weights, all of them above
    /// 0. `None` when the library refuses.
    pub(super) fn fit(columns: &[Vec<f64>], losses: &[f64], weights: &[f64]) -> Option<Self> {
        let varies = |column: &&Vec<f64>| {
            let mut known = column.iter().filter(|value| !value.is_nan());
            known.next().is_some_and(|first| known.any(|value| value != first))
        };
        let chosen: Vec<usize> = (0..columns.len()).filter(|&at| varies(&&columns[at])).collect();
        let weight = weights.iter().sum::<f64>();
        let mean = losses.iter().zip(weights).map(|(loss, weight)| loss * weight).sum::<f64>() / weight;
        if chosen.is_empty() || mean <= 0.0 || !mean.is_finite() {
            return mean.is_finite().then_some(Self::Constant(mean));
        }
        // Gradients are f32: losses near 1 leave neither end of its range.
        let targets: Vec<f64> = losses.iter().map(|loss| loss / mean).collect();
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(TREES)
            .set_learning_rate(RATE)
            .set_max_depth(usize::MAX)
            .set_max_leaves(LEAVES)
            .set_min_leaf_weight(ROWS_OF_A_LEAF)
            .set_nbins(BINS)
            .set_l2(0.0)
            .set_initialize_base_score(true);
        booster.grow_policy = GrowPolicy::LossGuide;
        let cells = joined(columns, &chosen);
        // The least weight of a leaf is a number of rows.
        let mean_weight = weight / crate::format::real(losses.len() as u64);
        let weights: Vec<f64> = weights.iter().map(|weight| weight / mean_weight).collect();
        booster.fit(&Matrix::new(&cells, targets.len(), chosen.len()), &targets, &weights, None).ok()?;
        Some(Self::Trees { booster: Box::new(booster), columns: chosen, unit: mean })
    }

    /// The losses of `rows` rows.
    pub(super) fn predict(&self, columns: &[Vec<f64>], rows: usize) -> Vec<f64> {
        match self {
            Self::Constant(loss) => vec![*loss; rows],
            Self::Trees { booster, columns: chosen, unit } => {
                let cells = joined(columns, chosen);
                let found = booster.predict(&Matrix::new(&cells, rows, chosen.len()), false);
                found.into_iter().map(|loss| loss * unit).collect()
            }
        }
    }
}

/// Columns one after the other.
fn joined(columns: &[Vec<f64>], chosen: &[usize]) -> Vec<f64> {
    chosen.iter().flat_map(|&at| columns[at].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> (Vec<Vec<f64>>, Vec<f64>) {
        let x = |row: u32| f64::from(row * 7919 % 1000) / 1000.0;
        let noise = |row: u32| f64::from(row * 104_729 % 997) / 997.0;
        let columns = vec![(0..4000).map(x).collect(), vec![5.0; 4000]];
        (columns, (0..4000).map(|row| (1.0 + 3.0 * x(row)) * 2.0 * noise(row)).collect())
    }

    #[test]
    fn conditional_means_are_found_and_constant_columns_left_out() {
        let (columns, losses) = rows();
        let learner = Learner::fit(&columns, &losses, &[1.0; 4000]).unwrap();
        let grid = vec![vec![0.05, 0.5, 0.95], vec![5.0; 3]];
        for (found, expected) in learner.predict(&grid, 3).into_iter().zip([1.15, 2.5, 3.85]) {
            assert!((found - expected).abs() < 0.5, "{found} is not near {expected}");
        }
    }

    #[test]
    fn threads_change_no_bit() {
        let (columns, losses) = rows();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Learner::fit(&columns, &losses, &[1.0; 4000]).unwrap().predict(&columns, 4000))
        };
        let bits = |losses: Vec<f64>| losses.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(on(1)), bits(on(4)));
    }

    #[test]
    fn a_row_of_three_times_the_weight_teaches_as_three_rows_do() {
        let (columns, losses) = rows();
        // Rows that lost less than others of their kind count three times.
        let times = |row: usize| if losses[row] < 1.0 + 3.0 * columns[0][row] { 3 } else { 1 };
        let weights: Vec<f64> = (0..4000).map(|row| if times(row) == 3 { 3.0 } else { 1.0 }).collect();
        let repeat = |values: &Vec<f64>| {
            values.iter().enumerate().flat_map(|(row, value)| vec![*value; times(row)]).collect::<Vec<f64>>()
        };
        let repeated: Vec<Vec<f64>> = columns.iter().map(repeat).collect();
        let grid = vec![(0..100).map(|at| f64::from(at) / 100.0).collect(), vec![5.0; 100]];
        let weighed = Learner::fit(&columns, &losses, &weights).unwrap().predict(&grid, 100);
        let alike = vec![1.0; repeated[0].len()];
        let repeated = Learner::fit(&repeated, &repeat(&losses), &alike).unwrap().predict(&grid, 100);
        let plain = Learner::fit(&columns, &losses, &[1.0; 4000]).unwrap().predict(&grid, 100);
        let apart = |one: &[f64], other: &[f64]| {
            let sum: f64 = one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum();
            (sum / 100.0).sqrt()
        };
        // Quantiles of bins, and the fewest rows of a leaf, are of rows: nearly the same trees.
        let (near, far) = (apart(&weighed, &repeated), apart(&weighed, &plain));
        assert!(near < 0.5 * far, "{near} from the repeated rows, {far} from rows that count alike");
    }

    #[test]
    fn losses_that_never_vary_need_no_tree() {
        let nothing = Learner::fit(&[vec![1.0; 50]], &[2.0; 50], &[1.0; 50]).unwrap();
        assert_eq!(nothing.predict(&[vec![3.0]], 1), [2.0]);
        let none_lost = Learner::fit(&[vec![1.0, 2.0]], &[0.0; 2], &[1.0; 2]).unwrap();
        assert_eq!(none_lost.predict(&[vec![3.0]], 1), [0.0]);
    }

    #[test]
    fn odd_columns_and_losses_give_finite_losses() {
        let ramp = |n: u32| (0..n).map(f64::from).collect::<Vec<f64>>();
        let holes: Vec<f64> = ramp(500).into_iter().map(|x| if x % 3.0 == 0.0 { f64::NAN } else { x }).collect();
        let ends: Vec<f64> = ramp(500).into_iter().map(|x| if x < 250.0 { -1e300 } else { 1e300 }).collect();
        let tiny: Vec<f64> = ramp(500).into_iter().map(|x| x * f64::MIN_POSITIVE * 1e-3).collect();
        let outlier: Vec<f64> = ramp(500).into_iter().map(|x| if x == 7.0 { 1e250 } else { x }).collect();
        for n in [1, 2, 39, 500] {
            for column in [&holes, &ends, &tiny, &outlier, &vec![f64::NAN; 500]] {
                for losses in [&ramp(500), &tiny, &outlier] {
                    let column = column[..n].to_vec();
                    let learner =
                        Learner::fit(&[column, ramp(500)[..n].to_vec()], &losses[..n], &vec![1.0; n]).unwrap();
                    let elsewhere = vec![vec![f64::NAN, 1e300, -1e300, 3.0], vec![f64::NAN, 1e300, -1e300, 3.0]];
                    let found = learner.predict(&elsewhere, 4);
                    assert!(found.iter().all(|loss| loss.is_finite()), "{n} {found:?}");
                }
            }
        }
    }
}
