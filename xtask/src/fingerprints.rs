//! `cargo xtask fingerprints`: the seed of the fingerprint database, from the official archives of
//! log4j-core, where they are at hand, and from packages of Debian. Digests only: no class bytes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process;
use crate::tree;

/// Bytes of the seed; it is part of the program.
const SEED_BYTES_MAX: u64 = 8 << 20;

/// Where the seed stands in the repository.
const SEED: &str = "crates/relight-scan/seed/relight.fp";

/// Official archives of log4j-core, beside the repository.
const OFFICIAL: &str = "../shared/data/jars";

/// Debian packages of libraries that advisories are about, and of those they are shipped with.
const PACKAGES: &str = "\
    groovy jython libactivemq-java libapache-poi-java libasm-java libaspectj-java libavro-java \
    libaxis-java libaxmlrpc-java libbatik-java libbcel-java libbcmail-java libbcpg-java \
    libbcpkix-java libbcprov-java libbsh-java libbyte-buddy-java libc3p0-java libcaffeine-java \
    libcglib-java libcommons-beanutils-java libcommons-cli-java libcommons-codec-java \
    libcommons-collections3-java libcommons-collections4-java libcommons-compress-java \
    libcommons-configuration-java libcommons-configuration2-java libcommons-csv-java \
    libcommons-dbcp2-java libcommons-digester-java libcommons-email-java libcommons-exec-java \
    libcommons-fileupload-java libcommons-httpclient-java libcommons-io-java \
    libcommons-jxpath-java libcommons-lang-java libcommons-lang3-java libcommons-logging-java \
    libcommons-math3-java libcommons-net-java libcommons-pool2-java libcommons-text-java \
    libcommons-validator-java libcommons-vfs-java libderby-java libdisruptor-java libdom4j-java \
    libehcache-java liberror-prone-java libfop-java libfreemarker-java libganymed-ssh2-java \
    libgoogle-gson-java libguava-java libh2-java libhibernate-validator-java libhikaricp-java \
    libhsqldb-java libhttpasyncclient-java libhttpclient-java libhttpcore-java libhttpmime-java \
    libitext-java libitext5-java libjackson-json-java libjackson2-annotations-java \
    libjackson2-core-java libjackson2-databind-java libjackson2-dataformat-cbor \
    libjackson2-dataformat-xml-java libjackson2-dataformat-yaml libjackson2-jaxrs-providers-java \
    libjanino-java libjavassist-java libjaxb-api-java libjaxb-java libjaxws-java \
    libjboss-logging-java libjcip-annotations-java libjctools-java libjdom1-java libjdom2-java \
    libjettison-java libjetty9-java libjgit-java libjgroups-java libjline-java libjline2-java \
    libjline3-java libjna-java libjoda-time-java libjsch-java libjson-java libjson-smart-java \
    libjsoup-java libjsr305-java libjzlib-java libkryo-java liblog4j1.2-java liblog4j2-java \
    liblogback-java liblucene4.10-java liblucene8-java liblz4-java libmail-java libmariadb-java \
    libmaven3-core-java libmina-java libmina2-java libmvel-java libnekohtml-java libnetty-java \
    libognl-java libokhttp-java libokio-java libpdfbox-java libpdfbox2-java \
    libplexus-archiver-java libplexus-container-default-java libpostgresql-jdbc-java \
    libprotobuf-java libquartz-java libquartz2-java libreactive-streams-java libregexp-java \
    libresteasy3.0-java librhino-java libservlet-api-java libshiro-java libslf4j-java \
    libsnappy-java libspring-aop-java libspring-beans-java libspring-context-java \
    libspring-core-java libspring-expression-java libspring-jdbc-java libspring-jms-java \
    libspring-messaging-java libspring-orm-java libspring-oxm-java libspring-transaction-java \
    libspring-web-java libspring-web-servlet-java libstax-java libstax2-api-java \
    libtaglibs-standard-impl-java libtagsoup-java libthrift-java libtomcat10-java \
    libtomcat9-java libtrilead-ssh2-java libvelocity-tools-java libwagon-java libwoodstox-java \
    libwss4j-java libxalan2-java libxerces2-java libxml-security-java libxmlbeans-java \
    libxstream-java libxz-java libyaml-snake-java libzookeeper-java";

/// What is learnt, with what, and where it goes.
#[derive(Debug, Default)]
struct Options {
    /// Only these packages, and no official archives.
    only: Vec<String>,
    /// A program that was built already; otherwise the release build.
    program: Option<PathBuf>,
    /// The database; otherwise the seed in the repository.
    output: Option<PathBuf>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(format!("{word} needs a value"));
            match *word {
                "--only" => options.only.push((*next()?).to_owned()),
                "--program" => options.program = Some(next()?.into()),
                "-o" => options.output = Some(next()?.into()),
                _ => return Err(format!("fingerprints does not know {word}")),
            }
        }
        if !options.only.is_empty() && options.output.is_none() {
            return Err("the seed is made of all packages: --only needs -o FILE".into());
        }
        Ok(options)
    }

    fn packages(&self) -> Vec<&str> {
        match &self.only[..] {
            [] => PACKAGES.split_whitespace().collect(),
            only => only.iter().map(String::as_str).collect(),
        }
    }
}

