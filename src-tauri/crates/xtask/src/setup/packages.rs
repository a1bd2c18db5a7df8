//! System packages: what the build needs from each kind of system, what of it is missing, and
//! the commands that bring it.
//!
//! Tried on Debian 12. The lists for the others are written from their package indexes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Purpose;
use super::machine::{Installer, Machine};
use crate::exec::{self, say};

/// What is to be done about the packages of a machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Missing packages, by the installer's names.
    pub missing: Vec<String>,
    /// Command lines in order.
    pub commands: Vec<Vec<String>>,
    /// What only a person can do.
    pub by_hand: Vec<String>,
}

/// Packages by purpose. bindgen (ffmpeg, SQLite) wants libclang with its headers; the window
/// wants WebKitGTK and D-Bus. Of ffmpeg's libraries only those that are linked are asked for.
fn wanted(installer: Installer, purpose: Purpose) -> Vec<&'static str> {
    let (run, test, bench): (&[&str], &[&str], &[&str]) = match installer {
        Installer::Apt { .. } => (
            &[
                "pkgconf",
                "clang",
                "libclang-dev",
                "libavcodec-dev",
                "libavfilter-dev",
                "libavformat-dev",
                "libavutil-dev",
                "libswscale-dev",
                "libwebkit2gtk-4.1-dev",
                "libdbus-1-dev",
            ],
            &[
                "xvfb",
                "xauth",
                "dbus-daemon",
                "webkit2gtk-driver",
                "ffmpeg",
            ],
            &["ffmpeg", "python3-venv"],
        ),
        Installer::Dnf => (
            &[
                "pkgconf-pkg-config",
                "clang",
                "clang-devel",
                "pkgconfig(libavcodec)",
                "pkgconfig(libavfilter)",
                "pkgconfig(libavformat)",
                "pkgconfig(libavutil)",
                "pkgconfig(libswscale)",
                "pkgconfig(webkit2gtk-4.1)",
                "pkgconfig(dbus-1)",
            ],
            &[
                "/usr/bin/xvfb-run",
                "xorg-x11-xauth",
                "/usr/bin/dbus-run-session",
                "/usr/bin/WebKitWebDriver",
                "/usr/bin/ffmpeg",
            ],
            &["/usr/bin/ffmpeg", "python3"],
        ),
        Installer::Pacman => (
            &["pkgconf", "clang", "ffmpeg", "webkit2gtk-4.1", "dbus"],
            &["xorg-server-xvfb", "xorg-xauth"],
            &["python"],
        ),
        Installer::Brew => (&["pkgconf", "ffmpeg"], &[], &["python"]),
        Installer::Windows | Installer::Unknown => (&[], &[], &[]),
    };
    let extra = match purpose {
        Purpose::Run => &[],
        Purpose::Test => test,
        Purpose::Bench => bench,
    };
    let mut names = [run, extra].concat();
    if purpose == Purpose::Test && installer == (Installer::Apt { is_debian: true }) {
        // The window's pages are also looked at in a browser; elsewhere that stage is skipped
        // where no browser is found.
        names.push("chromium");
    }
    names
}

/// Finds out what is missing and what to do about it. Starts only commands that change nothing.
/// `wants_pip` is set when something must come from the Python package index and pip is absent.
pub fn plan(machine: &Machine, purpose: Purpose, wants_pip: bool) -> Plan {
    let wanted = wanted(machine.installer, purpose);
    match machine.installer {
        Installer::Windows => plan_windows(machine),
        Installer::Unknown => plan_unknown(machine, purpose),
        Installer::Brew => {
            let mut plan = Plan::default();
            if !exec::succeeds(machine.command("xcode-select").arg("-p")) {
                plan.by_hand
                    .push("install Apple's command line tools: xcode-select --install".into());
            }
            if machine.which("brew").is_none() {
                plan.by_hand.push(format!(
                    "install Homebrew (https://brew.sh), then: brew install {}",
                    wanted.join(" ")
                ));
                return plan;
            }
            let found = lines_of(machine, "brew", &["list", "--formula", "-1"]);
            let missing = without(&wanted, &found);
            install(machine, &mut plan, missing);
            plan
        }
        Installer::Apt { .. } => {
            let mut arguments = vec![
                "--show",
                "--showformat",
                "${Package} ${db:Status-Status}\\n",
            ];
            arguments.extend(&wanted);
            let found = lines_of(machine, "dpkg-query", &arguments);
            let mut missing = without(&wanted, &installed_by_dpkg(&found));
            if wants_pip {
                missing.push("python3-pip".into());
            }
            let mut plan = Plan::default();
            install(machine, &mut plan, missing);
            plan
        }
        Installer::Dnf => {
            let mut missing: Vec<String> = wanted
                .iter()
                .filter(|name| {
                    !exec::succeeds(machine.command("rpm").args(["-q", "--whatprovides", name]))
                })
                .map(ToString::to_string)
                .collect();
            if wants_pip {
                missing.push("python3-pip".into());
            }
            let mut plan = Plan::default();
            install(machine, &mut plan, missing);
            plan
        }
        Installer::Pacman => {
            let mut arguments = vec!["-T"];
            arguments.extend(&wanted);
            // `pacman -T` prints what is not there.
            let mut missing = lines_of(machine, "pacman", &arguments);
            if wants_pip {
                missing.push("python-pip".into());
            }
            let mut plan = Plan::default();
            install(machine, &mut plan, missing);
            plan
        }
    }
}

