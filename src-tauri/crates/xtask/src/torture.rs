//! `torture`: kills jobs at random moments and compares what they come to.

use crate::exec;
use crate::place::Place;
use crate::setup::{Purpose, SetUp};

/// Builds and starts the `frameloom-torture` program of package `e2e` with the arguments given.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Test)?;
    let mut cargo = set_up.cargo();
    cargo.args(["run", "--release", "--package", "e2e"]);
    cargo.args(["--bin", "frameloom-torture", "--"]);
    exec::run(cargo.args(arguments))
}
