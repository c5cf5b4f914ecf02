//! Names of files that hold secrets: no cataloger is shown one, whatever selects it.
//!
//! Such a file is sniffed like every other, so an archive that hides under such a name is opened.

use crate::evidence::file_name;

/// Whole names.
const NAMES: [&str; 8] = [
    ".npmrc",
    ".pypirc",
    ".netrc",
    ".git-credentials",
    ".pgpass",
    "settings.xml",
    "keystore",
    "cacerts",
];

/// Endings of keys and stores of keys.
const ENDINGS: [&str; 9] =
    [".pem", ".key", ".jks", ".keystore", ".p12", ".pfx", ".kdbx", ".ppk", ".asc"];

/// Folders whose content is nobody's business.
const FOLDERS: [&str; 8] =
    [".ssh", ".aws", ".kube", ".gnupg", ".mozilla", ".thunderbird", "Maildir", "Keychains"];

/// Parts of paths.
const PARTS: [&str; 7] = [
    "/.git/config",
    // Applications keep what they are built with in a folder of the same name.
    "/.docker/config.json",
    "/.docker/contexts/",
    "/var/mail/",
    "/spool/mail/",
    "/.config/chromium/",
    "/.config/google-chrome/",
];

/// Whether a path is that of a secret.
pub(crate) fn is_secret(path: &str) -> bool {
    let name = file_name(path);
    NAMES.contains(&name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.strip_prefix(".env").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        || name == ".envrc"
        // `id_ed25519`, `id_rsa.pub`; other names that start so have an ending of their own.
        || name.starts_with("id_") && !name.trim_end_matches(".pub").contains('.')
        || PARTS.iter().any(|it| holds(path, it))
        || path.split('/').rev().skip(1).any(|folder| FOLDERS.contains(&folder))
}

fn holds(path: &str, part: &str) -> bool {
    path.contains(part) || path.starts_with(&part[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_by_name() {
        for path in [
            ".env",
            "a/.env.production",
            "home/a/.envrc",
            "tls/server.key",
            "home/.ssh/known_hosts",
            "id_rsa",
            ".git/config",
            "var/spool/mail/root",
            "home/a/.config/chromium/Default/x.json",
            "home/a/.docker/config.json",
            ".docker/contexts/meta/a/meta.json",
        ] {
            assert!(is_secret(path), "{path}");
        }
        for path in [
            "env/conda-meta/a.json",
            ".environment",
            "specifications/id_card-1.0.gemspec",
            "package-lock.json",
            "git/config/package.json",
            "node_modules/chromium/package.json",
            "srv/app/.docker/php/composer.lock",
        ] {
            assert!(!is_secret(path), "{path}");
        }
    }
}
