//! Numbered pictures as a clip: which there are, what they are, and reading them one by one.
//!
//! Every picture is handed to the decoder whole, as one packet. Nothing but the files of the
//! pattern is opened.

use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder};
use crate::ffi::frame::AvFrame;
use crate::ffi::input::Look;
use crate::ffi::packet::Packet;
use crate::ffi::pixel::AvFormat;
use crate::probe::probe_with;
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::sequence::{NumberPattern, PictureRun};
use frameloom_core::time::{FrameRate, TimeBase};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a probe calls a sequence where it names a container.
pub const SEQUENCE_CONTAINER: &str = "pictures";

/// A file of a picture is not read beyond this many bytes.
const LARGEST_BYTES: u64 = 2 << 30;

/// The pictures of `pattern`, a path with a place for a number, from number `first` on, or from
/// the smallest that is there.
///
/// # Errors
/// [`MediaError::NotFound`] if there is none; [`MediaError::Sequence`] for the first number that
/// is missing between two that are there; [`MediaError::NotReadable`] for the folder.
pub fn find_pictures(
    pattern: &Path,
    first: Option<u64>,
    rate: FrameRate,
) -> Result<PictureRun, MediaError> {
    let names = NumberPattern::of_path(pattern).ok_or_else(|| MediaError::InvalidRequest {
        what: said!(
            "sequence.no_number",
            "`{name}` has no place for a number, such as %05d",
            name = pattern.display()
        ),
    })?;
    let mut numbers = numbers_of(pattern, &names)?;
    numbers.retain(|number| first.is_none_or(|first| *number >= first));
    let start = match (first, numbers.first()) {
        (Some(first), found) if found != Some(&first) => {
            return Err(MediaError::NotFound {
                path: names.path(pattern, first),
            });
        }
        (_, Some(start)) => *start,
        (_, None) => {
            return Err(MediaError::NotFound {
                path: pattern.into(),
            });
        }
    };
    for (expected, found) in (start..).zip(&numbers) {
        if expected != *found {
            return Err(MediaError::Sequence {
                what: said!(
                    "sequence.gap",
                    "this picture of the sequence is missing, although {next} is there; put it back, or move the pictures behind the gap elsewhere",
                    next = names.name(*found)
                ),
                path: names.path(pattern, expected),
            });
        }
    }
    Ok(PictureRun {
        rate,
        first: start,
        count: numbers.len() as u64,
    })
}

/// Every number for which there is a file, rising.
///
/// # Errors
/// [`MediaError::NotReadable`] for the folder; [`MediaError::NotFound`] if it is not there.
pub fn numbers_of(pattern: &Path, names: &NumberPattern) -> Result<Vec<u64>, MediaError> {
    let folder = match pattern.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => MediaError::NotFound {
            path: pattern.into(),
        },
        _ => MediaError::NotReadable {
            source,
            path: folder.into(),
        },
    };
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        if let Some(number) = name.to_str().and_then(|name| names.number_of(name)) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Says what a sequence is, by its first picture.
///
/// # Errors
/// Those of [`crate::probe`] for the first picture; [`MediaError::Sequence`] if it moves itself.
pub fn probe_pictures(pattern: &Path, run: PictureRun) -> Result<MediaInfo, MediaError> {
    probe_pictures_with(pattern, run, &Arc::new(AtomicBool::new(false)))
}

pub(crate) fn probe_pictures_with(
    pattern: &Path,
    run: PictureRun,
    cancel: &Arc<AtomicBool>,
) -> Result<MediaInfo, MediaError> {
    let names = pattern_of(pattern)?;
    let first = names.path(pattern, run.first);
    let info = probe_with(&first, cancel)?;
    if info.kind != MediaKind::Still {
        return Err(MediaError::Sequence {
            what: said!(
                "sequence.clip",
                "a picture of the sequence is a clip or an animation itself"
            ),
            path: first,
        });
    }
    let (stream, video) = info.main_video().ok_or_else(|| MediaError::NoVideo {
        path: first.clone(),
    })?;
    let base = base_of(run);
    let mut video = video.clone();
    video.frame_rate = Some(run.rate);
    video.variable_frame_rate = Some(false);
    let sizes = run.numbers().map(|number| {
        let facts = std::fs::metadata(names.path(pattern, number));
        facts.map_or(0, |facts| facts.len())
    });
    let size_bytes: u64 = sizes.sum();
    let seconds = run.count as f64 / run.rate.ratio().to_f64();
    let stream = StreamInfo {
        index: 0,
        time_base: base,
        start_ticks: Some(0),
        duration_ticks: i64::try_from(run.count).ok(),
        frame_count: Some(run.count),
        bit_rate: None,
        video: Some(video),
        ..stream.clone()
    };
    Ok(MediaInfo {
        kind: MediaKind::Video,
        container: SEQUENCE_CONTAINER.to_owned(),
        size_bytes,
        duration_micros: Some((seconds * 1e6).round() as i64),
        bit_rate: (seconds > 0.0).then(|| (size_bytes as f64 * 8.0 / seconds) as u64),
        streams: vec![stream],
        ..info
    })
}

