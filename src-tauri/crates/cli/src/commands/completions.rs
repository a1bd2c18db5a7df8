use crate::arguments::Arguments;
use clap::CommandFactory;
use clap_complete::Shell;
use std::process::ExitCode;

pub fn run(shell: Shell) -> ExitCode {
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "frameloom",
        &mut std::io::stdout(),
    );
    ExitCode::SUCCESS
}
