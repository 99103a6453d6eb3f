//! The batcher on a real runtime: outcomes, order, shedding, panics, shutdown.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use estore_kit::batcher::{BatchError, BatchLimits, Batcher};
use estore_kit::problem::Problem;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};

const LIMITS: BatchLimits = BatchLimits::at_once(4, 3, 1);

/// Submits in the background; returns once the item is in the queue.
async fn submitted(batcher: &Batcher<i32, usize>, item: i32) -> JoinHandle<Result<usize, BatchError>> {
    let batcher = batcher.clone();
    let task = tokio::spawn(async move { batcher.submit(item).await });
    yield_now().await;
    task
}

/// What was flushed, in order.
type Log = Arc<Mutex<Vec<i32>>>;

/// A batcher that answers each item with the size of its batch, once the gate has a permit for the batch.
fn gated(limits: BatchLimits) -> (Batcher<i32, usize>, Arc<Semaphore>, Log) {
    let (gate, log) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (opened, noted) = (Arc::clone(&gate), Arc::clone(&log));
    let batcher = Batcher::start(limits, move |items: Vec<i32>| {
        let (gate, log) = (Arc::clone(&opened), Arc::clone(&noted));
        async move {
            gate.acquire().await.unwrap().forget();
            log.lock().unwrap().extend(&items);
            vec![items.len(); items.len()]
        }
    });
    (batcher, gate, log)
}

#[tokio::test]
async fn each_item_gets_its_own_outcome() {
    let batcher = Batcher::start(LIMITS, |items: Vec<i32>| async move { items.iter().map(|n| n * 10).collect() });
    let (a, b) = tokio::join!(batcher.submit(1), batcher.submit(2));
    assert_eq!((a, b), (Ok(10), Ok(20)));
}

#[tokio::test]
async fn what_waits_is_flushed_together_in_order_and_a_full_queue_sheds() {
    let (batcher, gate, log) = gated(LIMITS);
    let mut waiting = Vec::new();
    for n in 0..5 {
        waiting.push(submitted(&batcher, n).await);
    }
    let shed = batcher.submit(9).await.unwrap_err();
    assert_eq!(shed, BatchError::Overloaded);
    let told = Problem::from(shed).into_response();
    assert_eq!((told.status().as_u16(), told.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    gate.add_permits(5);
    let mut sizes = Vec::new();
    for task in waiting {
        sizes.push(task.await.unwrap().unwrap());
    }
    assert_eq!((sizes, log.lock().unwrap().clone()), (vec![1, 3, 3, 3, 1], vec![0, 1, 2, 3, 4]));
}

/// Its first flush waits for the gate, the others for nothing.
fn held_up(alone_for: Duration) -> (Batcher<i32, usize>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let batcher = Batcher::start(BatchLimits { workers: 2, alone_for, ..LIMITS }, move |items: Vec<i32>| {
        let gate = Arc::clone(&opened);
        async move {
            if items[0] == 1 {
                gate.acquire().await.unwrap().forget();
            }
            vec![items.len(); items.len()]
        }
    });
    (batcher, gate)
}

#[tokio::test]
async fn a_flush_keeps_the_next_from_beginning_for_a_while_and_no_longer() {
    let (batcher, gate) = held_up(Duration::from_secs(3_600));
    let [first, second, third] =
        [submitted(&batcher, 1).await, submitted(&batcher, 2).await, submitted(&batcher, 3).await];
    gate.add_permits(1);
    let sizes = [first.await.unwrap(), second.await.unwrap(), third.await.unwrap()];
    assert_eq!(sizes, [Ok(1), Ok(2), Ok(2)], "who came meanwhile is flushed together");

    let (batcher, gate) = held_up(Duration::from_millis(5));
    let (first, second) = (submitted(&batcher, 1).await, submitted(&batcher, 2).await);
    assert_eq!(second.await.unwrap(), Ok(1));
    assert!(!first.is_finished());
    gate.add_permits(1);
    assert_eq!(first.await.unwrap(), Ok(1));
}

#[tokio::test]
async fn flushes_begin_apart_and_the_first_at_once() {
    let apart = Duration::from_secs(1);
    let (batcher, gate, _) = gated(BatchLimits { apart, ..LIMITS });
    gate.add_permits(3);
    let begun = Instant::now();
    let first = submitted(&batcher, 1).await.await.unwrap();
    let others = [submitted(&batcher, 2).await, submitted(&batcher, 3).await];
    for other in others {
        assert_eq!((first, other.await.unwrap()), (Ok(1), Ok(2)));
    }
    assert!(begun.elapsed() >= apart);
}

#[tokio::test]
async fn a_flush_that_panics_is_told_as_lost_and_the_next_one_works() {
    let batcher = Batcher::start(LIMITS, |items: Vec<i32>| async move {
        assert!(items[0] != 13, "the flush fails");
        items
    });
    assert_eq!(batcher.submit(13).await, Err(BatchError::Lost));
    assert_eq!(batcher.submit(1).await, Ok(1));
}

#[tokio::test]
async fn what_waits_at_a_shutdown_is_finished() {
    let (batcher, gate, log) = gated(LIMITS);
    let waiting = [submitted(&batcher, 1).await, submitted(&batcher, 2).await, submitted(&batcher, 3).await];
    drop(batcher);
    gate.add_permits(5);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nobody_with_it() {
    let (batcher, gate, log) = gated(LIMITS);
    let first = submitted(&batcher, 1).await;
    let (gone, stays) = (submitted(&batcher, 2).await, submitted(&batcher, 3).await);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    gate.add_permits(5);
    assert_eq!((first.await.unwrap(), stays.await.unwrap()), (Ok(1), Ok(2)));
    assert_eq!(*log.lock().unwrap(), [1, 2, 3], "what was taken is done");
}
