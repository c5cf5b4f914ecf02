//! Ways of a request through an HAProxy: past a gate that is closed, to a site that nobody asked
//! for, and to an origin with a challenge.

use super::conditions::{Condition, acls, narrows};
use super::{Config, Line, Places};

/// Of the gates of a site one closes it for everybody, and nothing before it lets somebody pass.
pub(super) fn gate_narrowed(config: &Config, places: &mut Places) {
    for (section, _) in config.gated() {
        let (acls, lines) = (acls(config, section), config.ordered(section));
        let mut whole =
            lines.iter().enumerate().filter(|(_, it)| it.is_gate() && it.is_whole(section));
        let more = |line: &Line| Condition::of(line, &acls).and_then(|it| narrows(&it));
        let free = whole.clone().find(|(_, line)| more(line).is_none());
        let Some((at, _)) = free.or_else(|| whole.next()) else { continue };
        let passes = lines[..at].iter().find(|line| line.starts(&["http-request", "allow"]));
        match (passes, more(lines[at])) {
            (Some(line), _) => places.add(config.place(line.number), line.text()),
            (None, Some(more)) => places.add(config.place(lines[at].number), more),
            (None, None) => {}
        }
    }
}

/// Names that nobody serves must end in a backend that answers 421, not in a site.
pub(super) fn default_open(config: &Config, places: &mut Places) {
    for section in config.of(&["frontend", "listen"]) {
        let (acls, lines) = (acls(config, section), config.effective(section));
        let default = lines.iter().find(|line| line.starts(&["default_backend"]));
        let always = |line: &&&Line| {
            let condition = Condition::of(line, &acls);
            line.starts(&["use_backend"]) && condition.is_none_or(|it| it.is_always())
        };
        let named = default.into_iter().chain(lines.iter().filter(always));
        let named = named.filter_map(|line| Some((*line, line.words.get(1)?.clone())));
        let chosen = lines.iter().filter(|line| line.starts(&["use_backend"]));
        let otherwise =
            chosen.filter_map(|line| Some((*line, line.map_call()?.split(',').nth(1)?.to_owned())));
        for (line, backend) in named.chain(otherwise) {
            if config.serves(&backend) {
                places.add(config.place(line.number), backend);
            }
        }
        // Whatever comes to it goes to its own servers.
        let is_site = section.kind == "listen" && config.serves(&section.name);
        let refuses = |line: &&Line| line.starts(&["http-request"]) && line.text().contains("421");
        if is_site && !lines.iter().any(refuses) {
            places.add(config.place(section.number), section.name.clone());
        }
    }
}

pub(super) fn acme_proxied(config: &Config, places: &mut Places) {
    const CHALLENGES: &str = "acme-challenge";
    for section in &config.sections {
        let acls = acls(config, section);
        for line in &section.lines {
            let Some(condition) = Condition::of(line, &acls) else { continue };
            let to = line.words.get(1).cloned().unwrap_or_default();
            let to_site = line.starts(&["use_backend"])
                && condition.is_for(CHALLENGES)
                && (to.starts_with("%[") || config.serves(&to));
            if to_site || (line.is_gate() && condition.mentions(CHALLENGES)) {
                places.add(config.place(line.number), to);
            }
        }
    }
}
