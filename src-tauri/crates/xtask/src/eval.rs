//! `eval-models`: measures the bundled models through the product's own engine.

use anyhow::bail;

use crate::exec;
use crate::place::Place;
use crate::setup::{Purpose, SetUp};

/// Builds and starts the `frameloom-eval` program of package `e2e` with the arguments given.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    if arguments.is_empty() {
        bail!("say where the pictures are: cargo xtask eval-models --data DIR");
    }
    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Run)?;
    exec::run(
        set_up
            .cargo()
            .args([
                "run",
                "--release",
                "--package",
                "e2e",
                "--bin",
                "frameloom-eval",
                "--",
            ])
            .args(arguments),
    )
}
