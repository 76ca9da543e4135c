//! Values of which it is wanted how many rows lie below: the limits of declared ranges, the allowed numbers, and the ends
//! of the reference. A count below a value is one of cells, so none of these depends on how rows were cut.

use super::context::Task;
use super::ordered::Ordered;
use crate::column::{Encoding, Facts, Kind};
use crate::counts::Scale;
use crate::quality::{Declared, Limit, Strangers, Violations};

const NANOSECONDS_A_DAY: i128 = 86_400_000_000_000;

/// The marks of a feature, in the order in which [`answers`] reads what was counted.
pub(super) fn marks(task: &Task, encoding: &Encoding, facts: &[Facts; 2]) -> Vec<f64> {
    let mut marks: Vec<f64> = limits(task, encoding).into_iter().flatten().collect();
    if task.pairing.kind != Kind::Numeric {
        return marks;
    }
    if let Some(declared) = task.declared.as_deref() {
        marks.extend(numbers(encoding, declared).into_iter().flatten().flat_map(|value| [value, value.next_up()]));
    }
    marks.extend(ends(encoding, facts).into_iter().flatten());
    marks
}

/// What the counts below the marks say: the broken rules, and the values of current beyond the reference's ends.
pub(super) fn answers(task: &Task, ordered: &Ordered) -> (Violations, Option<u64>) {
    let Ordered { facts, compared, .. } = ordered;
    let encoding = &task.pairing.encoding;
    let n = [facts[0].values(), facts[1].values()];
    let mut violations = Violations { distinct: compared.distinct, ..Violations::default() };
    let mut below = compared.below.iter().copied();
    if compared.below.is_empty() && !marks(task, encoding, facts).is_empty() {
        return (violations, None);
    }
    let mut next = || below.next().unwrap_or(n);
    let above = |below: [u64; 2]| [0, 1].map(|side| n[side].saturating_sub(below[side]));
    let [smallest, largest] = limits(task, encoding);
    violations.below = smallest.map(|_| next());
    violations.above = largest.map(|_| above(next()));
    if task.pairing.kind != Kind::Numeric {
        return (violations, None);
    }
    if let Some(declared) = task.declared.as_deref() {
        violations.outside = numbers(encoding, declared).map(|allowed| {
            let mut rows = n;
            for _ in allowed {
                let (from, to) = (next(), next());
                rows = [0, 1].map(|side| rows[side].saturating_sub(to[side].saturating_sub(from[side])));
            }
            Strangers { rows, ..Strangers::default() }
        });
    }
    let ends = ends(encoding, facts);
    let beyond = [ends[0].map_or(0, |_| next()[1]), ends[1].map_or(0, |_| above(next())[1])];
    (violations, (n[0] > 0 && n[1] > 0).then(|| beyond.iter().sum()))
}

/// What lies below the first is below the declared range, what does not lie below the second is above it. Times are
/// integers of the column's unit: beyond 2^53, of nanoseconds that are no whole seconds, the nearest double stands for one.
fn limits(task: &Task, encoding: &Encoding) -> [Option<f64>; 2] {
    let Some(declared) = task.declared.as_deref() else { return [None; 2] };
    let (min, max) = (declared.min.as_ref(), declared.max.as_ref());
    match task.pairing.kind {
        Kind::Numeric => [
            min.and_then(Limit::number).map(|min| narrowed(encoding, min)),
            max.and_then(Limit::number).map(|max| narrowed(encoding, max).next_up()),
        ],
        // Times of day and durations begin nowhere.
        Kind::Temporal if ["date", "timestamp"].iter().any(|one| task.pairing.type_name.starts_with(one)) => {
            let Some(ticks) = encoding.ticks_per_day().map(i128::from) else { return [None; 2] };
            let times = |limit: Option<&Limit>| limit.and_then(Limit::nanoseconds);
            let floor = |ns: i128| (ns * ticks).div_euclid(NANOSECONDS_A_DAY);
            [times(min).map(|[first, _]| -floor(-first)), times(max).map(|[_, last]| floor(last) + 1)].map(|mark| {
                #[expect(clippy::cast_precision_loss, reason = "said above")]
                mark.map(|mark| mark as f64)
            })
        }
        _ => [None; 2],
    }
}

/// The allowed numbers, each once.
fn numbers(encoding: &Encoding, declared: &Declared) -> Option<Vec<f64>> {
    let mut numbers: Vec<f64> = declared.numbers()?.into_iter().map(|value| narrowed(encoding, value)).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    Some(numbers)
}

/// The smallest value of the reference, and just above its largest, where current has values beyond them.
fn ends(encoding: &Encoding, [reference, current]: &[Facts; 2]) -> [Option<f64>; 2] {
    let value = |(key, _)| Some(encoding.value_of(key)).filter(|value| value.is_finite());
    let low = reference.min_key.zip(current.min_key).filter(|(reference, current)| current < reference).and_then(value);
    let high =
        reference.max_key.zip(current.max_key).filter(|(reference, current)| current > reference).and_then(value);
    [low, high.map(f64::next_up)]
}

/// A declared number as the column would hold it: 0.1 of a single-precision column is the single nearest to it.
#[expect(clippy::cast_possible_truncation, reason = "that is what is meant")]
fn narrowed(encoding: &Encoding, value: f64) -> f64 {
    // −0 and 0 are one value.
    if matches!(encoding, Encoding::Float32) { f64::from(value as f32) + 0.0 } else { value + 0.0 }
}
