//! Concurrent requests meet in a batch: one statement and one commit serve all that waited.
//!
//! A worker takes whatever is queued the moment it is free, so an idle shop waits for nothing and
//! batches grow with the load. The queue is bounded; when it is full, callers are told to come back.
//!
//! `tests/batcher_schedules.rs` compiles this file under a model of its channels and tries thousands of schedules.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::metrics::BatchFigures;
use crate::problem::Problem;

/// The bounds of a batcher.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// How many items may wait.
    pub queue_max: usize,
    /// How many items one flush takes.
    pub batch_max: usize,
    /// How many flushes may run at a time; one keeps the order of arrival.
    pub workers: usize,
    /// For how long a flush keeps the next from beginning beside it, where several may run: whoever comes meanwhile is in one
    /// batch after it, unless it takes long.
    pub alone_for: Duration,
    /// How far apart flushes begin, at the least: whoever comes sooner after one is in the next with all who do.
    pub apart: Duration,
}

impl BatchLimits {
    /// Flushes begin as soon as a worker is free.
    #[must_use]
    pub const fn at_once(queue_max: usize, batch_max: usize, workers: usize) -> Self {
        Self { queue_max, batch_max, workers, alone_for: Duration::ZERO, apart: Duration::ZERO }
    }
}

/// Why an item has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The queue is full; the item was not taken.
    #[error("too many requests wait")]
    Overloaded,
    /// The worker ended with the item in hand: it may have been done or not.
    #[error("the outcome is not known")]
    Lost,
}

impl From<BatchError> for Problem {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Overloaded => Self::unavailable("The shop is very busy. Try again shortly."),
            BatchError::Lost => Self::internal("a batch worker ended with items in hand"),
        }
    }
}

type Waiting<T, O> = (T, oneshot::Sender<O>);

/// Hands items to a flush function in batches; cheap to clone.
#[derive(Debug)]
pub struct Batcher<T, O> {
    queue: mpsc::Sender<Waiting<T, O>>,
    figures: Arc<BatchFigures>,
}

impl<T, O> Clone for Batcher<T, O> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), figures: Arc::clone(&self.figures) }
    }
}

impl<T: Send + 'static, O: Send + 'static> Batcher<T, O> {
    /// Starts the workers. `flush` answers one outcome an item, in the items' order.
    pub fn start<F, R>(limits: BatchLimits, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> R + Send + Sync + 'static,
        R: Future<Output = Vec<O>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(limits.queue_max);
        let waiting = Arc::new(Mutex::new(Queue { waiting, begun: None }));
        let flush = Arc::new(flush);
        let figures = Arc::new(BatchFigures::default());
        for _ in 0..limits.workers {
            tokio::spawn(work(Arc::clone(&waiting), limits, Arc::clone(&flush), Arc::clone(&figures)));
        }
        Self { queue, figures }
    }

    /// What it has done so far.
    pub fn figures(&self) -> &BatchFigures {
        &self.figures
    }

    /// Puts one item in the next batch and waits for its outcome.
    pub async fn submit(&self, item: T) -> Result<O, BatchError> {
        let begun = Instant::now();
        let (answer, outcome) = oneshot::channel();
        // Counted first: a worker may take it before we go on.
        self.figures.submitted();
        if self.queue.try_send((item, answer)).is_err() {
            self.figures.refused();
            return Err(BatchError::Overloaded);
        }
        let outcome = outcome.await.map_err(|_gone| BatchError::Lost);
        self.figures.answered(begun.elapsed());
        outcome
    }
}

/// What waits, and when the last flush began.
struct Queue<W> {
    waiting: mpsc::Receiver<W>,
    begun: Option<Instant>,
}

impl<W> Queue<W> {
    /// Takes what waits; `false` at the end.
    async fn take(&mut self, taken: &mut Vec<W>, limits: BatchLimits) -> bool {
        if self.waiting.recv_many(taken, limits.batch_max).await == 0 {
            return false;
        }
        let since = self.begun.map_or(limits.apart, |begun| begun.elapsed());
        match limits.apart.saturating_sub(since) {
            // Callers that were woken together, by the batch before, come together: the first of them is not taken alone.
            Duration::ZERO => yield_now().await,
            pause => sleep(pause).await,
        }
        if taken.len() < limits.batch_max && !self.waiting.is_empty() {
            self.waiting.recv_many(taken, limits.batch_max - taken.len()).await;
        }
        self.begun = Some(Instant::now());
        true
    }
}

/// Ends when every handle of the batcher is gone and the queue is empty, so a shutdown finishes what waits.
async fn work<T, O, F, R>(
    waiting: Arc<Mutex<Queue<Waiting<T, O>>>>,
    limits: BatchLimits,
    flush: Arc<F>,
    figures: Arc<BatchFigures>,
) where
    F: Fn(Vec<T>) -> R,
    R: Future<Output = Vec<O>>,
{
    let mut taken = Vec::new();
    loop {
        let mut turn = waiting.lock().await;
        if !turn.take(&mut taken, limits).await {
            return;
        }
        let (items, answers): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
        let (count, begun) = (items.len(), Instant::now());
        figures.taken(count);
        // A panic in a flush is told to its own items alone; the worker lives on.
        let mut flushed = pin!(AssertUnwindSafe(async { flush(items).await }).catch_unwind());
        let soon = if limits.alone_for.is_zero() { None } else { timeout(limits.alone_for, &mut flushed).await.ok() };
        drop(turn);
        let outcomes = match soon {
            Some(outcomes) => outcomes,
            None => flushed.await,
        };
        figures.flushed(begun.elapsed());
        let Ok(outcomes) = outcomes else {
            tracing::error!(items = count, "a batch worker panicked");
            continue;
        };
        debug_assert_eq!(outcomes.len(), count, "a flush answers every item");
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away does not need its outcome.
            drop(answer.send(outcome));
        }
    }
}
