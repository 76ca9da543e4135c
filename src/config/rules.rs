//! Which settings a feature has, and who says so.
//!
//! Layers say something about the features that their patterns match. Where several say something about the same key
//! of a feature, the most specific one wins:
//!
//! 1. what was typed (`--psi-warning 0.3`), over
//! 2. `[feature."name"]`, over
//! 3. `[[rule]]`: an exact name over a glob, then the glob with more characters that are not wildcards, then the one
//!    that stands later in the file (the rules of a job stand after the shared ones), over
//! 4. `[scan]` and the defaults, which are what [`super::ScanConfig`] says outside its rules.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use globset::GlobMatcher;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::document::KeyPath;
use super::select::{glob_near, is_glob, matcher};
use super::settings::Settings;

/// Who says something about a feature, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// `[[rule]]`.
    Rule,
    /// `[feature."name"]`.
    Feature,
    /// A flag.
    Flag,
}

/// Settings, and the features that have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Who says so.
    pub rank: Rank,
    /// Where it stands: `gpudrift.toml:12`; empty for flags.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The table in its file.
    #[serde(skip)]
    pub key: KeyPath,
    /// Names and globs.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// What holds.
    pub settings: Settings,
    /// Whether a pattern that matches nothing is a mistake. A rule that several jobs share need not match in each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = || self.patterns.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        match self.rank {
            Rank::Rule => write!(f, "[[rule]] match = {}", names()),
            Rank::Feature => write!(f, "[feature.{}]", names()),
            Rank::Flag => write!(f, "the command line"),
        }
    }
}

/// The layers of a run, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(pub Vec<Layer>);

impl Rules {
    /// Whether every feature has the settings of the run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A pattern that matches no feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Index of its layer.
    pub layer: usize,
    /// The pattern.
    pub pattern: String,
    /// What is wrong, with what may have been meant.
    pub message: String,
}

/// The settings of a feature, key by key, with the layer that gave each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// What holds.
    pub settings: Settings,
    /// For every key that is said something about: the layers that do, the one that wins last.
    pub said: BTreeMap<&'static str, Vec<usize>>,
}

/// [`Rules`] for the features of a schema, ready to be asked.
#[derive(Debug)]
pub struct RuleSet<'r> {
    layers: &'r [Layer],
    names: &'r [String],
    exact: HashMap<&'r str, Vec<usize>>,
    globs: Vec<(GlobMatcher, usize, usize)>,
    idle: Vec<Idle>,
}

impl<'r> RuleSet<'r> {
    /// The rules for `features`, the names of both sides. A pattern that is the name of a feature is no glob.
    #[must_use]
    pub fn new(rules: &'r Rules, features: &'r [String]) -> Self {
        let known: HashSet<&str> = features.iter().map(String::as_str).collect();
        let mut set =
            Self { layers: &rules.0, names: features, exact: HashMap::new(), globs: Vec::new(), idle: Vec::new() };
        for (index, layer) in rules.0.iter().enumerate() {
            for pattern in &layer.patterns {
                let glob = layer.rank != Rank::Feature && is_glob(pattern) && !known.contains(pattern.as_str());
                if let Some(glob) = glob.then(|| matcher(pattern).ok()).flatten() {
                    let idle = layer.rank == Rank::Rule && !features.iter().any(|name| glob.is_match(name));
                    set.globs.push((glob, index, literal(pattern)));
                    if idle {
                        set.idle(index, pattern);
                    }
                } else {
                    set.exact.entry(pattern).or_default().push(index);
                    let named = matches!(layer.rank, Rank::Rule | Rank::Feature);
                    if named && !known.contains(pattern.as_str()) {
                        set.idle(index, pattern);
                    }
                }
            }
        }
        set
    }

    fn idle(&mut self, layer: usize, pattern: &str) {
        let what = if is_glob(pattern) { "no feature matches" } else { "no feature is called" };
        let hint = glob_near(pattern, self.names);
        let message = format!("{} is about nothing: {what} {pattern}{hint}", self.layers[layer]);
        self.idle.push(Idle { layer, pattern: pattern.to_owned(), message });
    }

