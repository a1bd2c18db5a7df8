//! `frameloom-torture --kills N [--seed S]`: the long version of the test of the same name.
//! Called by `cargo xtask torture`.

use anyhow::Context;
use std::io::Write;

fn main() -> anyhow::Result<()> {
    let usage = "frameloom-torture [--kills N] [--seed S]";
    let (mut kills, mut seed) = (200, std::process::id().into());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = || -> anyhow::Result<u64> { Ok(arguments.next().context(usage)?.parse()?) };
        match argument.as_str() {
            "--kills" => kills = { number }()?,
            "--seed" => seed = { number }()?,
            _ => anyhow::bail!(usage),
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "seed {seed}")?;
    let report = e2e::torture::torture(kills, seed, &mut |line| {
        let _ = writeln!(std::io::stdout(), "{line}");
    })
    .with_context(|| format!("seed {seed}"))?;
    for (victim, count) in &report.kills {
        writeln!(out, "{victim:?}: {count} kills")?;
    }
    for (scene, count) in &report.scenes {
        writeln!(out, "{count} kills: {scene}")?;
    }
    writeln!(
        out,
        "{} kills over {} jobs: every result equals the undisturbed one; the disk held at most \
         {:.0} % of what is allowed",
        report.total(),
        report.jobs,
        report.peak_disk * 100.0
    )?;
    Ok(())
}
