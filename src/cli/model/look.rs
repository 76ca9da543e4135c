//! Flags that every look at a log shares: which models, and where the report goes.

use std::io;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use gpudrift::config::FailOn;
use gpudrift::model::{ModelConfig, ModelError, ModelOptions};

use super::failure;
use crate::cli::exit::Failure;
use crate::cli::output::Output;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// For people: windows, then the worst segments
    #[default]
    Table,
    /// One object, for programs: everything that is known
    Json,
}

/// The flags.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Models of the file to look at [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(super) model: Vec<String>,
    #[command(flatten)]
    pub(super) options: ModelOptions,
    /// File with tables [model.NAME], which have the same keys [default: ./gpudrift.toml, where no input is named]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How the report is written
    #[arg(long, short, value_enum, default_value = "table")]
    format: Format,
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Memory for counts and labels; what does not fit goes to a temporary file
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory_limit: ByteSize,
    /// No messages but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// A report, in either form.
pub(super) trait Written {
    fn table(&self, out: &mut dyn io::Write) -> io::Result<()>;
    fn json(&self, out: &mut dyn io::Write) -> io::Result<()>;
}

impl LookArgs {
    /// Looks at the models and writes what was found, with the level of each that ends the run with exit code 1.
    pub(super) fn run<R: Written + Send>(
        &self,
        look: impl FnOnce(&[ModelConfig], u64) -> Result<R, ModelError> + Send,
    ) -> Result<(R, Vec<(String, FailOn)>), Failure> {
        let options = self.options.clone().models(self.config.as_deref(), &self.model).map_err(failure)?;
        let fail_on = options.iter().map(|(name, one)| (name.clone(), one.fail_on.unwrap_or_default())).collect();
        let models = options.into_iter().map(|(name, options)| options.resolve(&name));
        let models: Vec<ModelConfig> = models.collect::<Result<_, _>>().map_err(failure)?;
        let destination = Output::open(self.output.as_deref(), false).map_err(Failure::usage)?;
        let threads = self.threads.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
        let report = pool.install(|| look(&models, self.memory_limit.as_u64())).map_err(failure)?;
        let written = destination.write(|out| match self.format {
            Format::Table => report.table(out),
            Format::Json => report.json(out),
        });
        written.map_err(Failure::failed)?;
        Ok((report, fail_on))
    }
}
