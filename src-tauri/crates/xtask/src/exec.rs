//! Starting other programs: one line that says what is started, then its output.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};

/// Prints one line about what is happening, on stderr: stdout belongs to results.
pub fn say(line: &str) {
    eprintln!("[xtask] {line}");
}

/// The first file called `name` in the folders of `path` (a `PATH` value).
pub fn which_in(name: &str, path: &OsStr) -> Option<PathBuf> {
    let suffixes: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd", ".bat"]
    } else {
        &[""]
    };
    std::env::split_paths(path)
        .flat_map(|folder| {
            suffixes
                .iter()
                .map(move |suffix| folder.join(format!("{name}{suffix}")))
        })
        .find(|file| is_executable(file))
}

/// The first file called `name` in this process's `PATH`.
pub fn which(name: &str) -> Option<PathBuf> {
    which_in(name, &std::env::var_os("PATH").unwrap_or_default())
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// A command for `npm` and friends, which are `.cmd` files on Windows.
pub fn tool(name: &str) -> Command {
    Command::new(which(name).unwrap_or_else(|| PathBuf::from(name)))
}

/// A command line as a person would type it.
pub fn shown(command: &Command) -> String {
    let quoted = |word: &OsStr| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    let program = Path::new(command.get_program())
        .file_stem()
        .unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs with inherited streams; an exit status other than 0 is an error that names the command.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    say(&format!("$ {}", shown(command)));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Standard output of a command that must succeed; its stderr is shown only when it fails.
pub fn stdout_of(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// As [`stdout_of`], with its standard error shown while it runs.
pub fn stdout_of_loud(command: &mut Command) -> anyhow::Result<String> {
    say(&format!("$ {}", shown(command)));
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", shown(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command starts and ends with status 0; all of its output is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a command, passes its output on line by line, and returns all of it (both streams, in
/// the order of arrival) with whether it succeeded.
pub fn run_and_read(command: &mut Command) -> anyhow::Result<(bool, String)> {
    say(&format!("$ {}", shown(command)));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let text = Arc::new(Mutex::new(String::new()));
    let readers = [
        child.stdout.take().map(|pipe| copy_lines(pipe, &text)),
        child.stderr.take().map(|pipe| copy_lines(pipe, &text)),
    ];
    let status = child.wait()?;
    for reader in readers.into_iter().flatten() {
        if reader.join().is_err() {
            bail!("reading the output of `{}` failed", shown(command));
        }
    }
    let text = text.lock().map(|text| text.clone()).unwrap_or_default();
    Ok((status.success(), text))
}

fn copy_lines(
    pipe: impl std::io::Read + Send + 'static,
    text: &Arc<Mutex<String>>,
) -> std::thread::JoinHandle<()> {
    let text = Arc::clone(text);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        // Lines are bytes: a test may print what is not UTF-8.
        while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
            let shown = String::from_utf8_lossy(&line).into_owned();
            // A closed terminal must not stop the test run.
            let _ = std::io::stderr().write_all(shown.as_bytes());
            if let Ok(mut text) = text.lock() {
                text.push_str(&shown);
            }
            line.clear();
        }
    })
}

/// Removes what `cargo run` adds to the environment, so that a build script that watches such a
/// variable does not run again only because xtask started the build.
pub fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
            || text == "CARGO_CRATE_NAME"
            || text == "CARGO_PRIMARY_PACKAGE"
        {
            command.env_remove(&name);
        }
    }
}

/// The value that puts `folder` in front of the search path `name`.
pub fn path_with(name: &str, folder: &Path) -> anyhow::Result<OsString> {
    let old = std::env::var_os(name).unwrap_or_default();
    let folders = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&old));
    Ok(std::env::join_paths(folders)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("/usr/bin/env");
        command.args(["A=1", "it's", "", "two words"]);
        assert_eq!(shown(&command), r"env A=1 'it'\''s' '' 'two words'");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_may_not_be_executed_is_no_program() {
        let folder = std::env::temp_dir().join(format!("xtask-which-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("tool"), "").unwrap();
        assert_eq!(which_in("tool", folder.as_os_str()), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn both_streams_of_a_command_are_read() {
        let (success, text) =
            run_and_read(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]))
                .unwrap();
        assert!(!success);
        assert!(text.contains("out\n") && text.contains("err\n"), "{text:?}");
    }
}
