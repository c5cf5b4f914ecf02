//! Zip archives that programs read although they are not as the format says, and encrypted ones.
use std::io::Write as _;

use super::builder::{Builder, Done, Truth, read, write};
use super::zip::{self, Layout, Member};
use crate::process;

/// An oddity: sample, file, what is special, and how it is made of a release's members.
type Oddity = (&'static str, &'static str, &'static str, fn(&[Member]) -> Vec<u8>);

const ODDITIES: [Oddity; 20] = [
    ("shell-prefix", "run.sh", "a shell script in front", shell_prefix),
    ("shell-prefix-counted", "run", "a script in front, counted in the offsets", counted_prefix),
    ("elf-prefix", "launcher", "an executable in front", elf_prefix),
    ("pe-prefix", "setup.exe", "an executable in front", pe_prefix),
    ("comment", "a.jar", "a comment of 65,535 bytes", long_comment),
    ("zip64", "a.jar", "zip64 end records", zip64),
    ("garbage", "a.jar", "bytes behind the end", garbage),
    ("garbage-long", "a.jar", "70,000 bytes behind the end", long_garbage),
    ("two-ends", "a.jar", "an older end record in front of the true one", two_ends),
    ("descriptors", "a.jar", "sizes behind the data", descriptors),
    ("stored-descriptors", "a.jar", "stored, sizes behind the data", stored_descriptors),
    ("backslashes", "a.jar", "backslashes in names", backslashes),
    ("absolute", "a.jar", "names that leave the folder", absolute),
    ("wrong-crc", "a.jar", "checksums that do not fit", wrong_crc),
    ("other-local-names", "a.jar", "other names in the local headers", other_local_names),
    ("truncated-directory", "a.jar", "the directory is cut off", truncated_directory),
    ("truncated-data", "a.jar", "the last third is missing", truncated_data),
    ("broken-directory", "a.jar", "zeros in the directory", broken_directory),
    ("broken-start", "a.jar", "the first local header is gone", broken_start),
    ("many-empty", "a.jar", "20,000 empty members beside", many_empty),
];

/// Methods other than deflate: sample, number, program and arguments.
const METHODS: [(&str, u16, &str, &[&str]); 4] = [
    ("bzip2", 12, "bzip2", &["-c"]),
    ("lzma", 14, "xz", &["--format=lzma", "-c"]),
    ("zstd", 93, "zstd", &["-qc"]),
    ("xz", 95, "xz", &["--check=crc32", "-c"]),
];

pub(super) fn oddities(b: &mut Builder) -> Done {
    for (name, file, note, make) in ODDITIES {
        let version = b.vulnerable_version();
        let bytes = make(&b.members(&version)?);
        b.one(Truth::Vulnerable, [name, file, &version, note], &bytes)?;
    }
    for (name, file, note, make) in ODDITIES.into_iter().step_by(2) {
        // Nobody can call clear what could not be read.
        if !["truncated-directory", "broken-directory", "garbage-long"].contains(&name) {
            let version = b.safe_version();
            let bytes = make(&b.members(&version)?);
            b.one(Truth::Safe, [&format!("safe-{name}"), file, &version, note], &bytes)?;
        }
    }
    duplicates(b)?;
    for (name, method, program, arguments) in METHODS {
        b.attempt(name, |b| other_method(b, name, method, program, arguments));
    }
    Ok(())
}

fn with(members: &[Member], layout: &Layout) -> Vec<u8> {
    zip::write(members, layout)
}

const SCRIPT: &[u8] = b"#!/bin/sh\nexec java -jar \"$0\" \"$@\"\nexit 1\n";

fn shell_prefix(members: &[Member]) -> Vec<u8> {
    with(members, &Layout { prefix: SCRIPT.to_vec(), ..Layout::default() })
}

fn counted_prefix(members: &[Member]) -> Vec<u8> {
    let layout = Layout { prefix: SCRIPT.to_vec(), from_file_start: true, ..Layout::default() };
    with(members, &layout)
}

fn elf_prefix(members: &[Member]) -> Vec<u8> {
    let mut prefix = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    prefix.resize(52, 0);
    // Sizes of the headers, none of which is there.
    prefix.extend([64, 0, 56, 0, 0, 0, 64, 0, 0, 0, 0, 0]);
    prefix.resize(8192, 0x90);
    with(members, &Layout { prefix, ..Layout::default() })
}

fn pe_prefix(members: &[Member]) -> Vec<u8> {
    let mut prefix = b"MZ".to_vec();
    prefix.resize(60, 0);
    prefix.extend([0x80, 0, 0, 0]);
    prefix.resize(0x80, 0);
    prefix.extend(b"PE\0\0\x64\x86\0\0");
    prefix.resize(4096, 0);
    with(members, &Layout { prefix, ..Layout::default() })
}

fn long_comment(members: &[Member]) -> Vec<u8> {
    with(members, &Layout { comment: vec![b' '; 65_535], ..Layout::default() })
}

fn zip64(members: &[Member]) -> Vec<u8> {
    with(members, &Layout { zip64: true, ..Layout::default() })
}

fn garbage(members: &[Member]) -> Vec<u8> {
    with(members, &Layout { suffix: vec![0; 1000], ..Layout::default() })
}

fn long_garbage(members: &[Member]) -> Vec<u8> {
    with(members, &Layout { suffix: vec![b'x'; 70_000], ..Layout::default() })
}

/// An empty archive stands in the comment of nothing: its end record comes first.
fn two_ends(members: &[Member]) -> Vec<u8> {
    let prefix = zip::archive(&[]);
    with(members, &Layout { prefix, ..Layout::default() })
}

fn descriptors(members: &[Member]) -> Vec<u8> {
    zip::archive(&members.iter().map(Member::streamed).collect::<Vec<_>>())
}

/// The whole release as one stored member with a descriptor, so that its own records are inside.
fn stored_descriptors(members: &[Member]) -> Vec<u8> {
    zip::archive(&[Member::stored("lib/log4j.jar", &zip::archive(members)).streamed()])
}

fn backslashes(members: &[Member]) -> Vec<u8> {
    let renamed = members.iter().map(|member| member.renamed(&member.text().replace('/', "\\")));
    zip::archive(&renamed.collect::<Vec<_>>())
}

fn absolute(members: &[Member]) -> Vec<u8> {
    let renamed = members.iter().enumerate().map(|(number, member)| {
        let prefix = ["/", "../../", "C:/", "./"][number % 4];
        member.renamed(&format!("{prefix}{}", member.text()))
    });
    zip::archive(&renamed.collect::<Vec<_>>())
}

fn wrong_crc(members: &[Member]) -> Vec<u8> {
    let wrong = members.iter().map(|member| Member { crc: !member.crc, ..member.clone() });
    zip::archive(&wrong.collect::<Vec<_>>())
}

fn other_local_names(members: &[Member]) -> Vec<u8> {
    let other = members.iter().enumerate().map(|(number, member)| {
        let local_name = Some(format!("resource-{number}").into_bytes());
        Member { local_name, ..member.clone() }
    });
    zip::archive(&other.collect::<Vec<_>>())
}

fn truncated_directory(members: &[Member]) -> Vec<u8> {
    let mut bytes = zip::archive(members);
    bytes.truncate(bytes.len() - 2000);
    bytes
}

fn truncated_data(members: &[Member]) -> Vec<u8> {
    let mut bytes = zip::archive(&first_lookups(members));
    bytes.truncate(bytes.len() / 3 * 2);
    bytes
}

/// The classes of the flaw first, so that a part of the archive holds them.
fn first_lookups(members: &[Member]) -> Vec<Member> {
    let mut members = members.to_vec();
    members.sort_by_key(|member| !member.text().contains("/Jndi"));
    members
}

fn broken_directory(members: &[Member]) -> Vec<u8> {
    let mut bytes = zip::archive(members);
    let end = bytes.len() - 22;
    bytes[end - 3000..end].fill(0);
    bytes
}

fn broken_start(members: &[Member]) -> Vec<u8> {
    let mut bytes = zip::archive(members);
    bytes[..4].fill(0);
    bytes
}

fn many_empty(members: &[Member]) -> Vec<u8> {
    let empty = (0..20_000).map(|number| Member::stored(&format!("empty/{number}.txt"), b""));
    zip::archive(&members.iter().cloned().chain(empty).collect::<Vec<_>>())
}

/// Two members of one name; programs differ on which one they take.
fn duplicates(b: &mut Builder) -> Done {
    for (name, bad_first) in [("duplicate-first", true), ("duplicate-last", false)] {
        let (bad, good) = (b.vulnerable_version(), b.safe_version());
        let mut pair = [
            Member::stored("WEB-INF/lib/log4j.jar", &b.jar(&bad)?),
            Member::stored("WEB-INF/lib/log4j.jar", &b.jar(&good)?),
        ];
        if !bad_first {
            pair.reverse();
        }
        let note = "a safe release under the same name";
        b.one(Truth::Vulnerable, [name, "app.war", &bad, note], &zip::archive(&pair))?;
    }
    Ok(())
}

/// The release as one member of a rarer method.
fn other_method(
    b: &mut Builder,
    name: &str,
    method: u16,
    program: &str,
    arguments: &[&str],
) -> Done {
    let version = b.vulnerable_version();
    let jar = b.jar(&version)?;
    let mut packed = process::filter(program, arguments, &jar)?;
    if method == 14 {
        // Zip has a version and the size of the properties in front, and no size behind them.
        let mut framed = vec![9, 4, 5, 0];
        framed.write_all(&packed[..5]).map_err(|e| e.to_string())?;
        framed.extend(&packed[13..]);
        packed = framed;
    }
    let mut member = Member::packed("lib/log4j.jar", method, &jar, packed);
    if method == 14 {
        // The stream has its own end mark.
        member.flags |= 2;
    }
    let note = "a rarer method";
    b.one(Truth::Vulnerable, [name, "a.zip", &version, note], &zip::archive(&[member]))
}

/// Encrypted archives: sample, file, arguments of 7-Zip.
const ENCRYPTED: [(&str, &str, &[&str]); 6] = [
    ("zip-crypto", "a.jar", &["-tzip", "-mem=ZipCrypto"]),
    ("aes-256", "a.jar", &["-tzip", "-mem=AES256"]),
    ("7z", "a.7z", &["-t7z"]),
    ("7z-headers", "b.7z", &["-t7z", "-mhe=on"]),
    ("zip-crypto-nested", "a.zip", &["-tzip", "-mem=ZipCrypto"]),
    ("aes-nested", "a.zip", &["-tzip", "-mem=AES256"]),
];

pub(super) fn encryption(b: &mut Builder) -> Done {
    for (name, file, arguments) in ENCRYPTED {
        b.attempt(name, |b| encrypted(b, name, file, arguments));
    }
    Ok(())
}

/// A release whose members, or which as a member, nobody can read without the password.
fn encrypted(b: &mut Builder, name: &str, file: &str, arguments: &[&str]) -> Done {
    let version = b.vulnerable_version();
    let scratch = b.scratch(name)?;
    let inside = scratch.join("in");
    if name.ends_with("nested") {
        write(&inside.join("lib/log4j.jar"), &b.jar(&version)?)?;
    } else {
        b.unpack(&version, &inside)?;
    }
    let mut all = vec!["a", "-bd", "-bso0", "-pcorpus"];
    all.extend(arguments);
    all.extend(["../out", "."]);
    process::output(&inside, "7z", &all)?;
    let found = ["out", "out.zip", "out.7z"].iter().map(|name| scratch.join(name));
    let made = found.into_iter().find(|path| path.is_file()).ok_or("7z made no file")?;
    let note = "a password is needed: unknown is a right answer";
    b.one(Truth::Vulnerable, [name, file, &version, note], &read(&made)?)
}
