//! gpudrift on the command line: arguments, run, report, exit code.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
