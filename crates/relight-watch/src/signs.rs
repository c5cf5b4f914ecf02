//! Signs of success that somebody saw outside the logs of doors: a new connection outwards, a query
//! for a name, an answer that only success gives.
//!
//! They come from firewalls, resolvers and people, as a list that the operator keeps. Alone they
//! are nothing: only after an attempt at the same site, towards what the attempt would have called
//! or towards who made it, do they raise a campaign to signs of compromise.

use std::net::IpAddr;

use relight_model::{Sign, SiteId, Timestamp};

use crate::list::Faults;
use crate::parsers::moment;
use crate::{civil, list};

/// Most lines of a list that are read.
pub const SIGNS_MAX: usize = 100_000;

/// Longest name of a host, in bytes.
const HOST_BYTES_MAX: usize = 253;

/// What a sign can be.
const KINDS: [&str; 3] = ["connection", "name-query", "answer"];

/// Reads `time,site,kind,host`, one a line, with times as in RFC 3339; `#` begins a remark. `site`
/// finds a site by its name. Lines that are none are told by number and code, and the others hold.
pub fn read_signs(text: &str, site: &dyn Fn(&str) -> Option<SiteId>) -> (Vec<Sign>, Faults) {
    list::read(text, (SIGNS_MAX, "signs-limit"), |line| sign(line, site))
}

/// Days on which somebody looked at what a site sent out, and saw nothing but what is in the list
/// of signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The site.
    pub site: SiteId,
    /// First and last day since 1970, both included.
    pub first: i64,
    /// See `first`.
    pub last: i64,
    /// Who looked.
    pub who: String,
}

/// Reads `first day,last day,site,who`, one a line, as [`read_signs`] does.
pub fn read_outbound(text: &str, site: &dyn Fn(&str) -> Option<SiteId>) -> (Vec<Outbound>, Faults) {
    list::read(text, (SIGNS_MAX, "outbound-limit"), |line| look(line, site))
}

fn look(line: &str, site: &dyn Fn(&str) -> Option<SiteId>) -> Result<Outbound, &'static str> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [first, last, name, who] = fields[..] else { return Err("outbound-fields") };
    let day = |text| civil::parse_day(text).map(|at| at / civil::DAY).ok_or("outbound-day");
    let (first, last) = (day(first)?, day(last)?);
    if last < first {
        return Err("outbound-day");
    }
    let site = site(name).ok_or("outbound-site")?;
    if who.is_empty() {
        return Err("outbound-who");
    }
    Ok(Outbound { site, first, last, who: who.to_owned() })
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

    #[test]
    fn days_on_which_somebody_looked_at_what_goes_out() {
        let site = |name: &str| (name == "a").then_some(SiteId(4));
        for (line, code) in [
            ("2021-12-01,2021-12-02,a", "outbound-fields"),
            ("2021-12-01,2021-11-30,a,R", "outbound-day"),
            ("2021-12-01,soon,a,R", "outbound-day"),
            ("2021-12-01,2021-12-02,b,R", "outbound-site"),
            ("2021-12-01,2021-12-02,a,", "outbound-who"),
        ] {
            let text = format!("# ours\n1970-01-02,1970-01-03,a,R. Roy\n{line}\n");
            let (looks, faults) = read_outbound(&text, &site);
            assert_eq!(faults, [(3, code)], "{line}");
            let one = Outbound { site: SiteId(4), first: 1, last: 2, who: "R. Roy".to_owned() };
            assert_eq!(looks, [one]);
        }
        let many = "1970-01-02,1970-01-03,a,R\n".repeat(SIGNS_MAX + 1);
        let (looks, faults) = read_outbound(&many, &site);
        assert_eq!((looks.len(), faults), (SIGNS_MAX, vec![(SIGNS_MAX + 1, "outbound-limit")]));
    }
}
