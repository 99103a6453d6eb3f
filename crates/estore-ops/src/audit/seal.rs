//! A seal: what it says, its head, and its signature.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use crate::backup::{SignerKey, SigningKey};
use crate::roles::Service;

/// What is signed begins with this, so that no signature of another kind fits.
const CONTEXT: &[u8] = b"estore audit seal 1\n";

/// The newest seal of a database, as it is noted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The seal's number.
    pub number: i64,
    /// Its head in hex.
    pub head: String,
}

impl Head {
    pub(super) fn of(number: i64, head: &[u8]) -> Self {
        Self { number, head: hex::encode(head) }
    }
}

/// Which rows a seal is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) table: String,
    pub(super) kind: String,
    pub(super) after: i64,
    pub(super) last: i64,
    pub(super) rows: i64,
    pub(super) digest: Vec<u8>,
    pub(super) rows_from: Timestamp,
    pub(super) rows_until: Timestamp,
}

/// A link of the chain.
#[derive(Debug, Clone)]
pub(super) struct Seal {
    pub(super) number: i64,
    pub(super) range: Range,
    pub(super) sealed_at: Timestamp,
    pub(super) head: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Seal {
    pub(super) fn of(row: &Row) -> Self {
        let range = Range {
            table: row.get("table_name"),
            kind: row.get("kind"),
            after: row.get("after_position"),
            last: row.get("last_position"),
            rows: row.get("row_count"),
            digest: row.get("digest"),
            rows_from: row.get("rows_from"),
            rows_until: row.get("rows_until"),
        };
        let (number, sealed_at) = (row.get("number"), row.get("sealed_at"));
        Self { number, range, sealed_at, head: row.get("head"), signature: row.get("signature") }
    }

    /// The head that it would have to have, after a seal with the head `previous`.
    pub(super) fn head_after(&self, service: Service, previous: &[u8]) -> Vec<u8> {
        head(service, self.number, &self.range, self.sealed_at, previous)
    }

    /// Whether the key signed its head.
    pub(super) fn is_signed_by(&self, signer: &SignerKey) -> bool {
        is_signed(signer, &self.head, &self.signature)
    }
}

/// Whether the key signed a head.
pub(super) fn is_signed(signer: &SignerKey, head: &[u8], signature: &[u8]) -> bool {
    signer.vouches(CONTEXT, head, signature)
}

/// The end of a chain, to which seals are added.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) service: Service,
    pub(super) number: i64,
    pub(super) head: Vec<u8>,
    pub(super) key: &'a SigningKey,
}

impl Chain<'_> {
    /// The next seal.
    pub(super) fn seal(&mut self, range: Range, sealed_at: Timestamp) -> Seal {
        self.number += 1;
        self.head = head(self.service, self.number, &range, sealed_at, &self.head);
        let signature = self.key.sign_as(CONTEXT, &self.head);
        Seal { number: self.number, range, sealed_at, head: self.head.clone(), signature }
    }
}

/// Everything that a seal says, in one text of lines, hashed. A chain begins after an empty head.
fn head(service: Service, number: i64, range: &Range, sealed_at: Timestamp, previous: &[u8]) -> Vec<u8> {
    let Range { table, kind, after, last, rows, digest, rows_from, rows_until } = range;
    let (digest, previous) = (hex::encode(digest), hex::encode(previous));
    let moments = [rows_from, rows_until, &sealed_at].map(|moment| moment.as_microsecond().to_string()).join("\n");
    let text = format!(
        "estore audit seal 1\n{service}\n{number}\n{table}\n{kind}\n{after}\n{last}\n{rows}\n{digest}\n{moments}\n{previous}\n"
    );
    Sha256::digest(text).to_vec()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Range, head};
    use crate::roles::Service;

    #[test]
    fn every_part_of_a_seal_is_in_its_head() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let plain = || Range {
            table: "audit_log".to_owned(),
            kind: "rows".to_owned(),
            after: 1,
            last: 2,
            rows: 3,
            digest: vec![4],
            rows_from: at(5),
            rows_until: at(6),
        };
        let of = |range: &Range| head(Service::Users, 7, range, at(8), b"before");
        let mut heads = vec![
            of(&plain()),
            head(Service::Payments, 7, &plain(), at(8), b"before"),
            head(Service::Users, 9, &plain(), at(8), b"before"),
            head(Service::Users, 7, &plain(), at(9), b"before"),
            head(Service::Users, 7, &plain(), at(8), b"after"),
            of(&Range { table: "orders".to_owned(), ..plain() }),
            of(&Range { kind: "let_go".to_owned(), ..plain() }),
            of(&Range { after: 9, ..plain() }),
            of(&Range { last: 9, ..plain() }),
            of(&Range { rows: 9, ..plain() }),
            of(&Range { digest: vec![9], ..plain() }),
            of(&Range { rows_from: at(9), ..plain() }),
            of(&Range { rows_until: at(9), ..plain() }),
        ];
        let count = heads.len();
        heads.sort();
        heads.dedup();
        assert_eq!(heads.len(), count);
    }
}
