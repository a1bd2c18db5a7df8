//! `test`: every check that a change must pass, cheap ones first.

mod counts;
mod stages;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::exec::say;
use crate::place::Place;
use crate::setup::{Purpose, SetUp};
use counts::Counts;

/// What came of one stage.
#[derive(Debug)]
enum Outcome {
    Passed(Counts),
    Failed(Counts, Vec<String>),
    /// Not run, and why that is no failure.
    Skipped(String),
    /// Not run because an earlier stage failed or another was asked for.
    NotRun,
}

struct Report {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// Runs all stages, or those of `--only`, up to the first that fails.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let mut only: Option<Vec<String>> = None;
    let mut keeps_going = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--keep-going" => keeps_going = true,
            "--only" => {
                let names = rest.next().context("--only wants the names of stages")?;
                only = Some(names.split(',').map(str::to_owned).collect());
            }
            other => bail!("unknown argument `{other}`: test [--only STAGE,..] [--keep-going]"),
        }
    }
    if let Some(unknown) = only
        .iter()
        .flatten()
        .find(|name| !stages::ALL.iter().any(|stage| stage.name == **name))
    {
        let names: Vec<&str> = stages::ALL.iter().map(|stage| stage.name).collect();
        bail!(
            "there is no stage `{unknown}`; there are {}",
            names.join(", ")
        );
    }

    let start = Instant::now();
    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Test)?;
    let context = stages::Context::new(&place, &set_up)?;

    let mut reports = Vec::new();
    let mut has_failed = false;
    for stage in stages::ALL {
        let is_wanted = only
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == stage.name));
        let stage_start = Instant::now();
        let outcome = if !is_wanted || (has_failed && !keeps_going) {
            Outcome::NotRun
        } else {
            say(&format!("--- {}: {}", stage.name, stage.summary));
            (stage.run)(&context).unwrap_or_else(|error| {
                Outcome::Failed(Counts::default(), vec![format!("{error:#}")])
            })
        };
        has_failed |= matches!(outcome, Outcome::Failed(..));
        reports.push(Report {
            name: stage.name,
            outcome,
            time: stage_start.elapsed(),
        });
    }
    write_summary(&reports, start.elapsed())?;
    if has_failed {
        bail!("not everything passed");
    }
    Ok(())
}

fn write_summary(reports: &[Report], time: Duration) -> std::io::Result<()> {
    use std::io::Write;
    let mut total = Counts::default();
    let mut out = std::io::stdout().lock();
    writeln!(out)?;
    for report in reports {
        let (state, counts, notes) = match &report.outcome {
            Outcome::Passed(counts) => ("ok", *counts, &[][..]),
            Outcome::Failed(counts, notes) => (
                "FAILED",
                Counts {
                    // A check without tests of its own that fails is one failure.
                    failed: counts.failed.max(1),
                    ..*counts
                },
                notes.as_slice(),
            ),
            Outcome::Skipped(reason) => {
                writeln!(out, "{:<12} skipped       {reason}", report.name)?;
                continue;
            }
            Outcome::NotRun => {
                writeln!(out, "{:<12} not run", report.name)?;
                continue;
            }
        };
        write!(
            out,
            "{:<12} {state:<7} {:>5.1} s",
            report.name,
            report.time.as_secs_f64()
        )?;
        if counts != Counts::default() {
            write!(out, "  {counts}")?;
        }
        writeln!(out)?;
        for note in notes {
            writeln!(out, "             - {note}")?;
        }
        total = total + counts;
    }
    if total.no_data > 0 {
        writeln!(
            out,
            "{} tests did not run for want of something they need, most often the test media: \
             set FRAMELOOM_TEST_DATA to its folder",
            total.no_data
        )?;
    }
    writeln!(out, "{:.0} s in all", time.as_secs_f64())?;
    writeln!(out, "{total}")
}
