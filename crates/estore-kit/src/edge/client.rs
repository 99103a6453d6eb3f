//! Where a client is: the address that connects, or the one that a proxy of ours names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version, header};

use super::server::TOLD_EVERY;

/// The header in which each proxy appends who connected to it.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address at the other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Whether somebody sent it, and not one part of the program to another.
pub(super) fn came_over_a_connection(request: &Request) -> bool {
    request.extensions().get::<Peer>().is_some()
}

/// Whether a request that came over a connection names no host, or several: then who passed it on may have taken it for
/// another one than we do.
pub(super) fn names_no_host<B>(request: &axum::http::Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        // Older HTTP needs none.
        (None, _) => request.version() == Version::HTTP_11,
        (Some(host), None) => !host.to_str().is_ok_and(|host| host.parse::<Authority>().is_ok() && !host.contains('@')),
        (Some(_), Some(_)) => true,
    }
}

/// The proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<(IpAddr, u32)>);

impl Proxies {
    /// Reads addresses and networks such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// What is neither, with the mend.
    pub fn read(list: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let refusal = || format!("{text:?} is no address or network; write it as 10.0.0.0/8 or 2001:db8::/32");
            network(text).ok_or_else(refusal)
        };
        Ok(Self(list.iter().map(read).collect::<Result<_, _>>()?))
    }

    pub(super) fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, length)| {
            let (ours, theirs) = (bits(*network), bits(address));
            network.is_ipv4() == address.is_ipv4() && (*length == 0 || (ours ^ theirs) >> (128 - length) == 0)
        })
    }

    /// The client of a request that came over a connection: nearest to us who is no proxy of ours. What clients themselves
    /// put into the header stands further left, and is not believed.
    pub(super) fn client(&self, request: &Request) -> Option<IpAddr> {
        let Peer(peer) = *request.extensions().get()?;
        if self.holds(peer) {
            return Some(self.named(request.headers()).unwrap_or(peer));
        }
        if request.headers().contains_key(X_FORWARDED_FOR) {
            tell_of_stranger(peer);
        }
        Some(peer)
    }

    fn named(&self, headers: &HeaderMap) -> Option<IpAddr> {
        // Name by name: what a client wrote before it may be no text at all.
        let lines = headers.get_all(X_FORWARDED_FOR).iter();
        let names: Vec<&[u8]> = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
        let mut nearest = None;
        for name in names.into_iter().rev() {
            nearest = Some(address(std::str::from_utf8(name).ok()?.trim())?);
            if !nearest.is_some_and(|address| self.holds(address)) {
                break;
            }
        }
        nearest
    }
}

/// Says once a minute that somebody who is not on the list names clients: if it is a proxy of ours, all that come by it are
/// taken for one.
fn tell_of_stranger(peer: IpAddr) {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_none_or(|at| at.elapsed() > TOLD_EVERY) {
        *told = Some(Instant::now());
        tracing::warn!(%peer, "X-Forwarded-For is not believed; if this is a proxy of yours, name it in edge.trusted_proxies");
    }
}

/// The address as it is counted: an IPv6 client has a whole network of 64 bits to choose from.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let found = plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address.parse().ok()?, Some(length.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let most = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
    let length = length.unwrap_or(most);
    // Clients are seen by their IPv4 address where they have one: written as IPv6, it would never be met.
    let is_met = address.to_canonical() == address;
    (length <= most && is_met).then_some((address, length))
}

/// All bits from the left.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;

    use super::{Peer, Proxies, counted};

    fn client(peer: &str, named: &[impl AsRef<[u8]>]) -> String {
        let ours = Proxies::read(&["10.0.0.0/8".to_owned(), "2001:db8::7".to_owned()]).unwrap();
        let mut request = Request::builder().extension(Peer(peer.parse().unwrap()));
        for line in named {
            request = request.header("x-forwarded-for", line.as_ref());
        }
        ours.client(&request.body(Body::empty()).unwrap()).unwrap().to_string()
    }

    #[test]
    fn only_our_proxies_are_believed_and_only_for_who_connected_to_them() {
        assert_eq!(client("198.51.100.1", &["203.0.113.9"]), "198.51.100.1");
        assert_eq!(client("10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["1.1.1.1, 203.0.113.9, 10.9.9.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("2001:db8::7", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client("2001:db8::7", &["[2001:db8::9]:4711"]), "2001:db8::9");
        assert_eq!(client("10.1.2.3", &["::ffff:203.0.113.9"]), "203.0.113.9");
        // What a client puts before it changes nothing, whatever it is.
        assert_eq!(client("10.1.2.3", &[b"\xff\xfe, 203.0.113.9"]), "203.0.113.9");
        for nothing in [&[][..], &["unknown"], &["203.0.113.9, nonsense"], &[""]] {
            assert_eq!(client("10.1.2.3", nothing), "10.1.2.3", "{nothing:?}");
        }
        assert_eq!(client("10.1.2.3", &["10.3.3.3, 10.2.2.2"]), "10.3.3.3");
    }

    #[test]
    fn networks_are_read_and_nothing_else() {
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "::/129", "proxy.example.com", "::ffff:10.0.0.0/104"] {
            assert!(Proxies::read(&[wrong.to_owned()]).unwrap_err().contains("10.0.0.0/8"), "{wrong}");
        }
        let all = Proxies::read(&["0.0.0.0/0".to_owned()]).unwrap();
        assert!(all.holds("203.0.113.9".parse().unwrap()) && !all.holds("::1".parse().unwrap()));
    }

    #[test]
    fn neighbours_of_one_network_are_counted_as_one() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:203.0.113.9"), "203.0.113.9");
    }
}
