//! Frameloom's contributor commands: set up, run, test, bench.
//!
//! What lives here: everything a person or a CI job types, each as one command with no manual
//! step before it. What must not: native dependencies (this crate must build within seconds on
//! a machine that has a compiler and nothing else) and product code.
//!
//! ```text
//! cargo xtask run assets/demo.mp4
//! ```

mod bench;
mod catalogue;
mod demo;
mod eval;
mod exec;
mod place;
mod run;
mod samples;
mod setup;
mod test;
mod torture;

use std::process::ExitCode;

/// One command: its name, what it takes, what it does, and the function that does it.
struct Task {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    main: fn(&[String]) -> anyhow::Result<()>,
}

const TASKS: &[Task] = &[
    Task {
        name: "run",
        arguments: "[FILE]",
        summary: "open the window on FILE (default: the demo clip); without a display, upscale it in the terminal",
        main: run::main,
    },
    Task {
        name: "test",
        arguments: "[--only STAGE,..] [--keep-going]",
        summary: "every check a change must pass",
        main: test::main,
    },
    Task {
        name: "setup",
        arguments: "[--test] [--dry-run]",
        summary: "only the set-up that `run` (or, with --test, `test`) would do",
        main: setup::main,
    },
    Task {
        name: "bench",
        arguments: "[PART..] [--runs N] [--seconds N] [--json FILE]",
        summary: "speed against bare parts and a Python pipeline, memory, start-up; `operations`: each operation",
        main: bench::main,
    },
    Task {
        name: "eval-models",
        arguments: "--data DIR",
        summary: "PSNR and SSIM of the bundled models through the product's own engine",
        main: eval::main,
    },
    Task {
        name: "torture",
        arguments: "[--kills N] [--seed S]",
        summary: "kill jobs at random moments; every result must equal that of a run left alone",
        main: torture::main,
    },
    Task {
        name: "catalogue",
        arguments: "check | sign --key FILE | key --to FILE",
        summary: "the catalogue of models that ships: what it says, and who signed it",
        main: catalogue::main,
    },
    Task {
        name: "demo-clip",
        arguments: "[--still SECONDS FILE.png]",
        summary: "render assets/demo.mp4 anew (needs the ffmpeg command)",
        main: demo::main,
    },
    Task {
        name: "preset-samples",
        arguments: "[--debug | --program FILE] [ID..]",
        summary: "make the pictures on the cards of presets and in those of the shelf anew (needs the ffmpeg command)",
        main: samples::main,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprintln!("{}", usage());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        eprintln!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("There is no command `{name}`.\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (task.main)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("cargo xtask COMMAND\n\n");
    for task in TASKS {
        text.push_str(&format!(
            "  {} {}\n      {}\n",
            task.name, task.arguments, task.summary
        ));
    }
    text
}
