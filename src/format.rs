//! Numbers and names as people read them. Machine-readable reports never pass through here.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A count as f64. Exact below 2^53; beyond that the nearest f64, as in every division by a count.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "the nearest f64 of a count is what a ratio of counts is made from")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// `part / whole`, and 0 when the whole is 0.
#[must_use]
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { real(part) / real(whole) }
}

/// Three significant digits: `0.342`, `12.3`, `1.2e-40`.
#[must_use]
pub fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&magnitude) {
        return trimmed_exponent(&format!("{value:.2e}"));
    }
    let decimals = match magnitude {
        m if m >= 100.0 => 0,
        m if m >= 10.0 => 1,
        m if m >= 1.0 => 2,
        m if m >= 0.1 => 3,
        m if m >= 0.01 => 4,
        _ => 5,
    };
    trimmed(&format!("{value:.decimals$}"))
}

/// A p- or q-value: `0.0312`, `1.2e-40`, and `0` when it is below every f64.
#[must_use]
pub fn probability(p: f64) -> String {
    match p {
        0.0 => "0".to_owned(),
        p if p < 1e-3 => trimmed_exponent(&format!("{p:.1e}")),
        p => trimmed(&format!("{p:.3}")),
    }
}

/// A share as percent: `0%`, `<0.1%`, `12.3%`, `>99.9%`, `100%`.
#[must_use]
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        p if p < 0.1 => "<0.1%".to_owned(),
        p if p < 100.0 && p > 99.9 => ">99.9%".to_owned(),
        p => format!("{}%", trimmed(&format!("{p:.1}"))),
    }
}

/// A count with thousands apart: `1,234,567`.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 feature`, `2 features`.
#[must_use]
pub fn counted(number: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(number), if number == 1 { singular } else { plural })
}

/// The text without anything that moves a terminal's cursor or changes its colours: control characters and
/// right-to-left overrides are escaped. Names of columns come from files that anybody may have written.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Columns that `text` takes on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` terminal columns; what does not fit is cut out of its middle, because long names of
/// features differ at their ends.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let head = taken(text.chars(), kept.div_ceil(2));
    let tail: String = taken(text.chars().rev(), kept / 2).chars().rev().collect();
    format!("{head}…{tail}")
}

/// A sentence in at most `columns` terminal columns, cut at its end, where the least important part is.
#[must_use]
pub fn shortened_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width(&cut) >= columns {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

/// At most `limit` characters, with an ellipsis where something is left out: for receivers that count characters.
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A text in lines of at most `columns` terminal columns and at most so many of them, the last cut at its end.
#[must_use]
pub fn wrapped(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let all: Vec<_> = textwrap::wrap(text, columns.max(1)).into_iter().map(std::borrow::Cow::into_owned).collect();
    match all.split_at_checked(lines.saturating_sub(1)) {
        Some((kept, rest)) if rest.len() > 1 => {
            kept.iter().cloned().chain([shortened_end(&rest.join(" "), columns)]).collect()
        }
        _ => all,
    }
}

fn taken(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// Without zeros at the end of the decimals.
fn trimmed(decimal: &str) -> String {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        decimal.to_owned()
    }
}

/// `1.20e-40` as `1.2e-40`.
fn trimmed_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let cases = [
            (0.0, "0"),
            (0.2, "0.2"),
            (0.342_19, "0.342"),
            (12.34, "12.3"),
            (1234.5, "1234"),
            (1.2e-40, "1.2e-40"),
            (-0.05, "-0.05"),
            (3.0e9, "3e9"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text);
        }
        assert_eq!(
            [probability(1.0), probability(0.05), probability(0.0), probability(5e-324)],
            ["1", "0.05", "0", "4.9e-324"]
        );
        assert_eq!(
            [percent(0.0), percent(1e-9), percent(0.1234), percent(0.99999), percent(1.0)],
            ["0%", "<0.1%", "12.3%", ">99.9%", "100%"]
        );
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("customer_stats:average_amount_90d", 16), "customer…unt_90d");
        assert_eq!(shortened("short", 16), "short");
        assert!(width(&shortened("温度温度温度温度", 7)) <= 7);
        assert_eq!(shortened("abc", 1), "…");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\\nc\\u{202e}");
        assert_eq!(printable("naïve_温度"), "naïve_温度");
    }

    #[test]
    fn cutting_counts_characters_and_says_so() {
        assert_eq!((cut("σσσ", 3).as_str(), cut("σσσσ", 3).as_str(), cut("", 0).as_str()), ("σσσ", "σσ…", ""));
    }
}
