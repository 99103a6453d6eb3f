//! Sessions that ended while their access tokens were still good: remembered until the last of the tokens has expired.

use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Sessions that one answer to a follower names.
pub const ENDED_SESSIONS_MAX: usize = 10_000;
/// How long after the last word from the source the list still counts as current.
const CURRENT_TIME_MAX: Duration = Duration::from_secs(3);

/// What a follower asks: everything after `after` that `source` has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSessionsQuery {
    /// Who told what is known so far; another one is asked for everything.
    pub source: Uuid,
    /// The last number that is known, 0 for none.
    pub after: u64,
}

/// Sessions that have ended, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndedSessions {
    /// Who tells; numbers of one source mean nothing to another.
    pub source: Uuid,
    /// The number of the last session named, or the one asked about.
    pub last: u64,
    /// Whether the source itself hears of every end at the moment.
    pub is_current: bool,
    /// The sessions.
    pub sessions: Vec<EndedSession>,
}

/// A session that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Its id, `sid` in its access tokens.
    pub id: String,
    /// How long one of its tokens may still be good, in seconds.
    pub seconds: u32,
}

/// The list; it shrinks by itself as tokens expire.
#[derive(Debug)]
pub struct Revocations {
    source: Uuid,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Ended sessions, and when their last token expires.
    ended: HashMap<String, Instant>,
    /// The same in the order in which they became known, numbered.
    told: VecDeque<(u64, String)>,
    last: u64,
    /// When all ends were last known to have been heard of.
    current_at: Option<Instant>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self { source: Uuid::now_v7(), state: RwLock::default() }
    }
}

impl Revocations {
    /// Whether the session has ended.
    #[must_use]
    pub fn is_revoked(&self, session_id: &str) -> bool {
        self.read().ended.contains_key(session_id)
    }

    /// Its tokens, which are good for at most `good_for` more, are refused from now on.
    pub fn revoke(&self, session_id: &str, good_for: Duration) {
        let mut state = self.write();
        let until = Instant::now() + good_for;
        if let Some(known) = state.ended.get_mut(session_id) {
            *known = until.max(*known);
            return;
        }
        state.last += 1;
        let number = state.last;
        state.ended.insert(session_id.to_owned(), until);
        state.told.push_back((number, session_id.to_owned()));
    }

    /// Every end up to now has been heard of.
    pub fn mark_current(&self) {
        let mut state = self.write();
        state.current_at = Some(Instant::now());
        state.forget_expired();
    }

    /// Ends may have been missed.
    pub fn mark_lost(&self) {
        self.write().current_at = None;
    }

    /// Whether every end up to a few seconds ago has been heard of; where not, the last list is still heeded.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.read().current_at.is_some_and(|at| at.elapsed() < CURRENT_TIME_MAX)
    }

    /// What a follower does not know yet, at most [`ENDED_SESSIONS_MAX`].
    #[must_use]
    pub fn since(&self, query: EndedSessionsQuery) -> EndedSessions {
        let after = if query.source == self.source { query.after } else { 0 };
        let is_current = self.is_current();
        let (state, now) = (self.read(), Instant::now());
        let new = state.told.partition_point(|(number, _)| *number <= after);
        let (mut last, mut sessions) = (after, Vec::new());
        for (number, id) in state.told.range(new..).take(ENDED_SESSIONS_MAX) {
            last = *number;
            let left = state.ended.get(id).map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
            let seconds = u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX);
            sessions.push(EndedSession { id: id.clone(), seconds });
        }
        EndedSessions { source: self.source, last, is_current, sessions }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_expired(&mut self) {
        let now = Instant::now();
        while let Some((_, id)) = self.told.front() {
            if self.ended.get(id).is_some_and(|until| *until > now) {
                return;
            }
            self.ended.remove(id);
            self.told.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::{EndedSessionsQuery, Revocations};

    #[test]
    fn a_follower_hears_each_end_once_and_everything_from_another_source() {
        let revocations = Revocations::default();
        let life = Duration::from_secs(900);
        revocations.revoke("a", life);
        let first = revocations.since(EndedSessionsQuery { source: Uuid::nil(), after: 7 });
        assert_eq!(first.sessions.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["a"]);
        revocations.revoke("a", life);
        revocations.revoke("b", life);
        let then = revocations.since(EndedSessionsQuery { source: first.source, after: first.last });
        assert_eq!(then.sessions.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["b"]);
        let none = revocations.since(EndedSessionsQuery { source: then.source, after: then.last });
        assert!(none.sessions.is_empty() && none.last == then.last);
        assert!(revocations.is_revoked("a") && !revocations.is_revoked("c"));
    }

    #[test]
    fn what_has_expired_is_forgotten_and_the_numbers_go_on() {
        let revocations = Revocations::default();
        revocations.revoke("a", Duration::ZERO);
        revocations.revoke("b", Duration::from_secs(900));
        assert!(!revocations.is_current());
        revocations.mark_current();
        assert!(revocations.is_current() && !revocations.is_revoked("a") && revocations.is_revoked("b"));
        let told = revocations.since(EndedSessionsQuery { source: Uuid::nil(), after: 0 });
        assert_eq!((told.last, told.sessions.len()), (2, 1));
        revocations.mark_lost();
        assert!(!revocations.is_current());
    }
}
