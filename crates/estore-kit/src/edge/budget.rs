//! Budgets that fill up evenly: so many requests a minute, all at once or one by one (GCRA).

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::recent::Recent;

/// In which a budget fills up from nothing.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// How many budgets are remembered; one who is not among those who came last has a full one.
const BUDGETS_MAX: usize = 100_000;

/// The budgets of many, each one moment: when it will be full again.
#[derive(Debug)]
pub(crate) struct Budgets<K>(Mutex<Recent<K, Duration>>);

/// How one stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many requests are left now.
    pub(crate) left: u32,
    /// Until there is one more than that.
    pub(crate) more_in: Duration,
    /// Until the next request is taken, where this one was not.
    pub(crate) wait: Option<Duration>,
}

impl<K: Eq + Hash + Clone> Budgets<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Recent::with_room_for(BUDGETS_MAX)))
    }

    /// Takes one request of the `quota` a minute that `key` has, at the moment `now` since some beginning.
    pub(crate) fn take(&self, key: K, quota: NonZeroU32, now: Duration) -> Standing {
        let step = WINDOW / quota.get();
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = budgets.find(&key).map_or(now, |known| known.max(now));
        let wanted = full_at + step;
        let wait = (wanted - now).checked_sub(WINDOW).filter(|wait| !wait.is_zero());
        let full_at = if wait.is_some() { full_at } else { wanted };
        if wait.is_none() {
            budgets.keep(key, full_at);
        }
        drop(budgets);
        let full_in = full_at - now;
        let left = WINDOW.saturating_sub(full_in).as_nanos() / step.as_nanos().max(1);
        let left = u32::try_from(left).unwrap_or(u32::MAX).min(quota.get());
        let more_in = (full_in + step * left.saturating_add(1)).saturating_sub(WINDOW);
        Standing { left, more_in, wait }
    }

    /// Gives back one that was taken.
    pub(crate) fn give_back(&self, key: &K, quota: NonZeroU32, now: Duration) {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = budgets.find(key).filter(|full_at| *full_at > now) {
            budgets.keep(key.clone(), full_at.saturating_sub(WINDOW / quota.get()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::{BUDGETS_MAX, Budgets};

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn a_budget_is_spent_at_once_and_fills_up_evenly() {
        let (budgets, quota) = (Budgets::new(), NonZeroU32::new(20).unwrap());
        for left in (0..20).rev() {
            let standing = budgets.take("a", quota, at(0));
            assert_eq!((standing.left, standing.wait, standing.more_in), (left, None, Duration::from_secs(3)));
        }
        let standing = budgets.take("a", quota, at(0));
        assert_eq!((standing.left, standing.wait), (0, Some(Duration::from_secs(3))));
        assert_eq!(standing.more_in, Duration::from_secs(3), "as long as is to be waited for");
        // What was refused costs nothing: three seconds are three seconds.
        assert!(budgets.take("a", quota, at(2)).wait.is_some());
        assert_eq!(budgets.take("a", quota, at(3)).wait, None);
        assert_eq!(budgets.take("a", quota, at(3)).wait, Some(Duration::from_secs(3)));
        assert_eq!(budgets.take("b", quota, at(3)).left, 19);
        budgets.give_back(&"a", quota, at(3));
        assert_eq!(budgets.take("a", quota, at(3)).wait, None, "what was given back");
        budgets.give_back(&"nobody", quota, at(3));
        assert_eq!(budgets.take("nobody", quota, at(3)).left, 19, "and never more than there is");
        assert_eq!(budgets.take("a", quota, at(1_000)).left, 19);
    }

    /// However requests are spread, no minute takes more than twice the quota, and a long time the quota a minute.
    #[test]
    fn no_way_of_asking_gets_more() {
        // Without a pause, in bursts with pauses between them, and now and then.
        let ways: [fn(u64) -> bool; 4] = [|_| true, |n| n % 700 < 40, |n| n % 1_200 < 600, |n| n * n % 7 == 1];
        for (quota, way) in [1, 7, 60, 100].into_iter().flat_map(|quota| ways.map(|way| (quota, way))) {
            let (budgets, quota) = (Budgets::new(), NonZeroU32::new(quota).unwrap());
            let times = (0..6_000).filter(|tenth| way(*tenth)).map(|tenth| Duration::from_millis(tenth * 100));
            let taken: Vec<Duration> = times.filter(|now| budgets.take(0, quota, *now).wait.is_none()).collect();
            let most = usize::try_from(quota.get()).unwrap();
            for (nth, begin) in taken.iter().enumerate() {
                let in_a_minute = taken[nth..].iter().take_while(|at| **at < *begin + Duration::from_secs(60)).count();
                assert!(in_a_minute <= 2 * most, "{in_a_minute} of {quota}");
            }
            assert!(taken.len() <= most * 11, "{} in ten minutes of {quota}", taken.len());
        }
    }

    #[test]
    fn memory_is_bounded_and_who_keeps_asking_is_not_forgotten() {
        let (budgets, quota) = (Budgets::new(), NonZeroU32::new(1).unwrap());
        assert!(budgets.take(0, quota, at(0)).wait.is_none());
        for other in 1..BUDGETS_MAX * 2 {
            budgets.take(other, quota, at(1));
            if other % 10_000 == 0 {
                assert!(budgets.take(0, quota, at(1)).wait.is_some(), "{other}");
            }
        }
        assert!(budgets.0.lock().unwrap().len() <= BUDGETS_MAX);
    }
}
