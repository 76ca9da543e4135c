//! From evidence to an answer: no reading and no clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::days;
use super::{Evidence, MeasuredIn, Performance, PolicyName, RetrainConfig};
use crate::format::{count, counted, percent, significant};
use crate::history::instant;

/// A policy with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What makes a training due.
    pub name: PolicyName,
    /// Share of drifted features, by weight.
    pub drift: f64,
    /// In so many runs in a row.
    pub nights: u32,
    /// Drop of performance.
    pub performance_drop: f64,
    /// Rows that a training takes.
    pub min_samples: u64,
    /// Time after a training without another.
    pub cooldown: Duration,
    /// Time after a training until the next one, by schedule.
    pub every: Duration,
    /// Cost of a training, and of a day on which all features have drifted.
    pub costs: Option<[f64; 2]>,
}

impl From<&RetrainConfig> for Policy {
    fn from(config: &RetrainConfig) -> Self {
        const DAY: u64 = 86_400;
        let period =
            |period: Option<crate::alert::Period>, days| period.map_or(Duration::from_secs(days * DAY), |one| one.0);
        Self {
            name: config.policy.unwrap_or_default(),
            drift: config.drift.unwrap_or(0.1),
            nights: config.nights.unwrap_or(1),
            performance_drop: config.performance_drop.unwrap_or(0.05),
            min_samples: config.min_samples.unwrap_or(1000),
            cooldown: period(config.cooldown, 1),
            every: period(config.every, 30),
            costs: config.cost.zip(config.loss_per_day).map(|(cost, loss)| [cost, loss]),
        }
    }
}

/// Whether to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Train.
    Yes,
    /// Do not.
    No,
    /// It was asked for already, and nobody has said that it is done.
    Asked,
}

impl Answer {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Asked => "asked",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `drift`, `performance`, `schedule`, `batch`, `loss`: reasons to train. `samples`, `cooldown`, `pipeline`: what
    /// must hold besides.
    pub rule: String,
    /// Whether it speaks for a training.
    pub met: bool,
    /// What was found; `None` when nobody knows.
    pub value: Option<f64>,
    /// What it was held against.
    pub limit: f64,
    /// The two in a sentence.
    pub text: String,
}

/// An answer with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Version of this JSON; additions keep it.
    pub version: u32,
    /// Name of the job.
    pub job: String,
    /// The policy.
    pub policy: PolicyName,
    /// The answer.
    pub answer: Answer,
    /// The answer in a sentence.
    pub summary: String,
    /// When it was asked for, where it was and is not done.
    #[serde(default, with = "optional_instant", skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
    /// The reasons that this policy knows; one of them must be met.
    pub reasons: Vec<Rule>,
    /// What must hold besides, all of it.
    pub conditions: Vec<Rule>,
    /// What it rests on.
    pub evidence: Evidence,
}

impl Policy {
    /// The answer. `asked_at` is the instant of an earlier yes that was not followed by a training.
    #[must_use]
    pub fn decide(&self, job: &str, evidence: Evidence, asked_at: Option<DateTime<Utc>>) -> Decision {
        let reasons = match self.name {
            PolicyName::Triggered => vec![self.by_drift(&evidence), self.by_performance(&evidence)],
            PolicyName::Scheduled => vec![self.by_time(&evidence)],
            PolicyName::Continuous => vec![self.by_batch(&evidence)],
            PolicyName::Budgeted => vec![self.by_loss(&evidence)],
        };
        let conditions = vec![self.samples(&evidence), self.cooled_down(&evidence), self.pipeline(&evidence)];
        let due: Vec<&str> = reasons.iter().filter(|rule| rule.met).map(|rule| rule.text.as_str()).collect();
        let against = conditions.iter().find(|rule| !rule.met);
        let (answer, summary) = match (due.as_slice(), against, asked_at) {
            (_, _, Some(asked)) => {
                (Answer::Asked, format!("asked for on {}, and nobody has said that it is done", instant::text(&asked)))
            }
            ([], ..) => {
                let texts: Vec<&str> = reasons.iter().map(|rule| rule.text.as_str()).collect();
                (Answer::No, format!("nothing asks for it: {}", texts.join("; ")))
            }
            (due, Some(against), _) => (Answer::No, format!("{}, but {}", due.join("; "), against.text)),
            (due, None, _) => (Answer::Yes, due.join("; ")),
        };
        let (job, policy) = (job.to_owned(), self.name);
        Decision { version: 1, job, policy, answer, summary, asked_at, reasons, conditions, evidence }
    }

