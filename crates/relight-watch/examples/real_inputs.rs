//! Published inputs against the watch, for `cargo xtask vectors`: `real_inputs FOLDER` counts what
//! is judged otherwise than the files say, and fails if anything is. A part of the folder that is
//! not there is not run.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use relight_watch::line::Lines;
use relight_watch::lookup::Verdict;
use relight_watch::{
    Daybook, Feed, FlowDecoder, Memory, Reader, Window, decode_line, judge, parsers,
};

/// Alarms that an ordinary web log of ten thousand lines may raise.
const ALARMS_MAX: usize = 1;

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("usage: real_inputs FOLDER"))?;
    let mut out = io::stdout().lock();
    let mut wrong = 0;
    for (name, effective) in [("jndi/positive.tsv", true), ("jndi/negative.tsv", false)] {
        wrong += with(&folder.join(name), &mut out, |bytes| payloads(bytes, effective))?;
    }
    for (name, alarms_max) in
        [("logs/apache_combined_2015.log", Some(ALARMS_MAX)), ("logs/nginxplus_json_logs", None)]
    {
        wrong += with(&folder.join(name), &mut out, |bytes| log(bytes, alarms_max))?;
    }
    wrong += datagrams(&folder.join("logs/netflow"), &mut out)?;
    if wrong > 0 { Err(io::Error::other(format!("{wrong} judged otherwise"))) } else { Ok(()) }
}

/// Runs one file, and prints what it says; gives how much of it is wrong.
fn with(
    path: &Path,
    out: &mut impl io::Write,
    run: impl Fn(&[u8]) -> (usize, String),
) -> io::Result<usize> {
    if !path.is_file() {
        writeln!(out, "not run: {} is not there", path.display())?;
        return Ok(0);
    }
    let (wrong, said) = run(&fs::read(path)?);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    writeln!(out, "{name}: {said}, {wrong} wrong")?;
    Ok(wrong)
}

/// Lines whose last column is one of a log: all of them hold a payload that would have worked, or
/// none does.
fn payloads(bytes: &[u8], effective: bool) -> (usize, String) {
    let (mut lines, mut wrong) = (0, 0);
    for line in Lines::new(bytes) {
        let Some(text) = line.splitn(5, '\t').nth(4) else { continue };
        lines += 1;
        let found = decode_line(text).1.map(|found| found.verdict);
        wrong += usize::from((found == Some(Verdict::EffectiveRemote)) != effective);
    }
    let what = if effective { "with" } else { "without" };
    (wrong, format!("{lines} lines {what} a payload"))
}

/// A log of one server: each alarm too many is wrong. Lines that are none are told: one of these
/// files has a torn line, and another holds states of a server and no requests.
fn log(bytes: &[u8], alarms_max: Option<usize>) -> (usize, String) {
    let mut reader = Reader::new(Feed { host: "www.example.test".to_owned(), ..Feed::default() });
    let (mut window, mut daybook) = (Window::new(1), Daybook::new());
    reader.read(bytes, &mut Memory::default(), &mut window, &mut daybook);
    let tally = reader.tally();
    let refused: u64 = tally.refused.values().map(|(count, _)| *count).sum();
    let alarms = judge(&window).len();
    let said = format!(
        "{} events of {} lines, {refused} refused, {alarms} alarms",
        tally.events, tally.lines
    );
    let too_many = alarms_max.map_or(0, |most| alarms.saturating_sub(most));
    (too_many, said)
}

/// Datagrams of many exporters, each from an address of its own, templates before data: what a
/// flow becomes must be an event, and a datagram that says it is broken must be refused.
fn datagrams(folder: &Path, out: &mut impl io::Write) -> io::Result<usize> {
    if !folder.is_dir() {
        writeln!(out, "not run: {} is not there", folder.display())?;
        return Ok(0);
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    let is_data = |path: &Path| path.to_string_lossy().contains("_data");
    files.sort_by_key(|path| (is_data(path), path.clone()));
    let parser = parsers::named("ipfix_json").ok_or_else(|| io::Error::other("no such parser"))?;
    let (mut decoder, feed) = (FlowDecoder::new(), Feed::default());
    let (mut wrong, mut events) = (0, 0);
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = decoder.take(exporter(&name), &fs::read(path)?);
        for line in &lines {
            match parser.parse(&feed, line) {
                Ok(_) => events += 1,
                Err(code) => {
                    wrong += 1;
                    writeln!(out, "  {name}: {code}: {line}")?;
                }
            }
        }
    }
    let tally = decoder.tally();
    writeln!(
        out,
        "netflow: {} files, {} records, {events} events, refused {:?}, {wrong} wrong",
        files.len(),
        tally.records,
        tally.refused,
    )?;
    Ok(wrong)
}

/// The device whose templates a file needs: the name before what it holds.
fn exporter(name: &str) -> IpAddr {
    let device = name.split("_tpl").next().unwrap_or(name).split("_data").next().unwrap_or(name);
    let number =
        device.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    IpAddr::from(Ipv4Addr::from(number))
}
