//! `gpudrift dashboard`: pages for people, as files.

use std::path::PathBuf;

use clap::Args;
use gpudrift::dashboard::{DashboardError, write_site};
use gpudrift::format::{count, counted};

use super::exit::{Exit, Failure};
use super::output::print;
use super::place::Place;

/// What `gpudrift dashboard` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift dashboard --output site
  gpudrift dashboard --output /var/www/drift --last 90
  gpudrift dashboard --output site --job churn

Open site/index.html, from the disk or from any web server: there is nothing to run, and nothing is fetched from elsewhere.")]
pub(crate) struct DashboardArgs {
    /// Folder to write the pages to
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// The latest N runs of each job [default: 400]
    #[arg(long, value_name = "N", default_value_t = 400, hide_default_value = true,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    last: usize,
    #[command(flatten)]
    place: Place,
}

/// Writes the pages.
pub(crate) fn run(args: &DashboardArgs) -> Result<Exit, Failure> {
    let history = args.place.open()?;
    let written = write_site(&history, args.place.job.as_deref(), Some(args.last), &args.output);
    let written = written.map_err(|error| match error {
        error @ (DashboardError::Foreign { .. } | DashboardError::NoRuns { .. }) => Failure::usage(error),
        error => Failure::failed(error),
    })?;
    let models = match written.models as u64 {
        0 => String::new(),
        models => format!(" and {}", counted(models, "model", "models")),
    };
    let text = format!(
        "{}: {}{models} of {}, {} KB\n",
        written.index.display(),
        counted(written.features as u64, "feature", "features"),
        counted(written.jobs as u64, "job", "jobs"),
        count(written.bytes.div_ceil(1000))
    );
    print(&text).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}
