//! What decoding costs by itself: every member of the jars of a folder, or each of one ending, is
//! inflated as a scan does it, and thrown away. No scan that reads them is cheaper; `cargo xtask
//! bench scan` says how far ours is from that.
#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use relight_formats::limited::coding::Inflater;

/// Bytes that are read at once: members stand behind each other.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes of an end record without its comment.
const END_BYTES: u64 = 22;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next() else {
        println!("inflate FOLDER [ENDING]");
        return ExitCode::from(2);
    };
    let ending = arguments.next().unwrap_or_default();
    let mut decoding = Decoding { ending, ..Decoding::default() };
    match jars(Path::new(&folder)).and_then(|jars| jars.iter().try_for_each(|it| decoding.jar(it)))
    {
        Ok(()) => {
            let Decoding { members, packed_bytes, bytes, .. } = decoding;
            println!("{members} members, {packed_bytes} bytes, unpacked {bytes}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The jars below a folder.
fn jars(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "jar") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A deflated member: where its local header stands, and both sizes.
type Member = (u64, usize, usize);

#[derive(Default)]
struct Decoding {
    inflater: Inflater,
    ending: String,
    packed: Vec<u8>,
    member: Vec<u8>,
    members: u64,
    packed_bytes: u64,
    bytes: u64,
}

impl Decoding {
    /// Inflates the members of a jar.
    fn jar(&mut self, path: &Path) -> io::Result<()> {
        let mut jar = BufReader::with_capacity(PIECE_BYTES, File::open(path)?);
        let members = members(&mut jar, self.ending.as_bytes())?;
        let mut at = jar.seek(SeekFrom::Start(0))?;
        for (header_at, packed, size) in members {
            jar.seek_relative(offset(header_at) - offset(at))?;
            let mut header = [0; 30];
            jar.read_exact(&mut header)?;
            let names = u16_at(&header, 26) + u16_at(&header, 28);
            jar.seek_relative(offset(names))?;
            self.packed.resize(packed, 0);
            jar.read_exact(&mut self.packed)?;
            at = header_at + header.len() as u64 + names + packed as u64;
            if !self.inflater.inflate(&self.packed, size, &mut self.member) {
                return Err(io::Error::other(format!("a member of {} is broken", path.display())));
            }
            self.members += 1;
            self.packed_bytes += packed as u64;
            self.bytes += size as u64;
        }
        Ok(())
    }
}

/// The deflated members of a jar without a comment, in the order of their bytes.
fn members(jar: &mut BufReader<File>, ending: &[u8]) -> io::Result<Vec<Member>> {
    let end_at = jar.seek(SeekFrom::End(0))?.saturating_sub(END_BYTES);
    let mut end = [0; END_BYTES as usize];
    jar.seek(SeekFrom::Start(end_at))?;
    jar.read_exact(&mut end)?;
    if !end.starts_with(b"PK\x05\x06") {
        return Ok(Vec::new());
    }
    let mut directory = vec![0; size(&end, 12)];
    jar.seek(SeekFrom::Start(u32_at(&end, 16)))?;
    jar.read_exact(&mut directory)?;
    let (mut members, mut rest) = (Vec::new(), directory.as_slice());
    while rest.len() >= 46 {
        let len = [28, 30, 32].iter().map(|at| u16_at(rest, *at)).sum::<u64>() + 46;
        let name = &rest[46..46 + u16_at(rest, 28) as usize];
        if u16_at(rest, 10) == 8 && name.ends_with(ending) {
            members.push((u32_at(rest, 42), size(rest, 20), size(rest, 24)));
        }
        rest = &rest[rest.len().min(len as usize)..];
    }
    members.sort_unstable();
    Ok(members)
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(bytes[at]) | u64::from(bytes[at + 1]) << 8
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn size(bytes: &[u8], at: usize) -> usize {
    u32_at(bytes, at) as usize
}

fn offset(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
