//! `gpudrift retrain`: whether a model is to be trained again, and that it was.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use gpudrift::alert::{Alerts, Delivered};
use gpudrift::config::Sections;
use gpudrift::format::printable;
use gpudrift::history::{AsOf, DEFAULT_JOB, History, ModelFilter};
use gpudrift::retrain::{
    Decision, Evidence, Ledger, Look, Performance, Policy, PolicyName, RetrainConfig, Training, Watched,
};

use super::columns::columns;
use super::exit::{Exit, Failure};
use super::nightly::alert_failure;
use super::output::print;
use super::place::Place;

/// What `gpudrift retrain` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift scan && gpudrift retrain check --format json
  gpudrift retrain check --performance 0.91,0.84
  gpudrift retrain done --model-version 2026-11-22
  gpudrift retrain log

check ends with 1 when the answer is yes, and with 0 when it is no, or was asked for already: a yes is given once, until
`done`. [retrain] of gpudrift.toml has the policy, its limits, and the hooks.")]
pub(crate) struct RetrainArgs {
    #[command(subcommand)]
    command: Command,
    /// For people or for programs
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT", global = true)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer yes or no, with reasons; keep the answer; call the hooks on a yes
    Check {
        /// What makes a training due [default: that of the configuration, or triggered]
        #[arg(long, value_enum, value_name = "POLICY")]
        policy: Option<PolicyName>,
        /// The model whose windows in the history say how good it is [default: that of the configuration, or the only one]
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// How good the model was when it was trained, and is now: 0.91,0.84 [default: what the history knows]
        #[arg(long, value_name = "THEN,NOW", value_parser = performance)]
        performance: Option<Performance>,
        /// Keep no answer and call no hook
        #[arg(long)]
        dry_run: bool,
    },
    /// Say that a model was trained: samples and time count from here
    Done {
        /// The version of the model that came of it
        #[arg(long, value_name = "VERSION")]
        model_version: String,
        /// Up to which time it has seen data [default: the time of the latest run]
        #[arg(long, value_name = "TIME")]
        at: Option<AsOf>,
    },
    /// List the answers so far
    Log,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Text
    #[default]
    Table,
    /// JSON
    Json,
}

fn performance(text: &str) -> Result<Performance, String> {
    let numbers = text.split(',').map(|number| number.trim().parse::<f64>().ok().filter(|number| number.is_finite()));
    match numbers.collect::<Option<Vec<_>>>().as_deref() {
        Some(&[baseline, current]) => Ok(Performance { baseline, current, of: None }),
        _ => Err("two numbers are needed, then and now, like 0.91,0.84".to_owned()),
    }
}

/// Answers, takes note, or lists.
pub(crate) fn run(args: &RetrainArgs) -> Result<Exit, Failure> {
    let history = args.place.open()?;
    let ledger = Ledger::open(&history).map_err(Failure::failed)?;
    let job = args.place.job.as_deref().unwrap_or(DEFAULT_JOB);
    match &args.command {
        Command::Check { policy, model, performance, dry_run } => {
            let Sections { alerts, mut retrain, .. } = args.place.sections()?;
            retrain.policy = policy.or(retrain.policy);
            let hooks = if *dry_run { Vec::new() } else { retrain.hooks.clone().unwrap_or_default() };
            let alerts =
                (!hooks.is_empty()).then(|| Alerts::open(&history, &alerts)).transpose().map_err(alert_failure)?;
            if let Some(alerts) = &alerts {
                alerts.check_names(&hooks).map_err(alert_failure)?;
            }
            retrain.model = model.clone().or(retrain.model);
            let decision = decide(&history, &ledger, job, &retrain, performance.clone())?;
            let mut delivered = Delivered::default();
            if !dry_run {
                if let Some(alerts) = alerts.filter(|_| decision.is_yes()) {
                    alerts.ask_for_training(&decision, &hooks).map_err(alert_failure)?;
                    delivered = alerts.flush().map_err(alert_failure)?;
                }
                ledger.keep(&decision).map_err(Failure::failed)?;
            }
            show(&decision, args.format)?;
            let warnings = delivered.warnings.iter().map(|warning| format!("warning: {}\n", printable(warning)));
            let _ = io::stderr().write_all(warnings.collect::<String>().as_bytes());
            Ok(match (decision.is_yes(), delivered.waiting) {
                (true, _) => Exit::Gate,
                (false, 0) => Exit::Finished,
                (false, _) => Exit::Incomplete,
            })
        }
        Command::Done { model_version, at } => {
            let latest = latest(&history, &args.place, job)?;
            let Some(at) = at.as_ref().map(AsOf::at).or(latest) else { return Err(no_run(job)) };
            let training = Training { model_version: model_version.clone(), at };
            ledger.done(job, &training).map_err(Failure::failed)?;
            print(&format!("{job}: {} is trained on data up to {at}\n", printable(model_version)))
                .map_err(Failure::failed)?;
            Ok(Exit::Finished)
        }
        Command::Log => {
            let decisions = ledger.decisions(args.place.job.as_deref()).map_err(Failure::failed)?;
            let text = match args.format {
                Format::Json => serde_json::to_string_pretty(&decisions).map_err(Failure::failed)? + "\n",
                Format::Table => log(&decisions),
            };
            print(&text).map_err(Failure::failed)?;
            Ok(Exit::Finished)
        }
    }
}

