//! Cisco ASA and FTD: numbered sentences, in which addresses stand as `interface:address/port`.

use relight_model::{Escape, Event, Outcome};

use super::draft::{Draft, Slot, endpoint, protocol};
use super::{Feed, LogParser, syslog};

pub(super) const PLUGIN: Asa = Asa;

/// See the head of the file.
pub(super) struct Asa;

/// Sentences about connections, and what became of them.
const KNOWN: [(&str, Outcome); 16] = [
    ("106001", Outcome::Dropped),
    ("106006", Outcome::Dropped),
    ("106007", Outcome::Dropped),
    ("106014", Outcome::Dropped),
    ("106015", Outcome::Dropped),
    ("106021", Outcome::Dropped),
    ("106023", Outcome::Dropped),
    ("106100", Outcome::Dropped),
    ("302013", Outcome::Served),
    ("302014", Outcome::Served),
    ("302015", Outcome::Served),
    ("302016", Outcome::Served),
    ("710002", Outcome::Served),
    ("710003", Outcome::Dropped),
    ("710005", Outcome::Dropped),
    ("733102", Outcome::Dropped),
];

impl LogParser for Asa {
    fn name(&self) -> &'static str {
        "asa"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (at, message) = syslog::open(line, feed);
        let tag = message.find("%ASA-").or_else(|| message.find("%FTD-")).ok_or("format-other")?;
        let (head, text) = message[tag..].split_once(": ").ok_or("line-short")?;
        let number = head.rsplit('-').next().unwrap_or_default();
        let Some((_, outcome)) = KNOWN.iter().find(|(known, _)| *known == number) else {
            return Err("message-other");
        };
        let mut draft = Draft::new(feed, Escape::None);
        draft.at(at.ok_or("time-missing")?);
        draft.event.outcome = *outcome;
        if number == "106100" && text.contains(" permitted ") {
            draft.event.outcome = Outcome::Served;
        }
        places(&mut draft, text, number.starts_with("3020") && text.contains(" outbound "))?;
        let words = text.split(' ').map(|word| word.trim_end_matches([',', ':']));
        draft.event.protocol = words.map(protocol).find(|number| *number > 0).unwrap_or(0);
        draft.finish()
    }
}

/// The first address is who asked, the second what was asked; connections from inside name the
/// other end first.
fn places<'a>(draft: &mut Draft<'a>, text: &'a str, outbound: bool) -> Result<(), &'static str> {
    let source = (Slot::Source, Slot::SourcePort);
    let destination = (Slot::Destination, Slot::Port);
    let order = if outbound { [destination, source] } else { [source, destination] };
    let mut slots = order.into_iter();
    for word in text.split(' ').filter(|word| !word.starts_with('(')) {
        let word = word.trim_end_matches([',', ';']);
        let Some((address, port)) = place(word) else { continue };
        let Some((slot, port_slot)) = slots.next() else { break };
        draft.put(slot, address)?;
        if let Some(port) = port {
            draft.put(port_slot, port)?;
        }
    }
    if slots.len() == 0 { Ok(()) } else { Err("address-missing") }
}

/// `outside:192.0.2.1/80`, `outside/192.0.2.1(80)`, `192.0.2.1/80`, `192.0.2.1`.
fn place(word: &str) -> Option<(&str, Option<&str>)> {
    let is_address = |text: &str| endpoint(text).is_some_and(|(_, port)| port == 0);
    let (word, in_brackets) = word.split_once('(').unwrap_or((word, ""));
    let in_brackets = in_brackets.strip_suffix(')');
    let after = |sign: char| word.split_once(sign).map(|(_, rest)| rest);
    [Some(word), after(':'), after('/')].into_iter().flatten().find_map(|text| {
        let (address, port) = match text.rsplit_once('/') {
            Some((address, port)) => (address, Some(port)),
            None => (text, in_brackets),
        };
        is_address(address).then_some((address, port))
    })
}
