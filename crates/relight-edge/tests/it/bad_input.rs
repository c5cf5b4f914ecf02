//! What cannot work: each is an error with its place, and never dark.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use relight_edge::{EdgeErrorKind, Stage, exec};
use relight_model::Seen;

use crate::support::{Kind, Rig, epoch, set};

/// A small file system in memory over a folder, until it is dropped.
struct Small(PathBuf);

impl Small {
    /// None where this process may not mount.
    fn over(folder: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=16k", "tmpfs"];
        let is_mounted = exec::worker_user().is_some()
            && program("mount").args(options).arg(folder).status().is_ok_and(|it| it.success());
        is_mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = program("umount").arg("-l").arg(&self.0).status();
    }
}

fn program(name: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "a test that fills a disk has to make one")]
    Command::new(name)
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_dark() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        let Some(disk) = Small::over(&rig.target.gate) else { return };
        // Their names alone are more than there is room for.
        let many = set(0..3_000);
        for stage in [Stage::Durable, Stage::Runtime] {
            let error = rig.apply(epoch(1), stage, &many).unwrap_err();
            assert_eq!((error.kind, error.retry), (EdgeErrorKind::Io, true), "{kind:?}: {error}");
            let place = rig.target.gate.display().to_string();
            assert!(error.to_string().contains(&place), "{kind:?}: {error}");
            let cause = error.source().unwrap().to_string();
            assert!(cause.contains("No space left"), "{kind:?}: {cause}");
        }
        let view = rig.observe(0);
        assert_ne!((view.durable, view.runtime), (Seen::Dark, Seen::Dark), "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
        drop(disk);
        rig.close(1, &set([0]));
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}: with room again");
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        rig.target.gate = "/proc/relight/gate".into();
        let error = relight_edge::open(&rig.target).err().unwrap();
        assert_eq!(error.kind, EdgeErrorKind::Io, "{kind:?}");
        let told = error.to_string();
        assert!(told.starts_with("edge north: ") && told.contains("/proc/relight/gate"), "{told}");
    }
}

#[test]
fn a_gate_that_others_may_write_is_an_error_of_the_lint() {
    use std::os::unix::fs::PermissionsExt as _;
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        fs::set_permissions(&rig.target.gate, fs::Permissions::from_mode(0o777)).unwrap();
        let lints = rig.driver.lint().unwrap();
        let codes: Vec<_> = lints.iter().map(|lint| lint.code).collect();
        assert!(codes.contains(&"gate-writable-by-others"), "{kind:?}: {codes:?}");
    }
}

/// A setting that is missing or makes no sense is said when the edge is opened, with its name.
#[test]
fn settings_that_are_missing_or_wrong_are_named() {
    let rig = Rig::start(Kind::Command, 1);
    for driver in relight_edge::DRIVERS {
        for setting in driver.settings().iter().filter(|setting| setting.required) {
            let mut target = rig.target.clone();
            target.kind = driver.name().to_owned();
            for other in driver.settings().iter().filter(|other| other.name != setting.name) {
                let value = match other.name {
                    "observe" | "apply" | "tunnels" | "cut" => r#"["/bin/true"]"#,
                    "api" => "127.0.0.1:1",
                    "holding" => "hold:80",
                    "capabilities" => "durable",
                    _ => "/nowhere",
                };
                target.settings.insert(other.name.to_owned(), value.to_owned());
            }
            target.settings.remove(setting.name);
            let error = relight_edge::open(&target).err().unwrap();
            assert_eq!(error.kind, EdgeErrorKind::Lint, "{} {}", driver.name(), setting.name);
            assert!(error.to_string().contains(&format!("`{}`", setting.name)), "{error}");
        }
    }
    for (name, value) in [
        ("observe", "/bin/true"),
        ("observe", "[]"),
        ("apply", r#"["true"]"#),
        ("cut", r#"[1]"#),
        ("capabilities", "invisible"),
    ] {
        let mut target = rig.target.clone();
        target.settings.insert(name.to_owned(), value.to_owned());
        let error = relight_edge::open(&target).err().unwrap();
        assert_eq!(error.kind, EdgeErrorKind::Lint, "{name} {value}");
    }
    let mut target = rig.target.clone();
    target.kind = "gateway_api".to_owned();
    for (name, value) in [("routes", "/nowhere"), ("api", "10.0.0.1:80"), ("holding", "hold:80")] {
        target.settings.insert(name.to_owned(), value.to_owned());
    }
    assert!(relight_edge::open(&target).err().unwrap().to_string().contains("`api`"));
    target.settings.insert("api".to_owned(), "127.0.0.1:80".to_owned());
    target.settings.insert("holding".to_owned(), "hold:x".to_owned());
    assert!(relight_edge::open(&target).err().unwrap().to_string().contains("`holding`"));
}

/// The record of each kind, as it is shown to people before any drill.
#[test]
fn only_what_ran_against_the_real_program_calls_itself_tested() {
    for driver in relight_edge::DRIVERS {
        let record = driver.capabilities();
        let is_experimental = ["gateway_api", "traefik"].contains(&driver.name());
        let maturity = if is_experimental { "experimental" } else { "tested" };
        assert_eq!(record.maturity.code(), maturity, "{}", driver.name());
        if is_experimental {
            assert_eq!(record.basis.code(), "documented", "{}", driver.name());
        }
    }
}
