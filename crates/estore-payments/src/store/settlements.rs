//! The end of pending checkouts, with all that must be true together.

use std::collections::HashSet;
use std::time::Instant;

use deadpool_postgres::Client;
use estore_kit::crash;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::answer::Answer;
use crate::steps::ids;

const SETTLE: &str = include_str!("../../queries/settle_checkouts.sql");

/// How a pending checkout ends.
#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(crate) checkout_id: Uuid,
    pub(crate) end: End,
    /// What the buyer's key answers from now on. Without one the key stays taken until the stock is back, and is then free:
    /// the same request under the same key buys anew.
    pub(crate) answer: Option<Answer>,
    pub(crate) at: Timestamp,
    /// Who ended it; none where the shop itself did.
    pub(crate) by: Option<By>,
    /// When its charge was asked for, where that did not wait for the disk and is to be carried by the settlement.
    pub(crate) charged: Option<Instant>,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is settled.
    Now,
    /// It was settled before.
    Before,
    /// Its charge may be forgotten by now: the gateway is to be asked again.
    ChargeUncarried,
}

/// Who ended a checkout, and what they noted.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor_id: i32,
    pub(crate) note: Option<String>,
}

/// What became of a checkout's charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Taken; the gateway's own name for it.
    Captured(String),
    /// Refused, with the word for programs.
    Refused(&'static str),
    /// Surely not made.
    NotMade,
    /// Cancelled while it waited for a person.
    Cancelled,
    /// Placed, and no longer to be paid.
    Lapsed,
}

impl Settlement {
    /// Frees the key of a checkout that was surely not charged, for nobody refused it: it was cut off.
    pub(crate) fn frees_key_if_not_made(mut self) -> Self {
        if self.end == End::NotMade {
            self.answer = None;
        }
        self
    }
}

impl End {
    fn words(&self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::Captured(_) => ("paid", None, "captured"),
            Self::Refused(code) => ("failed", Some(code), "declined"),
            Self::NotMade => ("failed", Some("charge_not_made"), "not_made"),
            Self::Cancelled => ("failed", Some("cancelled"), "not_made"),
            Self::Lapsed => ("failed", Some("payment_lapsed"), "not_made"),
        }
    }

    /// The state that its orders end in.
    fn order_status(&self) -> &'static str {
        if *self == Self::Cancelled { "cancelled" } else { self.words().0 }
    }

    fn reference(&self) -> Option<&str> {
        if let Self::Captured(reference) = self { Some(reference) } else { None }
    }
}

/// Settles pending checkouts. The commit carries their charges, too, where those are on the same server.
pub(crate) async fn settle(db: &Db, settlements: &[Settlement]) -> Result<Vec<Settled>, DbError> {
    let client = db.client().await?;
    let connected = db::connected_since(&client);
    let is_charged = |one: &Settlement| one.charged.is_none_or(|since| connected <= since);
    // The same checkout twice in one batch: the first counts.
    let mut named = HashSet::new();
    let asked: Vec<&Settlement> =
        settlements.iter().filter(|one| is_charged(one) && named.insert(one.checkout_id)).collect();
    let mut settled = if asked.is_empty() { HashSet::new() } else { settle_asked(&client, &asked).await? };
    let became = |one: &Settlement| match is_charged(one) {
        true if settled.remove(&one.checkout_id) => Settled::Now,
        true => Settled::Before,
        false => Settled::ChargeUncarried,
    };
    Ok(settlements.iter().map(became).collect())
}

/// Settles those that are still pending, and answers which.
async fn settle_asked(client: &Client, asked: &[&Settlement]) -> Result<HashSet<Uuid>, DbError> {
    let checkouts = ids(asked, |one| one.checkout_id);
    let statuses: Vec<&str> = asked.iter().map(|one| one.end.words().0).collect();
    let failures: Vec<Option<&str>> = asked.iter().map(|one| one.end.words().1).collect();
    let charges: Vec<&str> = asked.iter().map(|one| one.end.words().2).collect();
    let references: Vec<Option<&str>> = asked.iter().map(|one| one.end.reference()).collect();
    let answers: Vec<Option<&Answer>> = asked.iter().map(|one| one.answer.as_ref()).collect();
    let answer_statuses: Vec<Option<i16>> =
        answers.iter().map(|one| Some(one.as_ref()?.status.cast_signed())).collect();
    let bodies: Vec<Option<&[u8]>> = answers.iter().map(|one| Some(one.as_ref()?.body.as_ref())).collect();
    let times: Vec<Timestamp> = asked.iter().map(|one| one.at).collect();
    let ends: Vec<&str> = asked.iter().map(|one| one.end.order_status()).collect();
    let actors: Vec<Option<i32>> = asked.iter().map(|one| one.by.as_ref().map(|by| by.actor_id)).collect();
    let notes: Vec<Option<&str>> = asked.iter().map(|one| one.by.as_ref()?.note.as_deref()).collect();
    let settle: [&(dyn ToSql + Sync); 11] = [
        &checkouts,
        &statuses,
        &failures,
        &charges,
        &references,
        &answer_statuses,
        &bodies,
        &times,
        &ends,
        &actors,
        &notes,
    ];
    crash::point("settle_before_commit");
    let settled = db::rows(client, SETTLE, &settle).await?;
    Ok(settled.iter().map(|row| row.get("id")).collect())
}
