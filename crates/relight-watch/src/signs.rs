//! Signs of success that somebody saw outside the logs of doors: a new connection outwards, a query
//! for a name, an answer that only success gives.
//!
//! They come from firewalls, resolvers and people, as a list that the operator keeps. Alone they
//! are nothing: only after an attempt at the same site, towards what the attempt would have called
//! or towards who made it, do they raise a campaign to signs of compromise.

use std::net::IpAddr;

use relight_model::{Sign, SiteId, Timestamp};

use crate::parsers::moment;

/// Most lines of a list that are read.
pub const SIGNS_MAX: usize = 100_000;

/// Longest name of a host, in bytes.
const HOST_BYTES_MAX: usize = 253;

/// What a sign can be.
const KINDS: [&str; 3] = ["connection", "name-query", "answer"];

/// Reads `time,site,kind,host`, one a line, with times as in RFC 3339; `#` begins a remark. `site`
/// finds a site by its name. Lines that are none are told by number and code, and the others hold.
pub fn read_signs(
    text: &str,
    site: &dyn Fn(&str) -> Option<SiteId>,
) -> (Vec<Sign>, Vec<(usize, &'static str)>) {
    let (mut signs, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines().take(SIGNS_MAX)) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match sign(line, site) {
            Ok(sign) => signs.push(sign),
            Err(code) => faults.push((number, code)),
        }
    }
    if text.lines().nth(SIGNS_MAX).is_some() {
        faults.push((SIGNS_MAX + 1, "signs-limit"));
    }
    (signs, faults)
}

fn sign(line: &str, site: &dyn Fn(&str) -> Option<SiteId>) -> Result<Sign, &'static str> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, name, kind, host] = fields[..] else { return Err("signs-fields") };
    let at: Timestamp = moment(time).ok_or("signs-time")?;
    let site = site(name).ok_or("signs-site")?;
    let kind = KINDS.into_iter().find(|known| *known == kind).ok_or("signs-kind")?;
    let host = host_of(host).ok_or("signs-host")?;
    Ok(Sign { at, site, kind, host })
}

/// An address or a name, as payloads and sources are written.
fn host_of(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let host = text.trim_end_matches('.').to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = !host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(plain);
    is_name.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> Option<SiteId> {
        (name == "library").then_some(SiteId(3))
    }

    #[test]
    fn lines_of_firewalls_and_resolvers() {
        let text = "# seen by the firewall\n\n\
                    2021-12-10T11:42:30Z,library,connection,203.0.113.9\n\
                    2021-12-10T12:42:30+01:00, library , name-query , C2.Example. \n\
                    2021-12-10T11:43:00Z,library,answer,::ffff:203.0.113.9\n";
        let (signs, faults) = read_signs(text, &site);
        assert_eq!(faults, []);
        let told: Vec<_> = signs.iter().map(|it| (it.at, it.kind, it.host.as_str())).collect();
        assert_eq!(
            told,
            [
                (1_639_136_550, "connection", "203.0.113.9"),
                (1_639_136_550, "name-query", "c2.example"),
                (1_639_136_580, "answer", "203.0.113.9"),
            ]
        );
    }

    #[test]
    fn what_is_none_is_told_and_costs_no_other() {
        let text = "yesterday,library,connection,203.0.113.9\n\
                    2021-12-10T11:42:30Z,museum,connection,203.0.113.9\n\
                    2021-12-10T11:42:30Z,library,feeling,203.0.113.9\n\
                    2021-12-10T11:42:30Z,library,connection,a b\n\
                    2021-12-10T11:42:30Z,library,connection\n\
                    2021-12-10T11:42:30Z,library,connection,\u{0}\n\
                    2021-12-10T11:42:30Z,library,connection,203.0.113.9\n";
        let (signs, faults) = read_signs(text, &site);
        assert_eq!(signs.len(), 1);
        let codes = ["signs-time", "signs-site", "signs-kind", "signs-host", "signs-fields"];
        let expected: Vec<_> = (1..).zip(codes).chain([(6, "signs-host")]).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn the_limit_is_reached_and_told() {
        let line = "2021-12-10T11:42:30Z,library,connection,203.0.113.9\n";
        let (signs, faults) = read_signs(&line.repeat(SIGNS_MAX + 1), &site);
        assert_eq!((signs.len(), faults), (SIGNS_MAX, vec![(SIGNS_MAX + 1, "signs-limit")]));
    }
}
