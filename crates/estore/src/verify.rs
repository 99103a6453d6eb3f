//! The promises looked for in the data: within each database by SQL, and between the databases by walking
//! their books side by side. Nothing is held in memory but the row in hand.

mod books;

use std::pin::Pin;
use std::time::Instant;

use estore_kit::check::Check;
use estore_kit::field::{Fields, SealedColumn};
use estore_ops::audit::{self, Extent};
use estore_ops::backup::SignerKey;
use estore_ops::connection::Connection;
use estore_ops::fields;
use estore_ops::roles::Service;
use futures_util::StreamExt;
use serde::Serialize;
use tokio_postgres::{Row, RowStream, Transaction};

use crate::databases::Databases;
use crate::fields::COLUMNS;

/// How many of a database's newest seals are looked at.
const SEALS_MAX: i64 = 200;
/// The promise that what is a customer's is the customer's: who took it is found.
const OWN_ROWS: u8 = 8;
/// How many offending rows are named for each promise; all are counted.
const NAMED_MAX: usize = 100;

/// What one check found.
#[derive(Debug, Default, Serialize)]
pub struct Finding {
    /// The promise of the design it guards.
    pub promise: u8,
    /// Which database, or `books` for those that compare two.
    pub database: &'static str,
    /// The check's name.
    pub name: &'static str,
    /// How many rows break the promise.
    pub broken: u64,
    /// The first of them, described.
    pub rows: Vec<String>,
    /// How many rows are in the middle of something and were left out.
    pub in_flight: u64,
    /// How long the check took.
    pub milliseconds: u64,
}

impl Finding {
    fn new(promise: u8, database: &'static str, name: &'static str) -> Self {
        Self { promise, database, name, ..Self::default() }
    }

    /// Ends the check; when it began decides how long it took.
    fn timed(mut self, began: Instant) -> Self {
        self.milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self
    }

    fn note(&mut self, row: String) {
        self.broken += 1;
        if self.rows.len() < NAMED_MAX {
            self.rows.push(row);
        }
    }
}

/// Runs every check. Payments is read before inventory: stock is always taken before an order is written, so a
/// checkout seen in the first has its hold in the second. The newest seals of the audit are looked at where it is known who
/// signs them.
pub async fn verify(
    databases: &Databases,
    signer: Option<&SignerKey>,
    keys: &Fields,
) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
    let (mut users, mut payments, mut inventory) = (
        Connection::open(&databases.logins(Service::Users)?.writer).await?,
        Connection::open(&databases.logins(Service::Payments)?.writer).await?,
        Connection::open(&databases.logins(Service::Inventory)?.writer).await?,
    );
    let users = snapshot(&mut users).await?;
    let payments = snapshot(&mut payments).await?;
    let inventory = snapshot(&mut inventory).await?;
    let (of_users, of_inventory, of_payments) = tokio::try_join!(
        within(&users, "users", estore_users::CHECKS),
        within(&inventory, "inventory", estore_inventory::CHECKS),
        within(&payments, "payments", estore_payments::CHECKS),
    )?;
    let mut findings: Vec<Finding> = of_users.into_iter().chain(of_inventory).chain(of_payments).collect();
    let began = Instant::now();
    findings.push(books::holds_match_checkouts(&payments, &inventory).await?.timed(began));
    let began = Instant::now();
    findings.push(books::restocks_match_cancels(&payments, &inventory).await?.timed(began));
    let began = Instant::now();
    findings.push(books::erasures_are_heard(&users, &payments).await?.timed(began));
    let moments = [(&users, Service::Users), (&inventory, Service::Inventory), (&payments, Service::Payments)];
    for (moment, service) in moments {
        for column in columns_of(service) {
            findings.push(fields_are_sealed(moment, service, column, keys).await?);
        }
    }
    if let Some(signer) = signer {
        for (moment, service) in moments {
            findings.push(sealed(moment, service, signer).await?);
        }
    }
    Ok(findings)
}

fn columns_of(service: Service) -> impl Iterator<Item = &'static SealedColumn> {
    COLUMNS.iter().filter(move |(of, _)| *of == service).flat_map(|(_, columns)| *columns)
}

/// Whether what names people is sealed in a column, under keys that there are.
async fn fields_are_sealed(
    moment: &Transaction<'_>,
    service: Service,
    column: &SealedColumn,
    keys: &Fields,
) -> Result<Finding, tokio_postgres::Error> {
    let (began, mut finding) = (Instant::now(), Finding::new(OWN_ROWS, service.name(), column.check));
    let found = fields::look_through(moment, column, keys, &|_| {}).await?;
    found.named.into_iter().for_each(|row| finding.note(row));
    finding.broken = found.open + found.unreadable;
    Ok(finding.timed(began))
}

/// Whether the newest seals fit their rows; `estore audit verify` looks at all.
async fn sealed(
    moment: &Transaction<'_>,
    service: Service,
    signer: &SignerKey,
) -> Result<Finding, tokio_postgres::Error> {
    let (began, mut finding) = (Instant::now(), Finding::new(OWN_ROWS, service.name(), "seals_fit"));
    let audited = audit::verify(moment, service, (signer, &[]), Extent::Newest(SEALS_MAX), &|_, _| {}).await?;
    audited.faults.into_iter().for_each(|fault| finding.note(fault.what));
    finding.broken = audited.broken;
    Ok(finding.timed(began))
}

/// One moment of a database, for as many statements as it takes.
pub async fn snapshot(connection: &mut Connection) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let snapshot = connection
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    // The moment is that of the first statement, so that one is run now. Every check reads whole tables: they are joined
    // in memory rather than through files, and compiling the few statements would take longer than it saves.
    snapshot.batch_execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SELECT 1").await?;
    Ok(snapshot)
}

async fn within(
    snapshot: &Transaction<'_>,
    database: &'static str,
    checks: &[Check],
) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let mut findings = Vec::with_capacity(checks.len());
    for check in checks {
        let began = Instant::now();
        let mut finding = Finding::new(check.promise, database, check.name);
        let mut rows = Rows::of(snapshot, check.sql).await?;
        while let Some(row) = rows.next().await? {
            finding.note(row.get(0));
        }
        findings.push(finding.timed(began));
    }
    Ok(findings)
}

/// The rows of a statement, one at a time.
struct Rows {
    stream: Pin<Box<RowStream>>,
}

impl Rows {
    async fn of(snapshot: &Transaction<'_>, sql: &str) -> Result<Self, tokio_postgres::Error> {
        let none: [&(dyn tokio_postgres::types::ToSql + Sync); 0] = [];
        Ok(Self { stream: Box::pin(snapshot.query_raw(sql, none).await?) })
    }

    async fn next(&mut self) -> Result<Option<Row>, tokio_postgres::Error> {
        self.stream.next().await.transpose()
    }
}
