//! Reading a finished file back.

use crate::animation::animation_facts;
use crate::error::MediaError;
use crate::ffi::input::Look;
use crate::ffi::packet::Packet;
use crate::probe::probe_with;
use frameloom_core::media::MediaInfo;
use frameloom_core::time::{TimeBase, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the file must be.
#[derive(Debug, Clone)]
pub struct Expectation<'a> {
    /// Presentation time of every frame, rising, in ticks of `time_base`.
    pub pts: &'a [i64],
    /// Base of `pts`.
    pub time_base: TimeBase,
    /// Width and height of the pictures.
    pub size: (u32, u32),
    /// Streams in all, the processed one and attachments included.
    pub streams: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputCheck {
    /// Frames in the video stream.
    pub frames: u64,
    /// The same amount that every frame is later than expected, in microseconds: a container
    /// that holds no negative times moves all streams together.
    pub offset_micros: i64,
    /// What a probe says of the file, and when its frames are shown.
    pub times: FrameTimes,
}

/// When the frames of a file's main video stream are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameTimes {
    /// What a probe says of the file.
    pub info: MediaInfo,
    /// Presentation times, rising, in ticks of `time_base`.
    pub ticks: Vec<i64>,
    /// Base of `ticks`.
    pub time_base: TimeBase,
}

impl FrameTimes {
    /// Presentation times in microseconds.
    pub fn micros(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.ticks
            .iter()
            .map(|&ticks| Timestamp::new(ticks, self.time_base).micros())
    }
}

/// Reads the time of every frame of the main video stream, without decoding.
///
/// # Errors
/// The file cannot be opened, holds no video, or a frame has no time.
pub fn frame_times(path: &Path) -> Result<FrameTimes, MediaError> {
    coded_frames(path, &mut |_, _| ())
}

/// As [`frame_times`]; `each` is called with the time, in ticks of the stream, and the coded bytes
/// of every frame, in the order of the file. It is not called for WebP, whose frames only its own
/// reader knows.
///
/// # Errors
/// As [`frame_times`].
pub fn coded_frames(
    path: &Path,
    each: &mut dyn FnMut(i64, &[u8]),
) -> Result<FrameTimes, MediaError> {
    let cancel = Arc::new(AtomicBool::new(false));
    let info = probe_with(path, &cancel)?;
    let (stream, _) = info
        .main_video()
        .ok_or_else(|| MediaError::NoVideo { path: path.into() })?;
    if info.container == "webp"
        && let Some(facts) = animation_facts(path)?
    {
        let time_base = stream.time_base;
        return Ok(FrameTimes {
            ticks: facts.starts(time_base),
            time_base,
            info,
        });
    }
    let (index, time_base) = (stream.index as usize, stream.time_base);
    let mut input = crate::source::open(path, Look::Pictures, &cancel)?;
    input.keep_streams(|i| i == index);
    let mut packet = Packet::new()?;
    let mut ticks = Vec::new();
    while input.read(&mut packet)? {
        if packet.stream() == index {
            let pts = packet.pts().ok_or_else(|| MediaError::Verification {
                what: "a frame has no time".into(),
                path: path.into(),
            })?;
            each(pts, packet.data());
            ticks.push(pts);
        }
    }
    ticks.sort_unstable();
    Ok(FrameTimes {
        info,
        ticks,
        time_base,
    })
}

/// Reads every packet of the main video stream and compares.
///
/// # Errors
/// [`MediaError::Verification`] with the first thing that does not match, or those of opening it.
pub fn verify_output(path: &Path, expected: &Expectation<'_>) -> Result<OutputCheck, MediaError> {
    let fail = |what: String| MediaError::Verification {
        what,
        path: path.into(),
    };
    let times = frame_times(path)?;
    let (_, video) = times
        .info
        .main_video()
        .ok_or_else(|| MediaError::NoVideo { path: path.into() })?;
    if (video.width, video.height) != expected.size {
        return Err(fail(format!(
            "it is {}x{} instead of {}x{}",
            video.width, video.height, expected.size.0, expected.size.1
        )));
    }
    let found = times.info.streams.len();
    if found < expected.streams as usize {
        return Err(fail(format!(
            "it has {found} streams instead of {}",
            expected.streams
        )));
    }
    if times.ticks.len() != expected.pts.len() {
        return Err(fail(format!(
            "it has {} frames instead of {}",
            times.ticks.len(),
            expected.pts.len()
        )));
    }
    let offset_micros = compare(&times.ticks, times.time_base, expected).map_err(fail)?;
    Ok(OutputCheck {
        frames: times.ticks.len() as u64,
        offset_micros,
        times,
    })
}

/// The constant difference, or the first frame that breaks it.
fn compare(times: &[i64], base: TimeBase, expected: &Expectation<'_>) -> Result<i64, String> {
    let wanted: Vec<i64> = expected
        .pts
        .iter()
        .map(|pts| {
            Timestamp::new(*pts, expected.time_base)
                .rescaled(base)
                .ticks
        })
        .collect();
    let (Some(first), Some(first_wanted)) = (times.first(), wanted.first()) else {
        return Ok(0);
    };
    let offset = first - first_wanted;
    // A coarser clock rounds each time by itself.
    let slack = i64::from(
        base.ratio() > expected.time_base.ratio() || !is_multiple(base, expected.time_base),
    );
    for (frame, (time, wanted)) in times.iter().zip(&wanted).enumerate() {
        if (time - wanted - offset).abs() > slack {
            let micros = |ticks| Timestamp::new(ticks, base).micros();
            return Err(format!(
                "frame {frame} is at {} µs instead of {} µs",
                micros(*time),
                micros(wanted + offset)
            ));
        }
    }
    Ok(Timestamp::new(offset, base).micros())
}

/// True if a tick of `coarse` is a whole number of ticks of `fine`.
fn is_multiple(fine: TimeBase, coarse: TimeBase) -> bool {
    let (f, c) = (fine.ratio(), coarse.ratio());
    let num = i128::from(c.num) * i128::from(f.den);
    let den = i128::from(c.den) * i128::from(f.num);
    num % den == 0
}
