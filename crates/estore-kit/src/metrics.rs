//! Figures for Prometheus: counters and histograms that cost an atomic addition, and the page that they are shown on.

mod batches;
mod page;

use std::collections::BTreeMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use batches::BatchFigures;
pub use page::{Family, Kind, Page};

/// Bounds of durations, in microseconds: from a statement by key to a gateway that takes its time.
pub const TIMES: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];
/// Bounds of batch sizes, in items.
pub const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// The columns `outbox` and `outbox_seconds` of what waits in a service.
pub const OUTBOX: &[(&str, Family)] = &[
    ("outbox", Family::gauge("estore_outbox_events", "Events that are still to be told, 100,000 at most.")),
    ("outbox_seconds", Family::gauge("estore_outbox_oldest_seconds", "Age of the oldest of them.")),
];
/// Words that one [`CountersBy`] tells apart; further ones are counted together.
const WORDS_MAX: usize = 64;
/// What those are called.
const OTHER: &str = "other";

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters by a word of the program, such as the code of an answer; never by a word from outside.
#[derive(Debug, Default)]
pub struct CountersBy(RwLock<BTreeMap<&'static str, Counter>>);

impl CountersBy {
    /// One more of `word`.
    pub fn count(&self, word: &'static str) {
        if let Some(counter) = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(word) {
            return counter.count();
        }
        let mut counters = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let word = if counters.len() < WORDS_MAX { word } else { OTHER };
        counters.entry(word).or_default().count();
    }

    /// Every word seen so far with its number.
    pub fn values(&self) -> Vec<(&'static str, u64)> {
        let counters = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        counters.iter().map(|(word, counter)| (*word, counter.value())).collect()
    }
}

/// How often values lay below each of some bounds. Whole numbers: microseconds, items.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above them all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// An empty one with these bounds, ascending.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// One more value.
    pub fn record(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// One more duration, in microseconds.
    pub fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Bound and number of values up to it, ascending; the last is for all values.
    fn up_to(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let mut so_far = 0;
        bounds.zip(&self.counts).map(move |(bound, count)| {
            so_far += count.load(Ordering::Relaxed);
            (bound, so_far)
        })
    }

    fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, CountersBy, Family, Histogram, OTHER, Page, WORDS_MAX};

    const WAITS: Family = Family::times("estore_wait_seconds", "How long.");
    const BATCHES: Family = Family::sizes("estore_batch_items", "How many.");

    #[test]
    fn a_value_on_a_bound_is_within_it() {
        let histogram = Histogram::new(&[1, 5]);
        for value in [0, 1, 2, 5, 6] {
            histogram.record(value);
        }
        let seen: Vec<_> = histogram.up_to().collect();
        assert_eq!(seen, [(Some(1), 2), (Some(5), 4), (None, 5)]);
        assert_eq!(histogram.sum(), 14);
    }

    #[test]
    fn times_are_shown_in_seconds_and_sizes_as_they_are() {
        let (waits, batches) = (Histogram::new(&[500, 2_500_000]), Histogram::new(&[2]));
        waits.record_time(std::time::Duration::from_micros(1_500_001));
        batches.record(3);
        let mut page = Page::default();
        page.histogram(&WAITS, &[("step", "take")], &waits);
        page.histogram(&BATCHES, &[], &batches);
        let text = page.to_string();
        for line in [
            "# TYPE estore_wait_seconds histogram",
            "estore_wait_seconds_bucket{step=\"take\",le=\"0.0005\"} 0",
            "estore_wait_seconds_bucket{step=\"take\",le=\"2.5\"} 1",
            "estore_wait_seconds_bucket{step=\"take\",le=\"+Inf\"} 1",
            "estore_wait_seconds_sum{step=\"take\"} 1.500001",
            "estore_wait_seconds_count{step=\"take\"} 1",
            "estore_batch_items_bucket{le=\"2\"} 0",
            "estore_batch_items_sum 3",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn words_are_bounded() {
        let counters = CountersBy::default();
        for at in 0..WORDS_MAX + 10 {
            counters.count(Box::leak(format!("w{at}").into_boxed_str()));
        }
        counters.count("w0");
        let values = counters.values();
        assert_eq!(values.len(), WORDS_MAX + 1);
        assert!(values.contains(&("w0", 2)) && values.contains(&(OTHER, 10)), "{values:?}");
        let counter = Counter::default();
        counter.add(2);
        counter.count();
        assert_eq!(counter.value(), 3);
    }
}
