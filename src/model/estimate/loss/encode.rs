//! Values of features as numbers that a tree can cut.
//!
//! Categories stand in the order of their mean loss: for squared errors the best cut of categories into two groups is a cut of
//! that order (Fisher 1958), which is what LightGBM looks for in every node. A category with few rows has no mean worth the
//! name, so those are one category, as are those that the reference does not have.

use std::collections::{BTreeMap, HashMap};

use super::{Feature, Mean};
use crate::model::columns::NONE;

/// A category with fewer rows is a rare one (`min_data_per_group` of LightGBM).
const RARE: u64 = 100;

/// How the values of a feature become numbers.
#[derive(Clone, Debug)]
pub(super) enum Encoder {
    /// As they are.
    Numbers,
    /// By category, `None` for null.
    Names { of: HashMap<Option<String>, f64>, others: f64 },
}

impl Encoder {
    /// Learns from the categories of rows and their losses; `codes` that are no index of `names` have no category.
    pub(super) fn of_names(codes: &[u32], names: &[String], losses: &[f64], weights: &[f64]) -> Self {
        let mut sums: BTreeMap<u32, (u64, Mean)> = BTreeMap::new();
        // In the order of rows, so that codes do not matter.
        let of_rows = || losses.iter().copied().zip(weights.iter().copied());
        for (code, loss) in codes.iter().zip(of_rows()) {
            let (rows, mean) = sums.entry(*code).or_default();
            *rows += 1;
            *mean = mean.and(loss);
        }
        let is_rare = |code: &u32| sums.get(code).is_none_or(|(rows, _)| *rows < RARE);
        let of_rare = codes.iter().zip(of_rows()).filter(|(code, _)| is_rare(code)).map(|(_, loss)| loss);
        let rare = of_rare.fold(Mean::default(), Mean::and);
        let others = rare.value().or_else(|| of_rows().fold(Mean::default(), Mean::and).value()).unwrap_or(f64::NAN);
        let of = sums.into_iter().filter(|(_, (rows, _))| *rows >= RARE);
        let of = of.map(|(code, (_, mean))| (names.get(code as usize).cloned(), mean.value().unwrap_or(others)));
        let of = of.collect();
        Self::Names { of, others }
    }

    /// The values as numbers; NaN where there is none.
    pub(super) fn column(&self, feature: &Feature) -> Vec<f64> {
        match (self, feature) {
            (_, Feature::Numbers(values)) => values.clone(),
            (Self::Names { .. }, Feature::Names(coded)) => {
                let of_code: Vec<f64> = coded.names.iter().map(|name| self.number(Some(name))).collect();
                let of_null = self.number(None);
                let number = |code: &u32| of_code.get(*code as usize).copied().unwrap_or(of_null);
                coded.codes.iter().map(number).collect()
            }
            (Self::Numbers, Feature::Names(coded)) => vec![f64::NAN; coded.codes.len()],
        }
    }

    /// The number of a category, `None` for null.
    fn number(&self, name: Option<&String>) -> f64 {
        match self {
            Self::Numbers => f64::NAN,
            Self::Names { of, others } => of.get(&name.cloned()).copied().unwrap_or(*others),
        }
    }

    /// The numbers of rows that were learned from.
    pub(super) fn learned(&self, codes: &[u32], names: &[String]) -> Vec<f64> {
        let of_code: Vec<f64> = names.iter().map(|name| self.number(Some(name))).collect();
        let of_null = self.number(None);
        codes.iter().map(|code| of_code.get(*code as usize).copied().unwrap_or(of_null)).collect()
    }
}

/// The code of a category among those of all batches; [`NONE`] for null.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    known: HashMap<String, u32>,
}

impl Names {
    /// The code of a name.
    pub(super) fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.known.get(name) {
            return code;
        }
        let code = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.names.push(name.to_owned());
        self.known.insert(name.to_owned(), code);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::columns::Coded;

    #[test]
    fn categories_become_their_mean_loss_and_rare_ones_share_theirs() {
        let names = ["often", "once", "twice"].map(str::to_owned);
        let codes: Vec<u32> = [vec![0; 200], vec![1], vec![2; 2], vec![NONE; 100]].concat();
        let losses = [vec![1.0; 100], vec![3.0; 100], vec![7.0], vec![4.0; 2], vec![9.0; 100]].concat();
        let encoder = Encoder::of_names(&codes, &names, &losses, &vec![1.0; losses.len()]);
        let seen = ["often", "twice", "never"].map(str::to_owned).to_vec();
        let column = encoder.column(&Feature::Names(Coded { codes: vec![0, 1, 2, NONE], names: seen }));
        assert_eq!(column, [2.0, 5.0, 5.0, 9.0]);
        assert_eq!(encoder.learned(&codes[199..202], &names), [2.0, 5.0, 5.0]);
    }
}
