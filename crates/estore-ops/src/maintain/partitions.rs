//! Tables that grow by months: partitions made ahead, rows in the default partition moved home, old ones let go by rule.

use jiff::Timestamp;
use tokio_postgres::{Error, Row};

use super::action::{Action, Ending, Task};
use super::error::MaintainError;
use super::home;
use super::month::Month;
use super::options::{BecomeOf, MaintainOptions, PartitionRule};
use super::session::{Refusal, Session};
use crate::audit::{self, Farewell, Leaving};
use crate::connection::{quote_identifier, quote_literal};

const PARTITIONED: &str = include_str!("../../queries/maintain/partitioned.sql");
const PARTITIONS: &str = include_str!("../../queries/maintain/partitions.sql");

/// A table that grows by months.
#[derive(Debug, Clone)]
pub(super) struct Grower {
    oid: u32,
    pub(super) name: String,
    pub(super) bare_name: String,
    pub(super) time_column: String,
    pub(super) default_name: String,
    pub(super) key_columns: Vec<String>,
    months: Vec<Partition>,
}

/// The partition of a stretch of time.
#[derive(Debug, Clone)]
struct Partition {
    name: String,
    bare_name: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// Something to do about partitions.
#[derive(Debug, Clone)]
pub(super) enum Chore {
    /// Make those of the coming months.
    Ahead(Grower),
    /// Move home what is in the default partition.
    Home(Grower, Vec<Month>),
    /// Let an old one go.
    LetGo(Grower, LetGo),
}

/// A partition that is old enough.
#[derive(Debug, Clone)]
pub(super) struct LetGo {
    name: String,
    bare_name: String,
    ends_at: Timestamp,
    then: BecomeOf,
}

/// The tables of a database that grow by months.
pub(super) async fn growers(session: &Session<'_>) -> Result<Vec<Grower>, Error> {
    let mut found = Vec::new();
    for row in session.watcher.query(PARTITIONED, &[&session.site.owner]).await? {
        let oid: u32 = row.get("oid");
        let months = session.watcher.query(PARTITIONS, &[&oid]).await?.iter().map(partition).collect();
        found.push(Grower {
            oid,
            name: row.get("name"),
            bare_name: row.get("bare_name"),
            time_column: quote_identifier(row.get("time_column")),
            default_name: row.get("default_name"),
            key_columns: row.get::<_, Option<_>>("key_columns").unwrap_or_default(),
            months,
        });
    }
    Ok(found)
}

fn partition(row: &Row) -> Partition {
    Partition {
        name: row.get("name"),
        bare_name: row.get("bare_name"),
        starts_at: row.get("starts_at"),
        ends_at: row.get("ends_at"),
    }
}

/// What is to be done about them, with the reasons.
pub(super) async fn chores(session: &Session<'_>) -> Result<Vec<(Chore, Action)>, Error> {
    let mut found = Vec::new();
    let now: Timestamp = session.watcher.query_one("SELECT now()", &[]).await?.get(0);
    for grower in growers(session).await? {
        let months = home::months(session, &grower).await?;
        if !months.is_empty() {
            let rows: i64 = months.iter().map(|(_, rows)| rows).sum();
            let why = format!("{rows} rows of {} months found no partition of theirs", months.len());
            let months = months.into_iter().map(|(month, _)| month).collect();
            found.push((Chore::Home(grower.clone(), months), action("move rows home", &grower.default_name, why)));
        }
        if let Some(why) = grower.lacks(now, session.options.months_ahead) {
            found.push((Chore::Ahead(grower.clone()), action("make partitions", &grower.name, why)));
        }
        if let Some(rule) = session.options.rules.get(&grower.bare_name) {
            found.extend(grower.old(now, rule));
        }
    }
    Ok(found)
}

fn action(verb: &'static str, target: &str, why: String) -> Action {
    Action { task: Task::Partitions, verb, target: target.to_owned(), why }
}

impl Grower {
    /// What is missing of the coming months.
    fn lacks(&self, now: Timestamp, months_ahead: i32) -> Option<String> {
        let mut month = Month::of(now);
        let mut missing = Vec::new();
        for _ in 0..=months_ahead.max(0) {
            let is_there =
                self.months.iter().any(|known| Month::of(known.starts_at) <= month && month < Month::of(known.ends_at));
            if !is_there {
                missing.push(month.suffix());
            }
            month = month.next()?;
        }
        (!missing.is_empty()).then(|| format!("there is none yet for {}", missing.join(", ")))
    }

