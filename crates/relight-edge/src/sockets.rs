//! Connections between a proxy and the origins of its sites, counted and cut from outside with
//! `ss` (INCIDENT 8.6). Needs the addresses of the origins; cutting needs CAP_NET_ADMIN and a
//! kernel with CONFIG_INET_DIAG_DESTROY.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use relight_model::GateKey;

use crate::capability::{Capabilities, CutsTunnels};
use crate::driver::{Lint, Target, TunnelCount};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::exec;

/// Name of the setting with the path of the list, `<key> <address:port>` a line.
pub(crate) const SETTING: &str = "origins";
/// Most origins that one `ss` is asked to cut; the rest goes into the next.
const CUT_MAX: usize = 256;

/// Which origin belongs to which key, as far as the edge was told.
#[derive(Debug)]
pub(crate) struct Origins {
    list: Option<PathBuf>,
    /// No connection of the edge is ever upgraded.
    refuses_upgrades: bool,
}

impl Origins {
    pub(crate) fn of(target: &Target) -> Self {
        Self {
            list: target.settings.get(SETTING).map(PathBuf::from),
            refuses_upgrades: target.refuses_upgrades(),
        }
    }

    /// The capabilities of an edge whose data plane does not cut by itself. Whoever names the
    /// origins has their connections counted, whatever is said of upgrades.
    pub(crate) fn able(&self, capabilities: Capabilities) -> Capabilities {
        let cuts_tunnels = match (&self.list, capabilities.cuts_tunnels) {
            (Some(_), CutsTunnels::Nobody) => CutsTunnels::Driver,
            (None, CutsTunnels::Nobody) if self.refuses_upgrades => CutsTunnels::Refused,
            (_, other) => other,
        };
        Capabilities { cuts_tunnels, ..capabilities }
    }

    /// Says that nobody knows of tunnels here, so that no site is proven dark.
    pub(crate) fn lint(&self, edge: &str) -> Option<Lint> {
        let is_blind = self.list.is_none() && !self.refuses_upgrades;
        is_blind.then(|| Lint::warning("tunnels-uncounted", edge))
    }

    /// Open connections to the origin of each key. `Unknown` where the list does not name it,
    /// `Shared` where other keys have its address and somebody is connected there: nobody can tell
    /// whose connections those are. An edge that refuses upgrades is not counted without a list
    /// either: long answers run on there.
    pub(crate) fn count(&self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        if self.list.is_none() || keys.is_empty() {
            return Ok(vec![TunnelCount::Unknown; keys.len()]);
        }
        let origins = self.read()?;
        let (open, strangers) = (connections()?, origins.strangers(keys));
        let count = |key: &GateKey| match origins.own(key, &strangers) {
            Ok(address) => TunnelCount::Open(open.get(&address).copied().unwrap_or(0)),
            Err(Blind::Unnamed) => TunnelCount::Unknown,
            // Nobody is connected there, so nobody is to this one.
            Err(Blind::Shared { address, .. }) => match open.get(&address) {
                None | Some(0) => TunnelCount::Open(0),
                Some(_) => TunnelCount::Shared,
            },
        };
        Ok(keys.iter().map(count).collect())
    }

    /// Cuts every connection to the origins of `keys`. What could be cut is cut before an origin
    /// that could not is an error, in which a person finds which keys share it.
    pub(crate) fn cut(&self, keys: &[GateKey]) -> Result<(), EdgeError> {
        if self.list.is_none() && self.refuses_upgrades {
            return Ok(());
        }
        if self.list.is_none() {
            let doing = format!("cut tunnels without the setting `{SETTING}`: the list of origins");
            return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
        }
        let origins = self.read()?;
        let (mut addresses, mut trouble) = (BTreeSet::new(), None);
        let strangers = origins.strangers(keys);
        for key in keys {
            match origins.own(key, &strangers) {
                Ok(address) => drop(addresses.insert(address)),
                Err(why) => {
                    let doing = format!("cut the tunnels of {key}: {why}");
                    trouble = Some(EdgeError::new(EdgeErrorKind::Lint, doing));
                }
            }
        }
        let addresses: Vec<SocketAddr> = addresses.into_iter().collect();
        addresses.chunks(CUT_MAX).try_for_each(kill)?;
        trouble.map_or(Ok(()), Err)
    }

    fn read(&self) -> Result<List, EdgeError> {
        let path = self.list.clone().unwrap_or_default();
        let text = std::fs::read_to_string(&path)
            .map_err(EdgeError::io(format!("read the origins in {}", path.display())))?;
        let mut list = List::default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let entry = line.split_once(' ').and_then(|(key, address)| {
                Some((GateKey::new(key).ok()?, canonical(address.trim().parse().ok()?)))
            });
            let Some((key, address)) = entry else {
                let doing = format!("understand line {} of {}", number + 1, path.display());
                return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
            };
            list.by_address.entry(address).or_default().insert(key.clone());
            if let Some(first) = list.by_key.insert(key, address) {
                let doing = format!("count two origins of one key, {first} and {address}");
                return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
            }
        }
        Ok(list)
    }
}

