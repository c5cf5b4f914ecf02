//! What each type of purl asks for beyond the common rules (definitions of purl-spec).

use super::Purl;

/// Types whose name and namespace are in small letters.
const SMALL: [&str; 14] = [
    "alpm",
    "apk",
    "bitbucket",
    "bitnami",
    "brew",
    "composer",
    "deb",
    "git",
    "github",
    "gitlab",
    "hex",
    "luarocks",
    "oci",
    "pypi",
];

/// Types whose name alone is.
const SMALL_NAME: [&str; 1] = ["otp"];

/// Types without namespace.
const NO_NAMESPACE: [&str; 2] = ["otp", "vcpkg"];

/// Types that mean nothing without namespace.
const NAMESPACE: [&str; 2] = ["swift", "vscode-extension"];

/// Whether the name is a path: a repository of git is found by its host and its path.
pub(super) fn has_paths(kind: &str) -> bool {
    kind == "git"
}

/// Brings a purl into the case that its type asks for.
pub(super) fn normalise(purl: &mut Purl) {
    let kind = purl.kind.as_str();
    if SMALL.contains(&kind) {
        purl.namespace = purl.namespace.to_lowercase();
    }
    if SMALL.contains(&kind) || SMALL_NAME.contains(&kind) {
        purl.name = purl.name.to_lowercase();
    }
    match kind {
        "pypi" => purl.name = purl.name.replace('_', "-"),
        "huggingface" => purl.version = purl.version.to_lowercase(),
        // Databricks does not tell cases apart, Azure does.
        "mlflow"
            if purl.qualifier("repository_url").is_some_and(|it| it.contains("databricks")) =>
        {
            purl.name = purl.name.to_lowercase();
        }
        "rpm" => purl.namespace = purl.namespace.to_lowercase(),
        "vscode-extension" => {
            purl.namespace = purl.namespace.to_lowercase();
            purl.name = purl.name.to_lowercase();
        }
        _ => {}
    }
}

/// What a type requires or forbids.
pub(super) fn check(purl: &Purl) -> Result<(), &'static str> {
    let kind = purl.kind.as_str();
    if NO_NAMESPACE.contains(&kind) && !purl.namespace.is_empty() {
        return Err("purl has a namespace, and its type has none");
    }
    if NAMESPACE.contains(&kind) && purl.namespace.is_empty() {
        return Err("purl has no namespace, and its type needs one");
    }
    match kind {
        "cpan" if purl.name.contains("::") => Err("purl names a module, not a distribution"),
        "julia" if purl.qualifier("uuid").is_none() => Err("purl has no `uuid`, which it needs"),
        "chrome-extension" if !is_extension(&purl.name) => {
            Err("purl has a name that no extension of Chrome has")
        }
        "chrome-extension" if !is_extension_version(&purl.version) => {
            Err("purl has a version that no extension of Chrome has")
        }
        _ => Ok(()),
    }
}

/// 32 letters from `a` to `p`: a number in base 16.
fn is_extension(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| (b'a'..=b'p').contains(&byte))
}

/// Up to four numbers.
fn is_extension_version(version: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    version.is_empty() || version.split('.').count() <= 4 && version.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use crate::{Purl, PurlReference};

    #[test]
    fn each_type_has_its_case() {
        for (text, canonical) in [
            ("pkg:PYPI/Django_package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1"),
            ("pkg:github/Package-url/purl-Spec@2", "pkg:github/package-url/purl-spec@2"),
            ("pkg:composer/Laravel/Laravel@5.5.0", "pkg:composer/laravel/laravel@5.5.0"),
            ("pkg:brew/Homebrew/Core/sqlite@3", "pkg:brew/homebrew/core/sqlite@3"),
            ("pkg:brew/node@20@20.10.0", "pkg:brew/node%4020@20.10.0"),
            ("pkg:huggingface/EleutherAI/gpt@797174AE", "pkg:huggingface/EleutherAI/gpt@797174ae"),
            (
                "pkg:mlflow/Fraud@3?repository_url=x.azureml.ms",
                "pkg:mlflow/Fraud@3?repository_url=x.azureml.ms",
            ),
            (
                "pkg:mlflow/Fraud@3?repository_url=x.azuredatabricks.net",
                "pkg:mlflow/fraud@3?repository_url=x.azuredatabricks.net",
            ),
            ("pkg:git/codeberg.org/Forgejo/forgejo@a7", "pkg:git/codeberg.org/forgejo/forgejo@a7"),
            ("pkg:nuget/EnterpriseLibrary.Common@6", "pkg:nuget/EnterpriseLibrary.Common@6"),
            ("pkg:maven/HTTPClient/HTTPClient@0.3-3", "pkg:maven/HTTPClient/HTTPClient@0.3-3"),
        ] {
            assert_eq!(Purl::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn the_name_of_a_repository_is_a_path() {
        let purl = Purl::parse("pkg:git/codeberg.org/forgejo/forgejo@a7").unwrap();
        assert_eq!(
            (purl.namespace.as_str(), purl.name.as_str()),
            ("codeberg.org", "forgejo/forgejo")
        );
    }

    #[test]
    fn what_a_type_requires_costs_no_component() {
        for text in [
            "pkg:swift/Alamofire@5.4.3",
            "pkg:vscode-extension/java@1",
            "pkg:otp/namespace/hex@2.1.1",
            "pkg:vcpkg/boost/asio@1.84.0",
            "pkg:cpan/LWP::UserAgent@6.7.6",
            "pkg:julia/Dates",
            "pkg:chrome-extension/dogs",
            "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4.5",
            "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2-b",
        ] {
            assert!(PurlReference::parse(text).is_err(), "{text}");
            assert!(Purl::parse(text).is_ok(), "{text}");
        }
        let whole = "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4";
        assert!(PurlReference::parse(whole).is_ok());
    }
}
