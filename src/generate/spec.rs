//! What a synthetic store should be like, in a few numbers.

use arrow::datatypes::DataType;

use super::drift::{DRIFT_KINDS, DriftKind};
use super::error::GenerateError;
use super::plan;
use super::write::{Format, Store};

/// A request for a store of any size. The defaults make a small one with every kind of drift.
///
/// ```
/// use gpudrift::generate::GenerateSpec;
///
/// let folder = tempfile::tempdir()?;
/// let spec = GenerateSpec { rows: 1000, current_rows: 800, features: 5, drifted: 0.4, ..GenerateSpec::default() };
/// let written = spec.store()?.write(folder.path(), false)?;
/// assert_eq!(written.files, 2);
/// assert!(folder.path().join("current/part-000.parquet").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GenerateSpec {
    /// Rows of the reference. May be 0.
    pub rows: u64,
    /// Rows of current. May be 0.
    pub current_rows: u64,
    /// Number of features.
    pub features: usize,
    /// Types; the features take them in turns.
    pub types: Vec<DataType>,
    /// Share of the features that drift, rounded to a whole number of them.
    pub drifted: f64,
    /// Kinds of drift. A drifted feature takes, of those that its type allows, the one used least so far.
    pub drift: Vec<DriftKind>,
    /// How strong the drifts are: 1 is easily seen, 0.5 is half of it. Those that have no size (a unit, a constant) do
    /// not follow it.
    pub drift_size: f64,
    /// Share of nulls in every feature.
    pub nulls: f64,
    /// Share of NaN in every feature of floats.
    pub nans: f64,
    /// Where all randomness comes from.
    pub seed: u64,
    /// How the files are written.
    pub format: Format,
}

impl Default for GenerateSpec {
    fn default() -> Self {
        let types = [DataType::Float32, DataType::Float64, DataType::Int32, DataType::Int64, DataType::Utf8];
        Self {
            rows: 100_000,
            current_rows: 100_000,
            features: 20,
            types: types.to_vec(),
            drifted: 0.2,
            drift: DRIFT_KINDS.map(|(_, kind)| kind).to_vec(),
            drift_size: 1.0,
            nulls: 0.0,
            nans: 0.0,
            seed: 42,
            format: Format::default(),
        }
    }
}

impl GenerateSpec {
    /// The features and everything else that is to be written.
    ///
    /// # Errors
    /// Shares outside 0 to 1, no features or types, types that cannot drift as asked.
    pub fn store(&self) -> Result<Store, GenerateError> {
        for (what, value) in [
            ("the share of drifted features", self.drifted),
            ("the share of nulls", self.nulls),
            ("the share of NaN", self.nans),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(GenerateError::Share { what, value });
            }
        }
        if !(self.drift_size > 0.0 && self.drift_size <= 10.0) {
            return Err(GenerateError::Size { value: self.drift_size });
        }
        for (what, number) in [("the number of features", self.features), ("the number of types", self.types.len())] {
            if number == 0 {
                return Err(GenerateError::Zero { what });
            }
        }
        Ok(Store {
            seed: self.seed,
            features: plan::features(self)?,
            reference_rows: self.rows,
            current_rows: self.current_rows,
            format: self.format.clone(),
            readme: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused_before_anything_is_written() {
        let refused = |change: fn(&mut GenerateSpec)| {
            let mut spec = GenerateSpec::default();
            change(&mut spec);
            let error = spec.store().unwrap_err();
            assert!(error.is_usage());
            error.to_string()
        };
        assert!(refused(|s| s.drifted = 1.5).contains("drifted features is 1.5"));
        assert!(refused(|s| s.nulls = -0.1).contains("nulls is -0.1"));
        assert!(refused(|s| s.nans = f64::NAN).contains("NaN is NaN"));
        assert!(refused(|s| s.drift_size = f64::NAN).contains("size of the drifts is NaN"));
        assert!(refused(|s| s.features = 0).contains("number of features is 0"));
        assert!(refused(|s| s.types.clear()).contains("number of types is 0"));
    }
}
