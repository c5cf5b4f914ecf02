//! The plan of an import: pure, from what the register holds and what a file says.

use std::collections::{HashMap, HashSet, VecDeque};

use relight_model::GateKey;

use super::{
    ALIASES_MAX, Conflict, ImportConflict, ImportPlan, SITE_PARTS_MAX, SiteChange, SiteRow,
    TEXT_BYTES_MAX,
};

/// Longest host name (RFC 1035), in bytes.
const HOST_BYTES_MAX: usize = 253;

/// What these rows would do to a register that holds those.
pub(super) fn plan(held: &[SiteRow], rows: &[SiteRow], base: u64) -> ImportPlan {
    let (accepted, mut conflicts) = without_doubles(rows);
    let lines: HashMap<GateKey, usize> =
        accepted.iter().map(|(line, row)| (row.slug.clone(), *line)).collect();
    let by_slug: HashMap<&GateKey, &SiteRow> = held.iter().map(|row| (&row.slug, row)).collect();
    let names = |row: &SiteRow| row.hosts().map(str::to_owned).collect::<Vec<_>>();
    let mut owners: HashMap<String, GateKey> = held
        .iter()
        .flat_map(|row| names(row).into_iter().map(|host| (host, row.slug.clone())))
        .collect();
    let keys = Keys::of(held, accepted.iter().map(|(_, row)| row));
    let (mut added, mut changed, mut untouched) = (Vec::new(), Vec::new(), Vec::new());
    // A row that claims a host name which another row of the file gives up waits for that row, so
    // the order of the lines does not matter and the same file again finds nothing to do.
    let mut waiting: HashMap<String, SiteRow> = HashMap::new();
    let mut queue: VecDeque<SiteRow> = accepted.into_iter().map(|(_, row)| row).collect();
    while let Some(mut row) = queue.pop_front() {
        row.keep(by_slug.get(&row.slug).copied());
        if let Some(conflict) = keys.conflict(&row) {
            let line = lines.get(&row.slug).copied().unwrap_or_default();
            conflicts.push(ImportConflict { line, slug: row.slug, conflict });
            continue;
        }
        let is_taken = |host: &&str| owners.get(*host).is_some_and(|owner| *owner != row.slug);
        let taken = row.hosts().find(is_taken).map(str::to_owned);
        if let Some(host) = taken {
            waiting.insert(host, row);
            continue;
        }
        match by_slug.get(&row.slug) {
            None => added.push(row),
            Some(before) if **before == row => untouched.push(row.slug),
            Some(before) => {
                let (given_up, held) = (names(before), names(&row));
                for host in given_up.iter().filter(|host| !held.contains(host)) {
                    owners.remove(host);
                    queue.extend(waiting.remove(host));
                }
                owners.extend(held.into_iter().map(|host| (host, row.slug.clone())));
                changed.push(SiteChange { before: (*before).clone(), after: row });
            }
        }
    }
    for (host, SiteRow { slug, .. }) in waiting {
        let Some(by) = owners.get(&host).cloned() else { continue };
        let line = lines.get(&slug).copied().unwrap_or_default();
        conflicts.push(ImportConflict { line, slug, conflict: Conflict::HostTaken { by } });
    }
    added.sort_by_key(|row| lines.get(&row.slug).copied());
    conflicts.sort_by_key(|conflict| conflict.line);
    ImportPlan { base, added, changed, untouched, conflicts }
}

/// The rows that contradict neither themselves nor an earlier row, with their lines.
fn without_doubles(rows: &[SiteRow]) -> (Vec<(usize, SiteRow)>, Vec<ImportConflict>) {
    let (mut slugs, mut hosts, mut sectors) = (HashMap::new(), HashMap::new(), HashMap::new());
    let (mut accepted, mut conflicts) = (Vec::new(), Vec::new());
    for given in rows {
        let line = given.line;
        let checked = given.checked().and_then(|row| {
            if let Some(&first) = slugs.get(&row.slug) {
                return Err(Conflict::SlugTwice { first });
            }
            if let Some(&first) = row.hosts().find_map(|host| hosts.get(host)) {
                return Err(Conflict::HostTwice { first });
            }
            let known = sectors.get(&row.organisation);
            if let Some((first, _)) = known.filter(|(_, sector)| *sector != row.sector) {
                return Err(Conflict::SectorTwice { first: *first });
            }
            Ok(row)
        });
        match checked {
            Err(conflict) => {
                conflicts.push(ImportConflict { line, slug: given.slug.clone(), conflict });
            }
            Ok(row) => {
                slugs.insert(row.slug.clone(), line);
                hosts.extend(row.hosts().map(|host| (host.to_owned(), line)));
                sectors.entry(row.organisation.clone()).or_insert((line, row.sector.clone()));
                accepted.push((line, row));
            }
        }
    }
    (accepted, conflicts)
}

