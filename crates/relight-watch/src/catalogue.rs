//! The probe catalogue: doors that somebody tries who looks for a product or a mistake, and
//! paths that ordinary software asks for unasked.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Where in the path the needle must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The whole path, with or without a slash at the end.
    Exact,
    /// At the start, up to the end of a segment.
    Prefix,
    /// At the end.
    Suffix,
    /// A whole segment, anywhere.
    Segment,
}

use Place::{Exact, Prefix, Segment, Suffix};

/// Id, place and needle, lower case, at least four bytes. All generic: a site that runs such a
/// product answers them, and whoever asks for several on many sites is looking for them.
const PROBES: [(&str, Place, &str); 58] = [
    ("dotenv", Suffix, "/.env"),
    ("git-config", Segment, ".git"),
    ("svn", Segment, ".svn"),
    ("ds-store", Suffix, "/.ds_store"),
    ("aws-credentials", Segment, ".aws"),
    ("ssh-keys", Segment, ".ssh"),
    ("htpasswd", Suffix, "/.htpasswd"),
    ("wordpress-login", Suffix, "/wp-login.php"),
    ("wordpress-xmlrpc", Suffix, "/xmlrpc.php"),
    ("wordpress-config", Suffix, "/wp-config.php.bak"),
    ("wordpress-users", Suffix, "/wp-json/wp/v2/users"),
    ("drupal-changelog", Exact, "/changelog.txt"),
    ("joomla-administrator", Prefix, "/administrator"),
    ("phpmyadmin", Prefix, "/phpmyadmin"),
    ("phpmyadmin-short", Exact, "/pma/"),
    ("adminer", Suffix, "/adminer.php"),
    ("phpinfo", Suffix, "/phpinfo.php"),
    ("phpunit", Suffix, "/phpunit/src/util/php/eval-stdin.php"),
    ("server-status", Exact, "/server-status"),
    ("autodiscover", Suffix, "/autodiscover.xml"),
    ("outlook-web", Prefix, "/owa"),
    ("exchange-control-panel", Prefix, "/ecp"),
    ("exchange-powershell", Prefix, "/powershell"),
    ("vpn-generic", Prefix, "/vpn/"),
    ("vpn-remote-login", Exact, "/remote/login"),
    ("vpn-dana", Prefix, "/dana-na"),
    ("vpn-global-protect", Prefix, "/global-protect"),
    ("vpn-anyconnect", Prefix, "/+cscoe+"),
    ("citrix-gateway", Prefix, "/logon/logonpoint"),
    ("f5-management", Prefix, "/tmui"),
    ("vcenter", Prefix, "/vsphere-client"),
    ("vmware-horizon", Prefix, "/portal/webclient"),
    ("solr-admin", Prefix, "/solr"),
    ("tomcat-manager", Prefix, "/manager/html"),
    ("tomcat-host-manager", Prefix, "/host-manager"),
    ("jenkins", Prefix, "/jenkins"),
    ("jenkins-script", Exact, "/script"),
    ("jboss-console", Prefix, "/jmx-console"),
    ("weblogic-console", Prefix, "/console/login"),
    ("weblogic-wls", Prefix, "/wls-wsat"),
    ("struts-showcase", Prefix, "/struts2-showcase"),
    ("spring-actuator", Prefix, "/actuator"),
    ("spring-heapdump", Suffix, "/heapdump"),
    ("druid", Prefix, "/druid/"),
    ("elasticsearch-cat", Prefix, "/_cat"),
    ("elasticsearch-search", Exact, "/_search"),
    ("kibana", Prefix, "/app/kibana"),
    ("grafana-plugins", Prefix, "/public/plugins"),
    ("consul", Prefix, "/v1/agent/self"),
    ("kubernetes-api", Prefix, "/api/v1/namespaces"),
    ("docker-api", Exact, "/containers/json"),
    ("confluence-setup", Prefix, "/pages/doenterpagevariables.action"),
    ("jira-dashboard", Suffix, "/secure/dashboard.jspa"),
    ("gitlab-explore", Exact, "/explore/projects"),
    ("sap-info", Prefix, "/sap/public/info"),
    ("cgi-test", Prefix, "/cgi-bin/test"),
    ("laravel-ignition", Prefix, "/_ignition"),
    ("backup-archive", Exact, "/backup.zip"),
];

