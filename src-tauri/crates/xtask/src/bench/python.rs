//! The Python pipelines that the product is measured against: their environment and their runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use super::measure::{self, Spent};
use crate::exec::{self, say};
use crate::place::Place;

/// A virtual environment with what `tests/bench/requirements.txt` pins.
pub struct Python {
    program: PathBuf,
    scripts: PathBuf,
}

impl Python {
    /// Makes the environment where it is missing or its requirements changed.
    pub fn ensure(place: &Place) -> anyhow::Result<Self> {
        let scripts = place.root.join("tests/bench");
        let requirements = std::fs::read_to_string(scripts.join("requirements.txt"))?;
        let folder = place.cache.join("bench/python");
        let program = if cfg!(windows) {
            folder.join("Scripts/python.exe")
        } else {
            folder.join("bin/python")
        };
        // Written last, so it stands for a finished installation.
        let stamp = folder.join("requirements.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == requirements)
            && exec::succeeds(Command::new(&program).args(["-c", "import av, onnxruntime"]))
        {
            return Ok(Self { program, scripts });
        }
        say("making the Python environment of the baseline");
        let python = ["python3", "python"]
            .into_iter()
            .find(|name| exec::which(name).is_some())
            .context("there is no Python")?;
        exec::run(
            exec::tool(python)
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        exec::run(
            Command::new(&program)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args(["--only-binary=:all:", "--requirement"])
                .arg(scripts.join("requirements.txt")),
        )?;
        std::fs::write(&stamp, requirements)?;
        Ok(Self { program, scripts })
    }

    /// Runs `baseline_<name>.py`: the whole job.
    pub fn pipeline(
        &self,
        name: &str,
        input: &Path,
        output: &Path,
        model: &Path,
        encoder: &(String, Value),
    ) -> anyhow::Result<(u64, Spent)> {
        self.run(
            self.script(&format!("baseline_{name}.py"))
                .args([input, output])
                .arg("--model")
                .arg(model)
                .args(["--encoder", &encoder.0])
                .args(["--options", &encoder.1.to_string()]),
        )
    }

    /// Runs `bare_inference.py`: the model alone on pictures of one size.
    pub fn inference(
        &self,
        model: &Path,
        (width, height): (u64, u64),
        frames: u64,
    ) -> anyhow::Result<Spent> {
        let (_, spent) = self.run(
            self.script("bare_inference.py")
                .arg("--model")
                .arg(model)
                .args([
                    "--width",
                    &width.to_string(),
                    "--height",
                    &height.to_string(),
                ])
                .args(["--frames", &frames.to_string()]),
        )?;
        Ok(spent)
    }

    /// Runs `bare_runs.py`: what one round of looks at inputs of these shapes costs a model.
    pub fn bare(
        &self,
        model: &Path,
        looks: &[(&[u32], u32)],
        rounds: u64,
    ) -> anyhow::Result<Spent> {
        let looks: Vec<Value> = looks
            .iter()
            .map(|(shape, times)| json!({"shape": shape, "times": times}))
            .collect();
        let mut command = self.script("bare_runs.py");
        command
            .arg("--model")
            .arg(model)
            .args(["--looks", &Value::from(looks).to_string()])
            .args(["--rounds", &rounds.to_string()]);
        let report: Value = serde_json::from_str(&exec::stdout_of(&mut command)?)?;
        Ok(Spent {
            seconds: report["seconds"].as_f64().context("no seconds")?,
            cpu_seconds: report["cpu_seconds"].as_f64().context("no seconds")?,
        })
    }

    /// A script of `tests/bench`, ready to be given its arguments.
    pub fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        // No compiled files in the checkout.
        command.arg("-B").arg(self.scripts.join(name));
        command
    }

    /// Frames and seconds as a script reports them; the seconds leave out Python's own start.
    fn run(&self, command: &mut Command) -> anyhow::Result<(u64, Spent)> {
        let cost = measure::run(command)?;
        let report: Value = serde_json::from_str(cost.stdout.trim())
            .with_context(|| format!("`{}` printed no report", exec::shown(command)))?;
        let frames = report["frames"].as_u64().context("no frames")?;
        let spent = Spent {
            seconds: report["seconds"].as_f64().context("no seconds")?,
            cpu_seconds: cost.cpu_seconds,
        };
        Ok((frames, spent))
    }
}
