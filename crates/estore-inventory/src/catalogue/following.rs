//! How far the movements of stock are followed.
//!
//! Ids of movements are given out in order, but not committed in order: one that is seen late may have a lower id than
//! one seen before. So an id counts as settled once every transaction has ended that had begun when it was seen; what
//! moved is looked for behind the settled one, some movements twice. A transaction has begun, for this, when it first writes or
//! locks a row, and whoever writes a movement has locked its product before the movement got its id.

use std::sync::Arc;

use super::entry::Seen;

/// What a read of stock says of movements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Horizon {
    /// The highest id seen.
    pub(crate) last_movement: i64,
    /// Every transaction before this one has ended, and what it did is seen.
    pub(crate) oldest_running: i64,
    /// No transaction from this one on had begun.
    pub(crate) next_transaction: i64,
}

/// What the reads of one connection have told so far.
#[derive(Debug, Default)]
pub(super) struct Following {
    known: Option<Known>,
    awaited: Option<Horizon>,
}

/// From where what moved can be told.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The last read: stock of it is known unless the product moved.
    pub(super) read: Arc<Seen>,
    /// The id up to which that read saw all movements that there will ever be.
    pub(super) settled: i64,
}

impl Following {
    /// `None` while no id is settled: all stock must be read.
    pub(super) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// A read of stock saw this.
    pub(super) fn saw(&mut self, horizon: Horizon, read: Arc<Seen>) {
        let before = self.known.take().map(|known| known.settled);
        let settled = match self.awaited {
            Some(awaited) if horizon.oldest_running < awaited.next_transaction => before,
            ended => {
                self.awaited = Some(horizon);
                ended.map(|ended| ended.last_movement).or(before)
            }
        };
        self.known = settled.map(|settled| Known { read, settled });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::{Following, Horizon, Seen};

    fn after(reads: &[(i64, i64, i64)]) -> Option<i64> {
        let mut following = Following::default();
        for &(last_movement, oldest_running, next_transaction) in reads {
            let read = Arc::new(Seen { asked: Instant::now(), as_of: String::new() });
            following.saw(Horizon { last_movement, oldest_running, next_transaction }, read);
        }
        following.known().map(|known| known.settled)
    }

    #[test]
    fn one_read_settles_nothing() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[(7, 100, 100)]), None);
    }

    #[test]
    fn an_id_is_settled_when_all_have_ended_that_had_begun() {
        assert_eq!(after(&[(7, 100, 103), (9, 103, 105)]), Some(7));
        assert_eq!(after(&[(7, 100, 103), (9, 103, 105), (12, 105, 105)]), Some(9));
    }

    #[test]
    fn who_is_under_way_yet_keeps_it_open() {
        assert_eq!(after(&[(7, 100, 103), (9, 102, 105)]), None);
        assert_eq!(after(&[(7, 100, 103), (9, 102, 105), (12, 102, 110)]), None);
        // What counts is who had begun at the first of them.
        assert_eq!(after(&[(7, 100, 103), (9, 102, 105), (12, 103, 110)]), Some(7));
        assert_eq!(after(&[(7, 100, 103), (9, 103, 105), (12, 104, 110), (15, 104, 120)]), Some(7));
    }
}