/// What browsers, crawlers and mail programs ask every site for: its absence means nothing.
const CONVENTIONAL: [(Place, &str); 16] = [
    (Exact, "/robots.txt"),
    (Exact, "/favicon.ico"),
    (Exact, "/favicon.png"),
    (Exact, "/sitemap.xml"),
    (Exact, "/sitemap_index.xml"),
    (Exact, "/ads.txt"),
    (Exact, "/app-ads.txt"),
    (Exact, "/humans.txt"),
    (Exact, "/security.txt"),
    (Exact, "/browserconfig.xml"),
    (Exact, "/manifest.json"),
    (Exact, "/crossdomain.xml"),
    (Exact, "/atom.xml"),
    (Exact, "/feed"),
    (Exact, "/rss.xml"),
    (Prefix, "/.well-known"),
];

/// Every needle in one automaton, so that the cost does not grow with the entries. `None` only
/// if the automaton could not be built from these constants, which a test excludes.
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let needles = PROBES.iter().map(|(_, _, needle)| needle);
    AhoCorasick::builder().ascii_case_insensitive(true).build(needles).ok()
});

/// The id of the catalogue entry that a normalised path matches; the first entry when several do.
pub(crate) fn probe(path: &str) -> Option<&'static str> {
    let automaton = AUTOMATON.as_ref()?;
    let matched = automaton.find_overlapping_iter(path).filter_map(|found| {
        let (id, place, _) = PROBES.get(found.pattern().as_usize())?;
        stands(*place, path, found.start(), found.end()).then_some((found.pattern(), *id))
    });
    matched.min().map(|(_, id)| id)
}

/// A path that ordinary software asks for unasked.
pub(crate) fn is_conventional(path: &str) -> bool {
    path.starts_with("/apple-touch-icon")
        || CONVENTIONAL.iter().any(|(place, needle)| {
            path.get(..needle.len()).is_some_and(|start| start.eq_ignore_ascii_case(needle))
                && stands(*place, path, 0, needle.len())
        })
}

fn stands(place: Place, path: &str, start: usize, end: usize) -> bool {
    let bytes = path.as_bytes();
    let whole = |end: usize| {
        bytes[end - 1] == b'/' || bytes.get(end).is_none_or(|next| b"/.;".contains(next))
    };
    match place {
        Exact => start == 0 && matches!(&bytes[end..], [] | [b'/']),
        Prefix => start == 0 && whole(end),
        Suffix => end == bytes.len(),
        Segment => {
            start > 0 && bytes[start - 1] == b'/' && bytes.get(end).is_none_or(|next| *next == b'/')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_matches_its_own_path_and_not_a_near_miss() {
        for (id, place, needle) in PROBES {
            assert!(needle.len() >= 4, "{id}: too short to be specific");
            assert_eq!(needle, needle.to_lowercase(), "{id}");
            let path = if place == Segment { format!("/x/{needle}/y") } else { needle.to_owned() };
            assert_eq!(probe(&path), Some(id), "{path}");
            assert_eq!(probe(&path.to_uppercase()), Some(id), "{path}");
            let near = match place {
                Exact | Suffix => format!("{path}zz"),
                Prefix => format!("/zz{path}"),
                Segment => format!("/x/{needle}zz"),
            };
            assert_eq!(probe(&near), None, "{near}");
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids = PROBES.map(|(id, _, _)| id);
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn conventional_paths() {
        for path in ["/robots.txt", "/.well-known/security.txt", "/apple-touch-icon-120x120.png"] {
            assert!(is_conventional(path), "{path}");
            assert_eq!(probe(path), None, "{path}");
        }
        for path in ["/", "/robots.txt.bak", "/a/robots.txt", "/.well-knownx", "/.env"] {
            assert!(!is_conventional(path), "{path}");
        }
    }
}