    fn by_drift(&self, evidence: &Evidence) -> Rule {
        let nights = self.nights.max(1) as usize;
        let met = evidence.shares.len() >= nights && evidence.shares[..nights].iter().all(|&share| share >= self.drift);
        let features = evidence.drift.features.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let listed = if features.is_empty() { String::new() } else { format!(" ({features}, …)") };
        let lasting = if nights == 1 { String::new() } else { format!(" in each of {nights} runs") };
        let (share, limit) = (percent(evidence.drift.share), percent(self.drift));
        let text = if evidence.shares.is_empty() {
            "no scan of features is in the history".to_owned()
        } else {
            format!("{share} of the features by weight drifted{listed}; the limit is {limit}{lasting}")
        };
        Rule { rule: "drift".to_owned(), met, value: Some(evidence.drift.share), limit: self.drift, text }
    }

    fn by_performance(&self, evidence: &Evidence) -> Rule {
        let performance = evidence.performance.as_ref();
        let drop = performance.map(Performance::worse_by);
        let met = drop.is_some_and(|drop| drop >= self.performance_drop);
        let limit = significant(self.performance_drop);
        let known = performance.and_then(|performance| performance.of.as_ref()).zip(performance).zip(drop);
        let text = match (known, drop) {
            (Some(((of, both), drop)), _) => format!("{}; the limit is {limit}", became(of, both, drop)),
            (None, Some(drop)) => format!("performance fell by {}; the limit is {limit}", significant(drop)),
            (None, None) if !evidence.unnamed_models.is_empty() => {
                format!(
                    "how good the model is now, nobody has said: `model` under [retrain] may be {}",
                    evidence.unnamed_models.join(", ")
                )
            }
            (None, None) => "how good the model is now, nobody has said".to_owned(),
        };
        Rule { rule: "performance".to_owned(), met, value: drop, limit: self.performance_drop, text }
    }

    fn by_time(&self, evidence: &Evidence) -> Rule {
        let (passed, limit) = (days(evidence.at - evidence.since), self.every.as_secs_f64() / 86_400.0);
        let text =
            format!("{} days since the last training; the schedule is {}", significant(passed), significant(limit));
        Rule { rule: "schedule".to_owned(), met: passed >= limit, value: Some(passed), limit, text }
    }

    fn by_batch(&self, evidence: &Evidence) -> Rule {
        let (rows, limit) = (evidence.new_samples, crate::format::real(self.min_samples));
        let text = format!("a new batch of {} since the last training", counted(rows, "row", "rows"));
        let met = rows >= self.min_samples.max(1);
        Rule { rule: "batch".to_owned(), met, value: Some(crate::format::real(rows)), limit, text }
    }

    /// Waiting costs until it has cost as much as a training does; then one trains. Whatever comes, that costs at most twice
    /// what one who knew the future would have paid (the ski-rental rule: Karlin, Manasse, Rudolph & Sleator 1988).
    fn by_loss(&self, evidence: &Evidence) -> Rule {
        let [cost, loss] = self.costs.unwrap_or([f64::INFINITY, 0.0]);
        let lost = evidence.drifted_days * loss;
        let text = format!("waiting has cost {} so far; a training costs {}", significant(lost), significant(cost));
        Rule { rule: "loss".to_owned(), met: lost >= cost, value: Some(lost), limit: cost, text }
    }

    fn samples(&self, evidence: &Evidence) -> Rule {
        let (rows, limit) = (evidence.new_samples, self.min_samples);
        let what = if evidence.labelled { "new rows with a label" } else { "new rows" };
        let text = format!("{} of {} {what} are there", count(rows), count(limit));
        let value = Some(crate::format::real(rows));
        Rule { rule: "samples".to_owned(), met: rows >= limit, value, limit: crate::format::real(limit), text }
    }

    fn cooled_down(&self, evidence: &Evidence) -> Rule {
        let limit = self.cooldown.as_secs_f64() / 86_400.0;
        let passed = evidence.trained.as_ref().map(|training| days(evidence.at - training.at));
        let text = match passed {
            Some(passed) => {
                format!(
                    "the last training was {} days ago, and the cool-down is {}",
                    significant(passed),
                    significant(limit)
                )
            }
            None => "no training was told of".to_owned(),
        };
        Rule {
            rule: "cooldown".to_owned(),
            met: passed.is_none_or(|passed| passed >= limit),
            value: passed,
            limit,
            text,
        }
    }

    /// Rows that a bug has damaged are nothing to learn from.
    fn pipeline(&self, evidence: &Evidence) -> Rule {
        let (share, limit) = (evidence.drift.bug_share, self.drift);
        let text = match evidence.drift.bugs.first() {
            Some(first) => format!(
                "{} of the features by weight look damaged by the pipeline ({first}, …): repair it, then train",
                percent(share)
            ),
            None => "no feature looks damaged by the pipeline".to_owned(),
        };
        Rule { rule: "pipeline".to_owned(), met: share < limit || share <= 0.0, value: Some(share), limit, text }
    }
}

/// What became of a metric, in words.
fn became(of: &MeasuredIn, both: &Performance, worse_by: f64) -> String {
    let name = of.metric.replace('_', " ");
    let expected = if of.estimated { format!("expected {name}, without labels,") } else { name };
    let verb = match (worse_by > 0.0, of.lower_is_better) {
        (true, false) | (false, true) => "fell",
        _ => "rose",
    };
    format!(
        "{expected} {verb} by {} to {} from {} (model {}, window {})",
        significant(worse_by.abs()),
        significant(both.current),
        significant(both.baseline),
        of.model,
        of.window
    )
}

