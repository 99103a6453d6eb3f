//! `estore db maintain` keeps partitions ready for the coming orders, and waits for nobody who reads them.

use std::time::Duration;

use estore_ops::maintain::{Ending, MaintainOptions, Report, Site, Task, maintain};
use estore_ops::partition::partition;
use tokio_util::sync::CancellationToken;

use crate::table::{Table, options, silent};

/// What a run did about the orders; it also cares for the partitions of their history.
async fn about_orders(table: &Table) -> Vec<Report> {
    let (service, config) = (table.database.service(), table.database.admin_config());
    let site = Site { service, config, owner: service.owner().to_owned(), purges: Vec::new(), is_local: false };
    let asked = MaintainOptions {
        tasks: vec![Task::Partitions],
        brief_wait: Duration::from_millis(50),
        brief_tries: 3,
        ..MaintainOptions::default()
    };
    let run = maintain(std::slice::from_ref(&site), &asked, &CancellationToken::new(), &|_event| {}).await;
    let mut reports = run.unwrap_or_else(|error| panic!("{error}"));
    reports.retain(|report| report.action.target == "orders");
    reports
}

#[tokio::test]
async fn partitions_for_the_coming_orders_are_a_matter_of_maintenance() {
    let table = Table::plain().await;
    assert!(about_orders(&table).await.is_empty(), "a plain table needs none");
    partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    assert!(about_orders(&table).await.is_empty(), "those ahead are there");

    table.next_id(1_990).await;
    table.add(20).await;
    let reports = about_orders(&table).await;
    let [Report { ending: Ending::Done { brought }, .. }] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(brought, "orders_from_3000, orders_from_4000");
    assert!(about_orders(&table).await.is_empty(), "once is enough");
}

#[tokio::test]
async fn maintenance_gives_way_to_who_reads_the_orders() {
    let table = Table::plain().await;
    partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    table.next_id(1_990).await;
    table.add(20).await;
    let before = table.partitions().await;
    let reader = estore_ops::connection::Connection::open(&table.database.admin_config()).await.unwrap();
    reader.batch_execute("SET application_name = 'a long look'; BEGIN; SELECT count(*) FROM orders").await.unwrap();
    let reports = about_orders(&table).await;
    let [Report { ending: Ending::GaveWay { to }, .. }] = reports.as_slice() else { panic!("{reports:?}") };
    assert!(to.contains("a long look"), "{to}");
    assert_eq!(table.partitions().await, before);
    reader.batch_execute("COMMIT").await.unwrap();
    let reports = about_orders(&table).await;
    assert!(matches!(reports[0].ending, Ending::Done { .. }), "{reports:?}");
}
