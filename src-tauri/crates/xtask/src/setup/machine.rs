//! What kind of machine this is, as far as installing things goes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::exec;

/// The program that installs system packages here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    /// Debian, Ubuntu and their children.
    Apt {
        /// Debian itself, which has a Chromium package; Ubuntu's only points to another store.
        is_debian: bool,
    },
    /// Fedora and its relatives.
    Dnf,
    /// Arch and its relatives.
    Pacman,
    /// macOS with Homebrew.
    Brew,
    /// Windows: winget for programs, vcpkg for libraries.
    Windows,
    /// None that we know.
    Unknown,
}

/// A machine as the set-up sees it. The search path is a value, so that a test can put its own
/// programs there.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Who installs packages.
    pub installer: Installer,
    /// Whether this process may install without asking.
    pub is_root: bool,
    /// Where programs are looked for (`PATH`).
    pub path: OsString,
}

impl Machine {
    /// The machine this runs on.
    pub fn this() -> anyhow::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let has = |name: &str| exec::which_in(name, &path).is_some();
        let installer = if cfg!(target_os = "macos") {
            Installer::Brew
        } else if cfg!(windows) {
            Installer::Windows
        } else if has("apt-get") && has("dpkg-query") {
            Installer::Apt {
                is_debian: std::fs::read_to_string("/etc/os-release")
                    .is_ok_and(|text| text.lines().any(|line| line == "ID=debian")),
            }
        } else if has("dnf") && has("rpm") {
            Installer::Dnf
        } else if has("pacman") {
            Installer::Pacman
        } else {
            Installer::Unknown
        };
        let is_root = cfg!(unix)
            && exec::stdout_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        Ok(Self {
            installer,
            is_root,
            path,
        })
    }

    /// Where a program is.
    pub fn which(&self, name: &str) -> Option<PathBuf> {
        exec::which_in(name, &self.path)
    }

    /// A command that is looked up, and looks others up, in this machine's search path.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.which(name).unwrap_or_else(|| name.into()));
        command.env("PATH", &self.path).stdin(Stdio::inherit());
        command
    }
}
