//! `[concept]`: what `gpudrift concept scan` watches.

use super::checks::Checks;
use super::sections::Section;
use crate::concept::ConceptOptions;

/// Paths stay as they are written: [`ConceptOptions::with_file`] reads the table for its command.
impl Section for Option<ConceptOptions> {
    fn over(self, shared: Self) -> Self {
        self.or(shared)
    }

    fn check(&self, checks: &mut Checks) {
        if let Some(Err(error)) = self.as_ref().map(ConceptOptions::check) {
            checks.wrong("detector", error.to_string());
        }
    }
}
