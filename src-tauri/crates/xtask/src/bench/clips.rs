//! Clips to measure on, made from the demo clip, kept in the user's cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exec;
use crate::place::Place;

/// Source of all of them.
pub fn demo(place: &Place) -> PathBuf {
    place.root.join("assets/demo.mp4")
}

/// The demo clip, repeated up to `seconds`: 640x360, H.264, 25 pictures per second.
pub fn full(place: &Place, seconds: u32) -> anyhow::Result<PathBuf> {
    let file = folder(place)?.join(format!("360p-{seconds}s.mp4"));
    make(&file, place, seconds, &["-c", "copy"])
}

/// The same at 320x180, so that minutes of it can be processed in minutes.
pub fn half(place: &Place, seconds: u32) -> anyhow::Result<PathBuf> {
    let file = folder(place)?.join(format!("180p-{seconds}s.mp4"));
    let encode = [
        "-vf",
        "scale=320:180",
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-crf",
        "20",
        "-c:a",
        "copy",
    ];
    make(&file, place, seconds, &encode)
}

/// The same at 160x90: an hour of it can be processed in minutes.
pub fn quarter(place: &Place, seconds: u32) -> anyhow::Result<PathBuf> {
    let file = folder(place)?.join(format!("90p-{seconds}s.mp4"));
    let encode = [
        "-vf",
        "scale=160:90",
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-crf",
        "20",
        "-c:a",
        "copy",
    ];
    make(&file, place, seconds, &encode)
}

fn folder(place: &Place) -> anyhow::Result<PathBuf> {
    let folder = place.cache.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn make(file: &Path, place: &Place, seconds: u32, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let source = demo(place);
    let is_fresh = |file: &Path| -> Option<bool> {
        let made = file.metadata().ok()?.modified().ok()?;
        Some(made >= source.metadata().ok()?.modified().ok()?)
    };
    if is_fresh(file) == Some(true) {
        return Ok(file.to_path_buf());
    }
    let part = file.with_extension("part.mp4");
    exec::run(
        Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-y"])
            .args(["-stream_loop", "-1", "-i"])
            .arg(&source)
            .args(["-t", &seconds.to_string()])
            .args(arguments)
            .arg(&part),
    )?;
    std::fs::rename(&part, file)?;
    Ok(file.to_path_buf())
}
