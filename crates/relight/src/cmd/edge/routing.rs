//! What is printed for edges that only route, from the settings that they were registered with.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use relight_engine::edge::config::{
    EdgeConfig, GatewayPlaces, Holding, TraefikPlaces, gateway, holding, traefik,
};
use relight_engine::edge::{EdgeError, EdgeErrorKind, Target};

type Files = Vec<(&'static str, String)>;

/// Traefik's own files, the list of hosts, and the nginx that holds sites dark.
pub(super) fn traefik_files(target: &Target, config: &EdgeConfig) -> Result<Files, EdgeError> {
    let url = setting(target, "holding")?;
    let listen = url.trim_start_matches("http://").trim_end_matches('/');
    let (listen, api) = (address("holding", listen)?, address("api", setting(target, "api")?)?);
    let watched = Path::new(setting(target, "file")?).parent().unwrap_or(Path::new("/"));
    let places = TraefikPlaces { watched, api, holding: url };
    let files = traefik(config, places)?;
    let service = Holding { listen, folder: &config.folder, hold: &config.hold };
    Ok(vec![
        ("traefik.yml", files.main),
        ("sites.yml", files.sites),
        ("hosts", files.hosts),
        ("holding.conf", holding(config, service)?),
    ])
}

/// One list of objects for the namespaces in which sites have their routes.
pub(super) fn gateway_files(
    target: &Target,
    config: &EdgeConfig,
    named: (&str, &str),
) -> Result<Files, EdgeError> {
    let routes = setting(target, "routes")?;
    let text = fs::read_to_string(routes)
        .map_err(|cause| bad(format!("read the routes in {routes}: {cause}")))?;
    let of_line = |line: &str| Some(line.split_once(' ')?.1.split_once('/')?.0.to_owned());
    let namespaces: BTreeSet<String> = text.lines().filter_map(of_line).collect();
    let service = setting(target, "holding")?;
    let service = service.split_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let service = service.ok_or_else(|| bad("use the setting `holding`: no service".to_owned()))?;
    let places = GatewayPlaces { gateway: named, namespaces: &namespaces, service };
    Ok(vec![("relight.json", gateway(config, places)?)])
}

fn setting<'a>(target: &'a Target, name: &str) -> Result<&'a str, EdgeError> {
    let found = target.settings.get(name).map(String::as_str);
    found.ok_or_else(|| bad(format!("do without the setting `{name}`")))
}

fn address(name: &str, text: &str) -> Result<SocketAddr, EdgeError> {
    text.parse().map_err(|_| bad(format!("use {text:?} as `{name}`: no address")))
}

fn bad(doing: String) -> EdgeError {
    EdgeError::new(EdgeErrorKind::Lint, doing)
}
