//! Listeners without TLS: other machines reach them only where somebody says so.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use relight_server::web::{Lang, texts};

use crate::failure::Failure;

/// The word of somebody who knows that what is said there can be read and changed on its way.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Plain {
    #[arg(long)]
    unencrypted: bool,
}

impl Plain {
    /// Refuses what other machines reach without TLS, unless somebody said so.
    pub(crate) fn check(
        self,
        mut addresses: impl Iterator<Item = SocketAddr>,
        lang: Lang,
    ) -> Result<(), Failure> {
        match addresses.find(is_open).filter(|_| !self.unencrypted) {
            None => Ok(()),
            Some(address) => {
                Err(Failure::usage(texts::listen_unencrypted(lang, &address.to_string()))
                    .hint(texts::listen_unencrypted_remedy(lang)))
            }
        }
    }
}

/// Whether other machines reach it.
pub(crate) fn is_open(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V6(ip) => !ip.to_canonical().is_loopback(),
        ip @ IpAddr::V4(_) => !ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_machines_reach_without_tls_needs_a_word() {
        let check = |unencrypted: bool, address: &str| {
            let address = address.parse().unwrap();
            Plain { unencrypted }.check(std::iter::once(address), Lang::En).is_ok()
        };
        for near in ["127.0.0.1:0", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(check(false, near), "{near}");
        }
        for far in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
            assert!(!check(false, far) && check(true, far), "{far}");
        }
    }
}
