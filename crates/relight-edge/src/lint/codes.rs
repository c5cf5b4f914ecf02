//! The codes of everything that lint finds, for who hears of a finding from another machine.

/// What stands for a code that this version does not know: an agent may be newer.
const OTHER: &str = "agent-finding";

/// Every code, in alphabetical order.
const CODES: [&str; 65] = [
    "acme-proxied",
    "api-unreadable",
    "bufsize-too-small",
    "caddy-admin-not-read",
    "canary-failed",
    "canary-not-dark",
    "canonical-name-off",
    "capability-missing",
    "certificate-wrong",
    "config-not-named",
    "config-torn",
    "default-open",
    "define-in-map",
    "epoch-unreadable",
    "experimental",
    "file-cache",
    "file-cache-errors",
    "file-not-ours",
    "foreign-dark",
    "gate-by-admin",
    "gate-header-kept",
    "gate-marker-missing",
    "gate-missing",
    "gate-narrowed",
    "gate-not-in-config",
    "gate-not-readable",
    "gate-not-writable",
    "gate-on-tmpfs",
    "gate-other-path",
    "gate-path-missing",
    "gate-strange-entry",
    "gate-writable-by-others",
    "hold-proxied",
    "hosts-unreadable",
    "hsts-lost",
    "http2-unspoken",
    "include-glob",
    "include-limit",
    "include-unreadable",
    "key-from-client",
    "listener-unregistered",
    "map-file-unreadable",
    "map-older-than-before",
    "map-shared",
    "map-unknown",
    "no-admin-socket",
    "no-hard-stop",
    "no-master",
    "no-shutdown-timeout",
    "no-site",
    "observe-fails",
    "observe-partial",
    "pattern-name",
    "real-ip-unix",
    "reload-slow",
    "rewrite-off",
    "route-managed-elsewhere",
    "route-unreadable",
    "routes-unreadable",
    "site-key-invalid",
    "site-key-missing",
    "site-key-twice",
    "socket-not-admin",
    "tunnels-uncounted",
    "verify-open-to-others",
];

/// The code of this text, or the one for findings that this version does not know.
pub fn code_of(text: &str) -> &'static str {
    let known = CODES.iter().find(|code| **code == text);
    known.copied().unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What each driver and each rule finds is known by its code where it is heard of.
    #[test]
    fn every_code_that_this_crate_finds_is_known() {
        let (mut missing, mut found) = (Vec::new(), 0);
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.ends_with("codes.rs") {
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                for head in ["Lint::error(", "Lint::warning(", "code: ", ".note(", ".tell("] {
                    for rest in text.split(head).skip(1) {
                        let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
                        let code = rest.split('"').next().unwrap();
                        found += 1;
                        if code_of(code) == OTHER && code != "member-silent" {
                            missing.push(format!("{code} in {}", path.display()));
                        }
                    }
                }
            }
        }
        assert!(found > 80, "{found}");
        assert_eq!(missing, Vec::<String>::new());
        assert_eq!(code_of("/etc/passwd"), OTHER);
    }
}
