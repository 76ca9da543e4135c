//! A window, cut into windows of another one's length.

use super::{Length, Moment, Window, moved};

impl Window {
    /// The windows of the length of `like` that this one consists of, the latest first, at most `most`. What is left over at
    /// its start is in none.
    pub(crate) fn pieces_like(&self, like: &Self, most: u32) -> Vec<Self> {
        let last = self.end.instant.to_zoned_datetime(self.zone.clone());
        let (mut pieces, mut end) = (Vec::new(), last.clone());
        for step in 1..=most {
            let start = match like.length {
                Length::Calendar(count, span) => moved(&last, -i64::from(step) * i64::from(count), span).ok(),
                Length::Elapsed(length) => end.checked_sub(length).ok(),
            };
            let Some(start) = start.filter(|start| start.timestamp() >= self.start.instant && *start < end) else {
                break;
            };
            pieces.push(Self {
                name: format!("{} of {}", Moment::of(&start).to_rfc3339(), self.name),
                start: Moment::of(&start),
                end: Moment::of(&end),
                length: like.length,
                zone: self.zone.clone(),
            });
            end = start;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AsOf, WindowSpec, zone};
    use super::*;

    fn window(spec: &str, zone_name: &str) -> Window {
        let as_of: AsOf = "2026-12-01".parse().unwrap();
        Window::resolve(&spec.parse::<WindowSpec>().unwrap(), as_of, &zone(zone_name).unwrap()).unwrap()
    }

    #[test]
    fn days_follow_the_calendar_and_a_rest_is_left_out() {
        let reference = window("2026-03-20..2026-04-02", "Europe/Berlin");
        let days = reference.pieces_like(&window("yesterday", "Europe/Berlin"), 400);
        assert_eq!(days.len(), 14);
        assert_eq!((days[0].end, days[13].start), (reference.end, reference.start));
        let hours: Vec<i64> = days.iter().map(|day| day.seconds() / 3600).filter(|hours| *hours != 24).collect();
        assert_eq!(hours, [23], "29 March is an hour short");
        let weeks = reference.pieces_like(&window("last-7-days", "Europe/Berlin"), 400);
        assert_eq!(weeks.len(), 2);
        assert_eq!(reference.pieces_like(&window("last-10-days", "Europe/Berlin"), 400).len(), 1);
        assert!(reference.pieces_like(&window("2026-01-01..2026-03-01", "Europe/Berlin"), 400).is_empty());
        assert_eq!(reference.pieces_like(&window("yesterday", "Europe/Berlin"), 5).len(), 5);
    }
}
