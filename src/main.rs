//! gpudrift on the command line: arguments, run, report, exit code.

fn main() {}
