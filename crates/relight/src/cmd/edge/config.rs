//! `relight edge config KIND`: a whole configuration for the sites of an edge, with its gate.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use relight_engine::edge::config::{
    CANARY_TEXT, CERTIFICATES, COMMAND_EXAMPLE, EdgeConfig, MutualTls, Secured, SiteRoute, apache,
    caddy, haproxy, nginx,
};
use relight_engine::edge::{
    EdgeError, Listener, TESTERS_CA, TESTERS_GROUP, TESTERS_SHOWN, Target, Testers, exec,
};
use relight_server::web::texts;

use super::{absolute, address_of, edge_failure, group, routing, the_target};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::Report;

/// Kinds whose configuration can be written. The built-in edge has none: see `edge run`.
const KINDS: [&str; 7] =
    ["apache", "caddy", "command", "gateway_api", "haproxy", "nginx_file", "traefik"];

#[derive(Debug, Args)]
pub(super) struct Config {
    #[arg(value_name = "KIND", value_parser = crate::localise::one_of(&KINDS))]
    kind: String,
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<String>,
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
    #[arg(long, value_name = "NAMESPACE/NAME")]
    gateway: Option<String>,
    #[arg(long, value_name = "FILE")]
    part: Option<String>,
}

impl Config {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let files = if self.kind == "command" {
            vec![("edge.py", COMMAND_EXAMPLE.to_owned())]
        } else {
            let register = Register::open(context)?;
            let target = the_target(&self.kind, self.name.as_deref(), &register, context)?;
            let config = self.config(&target, &register, context)?;
            let failed = |error: EdgeError| edge_failure(&error, context);
            match self.kind.as_str() {
                "gateway_api" => {
                    report.hint(texts::edge_config_pages(context.lang));
                    self.gateway(&target, &config, context)?
                }
                "traefik" => routing::traefik_files(&target, &config).map_err(failed)?,
                kind => files(kind, &config).map_err(failed)?,
            }
        };
        self.print(&files, context, report)
    }

    fn gateway(
        &self,
        target: &Target,
        config: &EdgeConfig,
        context: &Context,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let lang = context.lang;
        let named = self.gateway.as_deref();
        let named = named.ok_or_else(|| Failure::usage(texts::usage_missing(lang, "--gateway")))?;
        let gateway = named
            .split_once('/')
            .ok_or_else(|| Failure::usage(texts::usage_bad_value(lang, "--gateway", named)))?;
        let files = routing::gateway_files(target, config, gateway);
        files.map_err(|error| edge_failure(&error, context))
    }

    /// Where the sites listen, and the folder of the edge; an edge that only has routes changed
    /// knows neither.
    fn places(&self, context: &Context) -> Result<(SocketAddr, PathBuf), Failure> {
        if self.kind == "gateway_api" {
            return Ok((([127, 0, 0, 1], 1).into(), PathBuf::from("/")));
        }
        let missing = |option| move || Failure::usage(texts::usage_missing(context.lang, option));
        let upstream = self.upstream.as_deref().ok_or_else(missing("--upstream"))?;
        let folder = self.folder.as_deref().ok_or_else(missing("--folder"))?;
        Ok((address_of("--upstream", upstream, context)?, absolute(folder, context)?))
    }

    fn config(
        &self,
        target: &Target,
        register: &Register,
        context: &Context,
    ) -> Result<EdgeConfig, Failure> {
        let lang = context.lang;
        let (upstream, folder) = self.places(context)?;
        let name = group::serves_as(&target.name, register, context)?;
        let sites = register.sites.iter().filter(|site| site.edge == name);
        let sites = sites.map(|site| SiteRoute {
            key: site.slug.clone(),
            host: site.host().to_lowercase(),
            aliases: site.aliases.clone(),
            upstream,
            partial: site.parts.clone(),
        });
        let verify = target.verify.clone();
        let verify = verify.or_else(|| (self.kind == "gateway_api").then(PathBuf::new));
        let verify = verify.ok_or_else(|| {
            Failure::new(texts::edge_no_verify(lang)).hint(texts::edge_no_verify_remedy(lang))
        })?;
        let certificates = self.certificates.as_deref().map(|path| absolute(path, context));
        let certificates = certificates.transpose()?.unwrap_or_else(|| folder.join("tls"));
        Ok(EdgeConfig {
            upgrades: !target.refuses_upgrades(),
            tls: secured(target, certificates).map_err(|error| edge_failure(&error, context))?,
            gate: target.gate.clone(),
            hold: folder.join("hold"),
            acme: folder.join("acme"),
            folder,
            listen: target.listeners.clone(),
            verify,
            testers: testers(target, context)?,
            verify_group: target.settings.get(TESTERS_GROUP).cloned(),
            user: exec::worker_user(),
            sites: sites.collect(),
        })
    }

    /// One file as it is; several, each behind a line with its name, or the one that was asked
    /// for.
    fn print(
        &self,
        files: &[(&str, String)],
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if let Some(part) = &self.part {
            let found = files.iter().find(|(name, _)| name == part);
            let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
            let (_, text) = found.ok_or_else(|| {
                Failure::usage(texts::usage_bad_value(context.lang, "--part", part))
                    .hint(texts::usage_values(context.lang, &names.join(", ")))
            })?;
            report.raw(text);
            return Ok(());
        }
        for (name, text) in files {
            if files.len() > 1 {
                report.raw(&format!("### {name}\n"));
            }
            report.raw(text);
        }
        Ok(())
    }
}

/// What the verification path shows and whom it lets in, where testers show a certificate.
pub(super) fn testers(target: &Target, context: &Context) -> Result<Option<MutualTls>, Failure> {
    Testers::of(target).map_err(|error| edge_failure(&error, context))?;
    let Some(authorities) = target.settings.get(TESTERS_CA) else { return Ok(None) };
    let certificate = target.settings.get(TESTERS_SHOWN).ok_or_else(|| {
        let missing = format!("--set {TESTERS_SHOWN}=FILE");
        Failure::usage(texts::usage_missing(context.lang, &missing))
    })?;
    let [certificate, authorities] = [certificate, authorities].map(PathBuf::from);
    Ok(Some(MutualTls { certificate, authorities }))
}

/// The listeners that the edge is registered with as speaking TLS.
fn secured(target: &Target, certificates: PathBuf) -> Result<Option<Secured>, EdgeError> {
    let mut listeners = Vec::new();
    for (address, listener) in target.listeners.iter().zip(Listener::all(target)?) {
        if listener.is_secured() {
            listeners.push(*address);
        }
    }
    Ok((!listeners.is_empty()).then_some(Secured { listeners, certificates }))
}

/// The files of one edge, by name.
fn files(kind: &str, config: &EdgeConfig) -> Result<Vec<(&'static str, String)>, EdgeError> {
    Ok(match kind {
        "apache" => {
            let files = apache(config)?;
            let canary = CANARY_TEXT.to_owned();
            vec![("apache.conf", files.config), ("retry.txt", files.retry), ("canary.txt", canary)]
        }
        "caddy" => vec![("caddy.json", caddy(config)?)],
        "haproxy" => {
            let files = haproxy(config)?;
            let certificates = (!files.certificates.is_empty()).then_some(files.certificates);
            let mut all = vec![("haproxy.cfg", files.config), ("hosts.map", files.hosts)];
            all.extend(certificates.map(|text| (CERTIFICATES, text)));
            all
        }
        _ => vec![("nginx.conf", nginx(config)?)],
    })
}
