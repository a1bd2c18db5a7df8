//! Set-up: finds out what is missing on this machine and gets it, saying what it does.
//!
//! Every step first looks whether the thing is there, and does nothing if it is: with nothing
//! missing the whole set-up takes well under a second and needs no network.

mod machine;
mod onnxruntime;
mod openvino;
mod packages;
mod stamps;
mod ui;

use std::ffi::OsString;
use std::process::Command;
use std::time::Instant;

use anyhow::bail;

use crate::exec::{self, say};
use crate::place::Place;
use machine::Machine;
use stamps::Stamps;

/// What the machine is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Building and running the product.
    Run,
    /// Running the tests as well: a display without a screen, a browser driver, the ffmpeg command
    /// for clips.
    Test,
    /// Measuring: the ffmpeg command for the clips, Python environments for the baselines.
    Bench,
}

/// A machine that is ready, and the environment that the builds and the product need on it.
#[derive(Debug)]
pub struct SetUp {
    variables: Vec<(String, OsString)>,
}

impl SetUp {
    /// Gets everything that is missing, except for what `ui/` needs (see [`SetUp::build_ui`]).
    ///
    /// # Errors
    /// Something cannot be got; the message says what to do by hand.
    pub fn new(place: &Place, purpose: Purpose) -> anyhow::Result<Self> {
        let start = Instant::now();
        let machine = Machine::this()?;
        let mut stamps = Stamps::read(place);
        std::fs::create_dir_all(&place.cache)?;

        let wants_pip = onnxruntime::wants_pip(&machine, place);
        let mut variables = packages::ensure(&machine, purpose, wants_pip)?;
        let onnxruntime = onnxruntime::ensure(&machine, place, &mut stamps)?;
        if purpose != Purpose::Run {
            openvino::ensure(&machine, &onnxruntime, &mut stamps);
        }
        if purpose == Purpose::Test {
            ensure_cargo_components(place)?;
        }
        stamps.write();

        say(&format!(
            "machine ready ({:.1} s); cargo builds in {}",
            start.elapsed().as_secs_f64(),
            place.target.display()
        ));
        variables.push(("CARGO_TARGET_DIR".into(), place.target.clone().into()));
        variables.push(("FRAMELOOM_ONNXRUNTIME".into(), onnxruntime.into()));
        Ok(Self { variables })
    }

    /// A command with the environment of this set-up, in the checkout's root when cargo runs it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.equip(&mut command);
        command
    }

    /// Gives a command the environment of this set-up.
    pub fn equip(&self, command: &mut Command) {
        exec::forget_cargo(command);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    /// Cargo, with the environment of this set-up.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Gets the packages of `ui/` where they are missing or stale.
    pub fn install_ui(place: &Place) -> anyhow::Result<()> {
        ui::ensure_packages(place)
    }

    /// Builds `ui/dist` where its sources changed since the last build.
    pub fn build_ui(place: &Place) -> anyhow::Result<()> {
        let mut stamps = Stamps::read(place);
        ui::ensure_packages(place)?;
        ui::ensure_built(place, &mut stamps)?;
        stamps.write();
        Ok(())
    }
}

/// `setup`: the set-up alone.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let mut purpose = Purpose::Run;
    let mut is_dry_run = false;
    for argument in arguments {
        match argument.as_str() {
            "--test" => purpose = Purpose::Test,
            "--dry-run" => is_dry_run = true,
            other => bail!("unknown argument `{other}`: setup [--test] [--dry-run]"),
        }
    }
    let place = Place::find()?;
    if is_dry_run {
        let machine = Machine::this()?;
        let wants_pip = onnxruntime::wants_pip(&machine, &place);
        let plan = packages::plan(&machine, purpose, wants_pip);
        for command in &plan.commands {
            say(&format!("would run: {}", command.join(" ")));
        }
        for line in &plan.by_hand {
            say(&format!("by hand: {line}"));
        }
        if plan.commands.is_empty() && plan.by_hand.is_empty() {
            say("no system package is missing");
        }
        return Ok(());
    }
    SetUp::new(&place, purpose)?;
    SetUp::install_ui(&place)
}

/// rustfmt and clippy are part of rustup's default profile, but not of its minimal one.
fn ensure_cargo_components(place: &Place) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let has = |subcommand: &str| {
        exec::succeeds(
            Command::new(&cargo)
                .args([subcommand, "--version"])
                .current_dir(&place.root),
        )
    };
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(subcommand, _)| !has(subcommand))
        .map(|(_, component)| component)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if exec::which("rustup").is_none() {
        bail!(
            "{} missing and there is no rustup to get them with: install them with the Rust \
             toolchain that you use",
            missing.join(" and ")
        );
    }
    exec::run(
        exec::tool("rustup")
            .args(["component", "add"])
            .args(missing),
    )
}
