//! What sites are built with: languages, and the platforms whose names people know.

use crate::{Component, Scope};

/// A language or a platform that is recognised by its packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its stable name, as queries and documents have it.
    pub code: &'static str,
    /// Its own name, the same in every language.
    pub name: &'static str,
    /// The type of the package URLs that show it.
    kind: &'static str,
    /// Namespace and name of those packages; none stands for every package of that type.
    packages: &'static [&'static str],
}

/// Every one, each language before what is written in it.
pub const STACKS: [Built; 24] = [
    built("java", "Java", "maven", &[]),
    built("spring-boot", "Spring Boot", "maven", &["spring-boot"]),
    built("tomcat", "Tomcat", "maven", &["tomcat-embed-core", "tomcat-catalina", "catalina"]),
    built("jetty", "Jetty", "maven", &["jetty-server"]),
    built("wildfly", "WildFly", "maven", &["wildfly-server", "jboss-as-server"]),
    built("quarkus", "Quarkus", "maven", &["quarkus-core"]),
    built("struts", "Struts", "maven", &["struts2-core", "struts-core"]),
    built("node", "Node.js", "npm", &[]),
    built("express", "Express", "npm", &["express"]),
    built("next", "Next.js", "npm", &["next"]),
    built("python", "Python", "pypi", &[]),
    built("django", "Django", "pypi", &["django"]),
    built("flask", "Flask", "pypi", &["flask"]),
    built("php", "PHP", "composer", &[]),
    built("laravel", "Laravel", "composer", &["laravel/framework"]),
    built("symfony", "Symfony", "composer", &["symfony/http-kernel", "symfony/symfony"]),
    built("drupal", "Drupal", "composer", &["drupal/core"]),
    built("wordpress", "WordPress", "generic", &["wordpress"]),
    built("dotnet", ".NET", "nuget", &[]),
    built("ruby", "Ruby", "gem", &[]),
    built("rails", "Rails", "gem", &["rails"]),
    built("go", "Go", "golang", &[]),
    built("rust", "Rust", "cargo", &[]),
    built("perl", "Perl", "cpan", &[]),
];

const fn built(
    code: &'static str,
    name: &'static str,
    kind: &'static str,
    packages: &'static [&'static str],
) -> Built {
    Built { code, name, kind, packages }
}

impl Built {
    /// The one of a stable name or of its own name, in any letters.
    pub fn parse(text: &str) -> Option<&'static Self> {
        STACKS.iter().find(|it| is(text, it.code) || is(text, it.name))
    }

    /// The type of the package URLs that show it.
    pub const fn purl_kind(&self) -> &'static str {
        self.kind
    }

    /// Whether a component shows it. Groups of Maven are left out: not every jar says its own.
    fn is_shown_by(&self, component: &Component) -> bool {
        let purl = &component.purl;
        let fits = |package: &&str| match package.split_once('/') {
            Some((namespace, name)) => is(&purl.namespace, namespace) && is(&purl.name, name),
            None => is(&purl.name, package) && (self.kind == "maven" || purl.namespace.is_empty()),
        };
        purl.kind == self.kind && (self.packages.is_empty() || self.packages.iter().any(fits))
    }
}

fn is(text: &str, name: &str) -> bool {
    text.eq_ignore_ascii_case(name)
}

/// What something is built with, as far as its components say: a set of [`STACKS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stack(u32);

impl Stack {
    /// What one component shows. What only built a program says nothing about what a site is. A
    /// library that an operating system brings along says nothing about the language of a site,
    /// but a platform is there whoever installed it.
    pub fn of(component: &Component) -> Self {
        if component.scope == Scope::Build {
            return Self::default();
        }
        let is_of_site = |built: &Built| component.owned_by.is_none() || !built.packages.is_empty();
        let is_shown = |built: &Built| built.is_shown_by(component) && is_of_site(built);
        let shown = (0..).zip(&STACKS).filter(|(_, built)| is_shown(built));
        Self(shown.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is there.
    pub fn has(self, built: &Built) -> bool {
        self.parts().any(|it| it == built)
    }

    /// Each that is there, in the order of [`STACKS`].
    pub fn parts(self) -> impl Iterator<Item = &'static Built> {
        (0..).zip(&STACKS).filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, built)| built)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Basis, Purl};

    fn component(purl: &str) -> Component {
        let purl = Purl::parse(purl).unwrap();
        Component::new(purl, "", Basis::InstalledMetadata, Scope::Installed)
    }

    fn codes(purl: &str) -> Vec<&'static str> {
        Stack::of(&component(purl)).parts().map(|it| it.code).collect()
    }

    #[test]
    fn packages_show_a_language_and_what_is_written_in_it() {
        for (purl, expected) in [
            ("pkg:maven/org.springframework.boot/spring-boot@2.6.1", &["java", "spring-boot"][..]),
            ("pkg:maven/catalina@9", &["java", "tomcat"]),
            ("pkg:npm/express@4", &["node", "express"]),
            ("pkg:npm/%40scope/express@4", &["node"]),
            ("pkg:pypi/Django@4", &["python", "django"]),
            ("pkg:composer/laravel/framework@9", &["php", "laravel"]),
            ("pkg:composer/other/framework@9", &["php"]),
            ("pkg:generic/wordpress@6.4", &["wordpress"]),
            ("pkg:generic/nginx@1.24", &[]),
            ("pkg:deb/debian/express@4", &[]),
        ] {
            assert_eq!(codes(purl), expected, "{purl}");
        }
    }

    #[test]
    fn what_belongs_to_a_system_or_only_built_a_program_shows_nothing() {
        let of_system = Component {
            owned_by: Some(Purl::parse("pkg:deb/debian/python3-six@1").unwrap()),
            ..component("pkg:pypi/six@1")
        };
        assert_eq!(Stack::of(&of_system), Stack::default());
        let platform = Component {
            owned_by: Some(Purl::parse("pkg:deb/debian/tomcat10@10").unwrap()),
            ..component("pkg:maven/catalina@10")
        };
        let shown: Vec<_> = Stack::of(&platform).parts().map(|it| it.code).collect();
        assert_eq!(shown, ["tomcat"], "a plan for it must not leave the site out");
        let built = Component { scope: Scope::Build, ..component("pkg:cargo/cc@1") };
        assert_eq!(Stack::of(&built), Stack::default());
    }

    #[test]
    fn each_has_its_name_and_both_are_more_than_one() {
        let codes: std::collections::BTreeSet<&str> = STACKS.iter().map(|it| it.code).collect();
        assert_eq!(codes.len(), STACKS.len());
        assert!(STACKS.len() <= u32::BITS as usize, "one bit each");
        let both =
            Stack::of(&component("pkg:npm/x@1")).and(Stack::of(&component("pkg:gem/rails@7")));
        assert_eq!(
            both.parts().map(|it| it.name).collect::<Vec<_>>(),
            ["Node.js", "Ruby", "Rails"]
        );
        let named = |text| Built::parse(text).unwrap();
        assert!(both.has(named("rails")) && both.has(named("node.JS")) && !both.has(named("java")));
        assert_eq!(Built::parse("cobol"), None);
    }
}
