//! `[history]`: where runs are kept.

use std::path::Path;

use super::sections::Section;
use crate::history::HistoryConfig;

impl Section for HistoryConfig {
    fn over(self, shared: Self) -> Self {
        Self {
            path: self.path.or(shared.path),
            format: self.format.or(shared.format),
            keep_days: self.keep_days.or(shared.keep_days),
        }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.beside(folder);
    }
}