/// Why the connections of a key are not told from those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Blind {
    /// The list of origins does not name it.
    Unnamed,
    /// Another key has its address.
    Shared { address: SocketAddr, other: GateKey },
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("the list of origins does not name it"),
            Self::Shared { address, other } => {
                write!(f, "shared-origin: {address} serves {other} as well")
            }
        }
    }
}

#[derive(Debug, Default)]
struct List {
    by_key: BTreeMap<GateKey, SocketAddr>,
    by_address: BTreeMap<SocketAddr, BTreeSet<GateKey>>,
}

impl List {
    /// Of each address behind which there is a key that is not among `keys`, the first such key.
    fn strangers(&self, keys: &[GateKey]) -> BTreeMap<SocketAddr, &GateKey> {
        let asked: BTreeSet<&GateKey> = keys.iter().collect();
        let all = self.by_address.iter();
        all.filter_map(|(address, here)| {
            Some((*address, here.iter().find(|key| !asked.contains(key))?))
        })
        .collect()
    }

    /// The origin of a key, if nobody else is behind that address.
    fn own(
        &self,
        key: &GateKey,
        strangers: &BTreeMap<SocketAddr, &GateKey>,
    ) -> Result<SocketAddr, Blind> {
        let address = *self.by_key.get(key).ok_or(Blind::Unnamed)?;
        match strangers.get(&address) {
            Some(other) => Err(Blind::Shared { address, other: (*other).clone() }),
            None => Ok(address),
        }
    }
}

/// Established connections of this machine, by the address at their other end.
fn connections() -> Result<BTreeMap<SocketAddr, u64>, EdgeError> {
    let words = ["-tnH", "state", "established"].map(str::to_owned);
    tally(&exec::ss(&words)?)
}

/// A line that is not understood may be a connection to a dark origin: then nothing was counted.
fn tally(text: &str) -> Result<BTreeMap<SocketAddr, u64>, EdgeError> {
    let mut open = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let address = line.split_whitespace().nth(3).and_then(peer).ok_or_else(|| {
            let doing = format!("understand the line {line:?} of ss");
            EdgeError::new(EdgeErrorKind::Refused, doing)
        })?;
        *open.entry(address).or_default() += 1;
    }
    Ok(open)
}

/// The other end of a connection as ss writes it, without the interface of a link-local one.
fn peer(word: &str) -> Option<SocketAddr> {
    let plain = match word.split_once('%') {
        Some((before, rest)) => format!("{before}{}", &rest[rest.find([']', ':'])?..]),
        None => word.to_owned(),
    };
    plain.parse().ok().map(canonical)
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// `ss -K` says nothing when the kernel does not do it: who asked counts again.
fn kill(addresses: &[SocketAddr]) -> Result<(), EdgeError> {
    let mut words: Vec<String> = ["-K", "-tnH", "state", "established"].map(str::to_owned).into();
    for (index, address) in addresses.iter().enumerate() {
        if index > 0 {
            words.push("or".to_owned());
        }
        words.extend(["dst".to_owned(), address.to_string()]);
    }
    exec::ss(&words).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_counts_and_a_line_that_is_none_is_an_error() {
        let text = "0 0 127.0.0.1:80 127.0.0.1:9001\n\
                    0 0 [::ffff:127.0.0.1]:80 [::ffff:127.0.0.1]:9001\n\
                    0 0 [fe80::1]%eth0:80 [fe80::2]%eth0:9002\n\
                    0 0 [fe80::1%eth0]:80 [fe80::2%eth0]:9002\n\
                    0 0 [::1]:80 [::1]:9003 users:((\"x\",pid=1,fd=3))\n";
        let open = tally(text).unwrap();
        for (address, count) in [("127.0.0.1:9001", 2), ("[fe80::2]:9002", 2), ("[::1]:9003", 1)] {
            assert_eq!(open.get(&address.parse().unwrap()), Some(&count), "{address}");
        }
        for bad in ["0 0 127.0.0.1:80", "0 0 127.0.0.1:80 nobody:http", "0 0 [::1]:80 [::1%eth0"] {
            assert_eq!(tally(bad).unwrap_err().kind, EdgeErrorKind::Refused, "{bad}");
        }
    }

    #[test]
    fn origins_are_known_in_any_form_and_a_key_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins");
        let origins = Origins { list: Some(path.clone()), refuses_upgrades: false };
        std::fs::write(&path, "a [::ffff:127.0.0.1]:9001\n").unwrap();
        let list = origins.read().unwrap();
        assert_eq!(list.by_key.values().next(), Some(&"127.0.0.1:9001".parse().unwrap()));
        std::fs::write(&path, "a 127.0.0.1:9001\na 127.0.0.1:9002\n").unwrap();
        assert_eq!(origins.read().unwrap_err().kind, EdgeErrorKind::Lint);
    }
}
