//! Bytes made unreadable in every way, by a generator that knows which and why.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use relight_model::FlawCode;
use relight_scan::{Options, Pace, Progress, Services, Target, scan_target};
use testkit::Rng;

use crate::container_writer::{cpio, gz, tar};
use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, run, text, tree};

/// Files that are generated, and files of one tree.
const CASES: usize = 3_000;
const IN_TREE: usize = 20;

/// Limits that a few thousand bytes reach.
const DEPTH_MAX: u32 = 6;
const ENTRIES_MAX: u64 = 60;
const SIZE_MAX: usize = 16_000;
const CLASS_MAX: usize = 3_000;

fn options() -> Options {
    Options {
        depth_max: DEPTH_MAX,
        entries_max: ENTRIES_MAX,
        file_size_max: SIZE_MAX as u64,
        class_size_max: CLASS_MAX as u64,
        expanded_free_bytes: 5 * SIZE_MAX as u64,
        expanded_ratio_max: 1,
        ..Options::default()
    }
}

/// A file, and all that a scan must say of it. Places stand behind that of the file.
#[derive(Default)]
struct Case {
    bytes: Vec<u8>,
    /// Why, where, and how many bytes nobody can read, as they stand in their container.
    flaws: Vec<(FlawCode, String, usize)>,
    /// Where what stands beside it is found all the same.
    found: Vec<String>,
}

impl Case {
    fn of(bytes: Vec<u8>, flaws: &[(FlawCode, &str, usize)], found: &[&str]) -> Self {
        let flaws = flaws.iter().map(|(code, at, len)| (*code, (*at).to_owned(), *len));
        let found = found.iter().map(|at| (*at).to_owned());
        Self { bytes, flaws: flaws.collect(), found: found.collect() }
    }

    /// The same in another container, beside an archive that can be read.
    fn wrapped(self, rng: &mut Rng) -> Self {
        let (beside, inner) = (write(&[neighbour()]), self.bytes);
        let files: &[(&str, &[u8])] = &[("beside.jar", &beside), ("inner", &inner)];
        let zip = |inner| write(&[Member::stored("beside.jar", &beside), inner]);
        let bytes = match rng.below(5) {
            0 => zip(Member::stored("inner", &inner)),
            1 => zip(Member::deflated("inner", &inner)),
            2 => tar(files),
            3 => gz(&tar(files)),
            _ => cpio(files),
        };
        let inside = |at: String| format!("!/inner{at}");
        let flaws = self.flaws.into_iter().map(|(code, at, len)| (code, inside(at), len));
        let found = self.found.into_iter().map(inside).chain(["!/beside.jar".to_owned()]);
        Self { bytes, flaws: flaws.collect(), found: found.collect() }
    }
}

fn noise(len: usize, rng: &mut Rng) -> Vec<u8> {
    (0..len).map(|_| rng.below(256) as u8).collect()
}

fn neighbour() -> Member {
    Member::deflated(&pom_path("beside"), &pom("beside", "1"))
}

/// A member that cannot be read, beside one that can.
fn of_member(member: Member, code: FlawCode) -> Case {
    let len = member.data.len();
    Case::of(write(&[neighbour(), member]), &[(code, "!/secret", len)], &[""])
}

/// A zip with a member that is encrypted, damaged, too large, or of a kind that is not read.
fn member(rng: &mut Rng) -> Case {
    let len = 60 + rng.below(1_500);
    let bytes = noise(len, rng);
    let stored = || Member::stored("secret", &bytes);
    let deflated = || Member::deflated("secret", &bytes);
    let starts = |mark: &[u8]| Member::deflated("secret", &[mark, &bytes].concat());
    let class = b"\xca\xfe\xba\xbe\0\0\0\x34\xff\xff";
    match rng.below(14) {
        0 => of_member(Member { flags: 1, ..stored() }, FlawCode::Encrypted),
        1 => of_member(Member { method: 97, ..deflated() }, FlawCode::MethodUnsupported),
        2 => of_member(Member { crc: !stored().crc, ..stored() }, FlawCode::CrcMismatch),
        3 => of_member(Member { crc: !stored().crc, ..deflated() }, FlawCode::CrcMismatch),
        4 => {
            // A block of a kind that there is not.
            let mut member = deflated();
            member.data[0] = 7;
            of_member(member, FlawCode::CorruptEntry)
        }
        5 => {
            let mut member = deflated();
            member.data.truncate(1 + rng.below(len));
            of_member(member, FlawCode::Truncated)
        }
        6 => of_member(starts(b"Rar!\x1a\x07"), FlawCode::ContainerUnsupported),
        7 => of_member(starts(b"MSCF\0\0\0\0"), FlawCode::ContainerUnsupported),
        8 => of_member(starts(b"LUKS\xba\xbe"), FlawCode::Encrypted),
        9 => of_member(starts(class), FlawCode::ClassMalformed),
        10 => {
            let class = [&class[..], &noise(CLASS_MAX, rng)].concat();
            of_member(Member::deflated("secret", &class), FlawCode::LimitClassSize)
        }
        11 => {
            let bytes = vec![b'x'; SIZE_MAX + len];
            of_member(Member::deflated("secret", &bytes), FlawCode::LimitEntrySize)
        }
        12 => {
            let local_name = b"other".to_vec();
            of_member(Member { local_name, ..stored() }, FlawCode::ZipHeaderMismatch)
        }
        _ => {
            let unpacked = deflated().unpacked + 1 + rng.below(9) as u32;
            of_member(Member { unpacked, ..deflated() }, FlawCode::CorruptEntry)
        }
    }
}

