//! Which addresses a webhook may reach: none inside the house, however its name or number is written.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Where nobody outside is: RFC 6890 and its successors, multicast, and ranges reserved for later.
const INNER_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Whether an address is one of the world outside.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !INNER_V4.iter().any(|(network, length)| (bits ^ u32::from(*network)) >> (32 - length) == 0)
}

/// Only global unicast, less what is for documentation or carries an IPv4 address inside (Teredo, 6to4); mapped,
/// compatible and translated IPv4 (`::ffff:0:0/96`, `::/96`, `64:ff9b::/96`) lie outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_special = match first {
        // Teredo, benchmarking, ORCHID and the like; documentation.
        0x2001 => second < 0x0200 || second == 0x0db8,
        // 6to4.
        0x2002 => true,
        // Documentation.
        0x3fff => second < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

/// Why a name may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no address outside of this network")]
pub(crate) struct NoPublicAddress(pub(crate) String);

/// Asks what a name leads to.
type LookUp = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Resolves names to public addresses only; the connection goes to exactly what was looked at, so that a name that leads
/// elsewhere a moment later changes nothing.
pub(crate) struct PublicResolver(LookUp);

impl PublicResolver {
    /// Asks the system.
    pub(crate) fn system() -> Self {
        Self(|host| async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) }.boxed())
    }

    #[cfg(test)]
    pub(crate) fn asking(look_up: LookUp) -> Self {
        Self(look_up)
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let found = (self.0)(host.clone());
        Box::pin(async move {
            let public: Vec<SocketAddr> = found.await?.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress(host).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use futures_util::FutureExt;
    use reqwest::dns::Resolve;

    use super::{NoPublicAddress, PublicResolver, is_public};

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let refused = PublicResolver::system().resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }

    #[tokio::test]
    async fn of_a_name_that_leads_both_ways_only_the_way_out_is_taken() {
        let both = PublicResolver::asking(|_host| {
            async { Ok(["127.0.0.1:0", "93.184.215.14:0", "[::1]:0"].map(|text| text.parse().unwrap()).into()) }.boxed()
        });
        let found: Vec<_> = both.resolve("both.example".parse().unwrap()).await.ok().unwrap().collect();
        assert_eq!(found, ["93.184.215.14:0".parse().unwrap()]);
    }

    /// The first answer passes the look at it; the second one would lead inside, and is looked at as well.
    #[tokio::test]
    async fn a_name_that_changes_its_mind_leads_nowhere() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let rebinding = PublicResolver::asking(|_host| {
            let answers = ["93.184.215.14:0", "10.0.0.5:0"];
            let now = answers[ASKED.fetch_add(1, Relaxed).min(1)].parse().unwrap();
            async move { Ok(vec![now]) }.boxed()
        });
        assert!(rebinding.resolve("turns.example".parse().unwrap()).await.is_ok());
        assert_eq!(ASKED.load(Relaxed), 1, "what was looked at is what is connected to: nobody asks again");
        let refused = rebinding.resolve("turns.example".parse().unwrap()).await.err().unwrap();
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }

    #[test]
    fn inner_addresses_are_told_from_outer_ones() {
        for inner in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "100::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(inner.parse().unwrap()), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(outer.parse().unwrap()), "{outer}");
        }
    }
}