mod optional_instant {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::history::instant;

    #[derive(Deserialize)]
    struct Text(#[serde(with = "instant")] DateTime<Utc>);

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => instant::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrain::{Drift, Training};

    fn at(day: u32) -> DateTime<Utc> {
        format!("2026-11-{day:02}T00:00:00Z").parse().unwrap()
    }

    /// Ten days after a training, 5000 new rows, nothing has happened.
    fn evidence() -> Evidence {
        Evidence {
            run: "r".to_owned(),
            at: at(20),
            trained: Some(Training { model_version: "v1".to_owned(), at: at(10) }),
            since: at(10),
            drift: Drift::default(),
            shares: vec![0.0; 3],
            new_samples: 5000,
            labelled: false,
            unnamed_models: Vec::new(),
            drifted_days: 0.0,
            performance: None,
        }
    }

    fn drifted(share: f64, bug_share: f64) -> Evidence {
        let drift = Drift { share, bug_share, bugs: vec!["broken".to_owned()], ..Drift::default() };
        Evidence { drift, shares: vec![share, 0.0], ..evidence() }
    }

    fn answer(policy: &RetrainConfig, evidence: Evidence) -> Answer {
        Policy::from(policy).decide("job", evidence, None).answer
    }

    fn policy(policy: PolicyName) -> RetrainConfig {
        RetrainConfig { policy: Some(policy), ..RetrainConfig::default() }
    }

    #[test]
    fn drift_or_a_drop_of_performance_triggers_from_the_limit_on() {
        let config = RetrainConfig::default();
        assert_eq!(answer(&config, evidence()), Answer::No);
        assert_eq!(answer(&config, drifted(0.1, 0.0)), Answer::Yes);
        assert_eq!(answer(&config, drifted(0.09, 0.0)), Answer::No);
        let dropped =
            |current| Evidence { performance: Some(Performance { baseline: 0.75, current, of: None }), ..evidence() };
        assert_eq!([0.69, 0.72].map(|now| answer(&config, dropped(now))), [Answer::Yes, Answer::No]);
        let lasting = RetrainConfig { nights: Some(2), ..config };
        assert_eq!(answer(&lasting, drifted(0.5, 0.0)), Answer::No, "one night of two");
        assert_eq!(answer(&lasting, Evidence { shares: vec![0.5, 0.2], ..drifted(0.5, 0.0) }), Answer::Yes);
    }

    #[test]
    fn nothing_is_learned_from_few_rows_too_early_or_from_broken_ones() {
        let config = RetrainConfig::default();
        let due = drifted(0.5, 0.0);
        assert_eq!(answer(&config, Evidence { new_samples: 999, ..due.clone() }), Answer::No);
        let yesterday = Training { model_version: "v2".to_owned(), at: at(19) + chrono::TimeDelta::hours(1) };
        assert_eq!(answer(&config, Evidence { trained: Some(yesterday), ..due }), Answer::No);
        let decision = Policy::from(&config).decide("job", drifted(0.5, 0.2), None);
        assert_eq!(decision.answer, Answer::No);
        assert!(decision.summary.contains("look damaged by the pipeline (broken, …)"), "{}", decision.summary);
        assert_eq!(answer(&config, drifted(0.5, 0.01)), Answer::Yes, "one feature of many");
    }

    #[test]
    fn the_other_policies_look_at_time_rows_and_the_cost_of_waiting() {
        let schedule = RetrainConfig {
            every: Some(crate::alert::Period(Duration::from_secs(10 * 86_400))),
            ..policy(PolicyName::Scheduled)
        };
        assert_eq!(answer(&schedule, evidence()), Answer::Yes);
        assert_eq!(answer(&schedule, Evidence { at: at(19), ..evidence() }), Answer::No);
        let batches = policy(PolicyName::Continuous);
        assert_eq!(answer(&batches, evidence()), Answer::Yes);
        assert_eq!(answer(&batches, Evidence { new_samples: 10, ..evidence() }), Answer::No);
        let budget = RetrainConfig { cost: Some(100.0), loss_per_day: Some(50.0), ..policy(PolicyName::Budgeted) };
        let waited = |drifted_days| answer(&budget, Evidence { drifted_days, ..evidence() });
        assert_eq!([waited(1.9), waited(2.0)], [Answer::No, Answer::Yes]);
    }

    #[test]
    fn what_was_asked_for_is_not_asked_for_again() {
        let decision = Policy::from(&RetrainConfig::default()).decide("job", drifted(0.5, 0.0), Some(at(18)));
        assert_eq!((decision.answer, decision.asked_at), (Answer::Asked, Some(at(18))));
        let json = serde_json::to_string(&decision).unwrap();
        assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
    }
}