/// Fetches, unpacks and learns.
///
/// # Errors
/// When apt, dpkg or relight fails, or the seed would be too large.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = Options::parse(words)?;
    let folder = tree::root().join("target/fingerprints");
    let failed = |error: std::io::Error| format!("write {}: {error}", folder.display());
    let (packages, unpacked) = (folder.join("packages"), folder.join("root"));
    let repository = folder.join("repository");
    // What an earlier run unpacked may be more than is asked for now.
    for each in [&unpacked, &repository].into_iter().filter(|each| each.exists()) {
        fs::remove_dir_all(each).map_err(failed)?;
    }
    for each in [&packages, &unpacked, &repository] {
        fs::create_dir_all(each).map_err(failed)?;
    }
    let wanted = options.packages();
    for package in &wanted {
        // A release of Debian may have dropped one; the others are still worth learning.
        if let Err(reason) = process::output(&packages, "apt-get", &["download", package]) {
            println!("{package} is left out: {reason}");
        }
    }
    for file in files(&packages, "deb").map_err(failed)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.contains(&name.split('_').next().unwrap_or_default()) {
            continue;
        }
        let (file, root) = (file.to_string_lossy(), unpacked.to_string_lossy());
        process::output(&folder, "dpkg-deb", &["-x", &file, &root])?;
    }
    let count = gather(&unpacked, &repository).map_err(failed)?;
    println!("{count} archives in the layout of a Maven repository");
    learn(&repository, &options)
}

fn learn(repository: &Path, options: &Options) -> Result<(), String> {
    let root = tree::root();
    let official = root.join(OFFICIAL);
    let seed = options.output.clone().unwrap_or_else(|| root.join(SEED));
    let [repository, official, seed] =
        [repository, &official, &seed].map(|path| path.to_string_lossy());
    let mut arguments = vec!["fingerprints", "learn"];
    if !options.only.is_empty() {
        println!("only {}", options.only.join(" "));
    } else if Path::new(&*official).is_dir() {
        arguments.push(&official);
    } else {
        println!("{official} is not there: the seed would lack the official log4j-core");
    }
    arguments.extend([&*repository, "--to", &seed]);
    let said = match &options.program {
        Some(program) => process::told(&root, &program.to_string_lossy(), &arguments)?,
        None => {
            let cargo = ["run", "--release", "-p", "relight", "--"];
            process::told(&root, "cargo", &[&cargo[..], &arguments].concat())?
        }
    };
    println!("{}", said.trim());
    let bytes = fs::metadata(&*seed).map_err(|error| format!("read {seed}: {error}"))?.len();
    if bytes > SEED_BYTES_MAX {
        return Err(format!("{seed} has {bytes} bytes, at most {SEED_BYTES_MAX} are allowed"));
    }
    Ok(())
}

/// Copies each archive of Debian's Maven repository under the first real version by which it goes:
/// most are links, and `debian` and `3.x` are names for whatever is there.
fn gather(root: &Path, repository: &Path) -> std::io::Result<usize> {
    let source = root.join("usr/share/maven-repo");
    let mut seen = Vec::new();
    for file in files(&source, "jar")? {
        let version = file.parent().and_then(Path::file_name).unwrap_or_default();
        let version = version.to_string_lossy();
        if version == "debian" || version.ends_with(".x") {
            continue;
        }
        let Some(target) = resolve(root, &file) else { continue };
        let Ok(place) = file.strip_prefix(&source) else { continue };
        if seen.contains(&target) {
            continue;
        }
        let copy = repository.join(place);
        fs::create_dir_all(copy.parent().unwrap_or(repository))?;
        fs::copy(&target, copy)?;
        seen.push(target);
    }
    Ok(seen.len())
}

/// The file that a link leads to inside an unpacked root; `None` when it is in another package.
fn resolve(root: &Path, file: &Path) -> Option<PathBuf> {
    const LINKS_MAX: usize = 8;
    let mut at = file.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&at) {
            Ok(link) => {
                at = match link.strip_prefix("/") {
                    Ok(inside) => root.join(inside),
                    Err(_) => at.parent()?.join(link),
                };
            }
            Err(_) => return at.is_file().then(|| at.canonicalize().unwrap_or(at)),
        }
    }
    None
}

/// All files below a folder with this ending, sorted.
fn files(folder: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|it| it == ending) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_a_repository_become_files_under_their_first_version() {
        let root = std::env::temp_dir().join(format!("fingerprints-{}", std::process::id()));
        let version = |name: &str| root.join("usr/share/maven-repo/g/a").join(name);
        for folder in [root.join("usr/share/java"), version("1.0"), version("debian")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(root.join("usr/share/java/a.jar"), "a").unwrap();
        symlink("/usr/share/java/a.jar", version("1.0").join("a-1.0.jar")).unwrap();
        symlink("../1.0/a-1.0.jar", version("debian").join("a-debian.jar")).unwrap();
        symlink("a-loop.jar", version("1.0").join("a-loop.jar")).unwrap();
        let repository = root.join("out");
        let count = gather(&root, &repository);
        let found = files(&repository, "jar");
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            (count.unwrap(), found.unwrap()),
            (1, vec![repository.join("g/a/1.0/a-1.0.jar")])
        );
    }

    #[test]
    fn a_part_never_becomes_the_seed() {
        let part = Options::parse(&["--only", "libguava-java", "-o", "x.fp"]).unwrap();
        assert_eq!(part.packages(), ["libguava-java"]);
        assert!(Options::parse(&["--only", "libguava-java"]).unwrap_err().contains("-o FILE"));
        assert!(Options::parse(&["--program"]).unwrap_err().contains("needs a value"));
        assert!(Options::parse(&["--part"]).is_err());
        assert!(Options::parse(&[]).unwrap().packages().len() > 100);
    }

    #[test]
    fn packages_are_named_once() {
        let packages: Vec<_> = PACKAGES.split_whitespace().collect();
        assert!(packages.is_sorted() && packages.len() > 100);
        assert!(packages.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(tree::root().join(SEED).metadata().unwrap().len() <= SEED_BYTES_MAX);
    }
}
