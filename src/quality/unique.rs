//! Identifiers that repeat.

use super::{Check, Found, Sides};
use crate::column::Kind;
use crate::format::{count, real};
use crate::verdict::Level;

/// Values of an identifier that it takes to see that it is one.
const FEWEST: u64 = 100;

/// Categories of which the reference has none twice, such as entity keys, that occur twice.
pub(super) struct Unique;

impl Check for Unique {
    fn name(&self) -> &'static str {
        "unique"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let subject = sides.subject;
        let [(before, false), (after, false)] = [subject.distinct[0]?, subject.distinct[1]?] else { return None };
        let (n, m) = (subject.values(0), subject.values(1));
        let identifier = subject.kind == Kind::Categorical && n >= FEWEST && before == n;
        let repeated = m.saturating_sub(after);
        let message =
            || format!("{} of {} values repeat another one, and none did in the reference", count(repeated), count(m));
        (identifier && repeated > 0).then(|| Found::new(message()).at(Level::Warning).with("repeated", real(repeated)))
    }
}
