//! `[lineage]`: where events of OpenLineage go.

use std::path::Path;

use super::sections::Section;
use crate::lineage::LineageConfig;

impl Section for LineageConfig {
    fn over(self, shared: Self) -> Self {
        Self {
            path: self.path.or(shared.path),
            endpoint: self.endpoint.or(shared.endpoint),
            token: self.token,
            token_env: self.token_env.or(shared.token_env),
            token_file: self.token_file.or(shared.token_file),
            ca_file: self.ca_file.or(shared.ca_file),
            namespace: self.namespace.or(shared.namespace),
            timeout: self.timeout.or(shared.timeout),
        }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.beside(folder);
    }
}
