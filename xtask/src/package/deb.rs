//! The files of the Debian package, put where they belong.
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::process;

/// How well the package is compressed: as it is published, or as a test needs it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effort {
    /// The smallest.
    Small,
    /// The fastest.
    Quick,
}

/// Files of the repository, and where they are installed.
pub(super) const FILES: [(&str, &str); 6] = [
    ("packaging/systemd/relight.service", "usr/lib/systemd/system/relight.service"),
    ("packaging/systemd/relight-agent.service", "usr/lib/systemd/system/relight-agent.service"),
    ("packaging/systemd/relight.sysusers", "usr/lib/sysusers.d/relight.conf"),
    ("packaging/systemd/relight.tmpfiles", "usr/lib/tmpfiles.d/relight.conf"),
    ("packaging/relight.toml", "usr/share/doc/relight/examples/relight.toml"),
    ("packaging/debian/copyright", "usr/share/doc/relight/copyright"),
];

/// Shells, and where each looks for the script that completes commands.
pub(super) const COMPLETIONS: [(&str, &str); 4] = [
    ("bash", "usr/share/bash-completion/completions/relight"),
    ("zsh", "usr/share/zsh/vendor-completions/_relight"),
    ("fish", "usr/share/fish/vendor_completions.d/relight.fish"),
    ("nushell", "usr/share/nushell/vendor/autoload/relight.nu"),
];

/// What runs before and after.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Libraries of the system that the program may need, and the packages that have them.
const LIBRARIES: [(&str, &str); 6] = [
    ("libc.so", "libc6"),
    ("libm.so", "libc6"),
    ("ld-linux", "libc6"),
    ("libgcc_s.so", "libgcc-s1"),
    ("linux-vdso.so", ""),
    ("linux-gate.so", ""),
];

