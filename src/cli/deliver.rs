//! Where the reports of a run go: every sink of every job, and jobs that share a place.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use gpudrift::config::{ColorChoice, OutputConfig, Resolved, SinkConfig};
use gpudrift::report::{Report, Sink, SinkOptions, sink, write_all};

use super::exit::Failure;
use super::output::Output;

/// Columns of a table that goes to a file or a pipe.
const FILE_WIDTH: usize = 120;

/// One place to write to, checked before the work starts.
struct Delivery {
    sink: &'static dyn Sink,
    output: Output,
    path: Option<PathBuf>,
    options: SinkOptions,
    /// Indices of the jobs whose reports go here.
    jobs: Vec<usize>,
}

/// Every place that the jobs of a run write to.
pub(super) struct Deliveries {
    places: Vec<Delivery>,
    /// Whether the run may have several reports: then standard output gets them as one, however many there are.
    several: bool,
}

impl Deliveries {
    /// Opens the places. `several` tells that more than one job could have been asked for.
    pub(super) fn open(jobs: &[Resolved], several: bool) -> Result<Self, Failure> {
        let mut places: Vec<Delivery> = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            for config in &job.output.sinks {
                let day = job.scan.windows.night().day().to_string();
                let path = config.output.as_deref().map(|path| placed(path, job.job.as_deref(), &day));
                let sink = sink(&config.format).expect("the configuration was resolved with this format");
                match places.iter_mut().find(|place| place.path == path) {
                    Some(place) if place.sink.name() == sink.name() && sink.joint().is_some() => place.jobs.push(index),
                    Some(place) => return Err(taken(place, config, path.as_deref())),
                    None => {
                        let output = Output::open(path.as_deref(), sink.is_binary()).map_err(Failure::usage)?;
                        let options = options(config, &job.output);
                        places.push(Delivery { sink, output, path, options, jobs: vec![index] });
                    }
                }
            }
        }
        if let Some(place) = places.iter().find(|place| several && place.path.is_none() && place.sink.joint().is_none())
        {
            return Err(taken(place, &SinkConfig::new(place.sink.name()), None));
        }
        Ok(Self { places, several })
    }

    /// Writes what is complete now that the job at `done` has ended: every place whose last job it is. `reports` has
    /// the reports so far; a job that failed has none. Gives the files that were written, and what could not be.
    pub(super) fn write(&self, done: usize, reports: &[Option<Report>]) -> (Vec<&Path>, Vec<Failure>) {
        let (mut written, mut failed) = (Vec::new(), Vec::new());
        for place in self.places.iter().filter(|place| place.jobs.last() == Some(&done)) {
            let reports: Vec<&Report> = place.jobs.iter().filter_map(|&job| reports[job].as_ref()).collect();
            if reports.is_empty() {
                continue;
            }
            let together = place.jobs.len() > 1 || (self.several && place.path.is_none());
            let write = |out: &mut dyn io::Write| match (together, reports.as_slice()) {
                (false, [report]) => place.sink.write(report, &place.options, out),
                (_, reports) => write_all(place.sink, reports, &place.options, out),
            };
            match place.output.write(write) {
                Ok(()) => written.extend(place.path.as_deref()),
                Err(error) => failed.push(Failure::failed(error)),
            }
        }
        (written, failed)
    }
}

/// The path with the name of the job and the day in their places.
fn placed(path: &Path, job: Option<&str>, day: &str) -> PathBuf {
    let text = path.to_string_lossy();
    if !text.contains('{') {
        return path.to_owned();
    }
    PathBuf::from(text.replace("{job}", job.unwrap_or("scan")).replace("{date}", day))
}

/// Two reports would go to one place, in formats that cannot stand together.
fn taken(place: &Delivery, config: &SinkConfig, path: Option<&Path>) -> Failure {
    let whereto = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    Failure::usage(anyhow::anyhow!(
        "several reports would go to {whereto} ({} and {}): give each an output of its own, with {{job}} in its name \
         for several jobs",
        place.sink.name(),
        config.format,
    ))
}

/// How wide and colourful the place is where the report goes.
fn options(config: &SinkConfig, output: &OutputConfig) -> SinkOptions {
    let terminal = config.output.is_none() && io::stdout().is_terminal();
    let width = if terminal { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
    let color = match output.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // https://no-color.org: any value but the empty one.
        ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let all = config.all.unwrap_or(false);
    SinkOptions { width: width.unwrap_or(FILE_WIDTH), color, top: config.top, all }
}