/// Adds the commands that install `missing`.
fn install(machine: &Machine, plan: &mut Plan, missing: Vec<String>) {
    if missing.is_empty() {
        return;
    }
    let words = |line: &[&str]| line.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut commands: Vec<Vec<String>> = match machine.installer {
        Installer::Apt { .. } => vec![
            words(&["apt-get", "update"]),
            // Recommended packages of WebKitGTK are a desktop's worth of codecs and portals.
            words(&[
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                "--yes",
                "--no-install-recommends",
            ]),
        ],
        Installer::Dnf => vec![words(&["dnf", "install", "--assumeyes"])],
        Installer::Pacman => vec![words(&["pacman", "-S", "--needed", "--noconfirm"])],
        Installer::Brew => vec![words(&["brew", "install"])],
        Installer::Windows | Installer::Unknown => Vec::new(),
    };
    if let Some(last) = commands.last_mut() {
        last.extend(missing.iter().cloned());
    }
    let needs_root = machine.installer != Installer::Brew;
    if needs_root && !machine.is_root {
        if machine.which("sudo").is_none() {
            let lines: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
            plan.by_hand
                .push(format!("as root: {}", lines.join(" && ")));
            commands.clear();
        }
        for command in &mut commands {
            command.insert(0, "sudo".into());
        }
    }
    plan.missing.extend(missing);
    plan.commands.extend(commands);
}

fn plan_unknown(machine: &Machine, purpose: Purpose) -> Plan {
    let mut plan = Plan::default();
    let libraries = [
        "libavcodec",
        "libavfilter",
        "libavformat",
        "libavutil",
        "libswscale",
        "webkit2gtk-4.1",
        "dbus-1",
    ];
    let mut missing: Vec<&str> = libraries
        .into_iter()
        .filter(|name| !exec::succeeds(machine.command("pkg-config").args(["--exists", name])))
        .collect();
    let programs: &[&str] = match purpose {
        Purpose::Run => &["pkg-config", "clang"],
        Purpose::Test => &[
            "pkg-config",
            "clang",
            "xvfb-run",
            "dbus-run-session",
            "WebKitWebDriver",
            "ffmpeg",
        ],
        Purpose::Bench => &["pkg-config", "clang", "ffmpeg", "python3"],
    };
    missing.extend(programs.iter().filter(|name| machine.which(name).is_none()));
    if !missing.is_empty() {
        plan.by_hand.push(format!(
            "install with this system's package tool (libraries with their development files): {}",
            missing.join(", ")
        ));
    }
    plan
}

/// Where the LLVM installer puts libclang.
const WINDOWS_LLVM: &str = r"C:\Program Files\LLVM\bin";

