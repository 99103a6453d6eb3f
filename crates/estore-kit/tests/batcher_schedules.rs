//! The batcher under thousands of schedules: nobody waits for ever, whatever runs when.
//!
//! The batcher's own source is compiled here, not a copy, with channels whose every step is a place where shuttle may
//! let another task go on. A wake-up that gets lost leaves a task waiting, which shuttle reports as a deadlock with
//! the schedule that led to it.

// What the batcher calls `tokio` is this crate here.
extern crate self as tokio;

#[path = "../src/batcher.rs"]
#[expect(dead_code, reason = "nobody looks here at what the batcher counts")]
mod batcher;
#[path = "batcher_schedules/sync.rs"]
mod sync;

use std::cell::RefCell;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use estore_kit::{metrics, problem};
use futures_util::FutureExt;
use futures_util::future::join_all;
use shuttle::future::{JoinHandle, block_on, yield_now};

use batcher::{BatchError, BatchLimits, Batcher};

/// Schedules that each test is run under.
const SCHEDULES: usize = 2_000;

/// The batcher's `tokio::task`.
mod task {
    pub use shuttle::future::yield_now;
}

/// The batcher's `tokio::time`: how long a time is, chance decides.
mod time {
    use std::future::Future;
    use std::time::Duration;

    use futures_util::future::{Either, select};
    use shuttle::future::yield_now;
    use shuttle::rand::{Rng, thread_rng};

    pub async fn sleep(_time: Duration) {
        for _ in 0..thread_rng().gen_range(0..6) {
            yield_now().await;
        }
    }

    pub async fn timeout<F: Future + Unpin>(time: Duration, future: F) -> Result<F::Output, ()> {
        match select(future, Box::pin(sleep(time))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(()),
        }
    }
}

thread_local! {
    /// Shuttle runs all tasks of a schedule on one thread.
    static WORKERS: RefCell<Vec<JoinHandle<()>>> = const { RefCell::new(Vec::new()) };
}

/// The batcher's `tokio::spawn`.
fn spawn(worker: impl Future<Output = ()> + Send + 'static) {
    let worker = shuttle::future::spawn(worker);
    WORKERS.with_borrow_mut(|workers| workers.push(worker));
}

/// Waits until every worker has ended, which they do when the last handle is gone.
async fn workers_end() {
    for worker in WORKERS.take() {
        worker.await.unwrap();
    }
}

const ONE: BatchLimits = BatchLimits::at_once(8, 2, 1);
const TWO: BatchLimits = BatchLimits { workers: 2, ..ONE };
/// As the steps of a checkout that wait for locks.
const ONE_AFTER_THE_OTHER: BatchLimits =
    BatchLimits { alone_for: Duration::from_millis(50), apart: Duration::from_secs(3_600), ..TWO };

/// Half of the schedules at random, half with few changes of task at the worst places.
fn check(test: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(test, SCHEDULES / 2);
    shuttle::check_pct(test, SCHEDULES / 2, 3);
}

/// Answers ten times the item and notes what was flushed, in order.
fn tenfold(limits: BatchLimits) -> (Batcher<u32, u32>, Arc<Mutex<Vec<u32>>>) {
    let flushed = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&flushed);
    let batcher = Batcher::start(limits, move |items: Vec<u32>| {
        let log = Arc::clone(&log);
        async move {
            yield_now().await;
            log.lock().unwrap().extend(&items);
            items.iter().map(|n| n * 10).collect()
        }
    });
    (batcher, flushed)
}

#[test]
fn everybody_is_answered_and_the_workers_end() {
    check(|| everybody_is_answered(TWO));
}

#[test]
fn everybody_is_answered_where_a_flush_keeps_the_next_for_a_while() {
    check(|| everybody_is_answered(ONE_AFTER_THE_OTHER));
}

fn everybody_is_answered(limits: BatchLimits) {
    let (batcher, flushed) = tenfold(limits);
    let buyers: Vec<_> = (0..4)
        .map(|buyer| {
            let batcher = batcher.clone();
            shuttle::future::spawn(async move {
                for n in [buyer, buyer + 10] {
                    assert_eq!(batcher.submit(n).await, Ok(n * 10));
                }
            })
        })
        .collect();
    drop(batcher);
    block_on(async {
        for buyer in buyers {
            buyer.await.unwrap();
        }
        workers_end().await;
    });
    assert_eq!(flushed.lock().unwrap().len(), 8, "each once");
}

#[test]
fn one_worker_keeps_the_order_in_which_each_submits() {
    check(|| {
        let (batcher, flushed) = tenfold(ONE);
        let buyers: Vec<_> = [0, 10]
            .map(|first| {
                let batcher = batcher.clone();
                shuttle::future::spawn(async move {
                    let outcomes = join_all((first..first + 3).map(|n| batcher.submit(n))).await;
                    assert_eq!(outcomes, (first..first + 3).map(|n| Ok(n * 10)).collect::<Vec<_>>());
                })
            })
            .into();
        drop(batcher);
        block_on(async {
            for buyer in buyers {
                buyer.await.unwrap();
            }
            workers_end().await;
        });
        let flushed = flushed.lock().unwrap();
        for first in [0, 10] {
            let of_one: Vec<u32> = flushed.iter().copied().filter(|n| n / 10 == first / 10).collect();
            assert_eq!(of_one, [first, first + 1, first + 2]);
        }
    });
}

#[test]
fn whoever_is_taken_is_answered_and_whoever_is_not_is_told() {
    check(|| {
        let (batcher, flushed) = tenfold(BatchLimits { queue_max: 1, batch_max: 1, ..TWO });
        let buyers: Vec<_> = (0..5)
            .map(|n| {
                let batcher = batcher.clone();
                shuttle::future::spawn(async move { batcher.submit(n).await })
            })
            .collect();
        drop(batcher);
        let mut taken = 0;
        block_on(async {
            for (n, buyer) in (0_u32..).zip(buyers) {
                match buyer.await.unwrap() {
                    Ok(tenfold) => {
                        assert_eq!(tenfold, n * 10);
                        taken += 1;
                    }
                    Err(error) => assert_eq!(error, BatchError::Overloaded),
                }
            }
            workers_end().await;
        });
        assert!(taken >= 1, "an empty queue takes one");
        assert_eq!(flushed.lock().unwrap().len(), taken);
    });
}

#[test]
fn whoever_leaves_keeps_nobody_waiting() {
    check(|| {
        let (batcher, flushed) = tenfold(ONE_AFTER_THE_OTHER);
        let stays = {
            let batcher = batcher.clone();
            shuttle::future::spawn(async move { batcher.submit(2).await })
        };
        // Asked once, so that the item is in the queue, and then dropped.
        let asked = Box::pin(batcher.submit(1)).now_or_never();
        assert!(asked.is_none_or(|outcome| outcome == Ok(10)));
        drop(batcher);
        block_on(async {
            assert_eq!(stays.await.unwrap(), Ok(20));
            workers_end().await;
        });
        let mut flushed = flushed.lock().unwrap().clone();
        flushed.sort_unstable();
        assert_eq!(flushed, [1, 2], "what was taken is done");
    });
}
