//! `relight edge discover FILE...`: sites, names, listeners and origins that are in existing
//! configurations, as rows that `relight sites import` reads. Changes nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use relight_engine::edge::lint::Served;
use relight_engine::store::is_host;
use relight_model::GateKey;
use relight_server::web::texts;
use serde::Serialize;

use super::lint::look;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// The columns of a proposal.
const HEAD: &str =
    "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public,aliases";

#[derive(Debug, Args)]
pub(super) struct Discover {
    #[arg(value_name = "FILE", required = true)]
    sources: Vec<PathBuf>,
    #[arg(long, value_name = "KIND",
        value_parser = crate::localise::one_of(&["nginx", "haproxy", "apache", "caddy"]))]
    kind: Option<String>,
    #[arg(long, value_name = "NAME", default_value = "edge")]
    name: String,
}

#[derive(Serialize)]
struct Document<'a> {
    edge: &'a str,
    sites: Vec<SiteRow>,
}

#[derive(Serialize)]
struct SiteRow {
    slug: String,
    key: Option<String>,
    names: Vec<String>,
    listen: Vec<String>,
    upstream: Option<String>,
    file: String,
    line: usize,
}

impl Discover {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let (mut taken, mut rows) = (BTreeSet::new(), Vec::new());
        for source in &self.sources {
            let (_, examined) = look(source, self.kind.as_deref(), context)?;
            for site in examined.sites {
                if let Some(row) = row(site, &mut taken) {
                    rows.push(row);
                }
            }
        }
        keep_names_once(&mut rows);
        if context.json {
            report
                .document("relight.edge-discovery/1", &Document { edge: &self.name, sites: rows });
            return Ok(());
        }
        report.line(HEAD);
        for SiteRow { slug, names, listen, .. } in &rows {
            let [host, aliases @ ..] = names.as_slice() else { continue };
            let scheme = if listen.iter().any(|it| is_secured(it)) { "https" } else { "http" };
            let (edge, aliases) = (&self.name, aliases.join(" "));
            report
                .line(&format!("{slug},{host},{host},{scheme}://{host},,,4,{edge},yes,{aliases}"));
        }
        let keyless = rows.iter().filter(|row| row.key.is_none()).count();
        report.note(&texts::edge_discovered(lang, keyless, rows.len()));
        report.hint(texts::edge_discovered_remedy(lang));
        Ok(())
    }
}

/// Whether a listener has a port at which visitors expect TLS: not any whose number holds those
/// digits.
fn is_secured(listener: &str) -> bool {
    let port = listener.rsplit(':').next().unwrap_or_default();
    matches!(port.trim_end_matches('/'), "443" | "8443")
}

/// A name belongs to one site: that of which it is the first, or else the first that has it.
fn keep_names_once(rows: &mut [SiteRow]) {
    let mut taken: BTreeSet<String> =
        rows.iter().filter_map(|row| row.names.first().cloned()).collect();
    for row in rows {
        let first = row.names.first().cloned();
        row.names.retain(|name| first.as_ref() == Some(name) || taken.insert(name.clone()));
    }
}

/// A proposal for one site; none for a block without a name of its own, and for our canary.
fn row(site: Served, taken: &mut BTreeSet<String>) -> Option<SiteRow> {
    // A pattern, or a name that no site of the register may have, would cost the whole row.
    let is_plain = |name: &&String| is_host(name) && name.contains('.');
    let names: Vec<String> =
        site.names.iter().filter(is_plain).map(|it| it.to_lowercase()).collect();
    let host = names.first()?;
    if host == "relight-canary.invalid" {
        return None;
    }
    let own = site.key.as_deref().filter(|key| GateKey::new(key).is_ok());
    let slug = own.map_or_else(|| host.trim_start_matches("www.").to_owned(), str::to_owned);
    // The same site on another port is the same site.
    if GateKey::new(&slug).is_err() || !taken.insert(slug.clone()) {
        return None;
    }
    let (file, line) = (site.file.display().to_string(), site.line);
    Some(SiteRow {
        slug,
        key: site.key,
        names,
        listen: site.listen,
        upstream: site.upstream,
        file,
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site on port 14430 was proposed under https.
    #[test]
    fn a_port_with_those_digits_is_not_that_of_tls() {
        for secured in ["443", "*:443", "[::]:443", "192.0.2.1:8443", "https://a.example:443/"] {
            assert!(is_secured(secured), "{secured}");
        }
        for plain in ["80", "*:14430", "127.0.0.1:34439", "[::]:4433", "[2001:443::1]:80", ""] {
            assert!(!is_secured(plain), "{plain}");
        }
    }
}
