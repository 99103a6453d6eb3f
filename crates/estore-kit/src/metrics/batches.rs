//! What a batcher tells of itself.

use std::time::Duration;

use super::{Counter, Family, Histogram, Page, SIZES, TIMES};

const STEP: Family = Family::times("estore_step_seconds", "How long an item waits for its outcome.");
const FLUSH: Family = Family::times("estore_step_flush_seconds", "How long one batch takes.");
const ITEMS: Family = Family::sizes("estore_step_batch_items", "Items of a batch.");
const WAITING: Family = Family::gauge("estore_step_queue_items", "Items that wait for their batch.");
const REFUSED: Family = Family::counter("estore_step_refused_total", "Items sent away because the queue was full.");

/// Latencies, sizes and the queue of one batcher.
#[derive(Debug)]
pub struct BatchFigures {
    /// From coming in to the outcome.
    seconds: Histogram,
    flush: Histogram,
    items: Histogram,
    /// Came in, and were taken into a batch: those that were not sent away either wait.
    submitted: Counter,
    taken: Counter,
    refused: Counter,
}

impl Default for BatchFigures {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(TIMES),
            flush: Histogram::new(TIMES),
            items: Histogram::new(SIZES),
            submitted: Counter::default(),
            taken: Counter::default(),
            refused: Counter::default(),
        }
    }
}

impl BatchFigures {
    /// An item comes in.
    pub fn submitted(&self) {
        self.submitted.count();
    }

    /// An item was sent away.
    pub fn refused(&self) {
        self.refused.count();
    }

    /// A batch is begun.
    pub fn taken(&self, items: usize) {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        self.taken.add(items);
        self.items.record(items);
    }

    /// A batch is done.
    pub fn flushed(&self, after: Duration) {
        self.flush.record_time(after);
    }

    /// An item has its outcome.
    pub fn answered(&self, after: Duration) {
        self.seconds.record_time(after);
    }

    /// Shows all of it for a step of a service.
    pub fn show(&self, page: &mut Page, service: &str, step: &str) {
        let labels = [("service", service), ("step", step)];
        page.histogram(&STEP, &labels, &self.seconds);
        page.histogram(&FLUSH, &labels, &self.flush);
        page.histogram(&ITEMS, &labels, &self.items);
        // Read in this order: what is taken meanwhile must not look like more than came.
        let (taken, refused) = (self.taken.value(), self.refused.value());
        page.sample(&WAITING, &labels, self.submitted.value().saturating_sub(taken + refused));
        page.sample(&REFUSED, &labels, refused);
    }
}