/// The instant of the latest run, or, without runs, of the latest window of a model.
fn latest(history: &History, place: &Place, job: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    if let Some(run) = history.runs(&place.filter(Some(1))).map_err(Failure::failed)?.pop() {
        return Ok(Some(run.at));
    }
    let filter = ModelFilter { job: Some(job.to_owned()), whole: true, ..ModelFilter::default() };
    Ok(history.models(&filter).map_err(Failure::failed)?.iter().map(|window| window.at).max())
}

fn no_run(job: &str) -> Failure {
    let message = format!(
        "the history has no run of the job {job}, and no window of a model: scan first, or name the job with --job"
    );
    Failure::usage(anyhow::anyhow!(message))
}

fn decide(
    history: &History,
    ledger: &Ledger,
    job: &str,
    config: &RetrainConfig,
    performance: Option<Performance>,
) -> Result<Decision, Failure> {
    let policy = Policy::from(config);
    if policy.name == PolicyName::Budgeted && policy.costs.is_none() {
        let message = "the policy budgeted takes `cost` and `loss_per_day` under [retrain]";
        return Err(Failure::usage(anyhow::anyhow!(message)));
    }
    let trained = ledger.trained(job).map_err(Failure::failed)?;
    let watched = Watched {
        model: config.model.as_deref(),
        metric: config.metric.as_deref(),
        estimates: config.estimates.unwrap_or(true),
    };
    let look = Look { nights: policy.nights as usize, all: policy.name == PolicyName::Budgeted, watched };
    let evidence = Evidence::gather(history, job, trained, &look).map_err(Failure::failed)?;
    let Some(mut evidence) = evidence else { return Err(no_run(job)) };
    evidence.performance = performance.or(evidence.performance);
    let since = evidence.trained.as_ref().map(|training| training.at);
    let asked = ledger.asked(job, since, evidence.at).map_err(Failure::failed)?;
    Ok(policy.decide(job, evidence, asked))
}

fn show(decision: &Decision, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Json => serde_json::to_string_pretty(decision).map_err(Failure::failed)? + "\n",
        Format::Table => {
            let mut text = format!("retrain {}: {} — {}\n", decision.job, decision.answer.name(), decision.summary);
            for (rules, what) in [(&decision.reasons, "reason"), (&decision.conditions, "condition")] {
                for rule in rules {
                    let mark = if rule.met { "✓" } else { "✗" };
                    text += &format!("  {mark} {what} {}: {}\n", rule.rule, rule.text);
                }
            }
            text
        }
    };
    print(&text).map_err(Failure::failed)?;
    Ok(())
}

fn log(decisions: &[Decision]) -> String {
    let rows = decisions.iter().map(|decision| {
        let at = decision.evidence.at.format("%Y-%m-%d %H:%M").to_string();
        let policy = decision.policy.name().to_owned();
        vec![at, decision.job.clone(), policy, decision.answer.name().to_owned(), decision.summary.clone()]
    });
    columns(&["night", "job", "policy", "answer", "because"], &[], rows)
}
