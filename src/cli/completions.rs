//! `gpudrift completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::output::Output;

/// What `gpudrift completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift completions bash > ~/.local/share/bash-completion/completions/gpudrift
  gpudrift completions fish > ~/.config/fish/completions/gpudrift.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "gpudrift", &mut script);
    Output::Stdout.write(|out| out.write_all(&script)).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}
