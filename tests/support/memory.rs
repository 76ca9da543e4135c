//! How much memory a run takes.

use std::process::{Command, ExitStatus};
use std::time::Duration;

/// Runs `command`; peak anonymous memory in bytes, sampled: mapped files do not count.
pub(crate) fn peak_anonymous(command: &mut Command) -> (ExitStatus, u64) {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(peak > 0, "no memory was seen");
    (child.wait().unwrap(), peak)
}
