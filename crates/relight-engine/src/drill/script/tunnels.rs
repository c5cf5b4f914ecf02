//! Connections that are upgraded before a drill begins: a gate that closes does not end them by
//! itself.

use std::net::SocketAddr;
use std::time::Duration;

use relight_edge::http::Client;
use relight_model::GateKey;

use super::super::bed::Bed;
use super::super::{DrillEdge, chain};
use super::{Drill, Tried};

/// A wish for a WebSocket (RFC 6455, section 4.1); the key is the one of its example.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Longest wait until a connection that was cut ends.
const TUNNEL_END_MAX: Duration = Duration::from_secs(2);

/// A connection to a site of the drill that was upgraded before the order.
pub(super) struct Tunnel {
    key: GateKey,
    listener: SocketAddr,
    client: Client,
}

/// One connection to each marked site that lets one be upgraded; the canary is answered by the edge
/// itself and has none.
pub(super) fn open(edge: &DrillEdge, bed: &dyn Bed) -> Result<Vec<Tunnel>, String> {
    let mut open = Vec::new();
    for listener in bed.listeners().map_err(|error| chain(&error))? {
        for key in edge.keys.iter().skip(1) {
            let Ok(mut client) = listener.connect(&key.host) else { continue };
            let request = UPGRADE.replace("HOST", &key.host);
            let answer = client.exchange(request.as_bytes(), false);
            if answer.is_ok_and(|answer| answer.status == 101) {
                let (key, listener) = (key.key.clone(), listener.address());
                open.push(Tunnel { key, listener, client });
            }
        }
    }
    Ok(open)
}

impl Drill<'_> {
    /// What was proven dark has none left.
    pub(super) fn tunnels(&mut self) -> Result<Tried, String> {
        let mut tunnels = std::mem::take(&mut self.tunnels);
        let open = tunnels
            .iter_mut()
            .find_map(|it| (!it.client.ends_within(TUNNEL_END_MAX)).then_some(&it.key));
        if let Some(key) = open {
            return Err(format!("a connection to {key} is open behind the closed gate"));
        }
        let open: Vec<SocketAddr> = tunnels.iter().map(|tunnel| tunnel.listener).collect();
        let left = self.edge.unshown_tunnels(&open);
        Ok(Tried::but_for(!tunnels.is_empty(), "tunnels-untried", &left))
    }
}
