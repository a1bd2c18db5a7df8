//! The set-up against a machine made of small scripts: what is asked, what is then run.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

const DEBIAN: Installer = Installer::Apt { is_debian: true };
const UBUNTU: Installer = Installer::Apt { is_debian: false };

/// A folder of scripts that stands for a machine; every script writes its call into `log`.
struct Scripts {
    folder: PathBuf,
}

impl Scripts {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("xtask-packages-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let scripts = Self { folder };
        // `env` runs what follows its assignments, as the real one does.
        scripts.add(
            "env",
            "while [ \"${1#*=}\" != \"$1\" ]; do shift; done; exec \"$@\"",
        );
        scripts
    }

    fn add(&self, name: &str, body: &str) {
        let file = self.folder.join(name);
        let log = self.folder.join("log");
        let script = format!(
            "#!/bin/sh\necho \"{name} $*\" >> '{}'\n{body}\n",
            log.display()
        );
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A dpkg-query that knows the packages given, each with its status.
    fn add_dpkg(&self, packages: &[(&str, &str)]) {
        let lines: String = packages
            .iter()
            .map(|(name, status)| format!("echo '{name} {status}'\n"))
            .collect();
        self.add("dpkg-query", &format!("{lines}exit 1"));
    }

    fn machine(&self, installer: Installer, is_root: bool) -> Machine {
        Machine {
            installer,
            is_root,
            path: self.folder.clone().into_os_string(),
        }
    }

    fn calls(&self, of: &[&str]) -> Vec<String> {
        std::fs::read_to_string(self.folder.join("log"))
            .unwrap_or_default()
            .lines()
            .filter(|line| of.iter().any(|name| line.starts_with(name)))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Scripts {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn all_of_debian(purpose: Purpose) -> Vec<(&'static str, &'static str)> {
    wanted(DEBIAN, purpose)
        .into_iter()
        .map(|name| (name, "installed"))
        .collect()
}

#[test]
fn nothing_is_run_when_every_package_is_there() {
    let scripts = Scripts::new("complete");
    scripts.add_dpkg(&all_of_debian(Purpose::Test));
    scripts.add("apt-get", "exit 1");
    ensure(&scripts.machine(DEBIAN, true), Purpose::Test, false).unwrap();
    assert_eq!(scripts.calls(&["apt-get", "sudo"]), Vec::<String>::new());
}

#[test]
fn only_what_is_missing_is_installed_after_the_index_is_refreshed() {
    let scripts = Scripts::new("partly");
    let mut there = all_of_debian(Purpose::Run);
    there.retain(|(name, _)| *name != "libclang-dev");
    // Removed, but its configuration files were kept: not installed.
    let clang = there.iter_mut().find(|(name, _)| *name == "clang").unwrap();
    clang.1 = "config-files";
    scripts.add_dpkg(&there);
    scripts.add("apt-get", "exit 0");
    ensure(&scripts.machine(DEBIAN, true), Purpose::Run, false).unwrap();
    assert_eq!(
        scripts.calls(&["apt-get", "sudo"]),
        [
            "apt-get update",
            "apt-get install --yes --no-install-recommends clang libclang-dev"
        ]
    );
}

#[test]
fn packages_for_tests_are_not_asked_of_who_only_runs_the_program() {
    let scripts = Scripts::new("purpose");
    scripts.add_dpkg(&all_of_debian(Purpose::Run));
    let machine = scripts.machine(DEBIAN, true);
    assert_eq!(plan(&machine, Purpose::Run, false), Plan::default());
    assert_eq!(
        plan(&machine, Purpose::Test, false).missing,
        [
            "xvfb",
            "xauth",
            "dbus-daemon",
            "webkit2gtk-driver",
            "ffmpeg",
            "chromium"
        ]
    );
    let machine = scripts.machine(UBUNTU, true);
    assert_eq!(
        plan(&machine, Purpose::Test, false).missing,
        [
            "xvfb",
            "xauth",
            "dbus-daemon",
            "webkit2gtk-driver",
            "ffmpeg"
        ]
    );
}

#[test]
fn an_ordinary_user_installs_through_sudo() {
    let scripts = Scripts::new("sudo");
    let mut there = all_of_debian(Purpose::Run);
    there.remove(0);
    scripts.add_dpkg(&there);
    scripts.add("apt-get", "exit 0");
    scripts.add("sudo", "exec \"$@\"");
    ensure(&scripts.machine(DEBIAN, false), Purpose::Run, false).unwrap();
    assert_eq!(
        scripts.calls(&["apt-get"]),
        [
            "apt-get update",
            "apt-get install --yes --no-install-recommends pkgconf"
        ]
    );
    assert_eq!(scripts.calls(&["sudo"]).len(), 2);
}

#[test]
fn without_root_and_sudo_the_message_is_the_command_to_type() {
    let scripts = Scripts::new("no-sudo");
    let mut there = all_of_debian(Purpose::Run);
    there.remove(0);
    scripts.add_dpkg(&there);
    scripts.add("apt-get", "exit 0");
    let error = ensure(&scripts.machine(DEBIAN, false), Purpose::Run, false).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("as root: apt-get update && env DEBIAN_FRONTEND=noninteractive apt-get"),
        "{text}"
    );
    assert_eq!(scripts.calls(&["apt-get"]), Vec::<String>::new());
}

#[test]
fn a_stale_index_does_not_stop_an_install_that_works() {
    let scripts = Scripts::new("stale");
    let mut there = all_of_debian(Purpose::Run);
    there.remove(0);
    scripts.add_dpkg(&there);
    scripts.add("apt-get", "[ \"$1\" != update ]");
    ensure(&scripts.machine(DEBIAN, true), Purpose::Run, false).unwrap();
    assert_eq!(scripts.calls(&["apt-get"]).len(), 2);
}

#[test]
fn a_failed_install_is_an_error_that_names_the_command() {
    let scripts = Scripts::new("failed");
    let mut there = all_of_debian(Purpose::Run);
    there.remove(0);
    scripts.add_dpkg(&there);
    scripts.add("apt-get", "exit 100");
    let error = ensure(&scripts.machine(DEBIAN, true), Purpose::Run, false).unwrap_err();
    assert!(format!("{error:#}").contains("install --yes"), "{error:#}");
}

#[test]
fn fedora_is_asked_for_what_provides_a_library() {
    let scripts = Scripts::new("fedora");
    scripts.add("rpm", "[ \"$3\" != 'pkgconfig(libavcodec)' ]");
    scripts.add("dnf", "exit 0");
    let plan = plan(&scripts.machine(Installer::Dnf, true), Purpose::Test, false);
    assert_eq!(plan.missing, ["pkgconfig(libavcodec)"]);
    assert_eq!(
        plan.commands,
        [["dnf", "install", "--assumeyes", "pkgconfig(libavcodec)"]]
    );
}

#[test]
fn arch_says_itself_what_is_missing() {
    let scripts = Scripts::new("arch");
    scripts.add("pacman", "echo clang; exit 127");
    let plan = plan(
        &scripts.machine(Installer::Pacman, true),
        Purpose::Run,
        false,
    );
    assert_eq!(
        plan.commands,
        [["pacman", "-S", "--needed", "--noconfirm", "clang"]]
    );
}

#[test]
fn a_mac_without_homebrew_is_told_how_to_get_it() {
    let scripts = Scripts::new("no-brew");
    scripts.add("xcode-select", "exit 0");
    let plan = plan(
        &scripts.machine(Installer::Brew, false),
        Purpose::Run,
        false,
    );
    assert!(
        plan.by_hand[0].contains("brew install pkgconf ffmpeg"),
        "{plan:?}"
    );
}

#[test]
fn homebrew_installs_as_the_user_and_only_what_is_missing() {
    let scripts = Scripts::new("brew");
    scripts.add("xcode-select", "exit 0");
    scripts.add("brew", "echo pkgconf; echo zlib");
    let plan = plan(
        &scripts.machine(Installer::Brew, false),
        Purpose::Run,
        false,
    );
    assert_eq!(plan.commands, [["brew", "install", "ffmpeg"]]);
    assert_eq!(plan.by_hand, Vec::<String>::new());
}

#[test]
fn windows_is_told_what_no_installer_can_do() {
    let scripts = Scripts::new("windows");
    let plan = plan(
        &scripts.machine(Installer::Windows, false),
        Purpose::Run,
        false,
    );
    assert!(
        plan.by_hand.iter().any(|line| line.contains("LLVM")),
        "{plan:?}"
    );
    assert!(
        plan.by_hand.iter().any(|line| line.contains("FFMPEG_DIR")),
        "{plan:?}"
    );
}

#[test]
fn an_unknown_system_gets_one_list_of_what_it_lacks() {
    let scripts = Scripts::new("unknown");
    scripts.add("pkg-config", "[ \"$2\" != libswscale ]");
    scripts.add("clang", "exit 0");
    let plan = plan(
        &scripts.machine(Installer::Unknown, true),
        Purpose::Run,
        false,
    );
    assert_eq!(plan.by_hand.len(), 1);
    assert!(plan.by_hand[0].ends_with(": libswscale"), "{plan:?}");
}

#[test]
fn pip_is_installed_only_when_something_must_come_from_its_index() {
    let scripts = Scripts::new("pip");
    scripts.add_dpkg(&all_of_debian(Purpose::Run));
    let machine = scripts.machine(DEBIAN, true);
    assert_eq!(plan(&machine, Purpose::Run, true).missing, ["python3-pip"]);
    assert_eq!(plan(&machine, Purpose::Run, false).missing, [""; 0]);
}