    /// The patterns that match no feature, in the order of the file.
    #[must_use]
    pub fn unmatched(&self) -> &[Idle] {
        &self.idle
    }

    /// An error with every pattern that matches no feature, but those of rules that jobs share.
    ///
    /// # Errors
    /// When there is one.
    pub fn check(&self) -> Result<(), ConfigError> {
        let strict = self.idle.iter().filter(|idle| !self.layers[idle.layer].shared);
        let idle: Vec<_> = strict.map(|idle| (self.layers[idle.layer].origin.clone(), idle.message.clone())).collect();
        if idle.is_empty() { Ok(()) } else { Err(ConfigError::Idle(idle)) }
    }

    /// The settings of a feature.
    ///
    /// # Errors
    /// When two layers contradict each other.
    pub fn of(&self, feature: &str) -> Result<Applied, ConfigError> {
        let exact = self.exact.get(feature).into_iter().flatten().map(|&layer| (usize::MAX, layer));
        let globs = self.globs.iter().filter(|(glob, ..)| glob.is_match(feature));
        let mut said: Vec<_> = exact
            .chain(globs.map(|&(_, layer, literal)| (literal, layer)))
            .map(|(specific, layer)| (self.layers[layer].rank, specific, layer))
            .collect();
        said.sort_unstable();
        let mut applied = Applied::default();
        for (.., layer) in said {
            let settings = &self.layers[layer].settings;
            for key in Settings::KEYS.iter().filter(|key| settings.says(key)) {
                let of_key = applied.said.entry(key).or_default();
                of_key.retain(|&other| other != layer);
                of_key.push(layer);
            }
            applied.settings = settings.clone().or(applied.settings);
        }
        match applied.settings.conflict() {
            Some((lower, upper)) => Err(self.contradiction(feature, &applied, [lower, upper])),
            None => Ok(applied),
        }
    }

    fn contradiction(&self, feature: &str, applied: &Applied, keys: [&'static str; 2]) -> ConfigError {
        let winner = |key: &str| applied.said.get(key).and_then(|layers| layers.last()).map(|&at| &self.layers[at]);
        let place = |key: &str| winner(key).map_or_else(String::new, |layer| format!("{layer} ({})", layer.origin));
        let values = serde_json::to_value(&applied.settings).unwrap_or_default();
        let [lower, upper] = keys;
        ConfigError::Conflict {
            feature: feature.to_owned(),
            message: format!(
                "{upper} is {} by {}, and {lower} is {} by {}: {upper} must not be the lower one",
                values[upper],
                place(upper),
                values[lower],
                place(lower),
            ),
        }
    }
}

/// Number of characters of a glob that are not part of a wildcard.
fn literal(glob: &str) -> usize {
    let (mut count, mut depth, mut escaped) = (0, 0_u32, false);
    for c in glob.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                count += usize::from(depth == 0);
            }
            '\\' => escaped = true,
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '*' | '?' => {}
            _ => count += usize::from(depth == 0),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn layer(rank: Rank, patterns: &[&str], weight: f64) -> Layer {
        Layer {
            rank,
            origin: format!("f.toml:{weight}"),
            key: KeyPath::new(),
            patterns: owned(patterns),
            settings: Settings { weight: Some(weight), ..Settings::default() },
            shared: false,
        }
    }

    fn weight(layers: &[Layer], feature: &str) -> Option<f64> {
        let features = owned(&["user:age", "user:income", "order:total", "odd[1]"]);
        let rules = Rules(layers.to_vec());
        RuleSet::new(&rules, &features).of(feature).unwrap().settings.weight
    }

    #[test]
    fn the_most_specific_wins() {
        use Rank::{Feature, Flag, Rule};
        let any = layer(Rule, &["*"], 2.0);
        let short = layer(Rule, &["user:*"], 3.0);
        let long = layer(Rule, &["user:a*"], 4.0);
        let exact = layer(Rule, &["user:age"], 5.0);
        let named = layer(Feature, &["user:age"], 6.0);
        let typed = layer(Flag, &["*"], 7.0);
        // Whatever the order in the file.
        let mut layers = vec![typed, named, exact, long, short, any];
        for expected in [7.0, 6.0, 5.0, 4.0, 3.0, 2.0] {
            assert_eq!(weight(&layers, "user:age"), Some(expected));
            layers.remove(0);
        }
        assert_eq!(weight(&layers, "user:age"), None);
    }