/// Which keys stand for a site and which for a part of one: no key stands for both.
struct Keys {
    sites: HashSet<GateKey>,
    parts: HashMap<GateKey, GateKey>,
}

impl Keys {
    fn of<'a>(held: &'a [SiteRow], accepted: impl Iterator<Item = &'a SiteRow>) -> Self {
        let rows: Vec<&SiteRow> = held.iter().chain(accepted).collect();
        let sites = rows.iter().map(|row| row.slug.clone()).collect();
        let of_row = |row: &&SiteRow| {
            let slug = row.slug.clone();
            row.part_keys().map(|key| (key, slug.clone())).collect::<Vec<_>>()
        };
        Self { sites, parts: rows.iter().flat_map(of_row).collect() }
    }

    fn conflict(&self, row: &SiteRow) -> Option<Conflict> {
        if let Some(of) = self.parts.get(&row.slug) {
            return Some(Conflict::SlugOfPart { of: of.clone() });
        }
        let key = row.part_keys().find(|key| self.sites.contains(key))?;
        Some(Conflict::PartTwice { part: key.to_string() })
    }
}

impl SiteRow {
    /// The row as the register would keep it, with scheme and names in lower case.
    ///
    /// # Errors
    /// What is wrong with it by itself.
    pub fn checked(&self) -> Result<Self, Conflict> {
        let texts = [&self.name_fr, &self.name_en, &self.origin, &self.organisation];
        let texts = texts.into_iter().chain([&self.sector, &self.edge]);
        let texts = texts.chain(self.channel_fr.iter().chain(&self.channel_en));
        if texts.into_iter().any(|text: &String| text.len() > TEXT_BYTES_MAX) {
            return Err(Conflict::TextTooLong);
        }
        if self.organisation.is_empty() {
            return Err(Conflict::NoOrganisation);
        }
        let scheme = self.origin.find("://").map_or(0, |at| at + 3);
        let end = self.origin[scheme..].find('/').map_or(self.origin.len(), |at| scheme + at);
        let mut row = Self { line: 0, ..self.clone() };
        row.origin[..end].make_ascii_lowercase();
        let scheme_known = matches!(&row.origin[..scheme], "" | "http://" | "https://");
        if !scheme_known || !is_host(row.host()) {
            return Err(Conflict::BadOrigin);
        }
        let given = row.aliases.as_ref().map_or(0, Vec::len);
        if given > ALIASES_MAX {
            return Err(Conflict::TooManyAliases);
        }
        row.check_parts()?;
        row.aliases.iter_mut().flatten().for_each(|alias| alias.make_ascii_lowercase());
        row.keep_apart();
        let is_good = row.aliases.iter().flatten().all(|alias| is_host(alias));
        if is_good { Ok(row) } else { Err(Conflict::BadAlias) }
    }

    /// What the file does not say stays as it is in the register.
    fn keep(&mut self, before: Option<&Self>) {
        let (exposure, aliases) =
            before.map_or((None, None), |before| (before.exposure, before.aliases.clone()));
        let parts = before.and_then(|before| before.parts.clone());
        let channel_fr = before.and_then(|before| before.channel_fr.clone());
        let channel_en = before.and_then(|before| before.channel_en.clone());
        self.channel_fr = Some(self.channel_fr.take().or(channel_fr).unwrap_or_default());
        self.channel_en = Some(self.channel_en.take().or(channel_en).unwrap_or_default());
        self.parts = Some(self.parts.take().or(parts).unwrap_or_default());
        self.exposure = Some(self.exposure.or(exposure).unwrap_or_default());
        self.aliases = Some(self.aliases.take().or(aliases).unwrap_or_default());
        self.keep_apart();
    }

    /// The parts in order, each name once.
    fn check_parts(&mut self) -> Result<(), Conflict> {
        let Some(parts) = &mut self.parts else { return Ok(()) };
        if parts.len() > SITE_PARTS_MAX {
            return Err(Conflict::TooManyParts);
        }
        parts.sort_unstable();
        parts.dedup();
        let mut names = HashSet::new();
        for part in &*parts {
            if !names.insert(part.name()) || part.key(&self.slug).is_err() {
                return Err(Conflict::PartTwice { part: part.to_string() });
            }
        }
        Ok(())
    }

    /// Each other name once, in order, and none that is the canonical one.
    fn keep_apart(&mut self) {
        let host = self.host().to_owned();
        let Some(aliases) = &mut self.aliases else { return };
        aliases.sort_unstable();
        aliases.dedup();
        aliases.retain(|alias| *alias != host);
    }
}

/// Whether a site of the register may have this name.
pub fn is_host(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    host.len() <= HOST_BYTES_MAX && host.split('.').all(label)
}
