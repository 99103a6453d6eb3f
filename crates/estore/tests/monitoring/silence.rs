//! Figures come in bounded time from databases that are locked, stand still or are gone.

use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::shop::{DATABASE, PAYMENTS, Processes, Shop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::page::{Page, scrape};
use crate::{eventually, own_shop};

/// How long a page may take, whatever its databases do: the shop's own bound, and room for a busy machine.
const PAGE_TIME_MAX: Duration = Duration::from_secs(8);

async fn timely(shop: &Shop, base: &str) -> Page {
    let begun = Instant::now();
    let page = scrape(shop, base).await;
    assert!(begun.elapsed() < PAGE_TIME_MAX, "the page took {:?}", begun.elapsed());
    page
}

#[tokio::test]
async fn a_locked_table_hides_its_size_and_nothing_else() {
    let shop = own_shop(Processes::One).await;
    let holder = shop.database(Service::Payments).await;
    holder.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    eventually("a page without the size", async || {
        let page = timely(&shop, &shop.address.users).await;
        let orders = [("datname", "estore_payments"), ("relname", "orders")];
        assert_eq!(page.all("pg_stat_user_tables_n_dead_tup", &orders).len(), 1);
        for collector in page.all("pg_scrape_collector_success", &[]) {
            assert_eq!(collector.value, 1.0, "{collector:?}");
        }
        page.all("pg_stat_user_tables_table_size_bytes", &orders).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_down_and_so_is_one_that_is_gone() {
    let mut shop = own_shop(Processes::Three).await;
    let base = shop.address.payments.clone();
    let up = |page: &Page| page.one("pg_up", &[]) == 1.0;
    eventually("a server that is up", async || up(&timely(&shop, &base).await).then_some(())).await;
    // The sessions that look stand still, and whoever would make new ones.
    let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'estore monitor'";
    let mut stopped: Vec<i32> = Vec::new();
    for row in shop.database(Service::Payments).await.query(sql, &[]).await.unwrap() {
        stopped.push(row.get(0));
    }
    let file = std::fs::read_to_string(shop.address.data_dir.join("postgres/data/postmaster.pid")).unwrap();
    stopped.push(file.lines().next().unwrap().parse().unwrap());
    stopped.iter().for_each(|pid| kill(Pid::from_raw(*pid), Signal::SIGSTOP).unwrap());
    let down = eventually("a server that is down", async || {
        let page = timely(&shop, &base).await;
        (!up(&page)).then_some(page)
    })
    .await;
    for pid in &stopped {
        kill(Pid::from_raw(*pid), Signal::SIGCONT).ok();
    }
    assert_eq!(down.one("estore_database_up", &[("database", "payments")]), 0.0);
    assert!(down.all("pg_stat_activity_count", &[]).is_empty(), "figures of before would look like those of now");
    assert!(down.names().contains("estore_step_queue_items"), "the process still tells of itself");
    eventually("a server that is up again", async || up(&timely(&shop, &base).await).then_some(())).await;
    // Gone, with the process that would start it again; and looked at by a process that finds nothing at its start.
    shop.kill(DATABASE);
    assert!(shop.kill_postgresql());
    eventually("a server that is gone", async || (!up(&timely(&shop, &base).await)).then_some(())).await;
    shop.kill(PAYMENTS);
    shop.launch(PAYMENTS, &[]);
    eventually("a start that waits", async || reqwest::get(format!("{base}/health/live")).await.ok()).await;
    let waiting = timely(&shop, &base).await;
    assert_eq!((waiting.one("pg_up", &[]), waiting.one("estore_build_info", &[])), (0.0, 1.0));
}