    #[test]
    fn of_two_that_are_as_specific_the_later_wins() {
        let layers = [layer(Rank::Rule, &["user:*"], 1.0), layer(Rank::Rule, &["*:inco"], 2.0)];
        assert_eq!(weight(&layers, "user:income"), Some(1.0));
        let layers = [layer(Rank::Rule, &["u*:income"], 1.0), layer(Rank::Rule, &["user:in*e"], 2.0)];
        assert_eq!(weight(&layers, "user:income"), Some(2.0));
    }

    #[test]
    fn a_rule_is_as_specific_as_the_pattern_that_matches() {
        let layers = [layer(Rank::Rule, &["*", "user:age"], 1.0), layer(Rank::Rule, &["user:*"], 2.0)];
        assert_eq!(weight(&layers, "user:age"), Some(1.0));
        assert_eq!(weight(&layers, "user:income"), Some(2.0));
        assert_eq!(weight(&layers, "order:total"), Some(1.0));
        assert_eq!(weight(&[layer(Rank::Rule, &["odd[1]"], 1.0)], "odd[1]"), Some(1.0), "a name may look like a glob");
    }

    #[test]
    fn keys_are_told_apart() {
        let features = owned(&["a"]);
        let mut first = layer(Rank::Rule, &["*"], 1.0);
        first.settings.alpha = Some(0.01);
        let rules = Rules(vec![first, layer(Rank::Feature, &["a"], 2.0)]);
        let applied = RuleSet::new(&rules, &features).of("a").unwrap();
        assert_eq!((applied.settings.weight, applied.settings.alpha), (Some(2.0), Some(0.01)));
        assert_eq!((&applied.said["weight"][..], &applied.said["alpha"][..]), (&[0, 1][..], &[0][..]));
    }

    #[test]
    fn what_matches_nothing_is_an_error_with_its_line_and_a_suggestion() {
        let features = owned(&["user:age", "user:income", "order_total"]);
        let mut rules = Rules(vec![
            layer(Rank::Rule, &["usr:*", "user:*"], 3.0),
            layer(Rank::Feature, &["order_totl"], 8.0),
            layer(Rank::Flag, &["x"], 9.0),
        ]);
        let said = RuleSet::new(&rules, &features).check().unwrap_err().to_string();
        assert_eq!(
            said,
            "f.toml:3: [[rule]] match = \"usr:*\", \"user:*\" is about nothing: no feature matches usr:*; did you mean user:*?\n\
             f.toml:8: [feature.\"order_totl\"] is about nothing: no feature is called order_totl; did you mean order_total?"
        );
        rules.0.iter_mut().for_each(|layer| layer.shared = true);
        let set = RuleSet::new(&rules, &features);
        assert!(set.check().is_ok() && set.unmatched().len() == 2);
    }

    #[test]
    fn layers_that_contradict_each_other_are_named() {
        let features = owned(&["a"]);
        let of = |warning, critical| Settings { psi_warning: warning, psi_critical: critical, ..Settings::default() };
        let rules = Rules(vec![
            Layer { settings: of(Some(0.3), None), ..layer(Rank::Rule, &["*"], 4.0) },
            Layer { settings: of(None, Some(0.25)), ..layer(Rank::Feature, &["a"], 9.0) },
        ]);
        let said = RuleSet::new(&rules, &features).of("a").unwrap_err().to_string();
        assert_eq!(
            said,
            "feature a: psi_critical is 0.25 by [feature.\"a\"] (f.toml:9), and psi_warning is 0.3 by \
             [[rule]] match = \"*\" (f.toml:4): psi_critical must not be the lower one"
        );
    }

    #[test]
    fn wildcards_do_not_make_a_pattern_specific() {
        let counts = ["*", "a?c*", "{long,longer}_x", r"a\*b", "[abc]x"].map(literal);
        assert_eq!(counts, [0, 2, 2, 3, 1]);
    }
}
