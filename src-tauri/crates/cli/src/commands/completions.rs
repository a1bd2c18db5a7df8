use crate::arguments::Arguments;
use crate::output::print;
use clap::CommandFactory;
use clap_complete::Shell;
use frameloom_core::error::AppError;
use std::process::ExitCode;

pub fn run(shell: Shell) -> Result<ExitCode, AppError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "frameloom", &mut script);
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}