    /// Partitions that a rule lets go.
    fn old(&self, now: Timestamp, rule: &PartitionRule) -> Vec<(Chore, Action)> {
        let Some(first_kept) = Month::of(now).before(rule.keep_months) else { return Vec::new() };
        let old = self.months.iter().filter(|partition| Month::of(partition.ends_at) <= first_kept);
        old.map(|partition| {
            let Partition { name, bare_name, ends_at, .. } = partition.clone();
            let verb = if rule.then == BecomeOf::Drop { "drop partition" } else { "detach partition" };
            let why = format!("it ended {ends_at}; the rule keeps {} months", rule.keep_months);
            let let_go = LetGo { name: name.clone(), bare_name, ends_at, then: rule.then };
            (Chore::LetGo(self.clone(), let_go), action(verb, &name, why))
        })
        .collect()
    }
}

/// Does it.
pub(super) async fn perform(session: &Session<'_>, chore: &Chore) -> Ending {
    let done = match chore {
        Chore::Ahead(grower) => ahead(session, grower).await,
        Chore::Home(grower, months) => home::bring(session, grower, months).await,
        Chore::LetGo(grower, old) => let_go(session, grower, old).await,
    };
    match done {
        Ok(brought) => Ending::Done { brought },
        Err(refusal) => refusal.into(),
    }
}

/// The database's own function makes them, which the service's jobs call too.
async fn ahead(session: &Session<'_>, grower: &Grower) -> Result<String, Refusal> {
    let sql = "SELECT make_month_partitions($1::oid::regclass, $2)";
    let made = session.worker.query_one(sql, &[&grower.oid, &session.options.months_ahead]).await;
    let made: i32 = made.map_err(Refusal::Failed)?.get(0);
    if made == 0 {
        return Err(Refusal::Locked(
            "somebody held the default partition, or rows in it wait to be moved home".to_owned(),
        ));
    }
    Ok(format!("{made} partitions more"))
}

/// The sealer is held back meanwhile: the seal that says so is the next one.
async fn let_go(session: &Session<'_>, grower: &Grower, old: &LetGo) -> Result<String, Refusal> {
    audit::take_turn(&session.worker).await.map_err(Refusal::Failed)?;
    let done = let_go_sealed(session, grower, old).await;
    audit::release(&session.worker).await.map_err(Refusal::Failed)?;
    done
}

async fn let_go_sealed(session: &Session<'_>, grower: &Grower, old: &LetGo) -> Result<String, Refusal> {
    let (service, table) = (session.site.service, grower.bare_name.as_str());
    let leaving = Leaving { service, table, partition: &old.name, until: old.ends_at };
    let key = session.options.sealing_key.as_deref();
    let seal = match audit::farewell(&session.worker, &leaving, key).await.map_err(Refusal::Failed)? {
        Farewell::NotSealed => String::new(),
        Farewell::Stays(why) => return Err(Refusal::Locked(format!("the audit of its rows: {why}"))),
        Farewell::Sealed(sql) => format!("; {sql}"),
    };
    let (what_became, drop) = match old.then {
        BecomeOf::Detach => ("detached", String::new()),
        BecomeOf::Drop => ("dropped", format!("; DROP TABLE {}", old.name)),
    };
    let sql = format!(
        "ALTER TABLE {} DETACH PARTITION {}; \
         INSERT INTO partitions_let_go (parent, partition, until, what_became) VALUES ({}, {}, '{}', '{what_became}') \
         ON CONFLICT (parent, partition) DO UPDATE SET what_became = excluded.what_became, let_go_at = now(){seal}{drop}",
        grower.name,
        old.name,
        quote_literal(&grower.bare_name),
        quote_literal(&old.bare_name),
        old.ends_at
    );
    session.run_briefly(&sql).await?;
    Ok(match old.then {
        BecomeOf::Detach => "it is a table of its own now".to_owned(),
        BecomeOf::Drop => "its rows are gone".to_owned(),
    })
}

/// Refuses rules that let go of what is still needed or, where all tables that grow by months are known, name another.
pub(super) fn check_rules(options: &MaintainOptions, names: Option<&Vec<String>>) -> Result<(), MaintainError> {
    for (table, rule) in &options.rules {
        if rule.keep_months < PartitionRule::MONTHS_MIN {
            let (table, least, given) = (table.clone(), PartitionRule::MONTHS_MIN, rule.keep_months);
            return Err(MaintainError::TooFewMonths { table, least, given });
        }
        if names.is_some_and(|names| !names.contains(table)) {
            return Err(MaintainError::UnknownTable(table.clone()));
        }
    }
    Ok(())
}
