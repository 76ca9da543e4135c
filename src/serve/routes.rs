//! Which path is what.

use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::live::Live;
use super::{JSON, Reply, api, prometheus_of_models};
use crate::dashboard::assets::{ASSETS, SCRIPT};
use crate::dashboard::{Series, job_entries, job_id, page, script};
use crate::history::HistoryError;
use crate::report::{SinkOptions, prometheus_of_jobs};

/// Where the pages look for their data.
const DATA: &str = "data";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("there is nothing here: {0}")]
    Missing(String),
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("cannot write the answer")]
    Answer(#[from] Box<dyn std::error::Error + Send + Sync>),
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::Answer(error.into())
    }
}

/// The answer to a request for `url`: a path, and perhaps a query.
pub(super) fn answer(live: &Live<'_>, url: &str) -> Reply {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<String> =
        path.split('/').skip(1).map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let found = match parts.as_slice() {
        [""] | ["index.html"] => index(live),
        ["healthz"] => Ok(Reply::ok("text/plain", "ok\n")),
        ["metrics"] => metrics(live),
        ["api", rest @ ..] => api::answer(live, rest, query),
        [DATA, rest @ ..] => data(live, rest),
        [name] => asset(name),
        _ => Err(Problem::Missing(path.to_owned())),
    };
    found.unwrap_or_else(|problem| {
        let status = match &problem {
            Problem::Missing(_) | Problem::History(HistoryError::NoSuchRun { .. }) => 404,
            Problem::Request(_) => 400,
            Problem::History(_) | Problem::Answer(_) => 500,
        };
        Reply::error(status, &problem.to_string())
    })
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Reply, Problem> {
    Ok(Reply::ok(JSON, serde_json::to_vec(value)?))
}

fn asset(name: &str) -> Result<Reply, Problem> {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let asset = found.ok_or_else(|| Problem::Missing(format!("/{name}")))?;
    Ok(Reply::ok(asset.content_type, asset.text))
}

fn index(live: &Live<'_>) -> Result<Reply, Problem> {
    let models = live.models()?;
    let text = page(DATA, &live.runs()?, &models).map_err(|error| Problem::Answer(error.into()))?;
    Ok(Reply::ok("text/html; charset=utf-8", text))
}

/// The scripts that the pages load: the same as the files of a static dashboard, one feature in each.
fn data(live: &Live<'_>, parts: &[&str]) -> Result<Reply, Problem> {
    let missing = || Problem::Missing(format!("/{DATA}/{}", parts.join("/")));
    let runs = live.runs()?;
    let key = parts.join("/");
    let key = key.strip_suffix(".js").ok_or_else(missing)?;
    let reply = |bytes: serde_json::Result<Vec<u8>>| Ok(Reply::ok(SCRIPT, bytes?));
    let (id, what) = match key.split_once('/') {
        None if key == "jobs" => {
            let models = live.models()?;
            return reply(script(key, &job_entries(&runs, &models)));
        }
        None => return Err(missing()),
        Some(pair) => pair,
    };
    if let Some(what) = what.strip_prefix("models") {
        let boards = live.models()?;
        let board = boards.values().find(|board| job_id(&board.job) == id).ok_or_else(missing)?;
        return match what.strip_prefix('/').map(|what| what.split_once('-').unwrap_or((what, ""))) {
            None if what.is_empty() => reply(script(key, &board.page())),
            None => Err(missing()),
            Some((n, "")) => reply(script(key, &number(n).and_then(|n| board.model_page(n)).ok_or_else(missing)?)),
            Some((n, k)) => {
                let page = number(n).zip(number(k)).and_then(|(n, k)| board.segment_page(n, k));
                reply(script(key, &page.ok_or_else(missing)?))
            }
        };
    }
    let job = runs.iter().map(|run| run.job.as_str()).find(|job| job_id(job) == id).ok_or_else(missing)?;
    let board = live.board(job)?.ok_or_else(missing)?;
    match what {
        "job" => reply(script(key, &board.page(1))),
        "features" => reply(script(key, &board.rows().collect::<Vec<_>>())),
        place => {
            let n = number(place).ok_or_else(missing)?;
            let feature = board.features().nth(n).ok_or_else(missing)?;
            let past = Series::of(&live.history.series(job, &feature.name)?, &board.runs);
            reply(script(key, &[board.page_of(n, feature, &past)]))
        }
    }
}

/// A place in a list.
fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn metrics(live: &Live<'_>) -> Result<Reply, Problem> {
    let runs = live.runs()?;
    let mut jobs: Vec<&str> = runs.iter().map(|run| run.job.as_str()).collect();
    jobs.sort_unstable();
    jobs.dedup();
    let mut boards = Vec::new();
    for job in jobs {
        boards.extend(live.board(job)?.map(|board| (job, board)));
    }
    let models = live.models()?;
    let reports: Vec<_> = boards.iter().map(|(job, board)| (*job, &board.report)).collect();
    let mut text = Vec::new();
    prometheus_of_jobs(&reports, &SinkOptions::default(), &mut text).map_err(|error| Problem::Answer(error.into()))?;
    prometheus_of_models(models.values(), &mut text).map_err(|error| Problem::Answer(error.into()))?;
    Ok(Reply::ok("text/plain; version=0.0.4; charset=utf-8", text))
}
