//! What is inside a profile, for people and programs.

use serde::Serialize;

use super::{Profile, ProfileError};
use crate::column::pair;
use crate::report::Edge;

/// One column of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FeatureOverview {
    /// Its name.
    pub name: String,
    /// Its type; empty where it has none that compares.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Rows.
    pub rows: u64,
    /// Nulls.
    pub nulls: u64,
    /// NaNs.
    pub nans: u64,
    /// Distinct values or categories.
    pub distinct: Option<u64>,
    /// Keys that are stored.
    pub keys: u64,
    /// Largest error of D that a scan with this profile can make.
    pub ks_statistic_error: Option<f64>,
    /// Quantiles 0.01 to 0.99.
    pub quantiles: Option<Vec<Edge>>,
    /// Inner edges of the ten default PSI bins.
    pub psi_edges: Vec<Edge>,
    /// Bytes in the file.
    pub bytes: u64,
    /// Why there is no data.
    pub problem: Option<String>,
}

impl Profile {
    /// What is inside, column by column.
    ///
    /// # Errors
    /// When a summary is damaged.
    pub fn overview(&self) -> Result<Vec<FeatureOverview>, ProfileError> {
        (0..self.columns().len()).map(|column| self.overview_of(column)).collect()
    }

    fn overview_of(&self, column: usize) -> Result<FeatureOverview, ProfileError> {
        let source = &self.columns()[column];
        let pairing = pair(source, source, false);
        let mut seen = FeatureOverview {
            name: source.name.clone(),
            data_type: pairing.as_ref().map(|pairing| pairing.type_name.clone()).unwrap_or_default(),
            problem: self.failure(column).map(str::to_owned).or_else(|| pairing.err().map(|reason| reason.0)),
            ..FeatureOverview::default()
        };
        if self.failure(column).is_some() {
            return Ok(seen);
        }
        let (summary, slices) = self.summary(column)?;
        seen.bytes = slices.iter().map(|slice| slice.length).sum();
        if let Some(stored) = summary.categorical {
            (seen.rows, seen.nulls, seen.distinct) = (stored.rows, stored.nulls, Some(stored.categories));
            seen.keys = stored.categories;
        }
        if let Some(stored) = summary.ordered {
            let facts = stored.facts.facts();
            (seen.rows, seen.nulls, seen.nans) = (facts.rows, facts.nulls, facts.nans);
            seen.distinct = Some(facts.distinct.count().0);
            seen.keys = stored.runs.keys;
            let error = crate::format::ratio(stored.error_rows, facts.values());
            seen.ks_statistic_error = (stored.error_rows > 0).then_some(error);
            seen.quantiles = stored.quantiles.map(|all| all.into_iter().map(Edge).collect());
            seen.psi_edges = stored.edges.into_iter().map(Edge).collect();
        }
        Ok(seen)
    }
}
