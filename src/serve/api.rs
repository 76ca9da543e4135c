//! The same for programs, as JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::Reply;
use super::live::Live;
use super::routes::{Problem, json};
use crate::dashboard::{Board, ModelBoard, Series, job_entries};
use crate::history::{ModelFilter, RunFilter};
use crate::retrain::Ledger;

/// What a query may say.
#[derive(Default)]
struct Query<'q> {
    job: Option<Cow<'q, str>>,
    last: Option<usize>,
}

impl<'q> Query<'q> {
    fn of(text: &'q str) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "job" => query.job = Some(value),
                "last" => {
                    let last = value.parse().map_err(|_| Problem::Request(format!("last={value} is no number")))?;
                    query.last = Some(last);
                }
                other => return Err(Problem::Request(format!("{other} is not known here: job, last"))),
            }
        }
        Ok(query)
    }
}

/// The answer to `/api/` and `parts`.
pub(super) fn answer(live: &Live<'_>, parts: &[&str], query: &str) -> Result<Reply, Problem> {
    let query = Query::of(query)?;
    match parts {
        ["jobs"] => {
            let models = live.models()?;
            json(&job_entries(&live.runs()?, &models))
        }
        ["runs"] => {
            let filter = RunFilter { job: query.job.map(Cow::into_owned), last: query.last };
            json(&live.history.runs(&filter)?)
        }
        ["runs", run] => {
            let filter = RunFilter { job: query.job.map(Cow::into_owned), last: None };
            json(&live.history.report(&live.history.find(run, &filter)?)?)
        }
        ["features"] => json(&board(live, &query)?.rows().collect::<Vec<_>>()),
        ["features", name] => {
            let board = board(live, &query)?;
            let found = board.features().enumerate().find(|(_, feature)| feature.name == *name);
            let missing = || Problem::Missing(format!("the latest run of {:?} has no feature {name:?}", board.job));
            let (n, feature) = found.ok_or_else(missing)?;
            let past = Series::of(&live.history.series(&board.job, name)?, &board.runs);
            json(&board.page_of(n, feature, &past))
        }
        ["incidents"] => {
            let board = board(live, &query)?;
            let run = board.runs.last().map(|run| &run.name);
            json(&json!({ "run": run, "incidents": board.report.incidents, "told": board.alerts() }))
        }
        ["models"] => json(&models(live, &query)?.1.page()),
        ["models", name] => {
            let (job, board) = models(live, &query)?;
            let known = board.models.iter().find(|past| past.name == *name);
            known.ok_or_else(|| Problem::Missing(format!("job {job:?} has no model {name:?}")))?;
            let (job, model) = (Some(job), Some((*name).to_owned()));
            json(&live.history.model_trends(&ModelFilter { job, model, last: query.last, ..ModelFilter::default() })?)
        }
        ["validations"] => json(&live.history.validations(query.job.as_deref(), None)?),
        ["retrain"] => json(&Ledger::open(live.history)?.decisions(query.job.as_deref())?),
        _ => Err(Problem::Missing(format!("/api/{}", parts.join("/")))),
    }
}

/// The models of the job that is asked for, or of the only one that has some, and its name.
fn models(live: &Live<'_>, query: &Query<'_>) -> Result<(String, ModelBoard), Problem> {
    let models = live.models()?;
    let job = chosen(query, models.keys().map(String::as_str).collect())?;
    let board = ModelBoard::all(live.history, Some(&job), query.last.or(live.last))?.remove(&job);
    Ok((job.clone(), board.ok_or_else(|| Problem::Missing(format!("no models of job {job:?}")))?))
}

/// The board of the job that is asked for, or of the only one.
fn board(live: &Live<'_>, query: &Query<'_>) -> Result<Arc<Board>, Problem> {
    let runs = live.runs()?;
    let jobs: BTreeSet<&str> = runs.iter().map(|run| run.job.as_str()).collect();
    let job = chosen(query, jobs)?;
    live.board(&job)?.ok_or_else(|| Problem::Missing(format!("no job {job:?}")))
}

/// The job that is asked for, or the only one.
fn chosen(query: &Query<'_>, jobs: BTreeSet<&str>) -> Result<String, Problem> {
    match (&query.job, jobs.len()) {
        (Some(job), _) => Ok(job.to_string()),
        (None, 1) => Ok(jobs.first().copied().unwrap_or_default().to_owned()),
        (None, _) => {
            let names: Vec<&str> = jobs.into_iter().collect();
            Err(Problem::Request(format!("say which job with ?job=NAME: {}", names.join(", "))))
        }
    }
}
