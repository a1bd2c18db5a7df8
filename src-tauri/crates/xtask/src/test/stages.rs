//! The stages of `test`, in order: cheap ones first, so that a slip is seen early.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use super::Outcome;
use super::counts::{self, Counts};
use crate::exec::{self, say};
use crate::place::Place;
use crate::setup::SetUp;

/// One stage.
pub struct Stage {
    /// Handle for `--only`.
    pub name: &'static str,
    /// What it checks.
    pub summary: &'static str,
    /// Runs it.
    pub run: fn(&Context<'_>) -> anyhow::Result<Outcome>,
}

/// All stages.
pub const ALL: &[Stage] = &[
    Stage {
        name: "format",
        summary: "rustfmt leaves every file as it is",
        run: format,
    },
    Stage {
        name: "spelling",
        summary: "typos finds none (where it is installed)",
        run: spelling,
    },
    Stage {
        name: "ui-check",
        summary: "types and accessibility of the window's components",
        run: ui_check,
    },
    Stage {
        name: "ui-test",
        summary: "the window's unit and component tests",
        run: ui_test,
    },
    Stage {
        name: "ui-page",
        summary: "the window's pages in a browser, with accessibility rules",
        run: ui_page,
    },
    Stage {
        name: "ui-build",
        summary: "the window's page builds",
        run: ui_build,
    },
    Stage {
        name: "deny",
        summary: "licences, banned edges and advisories (where cargo-deny is installed)",
        run: deny,
    },
    Stage {
        name: "clippy",
        summary: "no lint warns",
        run: clippy,
    },
    Stage {
        name: "build",
        summary: "programs and tests build",
        run: build,
    },
    Stage {
        name: "rust",
        summary: "unit, crate and whole-product tests",
        run: rust,
    },
    Stage {
        name: "doc",
        summary: "the examples in the documentation run",
        run: doc,
    },
    Stage {
        name: "window",
        summary: "the real window, on a display without a screen",
        run: window,
    },
];

/// What the stages share.
pub struct Context<'a> {
    place: &'a Place,
    set_up: &'a SetUp,
    has_nextest: bool,
    has_window_test: bool,
    /// Integration tests of the workspace, except for the window's.
    test_targets: Vec<String>,
    /// Set once the stage `build` has passed: the whole-product tests then use its programs
    /// instead of asking cargo.
    are_programs_built: Cell<bool>,
}

/// Name of the test program that needs a display.
const WINDOW_TEST: &str = "window";

impl<'a> Context<'a> {
    /// Looks up which test programs there are and what can run them.
    pub fn new(place: &'a Place, set_up: &'a SetUp) -> anyhow::Result<Self> {
        let metadata = exec::stdout_of(
            set_up
                .cargo()
                .args(["metadata", "--format-version=1", "--no-deps"])
                .current_dir(&place.root),
        )?;
        let mut targets = test_targets(&serde_json::from_str(&metadata)?);
        let has_window_test = targets.remove(WINDOW_TEST);
        let has_nextest = exec::succeeds(set_up.cargo().args(["nextest", "--version"]));
        if !has_nextest {
            say("cargo-nextest is not installed: cargo test runs the tests one program at a time");
        }
        Ok(Self {
            place,
            set_up,
            has_nextest,
            has_window_test,
            test_targets: targets.into_iter().collect(),
            are_programs_built: Cell::new(false),
        })
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.set_up.cargo();
        command.args(arguments).current_dir(&self.place.root);
        self.tell_of_programs(&mut command);
        command
    }

    fn tell_of_programs(&self, command: &mut Command) {
        if self.are_programs_built.get() {
            command.env("FRAMELOOM_PROGRAMS_BUILT", "1");
        }
    }

    fn npm(&self, script: &str) -> Command {
        let mut command = exec::tool("npm");
        command
            .args(["run", "--silent", script])
            .current_dir(self.place.ui());
        command
    }
}

