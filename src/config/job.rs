//! `[job.NAME]`: several scans in one file, each with what all of them share.

use super::document::Document;
use super::rules::{Layer, Rank, Rules};
use super::sections::{Section, Sections};
use super::select::did_you_mean;
use super::settings::Settings;
use super::{ConfigError, FileConfig};

/// The name on the command line that means every job.
pub const ALL_JOBS: &str = "all";

/// What a file says about one scan.
#[derive(Clone, Debug, PartialEq)]
pub struct JobConfig {
    /// Name of the job; `None` in a file that has no jobs.
    pub name: Option<String>,
    /// The file.
    pub document: Document,
    /// The sections of the job over the shared ones; rules and features stand in `rules`.
    pub sections: Sections,
    /// What is said about features.
    pub rules: Rules,
}

impl FileConfig {
    /// The names of the jobs, in the order of the file.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        self.sections.job.keys().map(String::as_str)
    }

    /// The jobs that `--job` asks for: names separated by commas, or `all`; a file without jobs is one itself.
    ///
    /// # Errors
    /// When there is no job of that name, or the file has jobs and none is asked for.
    pub fn select(&self, asked: Option<&str>) -> Result<Vec<JobConfig>, ConfigError> {
        let known: Vec<&str> = self.jobs().collect();
        let file = || self.path().display().to_string();
        let names: Vec<&str> = match (asked, known.as_slice()) {
            (None, []) => return Ok(vec![self.job(None)]),
            (None, known) => return Err(ConfigError::JobWanted { file: file(), known: known.join(", ") }),
            (Some(ALL_JOBS), []) => return Ok(vec![self.job(None)]),
            (Some(ALL_JOBS), known) => known.to_vec(),
            (Some(asked), _) => asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
        };
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            let hint = did_you_mean(unknown, known.iter().copied());
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(ConfigError::UnknownJob { file: file(), job: (*unknown).to_owned(), known, hint });
        }
        Ok(names.into_iter().map(|name| self.job(Some(name))).collect())
    }

    /// The job called `name`, or what stands outside jobs.
    fn job(&self, name: Option<&str>) -> JobConfig {
        let shared = &self.sections;
        let several = shared.job.len() > 1;
        let mut rules = layers(&self.document, shared, &[], several);
        let mut sections = Sections::default();
        if let Some((name, job)) = name.and_then(|name| shared.job.get_key_value(name)) {
            rules.extend(layers(&self.document, job, &["job".to_owned(), name.clone()], false));
            sections = job.clone();
        }
        JobConfig {
            name: name.map(str::to_owned),
            document: self.document.clone(),
            sections: sections.over(shared.clone()),
            rules: Rules(rules),
        }
    }
}

/// What the tables at `at` say about features.
fn layers(document: &Document, sections: &Sections, at: &[String], shared: bool) -> Vec<Layer> {
    let layer = |rank, table: [&str; 2], patterns: Vec<String>, settings: &Settings| {
        let key: Vec<String> = at.iter().cloned().chain(table.map(str::to_owned)).collect();
        let origin = format!("{}:{}", document.path().display(), document.line(&key));
        Layer { rank, origin, key, patterns, settings: settings.clone(), shared }
    };
    let rules =
        sections.rule.iter().enumerate().map(|(index, rule)| {
            layer(Rank::Rule, ["rule", &index.to_string()], rule.matches.0.clone(), &rule.settings)
        });
    let features = sections
        .feature
        .iter()
        .map(|(name, settings)| layer(Rank::Feature, ["feature", name], vec![name.clone()], settings));
    rules.chain(features).collect()
}
