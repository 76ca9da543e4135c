//! `gpudrift serve`: the dashboard live.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use gpudrift::config::Secret;
use gpudrift::history::HistoryError;
use gpudrift::serve::{DEFAULT_LISTEN, ServeError, ServeOptions, Server};

use super::exit::{Exit, Failure};
use super::place::Place;

/// What `gpudrift serve` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift serve
  gpudrift serve --listen 0.0.0.0:8641 --token-file /run/secrets/drift
  curl -s localhost:8641/metrics
  curl -s 'localhost:8641/api/features/customer_age?job=churn' | jq .report.metrics.psi

Paths: / (pages), /metrics, /api/jobs, /api/runs, /api/runs/RUN, /api/features, /api/features/NAME, /api/incidents,
/api/models, /api/models/NAME, /api/validations, /api/retrain, /healthz.
Browsers ask for the token as a password, with any name; programs send Authorization: Bearer TOKEN.")]
pub(crate) struct ServeArgs {
    /// Address and port
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Environment variable that holds the token which every request needs
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    token_env: Option<String>,
    /// File that holds it
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// The latest N runs of each job
    #[arg(long, value_name = "N", default_value_t = 400,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    last: usize,
    #[command(flatten)]
    place: Place,
}

/// Serves until it is ended.
pub(crate) fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let (env, file) = (args.token_env.as_deref(), args.token_file.as_deref());
    let wanted = env.is_some() || file.is_some();
    let token = wanted.then(|| Secret::read("token", env, file)).transpose().map_err(Failure::usage)?;
    let server = Server::bind(ServeOptions {
        place: args.place.configs()?.0,
        listen: args.listen,
        token,
        last: Some(args.last),
        workers: NonZeroUsize::new(4).expect("four"),
    });
    let server = server.map_err(|error| match error {
        ServeError::NoToken { .. }
        | ServeError::History(HistoryError::Missing { .. } | HistoryError::Foreign { .. }) => Failure::usage(error),
        error => Failure::failed(error),
    })?;
    // Nobody has to be told where it listens.
    let _ = writeln!(std::io::stderr(), "listening on http://{}/", server.address());
    server.run().map_err(Failure::failed)?;
    Ok(Exit::Finished)
}