pub(crate) fn base_of(run: PictureRun) -> TimeBase {
    let rate = run.rate.ratio();
    TimeBase::new(rate.den, rate.num).unwrap_or(TimeBase::MICROS)
}

fn pattern_of(pattern: &Path) -> Result<NumberPattern, MediaError> {
    NumberPattern::of_path(pattern).ok_or_else(|| MediaError::NotFound {
        path: pattern.into(),
    })
}

/// Reads the pictures, each as a frame.
pub(crate) struct PictureFiles {
    pattern: PathBuf,
    names: NumberPattern,
    run: PictureRun,
    /// Place of the next picture, from 0.
    next: u64,
    decoder: Decoder,
    /// What the first picture is: width, height, layout.
    like: Option<(u32, u32, AvFormat)>,
}

impl PictureFiles {
    pub(crate) fn open(
        pattern: &Path,
        run: PictureRun,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let names = pattern_of(pattern)?;
        let first = names.path(pattern, run.first);
        let input = crate::source::open(&first, Look::Pictures, cancel)?;
        let stream = input.stream(0).ok_or_else(|| MediaError::NoVideo {
            path: first.clone(),
        })?;
        // One picture in, one out: several threads would hold pictures back.
        let decoder = Decoder::open(stream, false, 1, &first)?;
        Ok(Self {
            pattern: pattern.into(),
            names,
            run,
            next: 0,
            decoder,
            like: None,
        })
    }

    /// Goes to the picture with this place, from 0.
    pub(crate) fn seek(&mut self, place: u64) {
        self.next = place;
        self.decoder.flush();
    }

    /// The next picture, its time its place; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<AvFrame>, MediaError> {
        if self.next >= self.run.count {
            return Ok(None);
        }
        let place = i64::try_from(self.next).unwrap_or(i64::MAX);
        let path = self.names.path(&self.pattern, self.run.first + self.next);
        let bytes = read_picture(&path)?;
        let mut packet = Packet::with_data(&bytes)?;
        packet.set_timing(place, place, 1, true);
        let broken = |what: Said| MediaError::Sequence {
            what,
            path: path.clone(),
        };
        let (_, damage) = self.decoder.send(Some(&packet))?;
        let mut raw = AvFrame::new()?;
        match (damage, self.decoder.receive(&mut raw)?) {
            (None, Answer::Frame) if !raw.is_damaged() => {}
            (Some(error), _) => {
                return Err(broken(said!(
                    "sequence.undecodable",
                    "this picture of the sequence cannot be decoded ({error})",
                    error = Said::from(error.to_string())
                )));
            }
            _ => {
                return Err(broken(said!(
                    "sequence.damaged",
                    "this picture of the sequence is damaged, or of another format than the first"
                )));
            }
        }
        let found = (raw.width(), raw.height(), raw.format());
        let like = *self.like.get_or_insert(found);
        if (found.0, found.1) != (like.0, like.1) {
            return Err(broken(said!(
                "sequence.size",
                "this picture of the sequence is {width}x{height} and the first one {first_width}x{first_height}",
                width = found.0,
                height = found.1,
                first_width = like.0,
                first_height = like.1
            )));
        }
        if found.2 != like.2 {
            return Err(broken(said!(
                "sequence.samples",
                "the samples of this picture of the sequence are {samples} and those of the first one {first}",
                samples = found.2.name().to_string(),
                first = like.2.name().to_string()
            )));
        }
        raw.set_best_pts(place);
        raw.set_duration(1);
        self.next += 1;
        Ok(Some(raw))
    }
}

fn read_picture(path: &Path) -> Result<Vec<u8>, MediaError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => MediaError::NotFound { path: path.into() },
        _ => MediaError::NotReadable {
            source,
            path: path.into(),
        },
    };
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length == 0 {
        return Err(MediaError::Empty { path: path.into() });
    }
    if length > LARGEST_BYTES {
        return Err(MediaError::OutOfMemory);
    }
    std::fs::read(path).map_err(fail)
}
