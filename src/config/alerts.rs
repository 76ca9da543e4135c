//! `[alerts]`: who is told about a run.

use std::path::Path;

use super::sections::Section;
use crate::alert::AlertsConfig;

impl Section for AlertsConfig {
    /// A channel of a job replaces the shared one of its name.
    fn over(self, shared: Self) -> Self {
        let mut channels = shared.channels;
        channels.extend(self.channels);
        Self {
            cooldown: self.cooldown.or(shared.cooldown),
            remind_after: self.remind_after.or(shared.remind_after),
            dashboard: self.dashboard.or(shared.dashboard),
            runbook: self.runbook.or(shared.runbook),
            playbook: self.playbook.or(shared.playbook),
            top: self.top.or(shared.top),
            limit: self.limit.or(shared.limit),
            samples: self.samples.or(shared.samples),
            timeout: self.timeout.or(shared.timeout),
            attempts: self.attempts.or(shared.attempts),
            channels,
        }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.beside(folder);
    }
}
