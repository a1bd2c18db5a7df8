//! `run`: the product on a file, in a window where there is a display, else in the terminal.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::exec::{self, say};
use crate::place::Place;
use crate::setup::{Purpose, SetUp};

/// Builds what is missing and starts it.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let (file, is_demo) = match arguments {
        [] => (None, true),
        [file] if !file.starts_with("--") => (Some(PathBuf::from(file)), false),
        _ => bail!("run takes one file: run [FILE]"),
    };
    let place = Place::find()?;
    let file = std::path::absolute(file.unwrap_or_else(|| place.root.join("assets/demo.mp4")))?;
    if !file.exists() {
        bail!("there is no file {}", file.display());
    }
    let set_up = SetUp::new(&place, Purpose::Run)?;
    if has_display() {
        SetUp::build_ui(&place)?;
        say("building the window (optimised; minutes the first time, seconds after)");
        exec::run(
            set_up
                .cargo()
                .args(["build", "--release", "--package", "frameloom-studio"])
                .current_dir(&place.root),
        )?;
        let program = place.program("release", "frameloom-studio");
        return exec::run(set_up.command(&program).arg(&file));
    }
    say("there is no display: upscaling in the terminal");
    say("building the command line (optimised; minutes the first time, seconds after)");
    exec::run(
        set_up
            .cargo()
            .args(["build", "--release", "--package", "frameloom-cli"])
            .current_dir(&place.root),
    )?;
    let program = place.program("release", "frameloom");
    let mut command = set_up.command(&program);
    command.arg("upscale").arg(&file);
    if is_demo {
        // The demo clip lies in the checkout, where no result belongs.
        let folder = place.cache.join("demo");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        command.arg("-o").arg(&folder);
    }
    exec::run(&mut command)
}

/// Whether a window can be shown.
fn has_display() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return true;
    }
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
