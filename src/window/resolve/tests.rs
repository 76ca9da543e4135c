use super::*;

fn window(spec: &str, as_of: &str, zone_name: &str) -> Result<Window, WindowError> {
    Window::resolve(&spec.parse()?, as_of.parse()?, &zone(zone_name)?)
}

fn ends(spec: &str, as_of: &str, zone_name: &str) -> [String; 2] {
    let window = window(spec, as_of, zone_name).unwrap();
    [window.start.to_rfc3339(), window.end.to_rfc3339()]
}

#[test]
fn relative_windows_end_where_the_day_of_the_night_begins() {
    let cases = [
        ("yesterday", "2026-11-23", ["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]),
        ("yesterday", "2026-11-23T02:30:00Z", ["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]),
        ("last-7-days", "2026-11-23", ["2026-11-16T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]),
        ("last-2-weeks", "2026-11-23", ["2026-11-09T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]),
        ("last-24-hours", "2026-11-23T02:30:00Z", ["2026-11-22T02:30:00+00:00", "2026-11-23T02:30:00+00:00"]),
        ("last-month", "2026-11-23", ["2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"]),
    ];
    for (spec, as_of, wanted) in cases {
        assert_eq!(ends(spec, as_of, "UTC"), wanted, "{spec} as of {as_of}");
    }
}

#[test]
fn ranges_of_days_include_their_last_day_and_ranges_of_times_end_at_their_end() {
    let cases = [
        ("2026-11-22", ["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]),
        ("2026-01-01..2026-03-31", ["2026-01-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00"]),
        ("2026-02", ["2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"]),
        ("2025-12..2026-02-03", ["2025-12-01T00:00:00+00:00", "2026-02-04T00:00:00+00:00"]),
        ("2025", ["2025-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]),
        ("2026-11-22T06:00:00Z..2026-11-22T18:00:00+01:00", ["2026-11-22T06:00:00+00:00", "2026-11-22T17:00:00+00:00"]),
        ("2026-11-22T06:00..2026-11-23", ["2026-11-22T06:00:00+00:00", "2026-11-24T00:00:00+00:00"]),
    ];
    for (spec, wanted) in cases {
        assert_eq!(ends(spec, "2026-12-01", "UTC"), wanted, "{spec}");
    }
}

#[test]
fn days_of_a_time_zone_may_have_23_or_25_hours() {
    let hours = |day: &str| window(day, "2026-12-01", "Europe/Berlin").unwrap().seconds() / 3600;
    assert_eq!(["2026-03-28", "2026-03-29", "2026-10-25"].map(hours), [24, 23, 25]);
    assert_eq!(
        ends("2026-03-29", "2026-12-01", "Europe/Berlin"),
        ["2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]
    );
    // Half past midnight in Berlin is still yesterday in UTC.
    assert_eq!(ends("yesterday", "2026-11-22T23:30:00Z", "Europe/Berlin")[1], "2026-11-23T00:00:00+01:00");
    assert_eq!(window("last-24-hours", "2026-03-30", "Europe/Berlin").unwrap().seconds(), 24 * 3600);
}

#[test]
fn other_references_lie_beside_the_current_window() {
    let beside = |spec: &str, compare| {
        let found = window(spec, "2026-11-23", "Europe/Berlin").unwrap().compared_with(compare);
        found.map(|found| found.map(|window| [window.start.wall.to_string(), window.end.wall.to_string()]))
    };
    let days = |start: &str, end: &str| Ok(Some([start, end].map(|day| format!("{day}T00:00:00"))));
    assert_eq!(beside("yesterday", Compare::Previous), days("2026-11-21", "2026-11-22"));
    assert_eq!(beside("yesterday", Compare::SameWeekday), days("2026-11-15", "2026-11-16"));
    assert_eq!(beside("last-7-days", Compare::SameWeekday), days("2026-11-09", "2026-11-16"));
    assert_eq!(beside("2026-03", Compare::Previous), days("2026-02-01", "2026-03-01"), "by the calendar");
    assert_eq!(beside("2026-03-30", Compare::Previous), days("2026-03-29", "2026-03-30"), "a day of 23 hours");
    assert_eq!(beside("yesterday", Compare::Reference), Ok(None));
    assert_eq!(beside("2024-02", Compare::LastYear), days("2023-02-01", "2023-03-01"), "a month of another length");
    assert_eq!(beside("last-7-days", Compare::LastYear), days("2025-11-16", "2025-11-23"));
    assert!(matches!(beside("2024-01..2025-01", Compare::LastYear), Err(WindowError::LongerThanAYear(_))));
    assert!(matches!(beside("last-8-days", Compare::SameWeekday), Err(WindowError::LongerThanAWeek(_))));
}

#[test]
fn windows_that_cannot_be_meant_are_errors_that_say_what_is_allowed() {
    let said = |spec: &str| window(spec, "2026-11-23", "UTC").unwrap_err().to_string();
    for spec in [
        "",
        "today?",
        "last-0-days",
        "last-x-days",
        "last-3-moons",
        "2026-13",
        "2026-02-30",
        "2026-11-22T06:00:00Z",
        "a..b",
    ] {
        let said = said(spec);
        assert!(said.contains("last-7-days") && said.contains("RFC 3339"), "{spec}: {said}");
    }
    assert!(said("2026-11-22..2026-11-20").contains("is empty"));
    assert!(said("2026-11-22T06:00:00Z..2026-11-22T06:00:00Z").contains("is empty"));
    assert!(said("2026-11-23").contains("lies in the future"));
    assert!(window("2026-11", "2026-11-23", "UTC").unwrap().is_open_at("2026-11-23".parse().unwrap()));
    assert!(window("yesterday", "2026-11-23", "Mars/Olympus").unwrap_err().to_string().contains("IANA"));
    assert!("tomorrow".parse::<AsOf>().unwrap_err().to_string().contains("2026-11-23"));
}

#[test]
fn shared_time_is_named() {
    let windows = |reference, current| {
        let [reference, current] = [reference, current].map(|spec| window(spec, "2026-11-23", "UTC").unwrap());
        reference.apart_from(&current)
    };
    assert_eq!(windows("2026-11-01..2026-11-21", "2026-11-22"), Ok(()));
    let said = windows("2026-11-01..2026-11-22", "last-3-days").unwrap_err().to_string();
    assert!(said.contains("from 2026-11-20T00:00:00+00:00 to 2026-11-23T00:00:00+00:00"), "{said}");
}

#[test]
fn nights_come_one_a_step_with_both_ends() {
    let nights = |from: &str, to: &str, every: &str| -> Vec<String> {
        let (from, to): (AsOf, AsOf) = (from.parse().unwrap(), to.parse().unwrap());
        let nights = from.until(to, every.parse().unwrap(), "Europe/Berlin").unwrap();
        nights.iter().map(ToString::to_string).collect()
    };
    assert_eq!(nights("2026-03-28", "2026-03-31", "day"), ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]);
    assert_eq!(nights("2026-01-31", "2026-04-01", "month"), ["2026-01-31", "2026-02-28", "2026-03-31"]);
    assert_eq!(nights("2026-01-01", "2026-01-20", "week"), ["2026-01-01", "2026-01-08", "2026-01-15"]);
    let hours = nights("2026-03-29", "2026-03-29", "hour");
    assert_eq!(hours, ["2026-03-28T23:00:00Z"]);
    assert!("fortnight".parse::<Every>().is_err());
}
