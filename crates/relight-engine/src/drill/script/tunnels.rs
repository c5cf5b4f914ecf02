//! Connections that are upgraded before a drill begins: a gate that closes does not end them by
//! itself.

use relight_edge::http::Client;
use relight_model::GateKey;

use super::super::bed::Bed;
use super::super::{DrillEdge, chain};

/// A wish for a WebSocket (RFC 6455, section 4.1); the key is the one of its example.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// One connection to each marked site that lets one be upgraded; the canary is answered by the edge
/// itself and has none.
pub(super) fn open(edge: &DrillEdge, bed: &dyn Bed) -> Result<Vec<(GateKey, Client)>, String> {
    let mut open = Vec::new();
    for listener in bed.listeners().map_err(|error| chain(&error))? {
        for key in edge.keys.iter().skip(1) {
            let Ok(mut client) = listener.connect(&key.host) else { continue };
            let request = UPGRADE.replace("HOST", &key.host);
            let answer = client.exchange(request.as_bytes(), false);
            if answer.is_ok_and(|answer| answer.status == 101) {
                open.push((key.key.clone(), client));
            }
        }
    }
    Ok(open)
}
