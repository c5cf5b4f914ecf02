//! `relight edge config KIND`: a whole configuration for the sites of an edge, with its gate.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::Args;
use relight_engine::edge::Target;
use relight_engine::edge::config::{EdgeConfig, SiteRoute, haproxy, nginx};
use relight_engine::edge::exec;
use relight_server::web::texts;

use super::{edge_failure, targets};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct Config {
    #[arg(value_name = "KIND", value_parser = crate::localise::one_of(&["haproxy", "nginx_file"]))]
    kind: String,
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

impl Config {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let register = Register::open(context)?;
        let target = self.target(targets(&register, context)?, context)?;
        let upstream = self.upstream(context)?;
        let sites = register.sites.iter().filter(|site| site.edge == target.name);
        let sites = sites.map(|site| SiteRoute {
            key: site.slug.clone(),
            host: site.host().to_lowercase(),
            aliases: Vec::new(),
            upstream,
            partial: Vec::new(),
        });
        let verify = target.verify.ok_or_else(|| {
            Failure::new(texts::edge_no_verify(lang)).hint(texts::edge_no_verify_remedy(lang))
        })?;
        let config = EdgeConfig {
            gate: target.gate,
            hold: self.folder.join("hold"),
            acme: self.folder.join("acme"),
            folder: self.folder,
            listen: target.listeners,
            verify,
            user: exec::worker_user(),
            sites: sites.collect(),
        };
        let text = match self.kind.as_str() {
            "haproxy" => haproxy(&config).map(|files| files.config),
            _ => nginx(&config),
        };
        report.raw(&text.map_err(|error| edge_failure(&error, context))?);
        Ok(())
    }

    /// The edge of this kind and name, or the only one of this kind.
    fn target(&self, targets: Vec<Target>, context: &Context) -> Result<Target, Failure> {
        let lang = context.lang;
        let fits = |target: &Target| {
            target.kind == self.kind && self.name.as_deref().is_none_or(|name| name == target.name)
        };
        let mut fitting: Vec<Target> = targets.into_iter().filter(fits).collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => {
                Err(Failure::usage(texts::edge_several(lang))
                    .hint(texts::edge_several_remedy(lang)))
            }
            (None, _) => Err(Failure::new(texts::edge_none(lang, &self.kind))
                .hint(texts::edge_none_remedy(lang, &self.kind))),
        }
    }

    fn upstream(&self, context: &Context) -> Result<SocketAddr, Failure> {
        let found = self.upstream.to_socket_addrs().ok().and_then(|mut found| found.next());
        found.ok_or_else(|| {
            Failure::usage(texts::usage_bad_value(context.lang, "--upstream", &self.upstream))
        })
    }
}
