use crate::arguments::Arguments;
use crate::output::print;
use clap::{Command, CommandFactory};
use frameloom_core::error::{AppError, ErrorCode};
use std::process::ExitCode;

pub fn run() -> Result<ExitCode, AppError> {
    let mut pages = Vec::new();
    let mut command = Arguments::command();
    command.build();
    write_pages(&command, &mut pages).map_err(|error| {
        AppError::new(ErrorCode::Internal, "The manual page cannot be made.")
            .details(error.to_string())
    })?;
    print(&pages)?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a command, then those of its subcommands.
fn write_pages(command: &Command, pages: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(pages)?;
    for subcommand in command.get_subcommands() {
        // What `help` does is said on every page.
        if subcommand.get_name() != "help" {
            write_pages(subcommand, pages)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_page() {
        let mut command = Arguments::command();
        command.build();
        let mut pages = Vec::new();
        write_pages(&command, &mut pages).unwrap();
        let pages = String::from_utf8(pages).unwrap();
        for (page, option) in [
            ("frameloom", "data\\-dir"),
            ("frameloom-upscale", "dry\\-run"),
            ("frameloom-models-verify", "repair"),
            ("frameloom-jobs-resume", "Job id"),
        ] {
            assert!(pages.contains(&format!(".TH {page} ")), "no page {page}");
            assert!(pages.contains(option), "no {option}");
        }
    }
}
