//! Clips that tests make and read, and their names.

use frameloom_media::{Frame, Reader};
use std::path::Path;
use std::process::Command;

/// A path as an argument.
pub fn text(path: &Path) -> String {
    path.to_str()
        .expect("paths of tests are Unicode")
        .to_owned()
}

/// Makes a file with the ffmpeg command; false after a line where that is missing.
#[track_caller]
pub fn ffmpeg(arguments: &[&str]) -> bool {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .status();
    match made {
        Ok(status) => {
            assert!(status.success(), "ffmpeg {arguments:?}");
            true
        }
        Err(error) => {
            eprintln!("skipped: no ffmpeg command ({error})");
            false
        }
    }
}

/// Every frame of a clip.
#[track_caller]
pub fn frames_of(path: &Path) -> Vec<Frame> {
    let mut reader = Reader::open(path, &Default::default()).expect("the clip can be opened");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().expect("every frame can be read") {
        frames.push(frame);
    }
    frames
}
