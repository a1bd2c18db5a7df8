//! Lets the machine sleep, or shuts it down, by the system's own commands.
//!
//! Tried here is only what there is to try without a machine that may be shut down: which commands
//! are run, in which order, and what is said where none works.

use super::WhenDone;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use std::process::{Command, Stdio};

type Words = &'static [&'static str];

/// Commands of which one does it, the most usual first. The user's session may do both without a
/// password as long as nobody else is logged in; then the system says no, and so do we.
fn commands(what: WhenDone) -> &'static [Words] {
    let sleeps = what == WhenDone::Sleep;
    if cfg!(target_os = "macos") {
        match sleeps {
            true => &[&["pmset", "sleepnow"]],
            false => &[&[
                "osascript",
                "-e",
                "tell application \"System Events\" to shut down",
            ]],
        }
    } else if cfg!(windows) {
        match sleeps {
            true => &[&["rundll32.exe", "powrprof.dll,SetSuspendState", "0,1,0"]],
            false => &[&["shutdown.exe", "/s", "/t", "0"]],
        }
    } else {
        match sleeps {
            true => &[&["systemctl", "suspend"], &["loginctl", "suspend"]],
            false => &[&["systemctl", "poweroff"], &["loginctl", "poweroff"]],
        }
    }
}

/// Does it.
///
/// # Errors
/// No command of the system does it.
pub(super) fn act(what: WhenDone) -> Result<(), AppError> {
    match what {
        WhenDone::Sleep | WhenDone::ShutDown => run_first_that_works(what, commands(what)),
        WhenDone::Nothing | WhenDone::Sound => Ok(()),
    }
}

fn run_first_that_works(what: WhenDone, commands: &[Words]) -> Result<(), AppError> {
    let mut said = Vec::new();
    for words in commands {
        let Some((program, arguments)) = words.split_first() else {
            continue;
        };
        let ran = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        match ran {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => said.push(format!(
                "{program}: {} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            )),
            Err(error) => said.push(format!("{program}: {error}")),
        }
    }
    let what = match what {
        WhenDone::Sleep => "go to sleep",
        _ => "shut down",
    };
    Err(AppError::new(
        ErrorCode::Internal,
        said!(
            "power.disobeyed",
            "This machine did not {what} when the queue was done.",
            what = what
        ),
    )
    .hint("The system may not allow programs to do that; do it from its own menu.")
    .details(said.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_next_command_is_tried_where_one_is_missing_or_fails_and_the_first_that_works_is_the_last()
     {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let mark: &'static str = Box::leak(mark.to_str().unwrap().to_owned().into_boxed_str());
        let touch: Words = Box::leak(Box::new(["touch", mark]));
        let missing: Words = &["frameloom-no-such-program"];
        let failing: Words = &["false"];
        let done = run_first_that_works(WhenDone::Sleep, &[missing, failing, touch]);
        assert_eq!(done, Ok(()));
        assert!(std::path::Path::new(mark).exists());
        std::fs::remove_file(mark).unwrap();
        let working: Words = &["true"];
        assert_eq!(
            run_first_that_works(WhenDone::Sleep, &[working, touch]),
            Ok(())
        );
        assert!(!std::path::Path::new(mark).exists());
        let error = run_first_that_works(WhenDone::ShutDown, &[missing, failing]).unwrap_err();
        assert!(error.message.contains("shut down"), "{error:?}");
        let details = error.details.unwrap();
        assert!(details.contains("frameloom-no-such-program") && details.contains("false"));
    }

    #[test]
    fn every_system_has_a_command_for_both_and_nothing_is_done_for_a_sound() {
        for what in [WhenDone::Sleep, WhenDone::ShutDown] {
            assert!(commands(what).iter().all(|words| words.len() > 1));
        }
        assert_eq!(act(WhenDone::Nothing), Ok(()));
        assert_eq!(act(WhenDone::Sound), Ok(()));
    }
}
