//! What came of a load.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::failure::Failure;

/// The longest time that is told apart, in microseconds.
const MICROS_MAX: u64 = 120_000_000;

/// Counts and times of a run.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Answered as asked.
    pub(crate) done: u64,
    /// Turned away.
    pub(crate) refused: u64,
    /// From the intended start to the answer, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// From the sending of what was turned away to its answer, in microseconds.
    pub(crate) refusal: Histogram<u64>,
    /// What was done in each second of the run.
    pub(crate) by_second: Vec<u64>,
    /// The slowest answer of each second of the run, in microseconds.
    pub(crate) slowest_by_second: Vec<u64>,
    /// The whole run, to the last answer.
    pub(crate) took: Duration,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, Failure> {
        let histogram = Histogram::new_with_max(MICROS_MAX, 3)?;
        Ok(Self {
            done: 0,
            refused: 0,
            latency: histogram.clone(),
            refusal: histogram,
            by_second: Vec::new(),
            slowest_by_second: Vec::new(),
            took: Duration::ZERO,
        })
    }

    /// Notes an answer as asked, `at` into the run.
    pub(crate) fn done(&mut self, at: Duration, latency: Duration) {
        self.done += 1;
        self.latency.saturating_record(micros(latency));
        let second = usize::try_from(at.as_secs()).unwrap_or(usize::MAX);
        if second >= self.by_second.len() {
            self.by_second.resize(second + 1, 0);
            self.slowest_by_second.resize(second + 1, 0);
        }
        self.by_second[second] += 1;
        self.slowest_by_second[second] = self.slowest_by_second[second].max(micros(latency));
    }

    /// Notes a refusal.
    pub(crate) fn refused(&mut self, latency: Duration) {
        self.refused += 1;
        self.refusal.saturating_record(micros(latency));
    }

    /// Answered as asked each second, over the whole run.
    pub(crate) fn per_second(&self) -> u64 {
        crate::report::per_second(self.done, self.took)
    }

    /// The latency, in microseconds, that `hundredths` of a percent stay within.
    pub(crate) fn latency_within(&self, hundredths: u32) -> u64 {
        within(&self.latency, hundredths)
    }

    /// The same of refusals.
    pub(crate) fn refusal_within(&self, hundredths: u32) -> u64 {
        within(&self.refusal, hundredths)
    }
}

#[expect(clippy::float_arithmetic, reason = "the histogram takes its share as a float; it is not money")]
fn within(histogram: &Histogram<u64>, hundredths: u32) -> u64 {
    histogram.value_at_quantile(f64::from(hundredths) / 10_000.0)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;

    #[test]
    fn shares_and_seconds_are_told() {
        let mut tally = Tally::new().unwrap();
        for milli in 1..=100 {
            tally.done(Duration::from_millis(milli * 20), Duration::from_millis(milli));
        }
        tally.took = Duration::from_secs(2);
        assert_eq!((tally.per_second(), tally.by_second.as_slice()), (50, [49, 50, 1].as_slice()));
        assert_eq!(tally.slowest_by_second, [49_000, 99_000, 100_000]);
        let p99 = tally.latency_within(9_900);
        assert!((99_000..99_100).contains(&p99), "{p99}");
    }
}