/// A file that cannot be read as a whole, or behind a place.
fn file(rng: &mut Rng) -> Case {
    let len = 60 + rng.below(1_500);
    let bytes = noise(len, rng);
    let starts =
        |mark: &[u8], code| Case::of([mark, &bytes].concat(), &[(code, "", mark.len() + len)], &[]);
    let beside = write(&[neighbour()]);
    match rng.below(7) {
        0 => starts(b"Rar!\x1a\x07", FlawCode::ContainerUnsupported),
        1 => starts(b"Salted__", FlawCode::Encrypted),
        2 => {
            // Cut somewhere in its last member.
            let first = write(&[neighbour(), Member::stored("secret", &[])]);
            let all = write(&[neighbour(), Member::stored("secret", &bytes)]);
            let data_at = first.windows(6).position(|it| it == b"secret").unwrap() + 6;
            let left = rng.below(len);
            let cut = all[..data_at + left].to_vec();
            let whole = (FlawCode::Truncated, "", cut.len());
            let flaws = [whole, (FlawCode::CorruptEntry, "!/secret", left)];
            Case::of(cut, &flaws, &[""])
        }
        3 => {
            let all = tar(&[("beside.jar", &beside), ("secret", &bytes)]);
            let cut = all.len() - 1_024 - len.next_multiple_of(512) + rng.below(len);
            let flaws = [(FlawCode::Truncated, "", 0), (FlawCode::Truncated, "!/secret", len)];
            Case::of(all[..cut].to_vec(), &flaws, &["!/beside.jar"])
        }
        4 => {
            let mut nested = Case::of(write(&[neighbour()]), &[], &[""]);
            for _ in 0..DEPTH_MAX {
                nested.bytes = write(&[neighbour(), Member::stored("x", &nested.bytes)]);
            }
            let places: Vec<_> = (0..DEPTH_MAX as usize).map(|at| "!/x".repeat(at)).collect();
            let places: Vec<_> = places.iter().map(String::as_str).collect();
            let deepest = "!/x".repeat(DEPTH_MAX as usize);
            Case::of(nested.bytes, &[(FlawCode::LimitDepth, &deepest, beside.len())], &places)
        }
        5 => {
            let number = |at| Member::stored(&format!("{at}"), &bytes[..10]);
            let all: Vec<_> = [neighbour()].into_iter().chain((0..80).map(number)).collect();
            Case::of(write(&all), &[(FlawCode::LimitEntries, "", 0)], &[""])
        }
        _ => {
            let zeros = |at| Member::deflated(&format!("{at}"), &[0; SIZE_MAX - 1]);
            let all: Vec<_> = [neighbour()].into_iter().chain((0..9).map(zeros)).collect();
            let flaw = (FlawCode::LimitExpanded, "!/5", all[6].data.len());
            Case::of(write(&all), &[flaw], &[""])
        }
    }
}

fn case(rng: &mut Rng) -> Case {
    match rng.below(8) {
        0 => Case::of(write(&[neighbour()]), &[], &[""]),
        1 | 2 => file(rng),
        _ => {
            let case = member(rng);
            (0..rng.below(3)).fold(case, |case, _| case.wrapped(rng))
        }
    }
}

