//! `frameloom-studio [--data-dir DIR] [FILE...]` opens the window; `frameloom-studio worker ...`
//! is one of its own workers.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before the first thread: see there.
    frameloom_app::logging::quiet_libraries();
    let mut arguments = env::args_os().skip(1).peekable();
    // Before anything of the window starts: a worker needs no display.
    if arguments.peek().is_some_and(|first| first == "worker") {
        return frameloom_app::worker::main(arguments.skip(1));
    }
    match frameloom_studio::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            frameloom_studio::start_again(&error);
            frameloom_studio::report(&error);
            ExitCode::FAILURE
        }
    }
}
