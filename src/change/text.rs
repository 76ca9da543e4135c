//! Words that several kinds share.

use crate::format::significant;

/// A factor as people write it: `1000`, `0.3048`, `3.2808`.
pub(super) fn factor(value: f64) -> String {
    let rounded = value.round();
    if value >= 1.0 && (value - rounded).abs() < 1e-9 * value {
        return format!("{rounded}");
    }
    if (1e-3..1e6).contains(&value.abs()) {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        significant(value)
    }
}

/// `+3.2` or `−3.2`.
pub(super) fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", significant(value.abs()))
}

/// The length of a time span: `3 hours`, `30 days`.
pub(super) fn span(days: f64) -> String {
    let magnitude = days.abs();
    let (number, unit) = match magnitude {
        m if m >= 2.0 => (m, "days"),
        m if m >= 1.0 / 24.0 - 1e-9 => (m * 24.0, "hours"),
        m if m >= 1.0 / 1440.0 - 1e-9 => (m * 1440.0, "minutes"),
        m => (m * 86_400.0, "seconds"),
    };
    let text = significant(number);
    let unit = if text == "1" { unit.trim_end_matches('s') } else { unit };
    format!("{text} {unit}")
}

/// A category in quotes, shortened, so that spaces at its ends and empty ones show.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", crate::format::shortened(&crate::format::printable(name), 24))
}
