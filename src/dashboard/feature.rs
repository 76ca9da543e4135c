//! One feature: its latest report, what its curves are drawn from, and its past.

use serde::Serialize;

use super::{Ecdf, Series, SeriesColumns};
use crate::alert::PastIncident;
use crate::column::Kind;
use crate::format::ratio;
use crate::metric::psi_term;
use crate::report::{FeatureReport, Incident, Report};
use crate::verdict::Level;

/// What the page of a feature shows.
#[derive(Debug, Serialize)]
pub struct FeaturePage<'b> {
    n: usize,
    /// As in the JSON report.
    report: &'b FeatureReport,
    /// What each bin (or each of the most frequent categories) adds to PSI.
    psi_terms: Vec<f64>,
    ecdf: Option<Ecdf>,
    /// The incident of the latest run that it is part of, with other features.
    incident: Option<&'b Incident>,
    /// What people were told about it.
    alerts: Vec<&'b PastIncident>,
    /// Runs in a row in which it was not ok.
    nights: usize,
    series: SeriesColumns,
}

impl<'b> FeaturePage<'b> {
    pub(super) fn of(
        n: usize,
        feature: &'b FeatureReport,
        past: &Series,
        runs: usize,
        report: &'b Report,
        alerts: Vec<&'b PastIncident>,
    ) -> Self {
        let mut incidents = report.incidents.iter().filter(|incident| incident.level > Level::Ok);
        Self {
            n,
            report: feature,
            psi_terms: psi_terms(feature, report.run.config.psi_floor),
            ecdf: Ecdf::of(feature),
            incident: incidents
                .find(|incident| incident.features.len() > 1 && incident.features.contains(&feature.name)),
            alerts,
            nights: past.nights(runs),
            // Six digits of a time are not enough to tell one day from the next.
            series: past.columns(runs, feature.kind == Kind::Temporal),
        }
    }
}

/// The terms of PSI, bin by bin, or of the categories that the report lists; none where a side has no values.
fn psi_terms(feature: &FeatureReport, floor: f64) -> Vec<f64> {
    let (n, m) = (feature.reference.values(), feature.current.values());
    let term = |reference: u64, current: u64, n: u64, m: u64| psi_term(ratio(reference, n), ratio(current, m), floor);
    match (&feature.psi_bins, &feature.categories) {
        (Some(bins), _) => {
            let (n, m): (u64, u64) = (bins.reference.iter().sum(), bins.current.iter().sum());
            let terms = bins.reference.iter().zip(&bins.current).map(|(&r, &c)| term(r, c, n, m));
            if n > 0 && m > 0 { terms.collect() } else { Vec::new() }
        }
        (None, Some(categories)) if n > 0 && m > 0 => {
            categories.top.iter().map(|category| term(category.reference, category.current, n, m)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Comparison, METRICS, Outcome, Settings, Table};

    #[test]
    fn the_terms_of_the_bins_add_up_to_psi() {
        let report = crate::report::samples::report();
        let feature = &report.features[0];
        let bins = feature.psi_bins.as_ref().unwrap();
        let n = [bins.reference.iter().sum(), bins.current.iter().sum()];
        let table = Some(Table::of_bins(&bins.reference, &bins.current));
        let psi = METRICS.iter().find(|metric| metric.card().name == "psi").unwrap();
        let expected = psi.evaluate(&Comparison { n, table, ..Comparison::default() }, &Settings::default());
        let [Outcome::Number(expected), ..] = expected[..] else { panic!("{expected:?}") };
        let sum: f64 = psi_terms(feature, 0.001).iter().sum();
        assert!((sum - expected).abs() < 1e-12 && sum > 0.1, "{sum} {expected}");
    }
}
