//! Helpers for the whole-product tests: the real command line on a data folder of its own, and
//! the media to feed it.

use anyhow::{Context, bail};
use frameloom_core::media::MediaInfo;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub mod clips;
pub mod graphs;
pub mod models;
#[path = "../../src-tauri/crates/infer/tests/common/onnx.rs"]
pub mod onnx;
#[cfg(target_os = "linux")]
pub mod scenes;
pub mod server;
#[cfg(target_os = "linux")]
pub mod torture;
#[cfg(target_os = "linux")]
pub mod tree;

pub use clips::{ffmpeg, frames_of, sound_of, text};

/// Root of the repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The clip that the project ships: 640x360, H.264 with sound.
pub fn demo_clip() -> PathBuf {
    root().join("assets/demo.mp4")
}

/// A file of the test material, or `None` with a line that says so where it is missing.
pub fn test_data(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FRAMELOOM_TEST_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: no test data ({path})");
    None
}

/// The built program `name`, beside this test. Each is built if need be, once per process.
pub fn program(name: &str, package: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let this = std::env::current_exe().expect("a program knows its own file");
    // Tests are in target/PROFILE/deps, programs in target/PROFILE.
    let folder = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .expect("programs are built into target/PROFILE");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    // `cargo xtask test` has built everything before and says so.
    let is_told = std::env::var_os("FRAMELOOM_PROGRAMS_BUILT").is_some() && path.exists();
    if built.insert(name.to_owned()) && !is_told {
        let profile = folder.ends_with("release").then_some("--release");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", package])
            .args(profile)
            .current_dir(root())
            .status()
            .expect("cargo can be started");
        assert!(status.success(), "{package} does not build");
    }
    assert!(path.exists(), "{} was not built", path.display());
    path
}

/// The command line on a data folder of its own.
pub struct Cli {
    folder: TempDir,
}

/// What a command gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The JSON lines of standard error that tell of `event`.
    pub fn json_lines(&self, event: &str) -> Vec<Value> {
        self.stderr
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["event"] == event)
            .collect()
    }

    /// Fails the test unless the exit code is this.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

impl Default for Cli {
    fn default() -> Self {
        Self::new()
    }
}

impl Cli {
    /// A fresh data folder; nothing outside of it is touched.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    /// A folder for the files of this test.
    pub fn folder(&self) -> PathBuf {
        let folder = self.folder.path().join("files");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        folder
    }

    /// Keeps all files of this test for whoever looks into its failure, and says where.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// The data folder of the program.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command, ready to be changed and started.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program("frameloom", "frameloom-cli"));
        command
            .args(arguments)
            .env("FRAMELOOM_DATA_DIR", self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        Ran::new(
            self.command(arguments)
                .output()
                .expect("frameloom can be started"),
        )
    }

    /// Starts a command.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        self.command(arguments)
            .spawn()
            .expect("frameloom can be started")
    }

    /// All jobs as `jobs list --json` prints them.
    #[track_caller]
    pub fn jobs(&self) -> Vec<Value> {
        let listed = self.run(["jobs", "list", "--json"]).expect_code(0).json();
        listed.as_array().expect("an array of jobs").clone()
    }

    /// Starts a job, kills it with its worker once a part of it is finished, and gives its id.
    /// `output` must not be there by then.
    #[cfg(unix)]
    #[track_caller]
    pub fn killed_midway<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        output: &Path,
    ) -> String {
        let mut child = self.start(arguments);
        wait_until("a finished segment", || self.parts() > 0);
        signal(child.id(), "KILL");
        child.wait().expect("it was started");
        wait_until("the end of the worker", || {
            torture::workers_of(self).is_empty()
        });
        assert!(!output.exists(), "it was killed too late");
        let jobs = self.jobs();
        let mut jobs = jobs.iter();
        let job = jobs.find(|job| job["state"] == "interrupted");
        let id = job.and_then(|job| job["id"].as_str());
        id.expect("a job that was interrupted").to_owned()
    }

    /// Number of finished parts on the disk, over all jobs.
    pub fn parts(&self) -> usize {
        walk(&self.data().join("jobs"))
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "part"))
            .count()
    }
}

/// All files below a folder.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(children) = std::fs::read_dir(folder) else {
        return files;
    };
    for child in children.flatten() {
        let path = child.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What takes longer on the slowest machine never happens.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for something that must happen sooner or later.
#[track_caller]
pub fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let since = Instant::now();
    while !happened() {
        assert!(since.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal (`STOP`, `KILL`) to a process.
#[cfg(unix)]
#[track_caller]
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .expect("kill can be started");
    assert!(status.success());
}

/// As [`signal`], for a process that may be gone already.
#[cfg(unix)]
pub fn signal_quietly(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// What a file holds.
#[track_caller]
pub fn probe(path: &Path) -> MediaInfo {
    frameloom_app::inputs::probe(path)
        .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

/// Every frame of a clip: timestamp in ticks and a hash of its samples.
pub fn frames(path: &Path) -> anyhow::Result<Vec<(i64, u64)>> {
    let mut reader = frameloom_media::Reader::open(path, &Default::default())?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        frames.push((frame.pts(), frame.content_hash()));
    }
    Ok(frames)
}

/// Mean PSNR in dB of the luma of two clips of the same size.
pub fn luma_psnr(a: &Path, b: &Path) -> anyhow::Result<f64> {
    use frameloom_core::pixel::AnyPlane;
    let mut readers = [
        frameloom_media::Reader::open(a, &Default::default())?,
        frameloom_media::Reader::open(b, &Default::default())?,
    ];
    let (mut sum, mut samples) = (0.0f64, 0u64);
    loop {
        let [first, second] = &mut readers;
        match (first.next_frame()?, second.next_frame()?) {
            (None, None) => break,
            (Some(a), Some(b)) => {
                let (AnyPlane::U8(a), AnyPlane::U8(b)) = (a.plane(0), b.plane(0)) else {
                    bail!("only 8-bit clips are compared");
                };
                for y in 0..a.height.min(b.height) {
                    for (p, q) in a.row(y).iter().zip(b.row(y)) {
                        sum += (f64::from(*p) - f64::from(*q)).powi(2);
                        samples += 1;
                    }
                }
            }
            _ => bail!("one clip has more frames than the other"),
        }
    }
    let mean = sum / samples.max(1) as f64;
    Ok(10.0 * (255.0f64.powi(2) / mean.max(1e-9)).log10())
}

/// Writes an 8-bit RGB PNG whose pixels come from `pixel(x, y)`.
pub fn write_png(
    path: &Path,
    width: u32,
    height: u32,
    pixel: impl Fn(u32, u32) -> [u8; 3],
) -> anyhow::Result<()> {
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y)))
        .save(path)
        .with_context(|| path.display().to_string())
}

/// A picture with edges and gradients.
pub fn pattern(x: u32, y: u32) -> [u8; 3] {
    let stripe = if (x / 7 + y / 5).is_multiple_of(2) {
        200
    } else {
        40
    };
    [stripe, (x % 256) as u8, (y % 256) as u8]
}
