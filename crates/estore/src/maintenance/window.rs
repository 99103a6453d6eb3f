//! The hours of a day in which maintenance may be at work.

use jiff::civil::Time;
use jiff::{Span, Zoned};
use serde::Deserialize;

/// A stretch of each day, in the machine's time; past midnight where it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Window {
    /// The whole day.
    Always,
    /// From one time of day to another.
    Hours(Time, Time),
}

impl Default for Window {
    fn default() -> Self {
        Self::Hours(Time::constant(1, 0, 0, 0), Time::constant(6, 0, 0, 0))
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "always" {
            return Ok(Self::Always);
        }
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        match text.split_once('-').map(|(from, to)| (time(from), time(to))) {
            Some((Some(from), Some(to))) if from != to => Ok(Self::Hours(from, to)),
            _ => Err(format!("a window is two times of day such as \"01:00-06:00\", or \"always\", not {text:?}")),
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Hours(from, to) => write!(f, "{} to {}", from.strftime("%H:%M"), to.strftime("%H:%M")),
        }
    }
}

/// Whether a window is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// It is not.
    Shut,
    /// It is, until then; or for ever.
    Open(Option<Zoned>),
}

impl Window {
    /// Whether it is open at `now`, and until when.
    pub fn at(&self, now: &Zoned) -> Opening {
        let Self::Hours(from, to) = *self else { return Opening::Open(None) };
        let time = now.time();
        let days = match (from < to, from <= time, time < to) {
            (true, true, true) | (false, false, true) => 0,
            (false, true, _) => 1,
            _ => return Opening::Shut,
        };
        let closes = now.date().checked_add(Span::new().days(days)).ok();
        let closes = closes.and_then(|day| day.to_datetime(to).to_zoned(now.time_zone().clone()).ok());
        Opening::Open(closes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(window: &str, now: &str) -> Opening {
        let window: Window = window.to_owned().try_into().unwrap();
        window.at(&now.parse().unwrap())
    }

    fn until(moment: &str) -> Opening {
        Opening::Open(Some(moment.parse().unwrap()))
    }

    #[test]
    fn it_is_open_from_its_first_minute_to_before_its_last() {
        assert_eq!(at("01:00-06:00", "2026-11-25T00:59:59[Europe/Berlin]"), Opening::Shut);
        let closes = until("2026-11-25T06:00:00[Europe/Berlin]");
        assert_eq!(at("01:00-06:00", "2026-11-25T01:00:00[Europe/Berlin]"), closes);
        assert_eq!(at("01:00-06:00", "2026-11-25T05:59:59[Europe/Berlin]"), closes);
        assert_eq!(at("01:00-06:00", "2026-11-25T06:00:00[Europe/Berlin]"), Opening::Shut);
        assert_eq!(at("always", "2026-11-25T12:00:00[UTC]"), Opening::Open(None));
    }

    #[test]
    fn it_may_lie_around_midnight() {
        assert_eq!(at("22:00-04:00", "2026-11-25T23:00:00[UTC]"), until("2026-11-26T04:00:00[UTC]"));
        assert_eq!(at("22:00-04:00", "2026-11-25T03:00:00[UTC]"), until("2026-11-25T04:00:00[UTC]"));
        assert_eq!(at("22:00-04:00", "2026-11-25T12:00:00[UTC]"), Opening::Shut);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1-2", "01:00", "06:00-06:00", "25:00-26:00", "01:00-06:00-07:00"] {
            assert!(Window::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
