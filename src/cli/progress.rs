//! The progress bar on stderr.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gpudrift::config::OutputConfig;
use gpudrift::format::count;
use gpudrift::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the features, with values a second; appears when the work is known.
#[derive(Debug, Default)]
pub(crate) struct Bar {
    bar: OnceLock<ProgressBar>,
    values: AtomicU64,
}

impl Bar {
    /// Whether a bar is of any use: stderr is a terminal.
    pub(crate) fn is_visible() -> bool {
        std::io::stderr().is_terminal()
    }

    /// Whether the configuration allows one where it is of use.
    pub(crate) fn is_wanted(output: &OutputConfig) -> bool {
        output.progress && !output.quiet && Self::is_visible()
    }
}

impl Progress for Bar {
    fn start(&self, total_features: u64, values: u64) {
        let bar = self.bar.get_or_init(ProgressBar::no_length);
        bar.set_length(total_features);
        let template = "{bar:24} {human_pos} of {human_len} features, {msg}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▌ "));
        }
        bar.set_message(format!("{} values", count(values)));
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn feature_done(&self, rows: u64) {
        let Some(bar) = self.bar.get() else { return };
        let values = self.values.fetch_add(rows, Ordering::Relaxed) + rows;
        bar.inc(1);
        let milliseconds = u64::try_from(bar.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        bar.set_message(format!("{} values/s", count(values.saturating_mul(1000) / milliseconds)));
    }

    fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bar {
    /// An error leaves no half-drawn bar before its message.
    fn drop(&mut self) {
        self.finish();
    }
}
