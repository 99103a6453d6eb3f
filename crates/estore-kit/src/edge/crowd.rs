//! How many connections each address has, so that one cannot take the place of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::counted;

/// The open connections by address. It holds no more addresses than there are connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// A place for another connection of this address; nothing where it has `most` already.
    pub(super) fn enter(&self, address: IpAddr, most: usize) -> Option<Place> {
        let address = counted(address);
        let mut crowd = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = crowd.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(crowd);
        Some(Place { crowd: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowd = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = crowd.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                crowd.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Crowd;

    #[test]
    fn an_address_has_so_many_places_and_leaves_nothing_behind() {
        let (crowd, one, other) = (Crowd::default(), [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let places = [crowd.enter(one, 2).unwrap(), crowd.enter(one, 2).unwrap()];
        assert!(crowd.enter(one, 2).is_none());
        let elsewhere = crowd.enter(other, 2).unwrap();
        drop(places);
        drop(crowd.enter(one, 2).unwrap());
        drop(elsewhere);
        assert!(crowd.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let crowd = Crowd::default();
        let enter = |address: &str| crowd.enter(address.parse().unwrap(), 1);
        let first = enter("2001:db8:0:1::1");
        assert!(first.is_some() && enter("2001:db8:0:1:ffff::2").is_none());
        assert!(enter("2001:db8:0:2::1").is_some());
    }
}
