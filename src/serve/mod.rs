//! The dashboard live, read-only: the pages of [`crate::dashboard`], `/metrics` for Prometheus, and JSON.
//!
//! | path | what it is |
//! |---|---|
//! | `/` | the pages |
//! | `/metrics` | the latest run of every job and the latest windows of its models, in Prometheus' text format |
//! | `/api/jobs` | jobs with their latest run |
//! | `/api/runs`, `/api/runs/RUN` | the runs of a job; one run's report, as `scan --format json` writes it |
//! | `/api/features`, `/api/features/NAME` | features of the latest run; one with its past |
//! | `/api/incidents` | incidents of the latest run, and those that people were told of |
//! | `/api/models`, `/api/models/NAME` | models with their latest window; the windows of one, as `model history -f json` has them |
//! | `/api/validations`, `/api/retrain` | what validations decided; answers to the question whether to train |
//! | `/healthz` | `ok` |
//!
//! `?job=NAME` says which job; it may be left out where there is one. Nothing here writes, and only GET and HEAD are
//! answered. On a loopback address requests must name it as their host, so that no page of somebody else can read this
//! one through a name that points here; elsewhere every request needs a token.

mod api;
mod gauges;
mod guard;
mod live;
mod routes;

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tiny_http::{Header, Method, Request, Response};

use crate::config::Secret;
use crate::history::{History, HistoryError, HistoryPlace};
pub use gauges::prometheus_of_models;
use guard::Guard;
use live::Live;

/// Where to listen unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8641";

/// What is served, and to whom.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The history.
    pub place: HistoryPlace,
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What every request must bring along; required unless the address is a loopback one.
    pub token: Option<Secret>,
    /// The latest N runs of each job.
    pub last: Option<usize>,
    /// Requests that are answered at the same time.
    pub workers: NonZeroUsize,
}

/// Why a server could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could reach it without a token.
    #[error("{listen} can be reached from other machines: give a token with --token-env NAME or --token-file PATH")]
    NoToken {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be had.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The history cannot be opened.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// A server that listens.
pub struct Server {
    http: Arc<tiny_http::Server>,
    address: SocketAddr,
    options: ServeOptions,
    guard: Guard,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Opens the history once, to see that it is there, and listens.
    ///
    /// # Errors
    /// When a token is missing, the history cannot be opened, or the address cannot be had.
    pub fn bind(options: ServeOptions) -> Result<Self, ServeError> {
        let listen = options.listen;
        if options.token.is_none() && !listen.ip().is_loopback() {
            return Err(ServeError::NoToken { listen });
        }
        drop(History::open_existing(&options.place)?);
        let http = tiny_http::Server::http(listen).map_err(|source| ServeError::Listen { listen, source })?;
        let address = http.server_addr().to_ip().unwrap_or(listen);
        let guard = Guard::new(options.token.as_ref());
        Ok(Self { http: Arc::new(http), address, options, guard })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something that ends [`Server::run`] from another thread.
    pub fn stopper(&self) -> impl Fn() + Send + 'static {
        let (http, workers) = (self.http.clone(), self.options.workers.get());
        move || (0..workers).for_each(|_| http.unblock())
    }

    /// Answers requests until it is stopped.
    ///
    /// # Errors
    /// When the history cannot be opened any more.
    pub fn run(&self) -> Result<(), ServeError> {
        let cache = live::Cache::default();
        std::thread::scope(|scope| {
            let worker = || -> Result<(), ServeError> {
                // A connection to SQLite stays in its thread.
                let history = History::open_existing(&self.options.place)?;
                let live = Live { history: &history, cache: &cache, last: self.options.last };
                while let Ok(request) = self.http.recv() {
                    // Nobody is left to tell when the reader has gone.
                    let _ = self.answer(&live, request);
                }
                Ok(())
            };
            let workers: Vec<_> = (0..self.options.workers.get()).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })
    }

    fn answer(&self, live: &Live<'_>, request: Request) -> std::io::Result<()> {
        let reply = match request.method() {
            Method::Get | Method::Head => match self.guard.check(&request) {
                Ok(()) => routes::answer(live, request.url()),
                Err(refusal) => refusal,
            },
            _ => Reply::error(405, "this server is read-only: GET and HEAD"),
        };
        respond(request, reply)
    }
}

/// An answer.
#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
}

const JSON: &str = "application/json";

impl Reply {
    fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type, body: body.into() }
    }

    /// An error as JSON, for people and programs.
    fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "error": message }).to_string().into_bytes();
        Self { status, content_type: JSON, body }
    }
}

/// Sends a reply, compressed where the reader understands that, with headers that keep the pages to themselves.
fn respond(request: Request, mut reply: Reply) -> std::io::Result<()> {
    let mut headers = vec![
        ("Content-Type", reply.content_type),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Vary", "Accept-Encoding"),
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    if reply.status == 401 {
        headers.push(("WWW-Authenticate", "Basic realm=\"gpudrift\", charset=\"UTF-8\""));
    }
    if reply.status == 405 {
        headers.push(("Allow", "GET, HEAD"));
    }
    let takes = |header: &Header| {
        header.field.equiv("Accept-Encoding") && header.value.as_str().to_ascii_lowercase().contains("gzip")
    };
    if reply.body.len() > 1400 && request.headers().iter().any(takes) {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&reply.body)?;
        reply.body = packed.finish()?;
        headers.push(("Content-Encoding", "gzip"));
    }
    let mut response = Response::from_data(reply.body).with_status_code(reply.status);
    for (name, value) in headers {
        response.add_header(Header::from_bytes(name, value).expect("headers of plain ASCII"));
    }
    request.respond(response)
}