/// Names of the integration tests of all packages in the output of `cargo metadata`.
fn test_targets(metadata: &Value) -> BTreeSet<String> {
    let list = |value: &Value, key: &str| -> Vec<Value> {
        value[key].as_array().cloned().unwrap_or_default()
    };
    list(metadata, "packages")
        .iter()
        .flat_map(|package| list(package, "targets"))
        .filter(|target| list(target, "kind").iter().any(|kind| kind == "test"))
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect()
}

/// A check without counts: it passes if the command does.
fn check(command: &mut Command) -> anyhow::Result<Outcome> {
    Ok(match exec::run(command) {
        Ok(()) => Outcome::Passed(Counts::default()),
        Err(error) => Outcome::Failed(Counts::default(), vec![format!("{error:#}")]),
    })
}

/// A command whose output is read for its counts.
fn count(command: &mut Command, read: fn(&str) -> Counts) -> anyhow::Result<(Outcome, String)> {
    let line = exec::shown(command);
    let (success, text) = exec::run_and_read(command)?;
    let counts = read(&text);
    let outcome = if success {
        Outcome::Passed(counts)
    } else {
        let mut names = counts::failed_names(&text);
        if names.is_empty() {
            names.push(format!("`{line}` failed"));
        }
        Outcome::Failed(counts, names)
    };
    Ok((outcome, text))
}

fn format(context: &Context<'_>) -> anyhow::Result<Outcome> {
    check(&mut context.cargo(&["fmt", "--all", "--check"]))
}

fn spelling(context: &Context<'_>) -> anyhow::Result<Outcome> {
    if exec::which("typos").is_none() {
        return Ok(Outcome::Skipped("typos is not installed".into()));
    }
    check(exec::tool("typos").current_dir(&context.place.root))
}

fn ui_check(context: &Context<'_>) -> anyhow::Result<Outcome> {
    SetUp::install_ui(context.place)?;
    check(&mut context.npm("check"))
}

fn ui_test(context: &Context<'_>) -> anyhow::Result<Outcome> {
    SetUp::install_ui(context.place)?;
    Ok(count(&mut context.npm("test"), counts::of_vitest)?.0)
}

fn ui_page(context: &Context<'_>) -> anyhow::Result<Outcome> {
    let is_there = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .any(|name| exec::which(name).is_some());
    if !is_there && std::env::var_os("FRAMELOOM_BROWSER").is_none() {
        return Ok(Outcome::Skipped(
            "no Chromium is installed and FRAMELOOM_BROWSER names none".into(),
        ));
    }
    SetUp::install_ui(context.place)?;
    Ok(count(&mut context.npm("test:page"), counts::of_playwright)?.0)
}

fn ui_build(context: &Context<'_>) -> anyhow::Result<Outcome> {
    SetUp::build_ui(context.place)?;
    Ok(Outcome::Passed(Counts::default()))
}

fn deny(context: &Context<'_>) -> anyhow::Result<Outcome> {
    if !exec::succeeds(context.set_up.cargo().args(["deny", "--version"])) {
        return Ok(Outcome::Skipped("cargo-deny is not installed".into()));
    }
    let mut local = context.cargo(&["deny", "--config", ".deny.toml"]);
    local.args(["--workspace", "check"]);
    local.args(["licenses", "bans", "sources"]);
    let outcome = check(&mut local)?;
    if matches!(outcome, Outcome::Failed(..)) {
        return Ok(outcome);
    }
    let mut advisories = context.cargo(&["deny", "--config", ".deny.toml"]);
    advisories.args(["--workspace", "check", "advisories"]);
    let (success, text) = exec::run_and_read(&mut advisories)?;
    // Without a network there is no list to check against, which says nothing about us.
    if !success && text.contains("failed to fetch advisory database") {
        say("the advisory database cannot be reached: advisories were not checked");
        return Ok(Outcome::Passed(Counts::default()));
    }
    Ok(if success {
        Outcome::Passed(Counts::default())
    } else {
        Outcome::Failed(Counts::default(), vec!["an advisory stands".into()])
    })
}