/// Goal (S14): of so many bytes that nobody can read, exactly so many are told, each with the right
/// code and place, no more and no less; what stands beside them is found; and no tree with one of
/// them is complete. Method: from one seed, thousands of files in trees of twenty, each encrypted,
/// damaged, cut, above a limit, or of a kind that is not read, alone and in other containers.
#[test]
fn what_a_generator_makes_unreadable_is_told_to_the_byte() {
    let seed = 20_211_214;
    println!("seed {seed}, {CASES} files");
    let mut rng = Rng::new(seed);
    let mut unread = 0;
    for first in (0..CASES).step_by(IN_TREE) {
        let number = |at: usize| format!("{:04}", first + at);
        let cases: Vec<_> = (0..IN_TREE).map(|at| (number(at), case(&mut rng))).collect();
        let files: Vec<_> = cases.iter().map(|(at, it)| (at.as_str(), &*it.bytes)).collect();
        let report = run(tree(&files).path(), &options());
        let (mut flaws, mut found) = (Vec::new(), Vec::new());
        for (name, case) in &cases {
            let told = |(code, at, len): &(FlawCode, String, usize)| {
                (format!("{name}{at}"), code.as_str(), *len as u64)
            };
            flaws.extend(case.flaws.iter().map(told));
            found.extend(case.found.iter().map(|at| format!("{name}{at}")));
        }
        flaws.sort();
        found.sort();
        let told = report.sbom.flaws.iter();
        let told = told.map(|flaw| (flaw.evidence.clone(), flaw.code.as_str(), flaw.bytes));
        let mut told: Vec<_> = told.collect();
        told.sort();
        let seen = report.sbom.components.iter().map(|it| it.evidence.clone());
        let mut seen: Vec<_> = seen.collect();
        seen.sort();
        assert_eq!((told, seen), (flaws.clone(), found), "seed {seed}, from {first}");
        assert_eq!(report.sbom.is_complete(), flaws.is_empty());
        unread += flaws.iter().map(|flaw| flaw.2).sum::<u64>();
    }
    println!("{unread} bytes told");
}

/// Touches files while they are read.
#[derive(Debug)]
struct Writer {
    folder: PathBuf,
}

impl Pace for Writer {
    fn read(&self, _: u64) {
        let path = self.folder.join("a.jar");
        let longer = [fs::read(&path).unwrap_or_default(), b" ".to_vec()].concat();
        let _ = fs::write(path, longer);
        let _ = fs::remove_file(self.folder.join("b.jar"));
    }
}

/// Goal: a file that changes each time that it is read, and one that goes after it was listed, are
/// told, and no tree with one of them is complete. Method: whoever hears how much was read from the
/// disk writes to the first and removes the second.
#[test]
fn what_changes_or_goes_while_it_is_read_is_told() {
    let jar = write(&[neighbour()]);
    let folder = tree(&[("a.jar", &jar), ("b.jar", &jar)]);
    let pace: std::sync::Arc<dyn Pace> =
        std::sync::Arc::new(Writer { folder: folder.path().to_owned() });
    let services = Services { progress: &Progress::default(), pace: Some(pace), cache: None };
    let options = Options { threads: Some(1), ..Options::default() };
    let target = Target::Folder(folder.path().to_owned());
    let report = scan_target(&target, &options, &services).unwrap();
    let told: Vec<_> = report.sbom.flaws.iter().map(|it| (it.code, &*it.evidence)).collect();
    assert_eq!(
        told,
        [(FlawCode::ChangedDuringScan, "a.jar"), (FlawCode::ChangedDuringScan, "b.jar")]
    );
    assert!(report.sbom.flaws[0].bytes > jar.len() as u64);
}

/// Where the process of another user finds the folder that it looks at.
const SEEN_BY: &str = "RELIGHT_SEEN_BY_ANOTHER";

/// What that process says where it does not get there.
const VOID: &str = "out of reach";

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// Goal: what may not be opened is told, also where the suite runs as root, whom modes do not bind.
/// Method: a folder, a file and an archive in a folder that may not be read, looked at by a process
/// of a user who owns none of them. Who is not root looks for himself; where the program of the
/// suite may not be started by others, or the folder not be reached, the case is void.
#[test]
fn what_another_user_may_not_open_is_told() {
    if let Some(folder) = std::env::var_os(SEEN_BY) {
        if fs::read_dir(&folder).is_err() {
            return print!("{VOID}");
        }
        return print!("{}", text(&run(Path::new(&folder), &Options::default())));
    }
    let jar = write(&[neighbour()]);
    let folder = tree(&[
        ("closed/a.jar", &jar),
        ("inner/closed/b.jar", &jar),
        ("inner/open.jar", &jar),
        ("secret.jar", &jar),
    ]);
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    for name in ["closed", "inner/closed", "secret.jar"] {
        mode(name, 0);
    }
    let own = ["--exact", "--nocapture", "faults::what_another_user_may_not_open_is_told"];
    let mut looks = command(&std::env::current_exe().unwrap());
    looks.args(own).env(SEEN_BY, folder.path());
    if rustix::process::geteuid().is_root() {
        looks.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let output = looks.output();
    for name in ["closed", "inner/closed"] {
        mode(name, 0o700);
    }
    let Ok(output) = output else { return };
    let output = String::from_utf8(output.stdout).unwrap();
    if output.contains(VOID) {
        return;
    }
    let told = "pkg:maven/g/beside@1 in inner/open.jar\n\
        flaw permission-denied closed\n\
        flaw permission-denied inner/closed\n\
        flaw permission-denied secret.jar\n";
    assert!(output.contains(told), "{output}");
}

#[expect(clippy::disallowed_methods, reason = "only another process is another user")]
fn command(program: &Path) -> std::process::Command {
    std::process::Command::new(program)
}
