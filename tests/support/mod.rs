//! What the backend tests share: the oracle, the cases, the checker, and the backends that they run on.

#![allow(dead_code, reason = "not every test binary uses all of it")]

pub(crate) mod backends;
pub(crate) mod cases;
pub(crate) mod faults;
pub(crate) mod oracle;

use std::path::Path;

use gpudrift::backend::{Backend, CountJob, SelectJob};
use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::counts::{CellMap, CellSet, Keys};

/// A scan of the store in `folder` on the CPU.
pub(crate) fn sides(folder: &Path) -> ScanConfig {
    let side = |side: &str| vec![folder.join(side).display().to_string()];
    ScanConfig {
        reference: side("reference"),
        current: side("current"),
        backend: BackendChoice::Cpu,
        ..ScanConfig::default()
    }
}

/// Columns, and what is asked about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) columns: Vec<Vec<Keys>>,
    pub(crate) counts: Vec<(usize, CellMap)>,
    pub(crate) selects: Vec<(usize, CellMap, CellSet)>,
}

/// Runs `case` on `backend` and compares every answer with the oracle. The error says what differed first.
pub(crate) fn check(backend: &dyn Backend, case: &Case) -> Result<(), String> {
    let fail = |what: String| Err(format!("{} on {}: {what}", case.name, backend.name()));
    let columns = case.columns.iter().map(|pieces| pieces.iter().collect()).collect();
    let mut loaded = match backend.load(columns) {
        Ok(loaded) => loaded,
        Err(error) => return fail(format!("load: {error}")),
    };
    // Twice: the second answer must not stand on what the first one left behind.
    for round in 0..2 {
        let jobs: Vec<_> = case.counts.iter().map(|(column, map)| CountJob { column: *column, map }).collect();
        let counted = match loaded.count_cells(&jobs) {
            Ok(counted) => counted,
            Err(error) => return fail(format!("count_cells: {error}")),
        };
        if counted.len() != jobs.len() {
            return fail(format!("{} answers to {} questions", counted.len(), jobs.len()));
        }
        for (index, (job, got)) in jobs.iter().zip(&counted).enumerate() {
            let expected = oracle::count(&case.columns, job);
            if *got != expected {
                let cell = got.0.iter().zip(&expected.0).position(|(got, expected)| got != expected);
                let at = cell.map(|cell| (cell, got.0[cell], expected.0[cell]));
                return fail(format!("round {round}, job {index}: (cell, got, expected) = {at:?}"));
            }
        }
        // Once without knowing how many keys there are, once knowing it.
        let job = |(column, map, wanted)| {
            let job = SelectJob { column, map, wanted, rows: None };
            let rows = (round == 1).then(|| oracle::select(&case.columns, &job).len() as u64);
            SelectJob { rows, ..job }
        };
        let jobs: Vec<_> = case.selects.iter().map(|(column, map, wanted)| job((*column, map, wanted))).collect();
        let selected = match loaded.select(&jobs) {
            Ok(selected) => selected,
            Err(error) => return fail(format!("select: {error}")),
        };
        if selected.len() != jobs.len() {
            return fail(format!("{} selections for {} questions", selected.len(), jobs.len()));
        }
        for (index, (job, got)) in jobs.iter().zip(&selected).enumerate() {
            let expected = oracle::select(&case.columns, job);
            if oracle::widened(std::slice::from_ref(got)) != expected {
                return fail(format!("selection {index}: {} keys, expected {}", got.len(), expected.len()));
            }
            let bits = case.columns[job.column].first().map_or(32, Keys::bits);
            if got.bits() != bits {
                return fail(format!("selection {index}: keys of {} bits, expected {bits}", got.bits()));
            }
        }
    }
    Ok(())
}