fn clippy(context: &Context<'_>) -> anyhow::Result<Outcome> {
    check(&mut context.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}

/// One build of everything, so that the whole-product tests find the programs, and so that
/// features are resolved in one way: building the programs alone would build much of the tree a
/// second time with other features.
fn build(context: &Context<'_>) -> anyhow::Result<Outcome> {
    let outcome = check(&mut context.cargo(&["build", "--workspace", "--all-targets"]))?;
    context
        .are_programs_built
        .set(matches!(outcome, Outcome::Passed(_)));
    Ok(outcome)
}

fn rust(context: &Context<'_>) -> anyhow::Result<Outcome> {
    let mut command = if context.has_nextest {
        let mut command = nextest(context)?;
        if context.has_window_test {
            command.args(["-E", &format!("not binary({WINDOW_TEST})")]);
        }
        command
    } else {
        // `--tests` would run the window's test too: name the targets instead.
        let mut command = context.cargo(&["test", "--workspace", "--lib", "--bins"]);
        for target in &context.test_targets {
            command.args(["--test", target]);
        }
        command.args(["--no-fail-fast", "--", "--show-output"]);
        command
    };
    run_tests(context, &mut command)
}

fn nextest(context: &Context<'_>) -> anyhow::Result<Command> {
    // A report of an earlier run must not be counted.
    let report = context.place.target.join(JUNIT);
    if report.exists() {
        std::fs::remove_file(&report)
            .with_context(|| format!("cannot remove {}", report.display()))?;
    }
    Ok(context.cargo(&[
        "nextest",
        "run",
        "--workspace",
        "--no-fail-fast",
        "--no-tests=pass",
    ]))
}

/// Where `.config/nextest.toml` has the report written, below the target folder.
const JUNIT: &str = "nextest/default/junit.xml";

fn run_tests(context: &Context<'_>, command: &mut Command) -> anyhow::Result<Outcome> {
    if !context.has_nextest {
        return Ok(count(command, counts::of_cargo_test)?.0);
    }
    let (outcome, _) = count(command, counts::of_nextest)?;
    let no_data = std::fs::read_to_string(context.place.target.join(JUNIT))
        .map(|xml| counts::no_data_of_junit(&xml))
        .unwrap_or_default();
    Ok(match outcome {
        Outcome::Passed(counts) => Outcome::Passed(counts.with_no_data(no_data)),
        Outcome::Failed(counts, names) => Outcome::Failed(counts.with_no_data(no_data), names),
        other => other,
    })
}

fn doc(context: &Context<'_>) -> anyhow::Result<Outcome> {
    let mut command = context.cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]);
    Ok(count(&mut command, counts::of_cargo_test)?.0)
}

fn window(context: &Context<'_>) -> anyhow::Result<Outcome> {
    if !context.has_window_test {
        return Ok(Outcome::Skipped(format!(
            "no package has a test called {WINDOW_TEST}"
        )));
    }
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped(
            "the driver of the window's web view exists on Linux only".into(),
        ));
    }
    // The test needs a display and a session bus of its own; both end with it.
    let inner = if context.has_nextest {
        let mut inner = nextest(context)?;
        // One display, one window at a time.
        inner.args(["--test-threads=1", "-E"]);
        inner.arg(format!("binary({WINDOW_TEST})"));
        inner
    } else {
        context.cargo(&[
            "test",
            "--workspace",
            "--test",
            WINDOW_TEST,
            "--",
            "--test-threads=1",
            "--show-output",
        ])
    };
    let mut command = context.set_up.command("xvfb-run");
    command
        .args(["--auto-servernum", "--server-args=-screen 0 1440x900x24"])
        .args(["dbus-run-session", "--"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(&context.place.root);
    context.tell_of_programs(&mut command);
    run_tests(context, &mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_integration_tests_are_listed() {
        let metadata = serde_json::json!({"packages": [
            {"targets": [{"kind": ["lib"], "name": "core"}, {"kind": ["test"], "name": "resume"}]},
            {"targets": [{"kind": ["test"], "name": "window"}, {"kind": ["bin"], "name": "x"}]},
        ]});
        let names: Vec<String> = test_targets(&metadata).into_iter().collect();
        assert_eq!(names, ["resume", "window"]);
    }

    #[test]
    fn stages_have_names_of_their_own() {
        let names: BTreeSet<&str> = ALL.iter().map(|stage| stage.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
