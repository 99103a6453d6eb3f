//! Commits that need not wait for the disk because a later one carries them.
//!
//! A server's log is one sequence: whoever waits for a commit to be on disk waits for all that were made before it, in
//! whichever database of that server. Where a step is worth nothing without the one after it, the second may carry the
//! first. Two things could come between, and whoever makes the second commit looks for both: it could be made on another
//! server ([`Server`]), or the server could have fallen and forgotten the first. A fall ends every connection, so one that was
//! there before the first commit was asked for ([`connected_since`]) and still commits proves that there was none. A
//! pooler in between must keep a connection of its client to one of the server (session pooling), as listening needs too.

use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use deadpool_postgres::{Client, GenericClient};
use serde::{Deserialize, Serialize};

use super::{DbError, rows};

/// A running server; after a restart it is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Server(String);

impl Server {
    /// As a statement of ours told it, by the words of `leave_to_later.sql`.
    #[must_use]
    pub fn told(server: String) -> Self {
        Self(server)
    }

    /// As statements know it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lets this transaction's commit not wait for the disk, if it is made on this server.
///
/// # Errors
/// When the database does not answer.
pub async fn leave_to_later<C: GenericClient>(transaction: &C, server: &Server) -> Result<(), DbError> {
    rows(transaction, include_str!("../../queries/leave_to_later.sql"), &[&server.0]).await.map(drop)
}

/// Since when the connection has been there.
#[must_use]
pub fn connected_since(client: &Client) -> Instant {
    Client::metrics(client).created
}

/// A commit that may not have waited for the disk.
#[derive(Debug, Clone)]
pub struct Uncarried {
    /// When it was asked for.
    since: Instant,
    /// Where it did not wait; on any other it did.
    server: Server,
}

impl Uncarried {
    /// To be called before it is asked for.
    #[must_use]
    pub fn on(server: Server) -> Self {
        Self { since: Instant::now(), server }
    }

    /// Whether a commit may carry it that is made on a connection which has been there so long; only one on
    /// [`Self::server`] does.
    #[must_use]
    pub fn is_after(&self, connected: Instant) -> bool {
        connected <= self.since
    }

    /// The one server whose commits carry it.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// The server that this process wrote to last.
#[derive(Debug, Default)]
pub struct LastServer(RwLock<Option<Server>>);

impl LastServer {
    /// None before the first write.
    pub fn get(&self) -> Option<Server> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes where a write was made.
    pub fn note(&self, server: &Server) {
        if self.get().as_ref() != Some(server) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(server.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Server, Uncarried};

    #[test]
    fn only_an_older_connection_carries() {
        let earlier = Uncarried::on(Server::told("1/1".to_owned()));
        assert!(earlier.is_after(earlier.since));
        assert!(!earlier.is_after(Instant::now() + Duration::from_millis(1)));
    }
}
