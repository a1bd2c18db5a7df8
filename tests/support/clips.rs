//! Clips that tests make and read, and their names.

use crate::probe;
use frameloom_media::{Frame, Reader, SoundFilter, SoundFormat, SoundReader};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

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

/// All samples of the first track of a file, mixed into one channel at `rate`, from the time zero of
/// the file on.
pub fn sound_of(path: &Path, rate: i64) -> Vec<f64> {
    let info = probe(path);
    let stream = info
        .streams
        .iter()
        .find(|s| s.audio.is_some())
        .expect("the file has sound");
    let mut reader =
        SoundReader::open(path, stream.index, &Arc::default()).expect("the file has sound");
    let wanted = SoundFormat {
        rate: u32::try_from(rate).expect("the file has sound"),
        layout: "mono".into(),
    };
    let mut filter = SoundFilter::open(reader.format(), &wanted, &[]).expect("the file has sound");
    let first = reader.start() * rate / i64::from(reader.format().rate);
    let mut all = vec![0.0; usize::try_from(first).unwrap_or(0)];
    let mut take = |filter: &mut SoundFilter| {
        while let Some(channels) = filter.receive().expect("the file has sound") {
            all.extend_from_slice(&channels[0]);
        }
    };
    while let Some(block) = reader.next_block().expect("the file has sound") {
        filter.send(&block.channels).expect("the file has sound");
        take(&mut filter);
    }
    filter.finish().expect("the file has sound");
    take(&mut filter);
    all
}
