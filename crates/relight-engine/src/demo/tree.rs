//! Writes what one site has deployed: a folder of real files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use relight_watch::sim::Random;

use super::archive::{self, LOG4J_CORE, Members, Method};
use super::{DemoSite, Obstacle, Stack};

/// What is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// As it stood on the day of the order, obstacle included.
    AsFound,
    /// The same application in a form that can be read.
    Readable,
    /// A repair that forgot a second copy of the old library.
    HalfFixed,
    /// The library replaced by 2.17.1 everywhere.
    Fixed,
}

impl Deployment {
    const ALL: [Self; 4] = [Self::AsFound, Self::Readable, Self::HalfFixed, Self::Fixed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::AsFound => "as-found",
            Self::Readable => "readable",
            Self::HalfFixed => "half-fixed",
            Self::Fixed => "fixed",
        }
    }

    /// Whether a site with this deployed really has an affected version.
    pub const fn is_vulnerable(self, site: &DemoSite) -> bool {
        site.stack.is_vulnerable() && !matches!(self, Self::Fixed)
    }
}

/// What is deployed in a folder, as the release file in it says: the deployment and its number.
///
/// # Errors
/// The file is missing, or says something else.
pub fn release_of(dir: &Path) -> io::Result<(Deployment, u32)> {
    let text = fs::read_to_string(dir.join(RELEASE))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let deployment = field("release=")
        .and_then(|text| Deployment::ALL.into_iter().find(|one| one.as_str() == text));
    let number = field("number=").and_then(|text| text.parse().ok());
    deployment
        .zip(number)
        .ok_or_else(|| io::Error::other(format!("{} is no release file", dir.display())))
}

const RELEASE: &str = "etc/release";

