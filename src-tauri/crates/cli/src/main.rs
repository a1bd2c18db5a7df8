//! `frameloom`: the same engine as the window, on a terminal.
//!
//! What lives here: arguments, progress on a terminal, tables and JSON. What must not: decisions;
//! every command is a call into `frameloom-app`.

mod arguments;
mod commands;
mod interrupt;
mod output;

use arguments::{Arguments, Command};
use clap::Parser;
use frameloom_app::project::is_project;
use frameloom_app::{App, Places, logging};
use frameloom_core::error::AppError;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before the first thread: see there.
    logging::quiet_libraries();
    let mut words = std::env::args_os().skip(1);
    // The worker is started by this program itself; people never type it.
    if words.next().is_some_and(|word| word == "worker") {
        return frameloom_app::worker::main(words);
    }
    let arguments = Arguments::parse();
    let output = output::Output::new(arguments.json);
    match run(&arguments, &output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::from(output::refusal_exit_code(error.code))
        }
    }
}

fn run(arguments: &Arguments, output: &output::Output) -> Result<ExitCode, AppError> {
    // Commands that need no data folder do not make one.
    match &arguments.command {
        Command::Probe { file, pictures } => {
            return commands::probe::run(file, (*pictures).into(), output);
        }
        Command::Diff(diff) => return commands::diff::run(diff, output),
        Command::Completions { shell } => return commands::completions::run(*shell),
        Command::Man => return commands::man::run(),
        Command::Encoders => return commands::encoders::run(output),
        Command::Run(run) if run.schema => return Ok(commands::run::schema()),
        _ => {}
    }
    let places = Places::discover(arguments.data_dir.clone())?;
    let app = App::open(places)?;
    // What went wrong is told in sentences; the log is for whoever asks for it.
    let _log = logging::start(app.places(), "frameloom", "off");
    if let Some(notice) = app.set_aside_notice() {
        output.notice(&notice);
    }
    match &arguments.command {
        Command::Upscale(upscale) => commands::upscale::run(&app, upscale, output),
        Command::Stabilise(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Interpolate(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Background(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Convert(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Reframe(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Redact(work) => commands::redact::run(&app, work, output),
        Command::Silence(work) => commands::silence::run(&app, work, output),
        Command::Sheet(work) => commands::sheet::run(&app, work, output),
        Command::Scenes(work) => commands::scenes::run(&app, work, output),
        Command::Subtitles(work) => commands::subtitles::run(&app, work, output),
        Command::Light(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Style(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Depth(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Voice(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Do(work) => commands::upscale::run(&app, &work.upscale(), output),
        Command::Presets(command) => commands::presets::run(&app, command, output),
        Command::Watch(watch) => commands::watch::run(&app, watch, output),
        Command::Run(run) => commands::run::run(&app, run, output),
        Command::Project(command) => commands::project::run(&app, command, output),
        Command::Verify {
            file,
            receipt: None,
        } if is_project(file) => commands::project::verify(&app, file, output),
        Command::Models(command) => commands::models::run(&app, command, output),
        Command::Outgoing { limit, hosts } => commands::outgoing::run(&app, *limit, *hosts, output),
        Command::Jobs(command) => commands::jobs::run(&app, command, output),
        Command::Verify { file, receipt } => {
            commands::verify::run(&app, file, receipt.as_deref(), output)
        }
        Command::Doctor => commands::doctor::run(&app, output),
        Command::Probe { .. }
        | Command::Diff(_)
        | Command::Encoders
        | Command::Completions { .. }
        | Command::Man => Ok(ExitCode::SUCCESS),
    }
}
