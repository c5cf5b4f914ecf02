//! Purls with a path behind the package: of Go modules it may be a part of the name.
//!
//! Some tools take no more than two parts behind the host for the module, and call
//! `github.com/coreos/go-systemd/v22` by `pkg:golang/github.com/coreos/go-systemd@v22.5.0#v22`.

use super::{Purl, PurlReference};

impl Purl {
    /// Reads a purl as [`Self::parse`] does, of a component whose name is stated beside it: where
    /// that is the module with its path, the module goes by both.
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse_named(text: &str, name: &str) -> Result<Self, &'static str> {
        let PurlReference { purl, subpath } = PurlReference::normalised(text)?;
        let long = purl.with_path(&subpath);
        let is_named = !subpath.is_empty() && long.module().eq_ignore_ascii_case(name);
        Ok(if is_named { long } else { purl.with_major(&subpath) })
    }

    /// Reads a purl that says of what a statement holds: what is said of a part of a package, says
    /// nothing of all of it.
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse_exact(text: &str) -> Result<Self, &'static str> {
        let PurlReference { purl, subpath } = PurlReference::normalised(text)?;
        match purl.kind.as_str() {
            "golang" => Ok(purl.with_path(&subpath)),
            _ if subpath.is_empty() => Ok(purl),
            _ => Err("purl means a part of a package"),
        }
    }

    /// The major version of a module stands in its name (`v22`), and no package is called so.
    pub(super) fn with_major(self, subpath: &str) -> Self {
        let first = subpath.split('/').next().unwrap_or_default();
        let number = first.strip_prefix('v').unwrap_or_default();
        let is_major = number.parse::<u32>().is_ok_and(|it| it > 1);
        if is_major { self.with_path(first) } else { self }
    }

    fn with_path(&self, subpath: &str) -> Self {
        if self.kind != "golang" || subpath.is_empty() {
            return self.clone();
        }
        let module = format!("{}/{subpath}", self.module());
        let (namespace, name) = module.rsplit_once('/').unwrap_or(("", &module));
        Self { namespace: namespace.to_owned(), name: name.to_owned(), ..self.clone() }
    }

    fn module(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_module() {
        let long = "pkg:golang/cloud.google.com/go@v1.0.0#storage/internal";
        for (text, name, wanted) in [
            (
                "pkg:golang/github.com/coreos/go-systemd@v22.5.0#v22",
                "",
                "pkg:golang/github.com/coreos/go-systemd/v22@v22.5.0",
            ),
            (
                "pkg:golang/github.com/a/b@v2.1.0#v2/pkg/c",
                "",
                "pkg:golang/github.com/a/b/v2@v2.1.0",
            ),
            (
                "pkg:golang/github.com/a/b@v2.1.0#v2/pkg/c",
                "github.com/A/b/v2/pkg/c",
                "pkg:golang/github.com/a/b/v2/pkg/c@v2.1.0",
            ),
            (
                long,
                "cloud.google.com/go/storage/internal",
                "pkg:golang/cloud.google.com/go/storage/internal@v1.0.0",
            ),
            (long, "internal", "pkg:golang/cloud.google.com/go@v1.0.0"),
            ("pkg:golang/github.com/a/b@v1.0.0#v1", "", "pkg:golang/github.com/a/b@v1.0.0"),
            ("pkg:npm/a@1#v2", "a/v2", "pkg:npm/a@1"),
        ] {
            let found = Purl::parse_named(text, name).unwrap();
            assert_eq!(found.to_string(), wanted, "{text} {name}");
            assert_eq!(Purl::parse(&found.to_string()), Ok(found), "{text}");
        }
        let exact = |text: &str| Purl::parse_exact(text).map(|it| it.to_string());
        let part = exact("pkg:golang/github.com/a/b@v1.0.0#c");
        assert_eq!(part.as_deref(), Ok("pkg:golang/github.com/a/b/c@v1.0.0"));
        assert!(exact("pkg:npm/a@1#lib").is_err());
        assert_eq!(exact("pkg:npm/a@1").as_deref(), Ok("pkg:npm/a@1"));
    }
}
