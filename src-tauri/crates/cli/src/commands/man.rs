use crate::arguments::Arguments;
use clap::CommandFactory;
use frameloom_core::error::{AppError, ErrorCode};
use std::process::ExitCode;

pub fn run() -> Result<ExitCode, AppError> {
    clap_mangen::Man::new(Arguments::command())
        .render(&mut std::io::stdout())
        .map_err(|error| {
            AppError::new(ErrorCode::Internal, "The manual page cannot be printed.")
                .details(error.to_string())
        })?;
    Ok(ExitCode::SUCCESS)
}
