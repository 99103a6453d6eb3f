//! It gives way, it is stopped, it is alone.

use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::maintain::{Ending, Event, MaintainError, MaintainOptions};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::setup::{Yard, done, reindex};

/// With indexes that are full of air.
async fn airy() -> Yard {
    let yard = Yard::with(100_000).await;
    yard.run("DELETE FROM things WHERE id > 1000").await;
    yard.run("VACUUM ANALYZE things").await;
    yard
}

#[tokio::test]
async fn beside_a_long_transaction_it_gives_way_and_nobody_waits_for_it() {
    let yard = airy().await;
    let slow = yard.writer().await;
    let (user, stop) = (Connection::open(&yard.database.app_config()).await.unwrap(), CancellationToken::new());
    let buying = async {
        let mut longest = Duration::ZERO;
        while !stop.is_cancelled() {
            let began = Instant::now();
            user.batch_execute("SET lock_timeout = '200ms'; INSERT INTO things (name) VALUES ('bought')")
                .await
                .unwrap();
            longest = longest.max(began.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        longest
    };
    let work = async {
        let reports = yard.maintain(&reindex()).await;
        stop.cancel();
        reports
    };
    let (longest, reports) = tokio::join!(buying, work);
    assert!(!reports.is_empty());
    for report in &reports {
        let Ending::GaveWay { to } = &report.ending else { panic!("{report:?}") };
        assert!(to.contains("a slow writer") && to.contains("has been in a transaction for"), "{to}");
    }
    println!("the longest insert took {longest:?}");
    slow.batch_execute("COMMIT").await.unwrap();
    let reports = yard.maintain(&reindex()).await;
    assert!(done(&reports).contains(&"reindex things_name".to_owned()), "{reports:?}");
    assert_eq!(yard.broken_indexes().await, 0);
}

#[tokio::test]
async fn it_is_stopped_in_good_order() {
    for by_time in [false, true] {
        let yard = airy().await;
        let slow = yard.writer().await;
        let mut options = MaintainOptions { lock_wait: Duration::from_secs(120), ..reindex() };
        if by_time {
            options.until = Some(Timestamp::now() + SignedDuration::from_secs(1));
        }
        let stop = CancellationToken::new();
        // Once it is under way.
        let hear = |event: Event<'_>| {
            if matches!(event, Event::Step { .. }) && !by_time {
                stop.cancel();
            }
        };
        let began = Instant::now();
        let run = yard.try_maintain(&options, &stop, &hear);
        let unblock = async {
            // What it leaves can be taken away only once nobody uses the table.
            while began.elapsed() < Duration::from_millis(1_500) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            slow.batch_execute("ROLLBACK").await.unwrap();
        };
        let (reports, ()) = tokio::join!(run, unblock);
        let reports = reports.unwrap_or_else(|error| panic!("{error}"));
        assert!(began.elapsed() < Duration::from_secs(60));
        assert!(reports.iter().all(|report| report.ending == Ending::Stopped), "{reports:?}");
        assert_eq!(yard.broken_indexes().await, 0, "nothing is left");
    }
}

#[tokio::test]
async fn a_second_run_says_who_is_at_work() {
    let yard = airy().await;
    let slow = yard.writer().await;
    let (options, stop) =
        (MaintainOptions { lock_wait: Duration::from_secs(60), ..reindex() }, CancellationToken::new());
    let is_at_work = tokio::sync::Notify::new();
    let hear = |event: Event<'_>| {
        if matches!(event, Event::Step { .. }) {
            is_at_work.notify_one();
        }
    };
    let first = yard.try_maintain(&options, &stop, &hear);
    let second = async {
        is_at_work.notified().await;
        let refused = yard.try_maintain(&MaintainOptions::default(), &CancellationToken::new(), &|_event| {}).await;
        slow.batch_execute("COMMIT").await.unwrap();
        refused
    };
    let (first, second) = tokio::join!(first, second);
    let Err(MaintainError::Busy { pid, .. }) = second else { panic!("{second:?}") };
    assert!(pid > 0);
    assert_eq!(done(&first.unwrap()).len(), 2, "the first goes on");
}