/// Writes the folder of a site anew: `dir` is replaced by rename, so that a reader sees the old
/// deployment, the new one, or for an instant none ([`recover_site`]), never a mixture. `number`
/// counts the deployments of the site, so that two releases of the same files differ.
///
/// # Errors
/// A folder or file could not be written.
pub fn write_site(
    site: &DemoSite,
    deployment: Deployment,
    number: u32,
    dir: &Path,
) -> io::Result<()> {
    let mut files = files(site, deployment)?;
    let release = format!("site={}\nrelease={}\nnumber={number}\n", site.slug, deployment.as_str());
    files.push((RELEASE.to_owned(), release.into_bytes()));
    let fresh = sibling(dir, "new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    for (name, bytes) in files {
        let path = fresh.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    recover_site(dir)?;
    let old = sibling(dir, "old");
    if dir.exists() {
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        fs::rename(dir, &old)?;
    }
    fs::rename(&fresh, dir)?;
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}

/// Puts the old deployment back where a crash between the two renames of [`write_site`] left none.
///
/// # Errors
/// The folder cannot be renamed.
pub fn recover_site(dir: &Path) -> io::Result<()> {
    let old = sibling(dir, "old");
    if old.exists() && !dir.exists() { fs::rename(old, dir) } else { Ok(()) }
}

fn sibling(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn files(site: &DemoSite, deployment: Deployment) -> io::Result<Members> {
    let stack = match deployment {
        Deployment::Fixed | Deployment::HalfFixed if site.stack.is_vulnerable() => {
            Stack::JavaPatched
        }
        _ => site.stack,
    };
    let mut files = application(site, stack)?;
    if deployment == Deployment::HalfFixed {
        let copy = archive::zip(&archive::log4j_core("2.14.1"), Method::Deflated)?;
        files.push(("opt/agent/lib/logging.jar".to_owned(), copy));
    }
    if stack == Stack::NameOnly && deployment == Deployment::Readable {
        // The owner brings the jar that the vendor published, metadata included.
        files.retain(|(name, _)| !name.contains("log4j-core"));
        let jar = archive::zip(&archive::log4j_core("2.14.1"), Method::Deflated)?;
        files.push(("opt/app/lib/log4j-core-2.14.1.jar".to_owned(), jar));
    }
    if deployment == Deployment::AsFound {
        obstruct(site, &mut files)?;
    }
    Ok(files)
}

fn application(site: &DemoSite, stack: Stack) -> io::Result<Members> {
    let mut rng = Random::new(site.seed, 0);
    match stack {
        Stack::Node => Ok(node(&mut rng)),
        Stack::Python => Ok(python(&mut rng)),
        _ => java(stack, &mut rng),
    }
}

fn node(rng: &mut Random) -> Members {
    let mut files = Vec::new();
    let mut locked = String::new();
    for (name, versions) in NPM {
        let version = rng.word(versions);
        let package = format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}\n");
        files.push((format!("srv/app/node_modules/{name}/package.json"), package.into_bytes()));
        locked.push_str(&format!(",\"node_modules/{name}\":{{\"version\":\"{version}\"}}"));
    }
    let root = "\"\":{\"name\":\"app\"}";
    let lock =
        format!("{{\"name\":\"app\",\"lockfileVersion\":3,\"packages\":{{{root}{locked}}}}}\n");
    files.push(("srv/app/package-lock.json".to_owned(), lock.into_bytes()));
    files.push(("srv/app/server.js".to_owned(), b"require('express')().listen(8080)\n".to_vec()));
    files
}

fn python(rng: &mut Random) -> Members {
    let site = "srv/venv/lib/python3.11/site-packages";
    let mut files = Vec::new();
    for (name, versions) in PYPI {
        let version = rng.word(versions);
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
        let folder = format!("{site}/{}-{version}.dist-info", name.replace('-', "_"));
        files.push((format!("{folder}/METADATA"), metadata.into_bytes()));
    }
    files.push(("srv/app/wsgi.py".to_owned(), b"from app import application\n".to_vec()));
    files
}

fn java(stack: Stack, rng: &mut Random) -> io::Result<Members> {
    let mut jars = Vec::new();
    for (group, artifact, versions) in MAVEN {
        let version = rng.word(versions);
        let class = format!("{}/{}/Main", group.replace('.', "/"), artifact.replace('-', "_"));
        let members = archive::library(group, artifact, version, &[&class]);
        let name = format!("{artifact}-{version}.jar");
        jars.push((name, archive::zip(&members, Method::Deflated)?));
    }
    if let Some((name, members)) = log4j(stack) {
        jars.push((name, archive::zip(&members, Method::Deflated)?));
    }
    let war = |jars: Members| -> io::Result<Vec<u8>> {
        let mut members: Members = vec![("WEB-INF/web.xml".to_owned(), b"<web-app/>\n".to_vec())];
        members
            .extend(jars.into_iter().map(|(name, bytes)| (format!("WEB-INF/lib/{name}"), bytes)));
        archive::zip(&members, Method::Stored)
    };
    Ok(match stack {
        Stack::Nested => {
            let inner = war(jars)?;
            let ear = archive::zip(&vec![("portal.war".to_owned(), inner)], Method::Deflated)?;
            vec![("opt/app/portal.ear".to_owned(), ear)]
        }
        Stack::Shaded => {
            let mut merged = archive::library("qc.exemple", "service", "3.2.0", &["qc/Main"]);
            merged.extend(
                archive::log4j_core("2.14.1")
                    .into_iter()
                    .filter(|(name, _)| name != "META-INF/MANIFEST.MF"),
            );
            let jar = archive::zip(&merged, Method::Deflated)?;
            vec![("opt/app/service-all.jar".to_owned(), jar)]
        }
        Stack::Plain | Stack::Renamed | Stack::Mitigated | Stack::NameOnly => {
            jars.into_iter().map(|(name, bytes)| (format!("opt/app/lib/{name}"), bytes)).collect()
        }
        _ => vec![("opt/tomcat/webapps/app.war".to_owned(), war(jars)?)],
    })
}

/// The logging library of a stack: file name and members.
fn log4j(stack: Stack) -> Option<(String, Members)> {
    let named = |version: &str| format!("log4j-core-{version}.jar");
    match stack {
        Stack::JavaPatched => Some((named("2.17.1"), archive::log4j_core("2.17.1"))),
        Stack::JavaApiOnly => {
            let group = "org.apache.logging.log4j";
            let class = "org/apache/logging/log4j/Logger";
            let members = archive::library(group, "log4j-api", "2.14.1", &[class]);
            Some(("log4j-api-2.14.1.jar".to_owned(), members))
        }
        Stack::Plain | Stack::Nested => Some((named("2.14.1"), archive::log4j_core("2.14.1"))),
        Stack::Renamed => Some(("journalisation.dat".to_owned(), archive::log4j_core("2.11.2"))),
        Stack::Mitigated => {
            let mut members = archive::log4j_core("2.13.3");
            members.retain(|(name, _)| !name.starts_with(LOG4J_CORE[1]));
            Some((named("2.13.3"), members))
        }
        Stack::NameOnly => Some((named("2.14.1"), archive::nameless())),
        Stack::Node | Stack::Python | Stack::Java | Stack::Shaded => None,
    }
}

/// Puts in the way of a reader what stood there on the day of the order.
fn obstruct(site: &DemoSite, files: &mut Members) -> io::Result<()> {
    match site.obstacle {
        Obstacle::None | Obstacle::NeverInventoried => {}
        Obstacle::Truncated => {
            let whole = archive::zip(files, Method::Deflated)?;
            let cut = whole.len() * 2 / 3;
            *files = vec![("opt/app/application.war".to_owned(), whole[..cut].to_vec())];
        }
        Obstacle::Encrypted | Obstacle::EncryptedForGood => {
            let mut sealed = archive::zip(files, Method::Deflated)?;
            archive::encrypt(&mut sealed);
            *files = vec![("opt/vendor/bundle.zip".to_owned(), sealed)];
        }
    }
    Ok(())
}

const NPM: [(&str, &[&str]); 5] = [
    ("express", &["4.17.1", "4.17.3", "4.18.2"]),
    ("lodash", &["4.17.20", "4.17.21"]),
    ("body-parser", &["1.19.0", "1.20.1"]),
    ("@exemple/theme", &["1.0.0", "1.2.0"]),
    ("moment", &["2.29.1", "2.29.4"]),
];

const PYPI: [(&str, &[&str]); 5] = [
    ("Django", &["3.2.9", "3.2.10", "4.0"]),
    ("requests", &["2.25.1", "2.26.0"]),
    ("urllib3", &["1.26.5", "1.26.7"]),
    ("Pillow", &["8.3.2", "8.4.0"]),
    ("zope-interface", &["5.4.0"]),
];

const MAVEN: [(&str, &str, &[&str]); 4] = [
    ("org.springframework", "spring-core", &["5.3.9", "5.3.13"]),
    ("com.fasterxml.jackson.core", "jackson-databind", &["2.12.3", "2.13.0"]),
    ("commons-io", "commons-io", &["2.8.0", "2.11.0"]),
    ("ch.qos.logback", "logback-classic", &["1.2.6", "1.2.7"]),
];

#[cfg(test)]
mod tests {
    use super::super::Province;
    use super::*;

    #[test]
    fn the_same_site_is_written_the_same_and_a_new_deployment_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let province = Province::generate(400, 7);
        let site = province.sites.iter().find(|site| site.stack == Stack::Plain).unwrap();
        let dir = folder.path().join("site");
        write_site(site, Deployment::AsFound, 1, &dir).unwrap();
        write_site(site, Deployment::Fixed, 2, &dir).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["site"], "no leftovers");
        assert_eq!(release_of(&dir).unwrap(), (Deployment::Fixed, 2));
        fs::rename(&dir, sibling(&dir, "old")).unwrap();
        recover_site(&dir).unwrap();
        recover_site(&dir).unwrap();
        assert_eq!(release_of(&dir).unwrap(), (Deployment::Fixed, 2), "after a crash");
        assert!(Deployment::HalfFixed.is_vulnerable(site));
        assert!(!Deployment::Fixed.is_vulnerable(site));
        assert!(release_of(folder.path()).is_err());
        let again = files(site, Deployment::Fixed).unwrap();
        assert_eq!(again, files(site, Deployment::Fixed).unwrap());
    }

    #[test]
    fn a_fix_removes_every_affected_copy_and_a_half_fix_leaves_one() {
        let province = Province::generate(3_992, 7);
        for site in province.sites.iter().filter(|site| site.stack.is_vulnerable()).take(200) {
            let text = |deployment| {
                let files = files(site, deployment).unwrap();
                files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("\n")
            };
            assert!(!text(Deployment::Fixed).contains("logging.jar"));
            assert!(text(Deployment::HalfFixed).contains("logging.jar"));
        }
    }
}
