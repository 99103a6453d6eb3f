//! Rows that found no partition of their month are in the default one. They are copied into new partitions while the shop
//! goes on, and these take the default's place in one short step; rows of these tables never change, so that nothing is
//! missed but what was added meanwhile, and that is copied in the step.

use jiff::Timestamp;
use tokio_postgres::Error;

use super::month::Month;
use super::partitions::Grower;
use super::session::{Refusal, Session};
use crate::connection::{quote_identifier, quote_literal};

/// How long a statement of the step that others wait for may take, in milliseconds.
const STEP_MS_MAX: u32 = 2_000;
/// What marks a table that a cut run was filling.
const MARK: &str = "rows on their way home from the default partition";

/// The months of the rows in a default partition, and how many there are of each.
pub(super) async fn months(session: &Session<'_>, grower: &Grower) -> Result<Vec<(Month, i64)>, Error> {
    let (time, default) = (&grower.time_column, &grower.default_name);
    let sql = format!("SELECT date_trunc('month', {time}, 'UTC'), count(*) FROM {default} GROUP BY 1 ORDER BY 1");
    let rows = session.worker.query(&sql, &[]).await?;
    Ok(rows.iter().map(|row| (Month::of(row.get::<_, Timestamp>(0)), row.get(1))).collect())
}

/// Brings them home; answers what that brought.
pub(super) async fn bring(session: &Session<'_>, grower: &Grower, months: &[Month]) -> Result<String, Refusal> {
    let mut homes = Vec::new();
    let moved = bring_to(session, grower, months, &mut homes).await;
    if moved.is_err() {
        for home in &homes {
            session.tidy(&format!("DROP TABLE IF EXISTS {}", home.quoted)).await.map_err(Refusal::Failed)?;
        }
    }
    moved.map(|()| format!("{} partitions more, and the default one is empty", homes.len()))
}

/// The same, noting in `homes` what has been made.
async fn bring_to(
    session: &Session<'_>,
    grower: &Grower,
    months: &[Month],
    homes: &mut Vec<Home>,
) -> Result<(), Refusal> {
    for month in months {
        homes.push(Home::make(session, grower, *month).await?);
    }
    for home in homes.iter() {
        session.run(&home.copy(grower, "")).await?;
    }
    session.run_briefly(&step(grower, homes)).await
}

/// A partition to be.
struct Home {
    quoted: String,
    from: String,
    to: String,
}

impl Home {
    /// An empty table for a month's rows. What a cut run left of it is made anew; a table of that name that is none of
    /// ours is left alone, and the rows stay where they are.
    async fn make(session: &Session<'_>, grower: &Grower, month: Month) -> Result<Self, Refusal> {
        let name = format!("{}_{}", grower.bare_name, month.suffix());
        let quoted = quote_identifier(&name);
        let to = month.next().unwrap_or(month).start();
        let home = Self { quoted, from: month.start(), to };
        let time = &grower.time_column;
        let (name, mark) = (quote_literal(&name), quote_literal(MARK));
        let sql = format!(
            "DO $make$ BEGIN \
                 IF obj_description(to_regclass({quoted_name}), 'pg_class') = {mark} THEN DROP TABLE {quoted}; END IF; \
                 PERFORM shape_partition({parent}::regclass, {name}); \
                 COMMENT ON TABLE {quoted} IS {mark}; \
                 ALTER TABLE {quoted} ADD CONSTRAINT of_its_month CHECK ({time} >= '{from}' AND {time} < '{to}' AND {time} IS NOT NULL); \
             END $make$",
            quoted_name = quote_literal(&home.quoted),
            parent = quote_literal(&grower.name),
            quoted = home.quoted,
            from = home.from,
            to = home.to,
        );
        session.run(&sql).await?;
        Ok(home)
    }

    fn copy(&self, grower: &Grower, and: &str) -> String {
        let (time, default) = (&grower.time_column, &grower.default_name);
        let Self { quoted, from, to } = self;
        format!(
            "INSERT INTO {quoted} SELECT stray.* FROM {default} stray WHERE stray.{time} >= '{from}' AND stray.{time} < '{to}'{and}"
        )
    }

    /// Copies what the first copy could not see yet.
    fn copy_rest(&self, grower: &Grower) -> String {
        let same: Vec<String> = grower.key_columns.iter().map(|key| format!("home.{key} = stray.{key}")).collect();
        let and = format!(" AND NOT EXISTS (SELECT FROM {} home WHERE {})", self.quoted, same.join(" AND "));
        self.copy(grower, &and)
    }
}

/// The step that nobody may see half of: locks, the rest of the rows, new partitions for old. The default goes only when
/// every row of it has been counted in its new place.
fn step(grower: &Grower, homes: &[Home]) -> String {
    let Grower { name, default_name, .. } = grower;
    let default_bare = default_name.trim_matches('"');
    let mut sql = format!("SET LOCAL statement_timeout = {STEP_MS_MAX}; LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE; ");
    for home in homes {
        sql.push_str(&format!("{}; ", home.copy_rest(grower)));
    }
    let counts: Vec<String> = homes.iter().map(|home| format!("(SELECT count(*) FROM {})", home.quoted)).collect();
    sql.push_str(&format!(
        "DO $count$ BEGIN IF (SELECT count(*) FROM {default_name}) <> {} THEN \
             RAISE EXCEPTION 'rows of a month that was not asked for came meanwhile' USING ERRCODE = 'lock_not_available'; \
         END IF; END $count$; \
         ALTER TABLE {name} DETACH PARTITION {default_name}; DROP TABLE {default_name}; ",
        counts.join(" + ")
    ));
    for Home { quoted, from, to } in homes {
        sql.push_str(&format!(
            "ALTER TABLE {name} ATTACH PARTITION {quoted} FOR VALUES FROM ('{from}') TO ('{to}'); \
             ALTER TABLE {quoted} DROP CONSTRAINT of_its_month; COMMENT ON TABLE {quoted} IS NULL; "
        ));
    }
    sql.push_str(&format!(
        "SELECT shape_partition({}::regclass, {}); ALTER TABLE {name} ATTACH PARTITION {default_name} DEFAULT",
        quote_literal(name),
        quote_literal(default_bare)
    ));
    sql
}
