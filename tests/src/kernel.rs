//! What the kernel says of other processes. Linux.

use std::fs;
use std::net::SocketAddr;

/// A figure of a process in KiB: `VmRSS` is the memory that it has, `VmHWM` the most that it had.
pub fn memory_kib(process: u32, figure: &str) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mut lines = status.lines();
    let rest = lines.find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether a server still has its end of a connection. A client cannot see that unless it reads.
pub fn has_connection(server: SocketAddr, client: SocketAddr) -> bool {
    const ESTABLISHED: &str = "01";
    let connections = fs::read_to_string("/proc/net/tcp").expect("what Linux tells of connections");
    let (server, client) = (in_hex(server), in_hex(client));
    connections.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next() == Some(&server)
            && fields.next() == Some(&client)
            && fields.next() == Some(ESTABLISHED)
    })
}

/// An address as the kernel writes it: its bytes as a number of this machine.
fn in_hex(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => {
            let ip = u32::from_ne_bytes(address.ip().octets());
            format!("{ip:08X}:{:04X}", address.port())
        }
        SocketAddr::V6(_) => panic!("tests talk over IPv4"),
    }
}
