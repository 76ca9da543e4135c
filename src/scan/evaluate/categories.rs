//! Features whose values are names.

use super::{Evaluated, begin, calibrated, evaluated, finish, side_mut, side_report};
use crate::config::{FactsChoice, ScanConfig};
use crate::format::ratio;
use crate::metric::Comparison;
use crate::report::{self, Categories, TopCategory};
use crate::scan::categories::{Categorical, Category};
use crate::scan::context::Task;
use crate::scan::subject;
use crate::verdict::{CategoryEvidence, Thresholds};

const TOO_MANY: &str = "there are more categories than --max-categories allows";
const NOT_A_NUMBER: &str = "categories are not numbers";

pub(super) fn of_categories(
    task: &Task,
    categorical: Categorical,
    config: &ScanConfig,
    thresholds: Thresholds,
) -> Evaluated {
    let Categorical { facts, mut counted } = categorical;
    let n = [facts[0].values(), facts[1].values()];
    let table = (!counted.too_many).then(|| std::mem::take(&mut counted.table));
    let comparison = Comparison { n, table, ..Comparison::default() };
    let (mut report, mut evidence) = begin(task, &comparison, config);
    let thresholds = calibrated(&mut report, &comparison, &counted.splits, config, thresholds);
    for (side, name) in ["reference", "current"].into_iter().enumerate() {
        let full = (config.facts == FactsChoice::Full).then(|| report::Facts {
            distinct: (!counted.too_many).then_some(counted.distinct[side]),
            ..report::Facts::default()
        });
        if full.is_some() {
            for fact in ["min", "max", "mean", "std", "zeros", "quantiles"] {
                report.undefined.insert(format!("{name}.{fact}"), NOT_A_NUMBER.to_owned());
            }
        }
        *side_mut(&mut report, side) = side_report(&facts[side], full);
    }
    if counted.too_many {
        report
            .undefined
            .values_mut()
            .filter(|reason| reason.contains("not asked for"))
            .for_each(|reason| *reason = TOO_MANY.to_owned());
        report.notes.push(format!("{TOO_MANY}: they were not counted"));
    } else {
        evidence.categories = Some(CategoryEvidence {
            new_categories: counted.new_count,
            new_rows: counted.new_rows,
            reference_once: counted.reference_once,
            missing_categories: counted.missing_count,
            largest_missing: counted.largest_missing,
        });
        report.categories = Some(Categories {
            new: listed(&counted.new, 1, n[1]),
            new_count: counted.new_count,
            missing: listed(&counted.missing, 0, n[0]),
            missing_count: counted.missing_count,
            top: counted.top.iter().take(Categories::TOP).map(top).collect(),
        });
    }
    finish(&mut report, &mut evidence);
    let subject = subject::of_categories(task, &counted, &report);
    let declared = (task.declared.as_deref(), &counted.violations);
    evaluated((report, evidence), thresholds, subject, None, None, declared)
}

pub(super) fn listed(categories: &[Category], side: usize, values: u64) -> Vec<report::Category> {
    let category = |category: &Category| report::Category {
        value: category.value.clone(),
        count: category.rows[side],
        share: ratio(category.rows[side], values),
    };
    categories.iter().map(category).collect()
}

pub(super) fn top(category: &Category) -> TopCategory {
    TopCategory { value: category.value.clone(), reference: category.rows[0], current: category.rows[1] }
}