/// Makes the package of a program in a folder of its own; its path.
///
/// # Errors
/// When a file cannot be read or written, or a program fails.
pub(super) fn build(
    root: &Path,
    program: &Path,
    place: &Path,
    effort: Effort,
) -> Result<PathBuf, String> {
    let tree = place.join("tree");
    let binary = tree.join("usr/bin/relight");
    put(&binary, &read(program)?, 0o755)?;
    for (from, to) in FILES {
        put(&tree.join(to), &read(&root.join(from))?, 0o644)?;
    }
    let word = |path: &Path| path.to_string_lossy().into_owned();
    let (relight, man) = (word(&binary), tree.join("usr/share/man"));
    for (shell, to) in COMPLETIONS {
        let script = process::output(place, &relight, &["--lang", "en", "completions", shell])?;
        put(&tree.join(to), script.as_bytes(), 0o644)?;
    }
    process::output(place, &relight, &["man", &word(&man)])?;
    let log = tree.join("usr/share/doc/relight/changelog");
    put(&log, &read(&root.join("CHANGELOG.md"))?, 0o644)?;
    for file in files(&man)?.iter().chain([&log]) {
        // Without the name and the time of the file, which are another machine's.
        process::output(place, "gzip", &["-9n", &word(file)])?;
    }
    let needs = needs(&process::output(place, "ldd", &[&relight])?, &read(program)?)?;
    let machine = process::output(place, "dpkg", &["--print-architecture"])?;
    let installed = files(&tree)?;
    let control = tree.join("DEBIAN");
    for name in SCRIPTS {
        let from = root.join("packaging/debian").join(name);
        put(&control.join(name), &read(&from)?, 0o755)?;
    }
    put(&control.join("md5sums"), sums(&tree, &installed)?.as_bytes(), 0o644)?;
    let size = sizes(&installed)?.div_ceil(1024);
    put(&control.join("control"), head(machine.trim(), &needs, size).as_bytes(), 0o644)?;
    open(&tree)?;
    let to = place.join(format!("relight_{}_{}.deb", env!("CARGO_PKG_VERSION"), machine.trim()));
    let strength = match effort {
        Effort::Small => ["-Zxz", "-z9"],
        Effort::Quick => ["-Zgzip", "-z1"],
    };
    let (tree, to_name) = (word(&tree), word(&to));
    let options = ["--root-owner-group", strength[0], strength[1], "--build", &tree, &to_name];
    let mut command = process::command(place, "dpkg-deb", &options);
    if let Some(time) = source_time(root) {
        command.env("SOURCE_DATE_EPOCH", time);
    }
    let output = command.output().map_err(|error| format!("start dpkg-deb: {error}"))?;
    match output.status.success() {
        true => Ok(to),
        false => Err(format!("dpkg-deb: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The time that files are said to be of: that of the commit, so that two builds are equal.
fn source_time(root: &Path) -> Option<String> {
    let named = std::env::var("SOURCE_DATE_EPOCH").ok();
    let of_commit = || process::output(root, "git", &["log", "-1", "--format=%ct"]).ok();
    named.or_else(of_commit).map(|time| time.trim().to_owned())
}

fn head(machine: &str, needs: &str, size_kib: u64) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "Package: relight\nVersion: {version}\nArchitecture: {machine}\n\
         Maintainer: The maintainers of relight\nInstalled-Size: {size_kib}\nDepends: {needs}, \
         systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles\n\
         Recommends: ca-certificates, iproute2\nSuggests: nginx | haproxy | apache2 | caddy\n\
         Section: admin\nPriority: optional\n\
         Description: take web sites dark, prove it, bring each back when it is proven clear\n \
         relight keeps an inventory of the components of many web sites, answers which of them\n \
         have a flaw, takes those dark at the proxy in front of them, and brings each one back\n \
         when it is proven clear. It reads access logs for who is trying the doors.\n"
    )
}

/// The packages whose libraries the program needs, with the version of the C library that its
/// newest symbol came with.
fn needs(ldd: &str, program: &[u8]) -> Result<String, String> {
    let mut packages = Vec::new();
    for line in ldd.lines() {
        let path = line.split_whitespace().next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let found = LIBRARIES.iter().find(|(library, _)| name.starts_with(library));
        let &(_, package) = found.ok_or(format!("package: which package has {name}?"))?;
        if !package.is_empty() && !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages.sort();
    let minor = newest_glibc(program).ok_or("package: the program names no version of libc")?;
    let packages = packages.into_iter().map(|package| match package {
        "libc6" => format!("libc6 (>= 2.{minor})"),
        package => package.to_owned(),
    });
    Ok(packages.collect::<Vec<_>>().join(", "))
}

/// The highest N of `GLIBC_2.N`.
fn newest_glibc(program: &[u8]) -> Option<u32> {
    // As text, piece by piece: what looks for text is fast in programs that are not optimised, too.
    let pieces = (0..program.len()).step_by(PIECE);
    let pieces = pieces.map(|at| &program[at..program.len().min(at + PIECE + NAME_MAX)]);
    pieces.filter_map(|piece| newest_in(&String::from_utf8_lossy(piece))).max()
}

/// Bytes that are looked at together.
const PIECE: usize = 1 << 20;
/// Bytes of a name that begins at the end of a piece.
const NAME_MAX: usize = 16;

fn newest_in(text: &str) -> Option<u32> {
    let digits = |rest: &str| -> Option<u32> {
        let end = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    text.split("GLIBC_2.").skip(1).filter_map(digits).max()
}

fn sums(tree: &Path, files: &[PathBuf]) -> Result<String, String> {
    let name = |file: &PathBuf| file.strip_prefix(tree).unwrap_or(file).display().to_string();
    let names: Vec<String> = files.iter().map(name).collect();
    process::output(tree, "md5sum", &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn sizes(files: &[PathBuf]) -> Result<u64, String> {
    let size = |file: &PathBuf| fs::metadata(file).map(|it| it.len());
    files.iter().map(size).sum::<Result<u64, _>>().map_err(|error| format!("package: {error}"))
}

/// Every file below a folder, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("read {}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Folders that everybody may enter, and files that everybody may read, whatever our umask is.
fn open(folder: &Path) -> Result<(), String> {
    let failed = |error| format!("package: {}: {error}", folder.display());
    fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(failed)?;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            open(&path)?;
        } else {
            let mode = fs::metadata(&path).map_err(failed)?.permissions().mode();
            let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
            fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(failed)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), String> {
    let failed = |error| format!("write {}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_libraries_are_named_and_an_unknown_one_is_refused() {
        let ldd = "\tlinux-vdso.so.1 (0x1)\n\tlibgcc_s.so.1 => /lib/libgcc_s.so.1 (0x1)\n\
                   \tlibm.so.6 => /lib/libm.so.6 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\
                   \t/lib64/ld-linux-x86-64.so.2 (0x1)\n";
        let program = b"..GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE";
        assert_eq!(needs(ldd, program).unwrap(), "libc6 (>= 2.34), libgcc-s1");
        let other = needs("\tlibssl.so.3 => /lib/libssl.so.3 (0x1)\n", program).unwrap_err();
        assert_eq!(other, "package: which package has libssl.so.3?");
        assert!(needs(ldd, b"GLIBC_").is_err());
        // A name that begins where one piece ends.
        let mut long = vec![0; PIECE - 3];
        long.extend(b"GLIBC_2.35\0");
        assert_eq!(newest_glibc(&long), Some(35));
    }

    #[test]
    fn the_description_follows_its_form() {
        let text = head("amd64", "libc6 (>= 2.34)", 7);
        let fields: Vec<&str> = text
            .lines()
            .filter(|it| !it.starts_with(' '))
            .filter_map(|it| it.split(": ").next())
            .collect();
        let wanted = [
            "Package",
            "Version",
            "Architecture",
            "Maintainer",
            "Installed-Size",
            "Depends",
            "Recommends",
            "Suggests",
            "Section",
            "Priority",
            "Description",
        ];
        assert_eq!(fields, wanted);
        assert!(text.contains("\nDepends: libc6 (>= 2.34), systemd | "), "{text}");
        assert!(text.lines().filter(|it| it.starts_with(' ')).count() == 3, "{text}");
    }
}