fn plan_windows(machine: &Machine) -> Plan {
    let mut plan = Plan::default();
    let words = |line: &[&str]| line.iter().map(ToString::to_string).collect::<Vec<_>>();
    if machine.which("clang").is_none() && !Path::new(WINDOWS_LLVM).is_dir() {
        if machine.which("winget").is_some() {
            plan.missing.push("LLVM.LLVM".into());
            plan.commands.push(words(&[
                "winget",
                "install",
                "--exact",
                "--id",
                "LLVM.LLVM",
                "--accept-package-agreements",
                "--accept-source-agreements",
            ]));
        } else {
            plan.by_hand
                .push("install LLVM (its libclang reads the C headers), then start again".into());
        }
    }
    if std::env::var_os("FFMPEG_DIR").is_none() && vcpkg_ffmpeg().is_none() {
        if machine.which("vcpkg").is_some() && std::env::var_os("VCPKG_ROOT").is_some() {
            plan.missing.push("ffmpeg:x64-windows".into());
            plan.commands.push(words(&[
                "vcpkg",
                "install",
                "--classic",
                "ffmpeg[avcodec,avfilter,avformat,swscale]:x64-windows",
            ]));
        } else {
            plan.by_hand.push(
                "install vcpkg and set VCPKG_ROOT, or unpack a shared FFmpeg build (with include \
                 and lib) and set FFMPEG_DIR to its folder"
                    .into(),
            );
        }
    }
    plan
}

/// vcpkg's folder of x64 libraries, when ffmpeg is in it.
fn vcpkg_ffmpeg() -> Option<PathBuf> {
    let root = PathBuf::from(std::env::var_os("VCPKG_ROOT")?).join("installed/x64-windows");
    root.join("include/libavcodec/avcodec.h")
        .is_file()
        .then_some(root)
}

/// Installs what is missing and returns the variables that the build needs to find it.
///
/// # Errors
/// An installer fails, or something must be done by hand: the message says what.
pub fn ensure(
    machine: &Machine,
    purpose: Purpose,
    wants_pip: bool,
) -> anyhow::Result<Vec<(String, OsString)>> {
    let plan = plan(machine, purpose, wants_pip);
    if !plan.by_hand.is_empty() {
        bail!(
            "this machine lacks what cannot be installed from here:\n  - {}",
            plan.by_hand.join("\n  - ")
        );
    }
    if !plan.missing.is_empty() {
        say(&format!("installing {}", plan.missing.join(" ")));
    }
    for words in &plan.commands {
        let (program, arguments) = words.split_first().context("an empty command")?;
        let done = exec::run(machine.command(program).args(arguments));
        // An index that cannot be refreshed may still be fresh enough; installing will tell.
        if let Err(error) = done {
            if words.last().is_some_and(|word| word == "update") {
                say(&format!("{error:#}; trying with the index as it is"));
                continue;
            }
            return Err(error.context(
                "installing system packages failed (is there a network, and may you install?)",
            ));
        }
    }
    build_variables(machine)
}

/// Variables by which the build finds what was installed; only Windows needs any.
fn build_variables(machine: &Machine) -> anyhow::Result<Vec<(String, OsString)>> {
    let mut variables = Vec::new();
    if machine.installer != Installer::Windows {
        return Ok(variables);
    }
    if std::env::var_os("LIBCLANG_PATH").is_none() && Path::new(WINDOWS_LLVM).is_dir() {
        variables.push(("LIBCLANG_PATH".into(), WINDOWS_LLVM.into()));
    }
    let libraries = match std::env::var_os("FFMPEG_DIR") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => {
            variables.push(("VCPKGRS_DYNAMIC".into(), "1".into()));
            vcpkg_ffmpeg()
        }
    };
    if let Some(folder) = libraries {
        // Windows looks for a program's libraries in PATH.
        variables.push(("PATH".into(), exec::path_with("PATH", &folder.join("bin"))?));
    }
    Ok(variables)
}

/// Standard output of a query by lines, whatever its exit status: `dpkg-query` ends with 1 when
/// one of many packages is unknown, and prints the others.
fn lines_of(machine: &Machine, program: &str, arguments: &[&str]) -> Vec<String> {
    machine
        .command(program)
        .args(arguments)
        .output()
        .map(|output| {
            String::from_utf8_lossy(&output.stdout)
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect()
        })
        .unwrap_or_default()
}

/// A package that was removed keeps a line (`config-files`): only `installed` counts.
fn installed_by_dpkg(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect()
}

fn without(wanted: &[&str], found: &[String]) -> Vec<String> {
    wanted
        .iter()
        .filter(|name| !found.iter().any(|other| other == *name))
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
#[cfg(unix)]
#[path = "packages_test.rs"]
mod tests;
