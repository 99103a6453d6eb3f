//! The key that signs seals, when it changes: the one that goes signs which one follows, and that one signs which one it
//! follows. Whoever trusts either can follow the chain over both.

use jiff::Timestamp;
use tokio_postgres::{Client, Error, Transaction};

use super::seal::{Chain, Range, is_signed};
use super::sealer::{TURN_KEY, insert};
use crate::backup::{SignerKey, SigningKey};
use crate::roles::Service;

const NEWEST: &str = include_str!("../../queries/audit/newest.sql");
const KEYS: &str = include_str!("../../queries/audit/keys.sql");
/// What a seal is about that names the key of the next one, by which it is not signed.
const NEXT: &str = "next_key";
/// What a seal is about that names the key of those before, by which it is not signed.
const LAST: &str = "last_key";

/// Who signs from now on.
#[derive(Debug, Clone, Copy)]
pub enum Rotation<'a> {
    /// The key that signed until now says so.
    HandedOver(&'a SigningKey),
    /// The key that signed until now, of which this is the public half, is lost, and says nothing.
    Lost(&'a SignerKey),
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Somebody else sealed last.
    #[error("the newest seal of {database}, number {number}, is not signed by {signer}")]
    NotTheirs {
        /// The database.
        database: &'static str,
        /// The seal.
        number: i64,
        /// Who was to have signed it.
        signer: SignerKey,
    },
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] Error),
}

impl Rotation<'_> {
    fn last(&self) -> SignerKey {
        match self {
            Self::HandedOver(key) => key.public(),
            Self::Lost(signer) => (*signer).clone(),
        }
    }

    /// Lets `next` sign a database from now on; false where it does already, or nothing was ever sealed.
    ///
    /// # Errors
    /// [`RotationError::NotTheirs`], and those of the database; nothing is changed then.
    pub async fn apply(self, client: &mut Client, service: Service, next: &SigningKey) -> Result<bool, RotationError> {
        let transaction = client.transaction().await?;
        transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&TURN_KEY]).await?;
        let Some(newest) = transaction.query_opt(NEWEST, &[]).await? else { return Ok(false) };
        let (number, head, signature): (i64, Vec<u8>, Vec<u8>) = (newest.get(0), newest.get(1), newest.get(2));
        if is_signed(&next.public(), &head, &signature) {
            return Ok(false);
        }
        let last = self.last();
        if !is_signed(&last, &head, &signature) {
            return Err(RotationError::NotTheirs { database: service.name(), number, signer: last });
        }
        let now: Timestamp = transaction.query_one("SELECT now()", &[]).await?.get(0);
        let mut chain = Chain { service, number, head, key: next };
        let mut seals = Vec::new();
        if let Self::HandedOver(key) = self {
            chain.key = key;
            seals.push(chain.seal(about(NEXT, &next.public(), now), now));
            chain.key = next;
        }
        seals.push(chain.seal(about(LAST, &last, now), now));
        insert(&transaction, &seals).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// A range of no rows, with a key in the place of their digest.
fn about(what: &str, key: &SignerKey, now: Timestamp) -> Range {
    Range {
        table: what.to_owned(),
        kind: "rows".to_owned(),
        after: 0,
        last: 0,
        rows: 0,
        digest: key.bytes().to_vec(),
        rows_from: now,
        rows_until: now,
    }
}

/// Whose signature each seal of a chain must have.
#[derive(Debug)]
pub(super) struct Keys {
    /// The keys that were followed by others, each with the number of the first seal that is not its own.
    before: Vec<(i64, SignerKey)>,
    newest: SignerKey,
    /// Where a key follows that the one before did not name, although only that one is trusted.
    pub(super) breaks: Vec<i64>,
}

impl Keys {
    /// Of a chain, for somebody who trusts this key.
    pub(super) async fn read(moment: &Transaction<'_>, trusted: &SignerKey) -> Result<Self, Error> {
        let (mut before, mut named) = (Vec::new(), Vec::new());
        for row in moment.query(KEYS, &[&[NEXT, LAST].as_slice()]).await? {
            let (number, what, key): (i64, String, SignerKey) =
                (row.get(0), row.get(1), SignerKey::of_bytes(row.get(2)));
            if what == NEXT { named.push((number + 1, key)) } else { before.push((number, key)) }
        }
        let named_at = |number: i64| named.iter().find(|(at, _)| *at == number).map(|(_, key)| key);
        let newest = before.last().and_then(|(at, _)| named_at(*at)).unwrap_or(trusted).clone();
        let all: Vec<&SignerKey> = before.iter().map(|(_, key)| key).chain([&newest]).collect();
        let Some(place) = all.iter().rposition(|key| *key == trusted) else {
            return Ok(Self { before: Vec::new(), newest: trusted.clone(), breaks: Vec::new() });
        };
        // What came before the trusted key is in the heads that it signed. What came after is believed for its word.
        let after = before.iter().zip(&all[1..]).skip(place);
        let breaks = after.filter(|((at, _), next)| named_at(*at) != Some(**next)).map(|((at, _), _)| *at).collect();
        Ok(Self { before, newest, breaks })
    }

    /// Who must have signed the seal of this number.
    pub(super) fn of(&self, number: i64) -> &SignerKey {
        self.before.iter().find(|(end, _)| number < *end).map_or(&self.newest, |(_, key)| key)
    }
}
