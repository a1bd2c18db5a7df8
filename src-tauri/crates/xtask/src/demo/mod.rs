//! `demo-clip`: renders the clip that the project ships, pictures and music, from nothing.

mod color;
mod picture;
mod scene;
mod sound;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::exec::{self, say};
use crate::place::Place;

/// Renders `assets/demo.mp4`, or one picture of it.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    if exec::which("ffmpeg").is_none() {
        bail!("the ffmpeg command is not in PATH; it encodes the clip");
    }
    match arguments {
        [] => clip(&Place::find()?),
        [flag, time, file] if flag == "--still" => {
            let time = time.parse().context("--still wants a time in seconds")?;
            still(time, Path::new(file))
        }
        _ => bail!("demo-clip [--still SECONDS FILE.png]"),
    }
}

/// How ffmpeg reads the pictures from its standard input.
fn pictures_in(command: &mut Command) {
    let size = format!("{}x{}", scene::WIDTH, scene::HEIGHT);
    command
        .args(["-hide_banner", "-loglevel", "error", "-y"])
        .args(["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size"])
        .args([
            &size,
            "-framerate",
            &scene::RATE.to_string(),
            "-i",
            "pipe:0",
        ])
        .stdin(Stdio::piped());
}

fn still(time: f32, file: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("ffmpeg");
    pictures_in(&mut command);
    let mut child = command.arg(file).spawn()?;
    let mut pipe = child.stdin.take().context("ffmpeg takes no input")?;
    pipe.write_all(&scene::render(time))?;
    drop(pipe);
    if !child.wait()?.success() {
        bail!("ffmpeg failed");
    }
    Ok(())
}

fn clip(place: &Place) -> anyhow::Result<()> {
    let file = place.root.join("assets/demo.mp4");
    let sound = std::env::temp_dir().join(format!("frameloom-demo-{}.wav", std::process::id()));
    let seconds = scene::FRAMES as f32 / scene::RATE as f32;
    std::fs::write(&sound, sound::wave(seconds))?;
    let mut command = Command::new("ffmpeg");
    pictures_in(&mut command);
    command
        .arg("-i")
        .arg(&sound)
        .args(["-map", "0:v", "-map", "1:a"])
        .args([
            "-vf",
            "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int",
        ])
        .args([
            "-pix_fmt",
            "yuv420p",
            "-color_range",
            "tv",
            "-colorspace",
            "bt709",
        ])
        .args(["-color_primaries", "bt709", "-color_trc", "bt709"])
        .args(["-c:v", "libx264", "-preset", "veryslow", "-crf", "23"])
        .args(["-g", "50", "-c:a", "aac", "-b:a", "96k"])
        .args([
            "-metadata",
            "title=Woven frame by frame",
            "-movflags",
            "+faststart",
        ])
        // Nothing that changes from one run to the next.
        .args([
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
            "-flags:a",
            "+bitexact",
        ])
        .arg(&file);
    let result = write_pictures(&mut command);
    let _ = std::fs::remove_file(&sound);
    result?;
    say(&format!(
        "{}: {} bytes",
        file.display(),
        file.metadata()?.len()
    ));
    Ok(())
}

fn write_pictures(command: &mut Command) -> anyhow::Result<()> {
    let mut child = command.spawn()?;
    let mut pipe = child.stdin.take().context("ffmpeg takes no input")?;
    for frame in 0..scene::FRAMES {
        if frame % scene::RATE == 0 {
            say(&format!("picture {frame} of {}", scene::FRAMES));
        }
        pipe.write_all(&scene::render(frame as f32 / scene::RATE as f32))?;
    }
    drop(pipe);
    if !child.wait()?.success() {
        bail!("ffmpeg failed");
    }
    Ok(())
}
