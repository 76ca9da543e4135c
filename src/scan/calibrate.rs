//! Limits of PSI that are learned from the reference: from its windows where it was cut by time, from the law of chance
//! else.

use crate::config::ScanConfig;
use crate::format::real;
use crate::metric::{Chance, Table, psi_term};
use crate::report::Threshold;
use crate::verdict::{Limits, Thresholds, learned};

/// The limits of a feature with these rows by bin or category, and what they rest on. `splits` are windows of the reference:
/// the rest of it, and the window. `None` where PSI cannot vary, or the limits are not to be learned.
pub(super) fn calibrate(
    table: Option<&Table>,
    splits: &[Table],
    thresholds: &Thresholds,
    config: &ScanConfig,
) -> Option<(Limits, Threshold)> {
    let (calibration, floor) = (&thresholds.calibration, config.psi_floor);
    let table = table.filter(|_| calibration.calibrated)?;
    let rows @ [n, m] = table.rows();
    if n == 0 || m == 0 {
        return None;
    }
    let shares = table.cells().iter().map(|cell| (real(cell.reference) / real(n), cell.times));
    let chance = Chance::of(rows, shares, floor);
    // A window with fewer values than current has more by chance, and the other way round.
    let sizes = |[n, m]: [u64; 2]| 1.0 / real(n) + 1.0 / real(m);
    let as_current = |split: &Table| {
        let by_chance = chance.mean * sizes(split.rows()) / sizes(rows);
        (split.sum_of_shares(|r, c| psi_term(r, c, floor)) + chance.mean - by_chance).max(0.0)
    };
    let whole = |split: &&Table| split.rows().iter().all(|&rows| rows > 0);
    let windows: Vec<f64> = splits.iter().filter(whole).map(as_current).collect();
    let (limits, mut basis) = learned(calibration, chance.law()?, &windows);
    if windows.is_empty() {
        basis.note = Some(why_not_by_time(config).to_owned());
    }
    let Limits { warning, critical } = limits;
    let threshold = Threshold {
        warning,
        critical,
        false_alarms_per_year: calibration.false_alarms_per_year,
        runs_per_year: calibration.runs_per_year,
        basis,
    };
    Some((limits, threshold))
}

fn why_not_by_time(config: &ScanConfig) -> &'static str {
    let windows = &config.windows;
    if config.profile.is_some() {
        "the reference is a profile, which holds no windows of time"
    } else if windows.timestamp.is_empty() {
        "there is no timestamp column to cut the reference by"
    } else if windows.reference.is_none() || windows.current.is_none() {
        "windows of time take a reference_window and a current_window"
    } else {
        "the reference holds no window of the current one's length with values"
    }
}
