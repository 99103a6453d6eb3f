//! From partitions to one table. Where all orders are in the first partition it is taken as it is; else all are copied
//! into one table while orders go on, which then takes the place.

use super::PartitionProgress;
use super::ahead::is_used_meanwhile;
use super::copy::{self, COPY};
use super::definitions::{Definitions, OWN_FUNCTIONS};
use super::error::PartitionError;
use super::forward::{lift_limit, prove, refuse_strangers};
use super::leaf::index_name;
use super::session::{PartitionOptions, Session};
use super::standing::{Standing, look};
use super::switch::{Work, refuse_rows, switch};
use crate::connection::quote_identifier;
use crate::migrate::Database;

/// What the partitioned table is called once another one has its place.
const OLD: &str = "orders_split";

/// Turns the partitions of orders into one table again, or goes on with a run that was cut.
///
/// # Errors
/// [`PartitionError`]; orders go on as they did, and what was reached stands.
pub async fn unpartition(
    database: &Database,
    options: &PartitionOptions,
    progress: PartitionProgress<'_>,
) -> Result<Standing, PartitionError> {
    let session = Session::locked(database, options, progress).await?;
    let standing = look(&session.connection).await?;
    if standing.is_partitioned {
        refuse_strangers(&Definitions::read(&session.connection).await?)?;
        let is_taken = !standing.is_merging && take_first(&session, &standing, progress).await?;
        if !is_taken {
            copy::copy(&session, progress).await?;
            switch(&session, "put the one table in place", take_copy, progress).await?;
        }
    } else if standing.ids_below.is_some() {
        lift_limit(&session, "orders", progress).await?;
    }
    if look(&session.connection).await?.has_leftover {
        drop_old(&session, progress).await?;
    }
    prove(&session, progress).await?;
    look(&session.connection).await
}

/// What [`unpartition`] would do, in words; changes nothing.
///
/// # Errors
/// [`PartitionError`].
pub async fn preview_back(database: &Database) -> Result<Vec<String>, PartitionError> {
    let session = Session::look(database, &PartitionOptions::default()).await?;
    let standing = look(&session.connection).await?;
    if !standing.is_partitioned {
        return Ok(vec!["-- orders is one table; at most what a cut run left is removed".to_owned()]);
    }
    refuse_strangers(&Definitions::read(&session.connection).await?)?;
    let mut used = Vec::new();
    for part in &standing.partitions {
        if part.is_used(&session.connection).await? {
            used.push(part.name.clone());
        }
    }
    let is_first_alone = used.iter().all(|name| Some(name) == standing.partitions.first().map(|first| &first.name));
    let mut steps = if is_first_alone {
        vec![format!("-- {} becomes the table, with every index that it has", standing.partitions[0].name)]
    } else {
        vec![
            format!(
                "-- the orders of {} are copied into one table, while triggers bring over what changes",
                used.join(", ")
            ),
            "-- the copy is compared with the orders, row by row, and takes their place".to_owned(),
        ]
    };
    steps.push("-- the old partitions are dropped, and what refers to orders is proven again".to_owned());
    Ok(steps)
}

/// Whether the first partition had all orders and has become the table.
async fn take_first(
    session: &Session,
    standing: &Standing,
    progress: PartitionProgress<'_>,
) -> Result<bool, PartitionError> {
    let Some((first, others)) = standing.partitions.split_first() else { return Ok(false) };
    for other in others {
        if other.is_used(&session.connection).await? {
            return Ok(false);
        }
    }
    let plan = |definitions: &Definitions| {
        let mut sql: Vec<String> = others.iter().map(|other| refuse_rows(&other.name)).collect();
        sql.extend(definitions.statements("incoming drop"));
        sql.push(format!("ALTER TABLE orders DETACH PARTITION {}", first.name));
        sql.extend(replace(definitions, &first.name, &definitions.parts));
        Work { before: Vec::new(), under_locks: sql }
    };
    match switch(session, "make the first partition the table", plan, progress).await {
        Ok(()) => Ok(true),
        Err(error) if is_used_meanwhile(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn take_copy(definitions: &Definitions) -> Work {
    let own = definitions.own_indexes.iter();
    let renamed = |(name, _): &(String, String)| (index_name(COPY, name), name.clone());
    let indexes: Vec<_> = definitions.indexes().chain(own).map(renamed).collect();
    let mut sql = definitions.statements("incoming drop");
    sql.extend(replace(definitions, COPY, &indexes));
    let references = Definitions::made_on("orders", definitions.named("foreign key").iter(), str::to_owned);
    sql.extend(references.into_iter().map(|reference| format!("{reference} NOT VALID")));
    Work { before: Vec::new(), under_locks: sql }
}

/// What gives a table the place of the partitioned one: its name, its indexes' names, and all that hangs on it.
fn replace(definitions: &Definitions, table: &str, indexes: &[(String, String)]) -> Vec<String> {
    let rename =
        |from: &str, to: &str| format!("ALTER INDEX {} RENAME TO {}", quote_identifier(from), quote_identifier(to));
    let mut sql = vec![format!("ALTER TABLE orders RENAME TO {OLD}")];
    sql.extend(definitions.indexes().map(|(index, _)| rename(index, &index_name(OLD, index))));
    sql.push(format!("ALTER TABLE {table} RENAME TO orders"));
    sql.extend(indexes.iter().map(|(from, to)| rename(from, to)));
    sql.extend(definitions.rights());
    sql.extend(definitions.strip(OLD));
    sql.extend(definitions.triggers().map(|(_, statement)| statement.clone()));
    for kind in ["sequence", "incoming", "view"] {
        sql.extend(definitions.statements(kind));
    }
    sql
}

/// Removes the partitions whose orders are in the table by now.
pub(crate) async fn drop_old(session: &Session, progress: PartitionProgress<'_>) -> Result<(), PartitionError> {
    let sql = vec![format!("DROP TABLE {OLD}"), OWN_FUNCTIONS.to_owned(), copy::FUNCTION_GONE.to_owned()];
    let work = Work { before: Vec::new(), under_locks: sql };
    switch(session, "drop the old partitions", |_| work.clone(), progress).await
}
