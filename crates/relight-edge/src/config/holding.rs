//! A holding service for edges that only route (Traefik, the Gateway API): an nginx that answers
//! for every site as dark. Whether a visitor comes here is decided by the edge.

use std::net::SocketAddr;
use std::path::Path;

use super::nginx::{dark_location, maps};
use super::{CANARY_HOST, CANARY_KEY, CANARY_TEXT, EdgeConfig};
use crate::error::EdgeError;

/// Where the lit canary is: edges lead its host here while its gate is open.
pub const CANARY_PATH: &str = "/.relight/lit";

/// The folders of such an nginx, and where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// Its address.
    pub listen: SocketAddr,
    /// Its own folder: process id, logs, temporary files.
    pub folder: &'a Path,
    /// Folder of `hold.html` and `hold.json`.
    pub hold: &'a Path,
}

/// A complete `nginx.conf`: 503 with the marker of the site that the name stands for, 421 for any
/// other name.
///
/// # Errors
/// `Refused` as for nginx.
pub fn holding(config: &EdgeConfig, service: Holding<'_>) -> Result<String, EdgeError> {
    config.check_rest()?;
    let Holding { listen, folder, hold } = service;
    let (folder, dark) = (folder.display(), dark_location(hold, "1"));
    let mut names = format!("  {CANARY_HOST} {CANARY_KEY};\n");
    for site in &config.sites {
        names.extend(site.hosts().map(|host| format!("  {host} {};\n", site.key)));
    }
    let size = (2 * names.lines().count()).next_power_of_two().max(2048);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/temp_{name};\n"))
        .concat();
    let (maps, canary) = (maps(), CANARY_TEXT.trim_end());
    Ok(format!(
        r#"daemon off;
worker_processes auto;
pid {folder}/holding.pid;
error_log {folder}/holding.log;
events {{}}
http {{
{temporary}access_log off;
server_tokens off;
map_hash_max_size {size};
map_hash_bucket_size 512;
{maps}map $host $relight_site {{
  default "";
{names}}}
map "$host$uri" $relight_lit {{ default ""; "{CANARY_HOST}{CANARY_PATH}" 1; }}
server {{
  listen {listen} default_server;
  default_type text/plain;
  if ($relight_lit) {{ return 200 "{canary}\n"; }}
  if ($relight_site = "") {{ return 421; }}
  error_page 503 @relight_dark;
{dark}  location / {{
    return 503;
  }}
}}
}}
"#
    ))
}
