//! Decoding and encoding with nothing around them: the ffmpeg command, which uses the libraries
//! that the product uses.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use super::measure::{self, Spent};
use crate::exec;

/// Time to decode all frames of the video in `file`.
pub fn decode(file: &Path) -> anyhow::Result<Spent> {
    timed(ffmpeg().arg("-i").arg(file).args([
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-f",
        "null",
        "-",
    ]))
}

/// All frames of the video in `file` as they lie in memory; returns their number.
pub fn unpack(file: &Path, frames: &Path, frame_bytes: u64) -> anyhow::Result<u64> {
    exec::stdout_of(
        ffmpeg()
            .arg("-i")
            .arg(file)
            .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
            .args(["-pix_fmt", "yuv420p", "-f", "rawvideo"])
            .arg(frames),
    )?;
    let size = frames.metadata()?.len();
    if frame_bytes == 0 || size == 0 || size % frame_bytes != 0 {
        bail!("{size} bytes are no whole number of frames of {frame_bytes} bytes");
    }
    Ok(size / frame_bytes)
}

/// Time to encode unpacked frames with the encoder and the settings given.
pub fn encode(
    frames: &Path,
    (width, height): (u64, u64),
    rate: &str,
    encoder: &(String, Value),
    result: &Path,
) -> anyhow::Result<Spent> {
    let mut command = ffmpeg();
    command
        .args(["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size"])
        .args([&format!("{width}x{height}"), "-framerate", rate, "-i"])
        .arg(frames)
        .args(["-c:v", &encoder.0]);
    for (name, value) in encoder.1.as_object().into_iter().flatten() {
        let value = value.as_str().context("a setting is no text")?;
        command.args([&format!("-{name}"), value]);
    }
    timed(command.arg(result))
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-y", "-benchmark"]);
    command
}

/// ffmpeg's own clock (`bench: utime=.. stime=.. rtime=1.234s`) leaves out its start.
fn timed(command: &mut Command) -> anyhow::Result<Spent> {
    let cost = measure::run(command)?;
    Ok(Spent {
        seconds: real_time(&cost.stderr).context("ffmpeg did not say how long it took")?,
        cpu_seconds: cost.cpu_seconds,
    })
}

fn real_time(text: &str) -> Option<f64> {
    let (_, rest) = text.rsplit_once("rtime=")?;
    rest.split_once('s')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_ffmpeg_is_read() {
        let text =
            "frame=  150\nbench: utime=1.250s stime=0.090s rtime=0.734s\nbench: maxrss=1kB\n";
        assert_eq!(real_time(text), Some(0.734));
        assert_eq!(real_time("frame= 1"), None);
    }
}
