//! The address that a request comes from, behind trusted proxies or not.

use std::net::IpAddr;

use ipnet::IpNet;

/// The client's address: the peer's, unless the peer is a trusted proxy; then the right-most address
/// of `X-Forwarded-For` that is not a trusted proxy itself.
///
/// Each proxy appends the address that it saw, so what stands left of the first untrusted one is the
/// client's own claim and is never believed. `forwarded_for` are the header's values in order. An
/// entry that is not an address ends the search at the last address that a trusted proxy vouched for.
pub fn client_address<'a>(
    peer: Option<IpAddr>,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = canonical(peer?);
    for entry in forwarded_for.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = parse(entry) else { break };
        client = address;
    }
    Some(client)
}

/// An entry: an address, perhaps with a port, IPv6 perhaps in brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let address = entry
        .parse::<IpAddr>()
        .ok()
        .or_else(|| {
            entry
                .parse::<std::net::SocketAddr>()
                .ok()
                .map(|socket| socket.ip())
        })
        .or_else(|| entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(canonical(address))
}

/// An IPv4 address that came through an IPv6 socket is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::client_address;
    use ipnet::IpNet;

    fn find(peer: &str, forwarded_for: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_address(peer.parse().ok(), forwarded_for.iter().copied(), &trusted)
            .unwrap()
            .to_string()
    }

    #[test]
    fn without_trusted_proxies_the_header_is_ignored() {
        assert_eq!(find("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
    }

    #[test]
    fn an_untrusted_peer_cannot_claim_another_address() {
        assert_eq!(
            find("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]),
            "192.0.2.1"
        );
    }

    #[test]
    fn behind_one_trusted_hop_the_right_most_address_counts() {
        let header = ["203.0.113.9, 198.51.100.7"];
        assert_eq!(find("10.0.0.1", &header, &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn several_trusted_hops_and_header_lines_are_followed_from_the_right() {
        let header = ["203.0.113.9", "198.51.100.7, 10.0.0.2"];
        assert_eq!(find("10.0.0.1", &header, &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        assert_eq!(
            find("::ffff:10.0.0.1", &["198.51.100.7:4711"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(
            find("10.0.0.1", &["[2001:db8::1]:443"], &["10.0.0.0/8"]),
            "2001:db8::1"
        );
        assert_eq!(
            find("10.0.0.1", &["[2001:db8::1]"], &["10.0.0.0/8"]),
            "2001:db8::1"
        );
    }

    #[test]
    fn garbage_stops_the_search_at_the_last_address_vouched_for() {
        assert_eq!(
            find(
                "10.0.0.1",
                &["198.51.100.7, unknown, 10.0.0.2"],
                &["10.0.0.0/8"]
            ),
            "10.0.0.2"
        );
        assert_eq!(find("10.0.0.1", &[""], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
