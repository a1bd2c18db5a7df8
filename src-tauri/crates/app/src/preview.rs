//! Pictures for the window: thumbnails, a frame before and after, a clip under the pointer.

use crate::pictures::picture_at;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op, parse_kept, slowness};
use frameloom_core::job::{JobId, JobState};
use frameloom_core::said;
use frameloom_core::time::Rational;
use frameloom_media::{Container, Scrubber, Tones};
use frameloom_still::Limits;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPicture {
    /// `image/jpeg` or `image/png`.
    pub mime: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Which picture of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The source.
    Before,
    /// The result.
    After,
}

/// Longest side of a picture that the window is given. Larger ones would be scaled by the
/// webview anyway, at a cost in memory that it cannot bear.
const MAX_SIDE: u32 = 4096;
/// Thumbnails are small and many.
const JPEG_QUALITY: u8 = 85;
/// What the cache may hold.
const CACHE_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    modified: Option<SystemTime>,
    at_micros: Option<i64>,
    max_side: u32,
    lossless: bool,
}

/// Pictures made lately; the window asks for the same one again and again.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: Mutex<VecDeque<(Key, Arc<EncodedPicture>)>>,
}

impl Cache {
    fn get(&self, key: &Key) -> Option<Arc<EncodedPicture>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|(k, _)| k == key)?;
        let entry = entries.remove(at)?;
        let picture = entry.1.clone();
        entries.push_back(entry);
        Some(picture)
    }

    fn put(&self, key: Key, picture: Arc<EncodedPicture>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_back((key, picture));
        let mut total: usize = entries.iter().map(|(_, p)| p.bytes.len()).sum();
        while total > CACHE_BYTES && entries.len() > 1 {
            total -= entries.pop_front().map_or(0, |(_, p)| p.bytes.len());
        }
    }

    /// Size of all pictures.
    pub(crate) fn size_bytes(&self) -> u64 {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|(_, p)| p.bytes.len() as u64).sum()
    }

    /// Forgets all pictures.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }
}

/// Clips that are looked at; their files stay open.
#[derive(Debug, Default)]
pub(crate) struct OpenClips {
    clips: Mutex<VecDeque<OpenClip>>,
}

#[derive(Debug, Clone)]
struct OpenClip {
    path: PathBuf,
    modified: Option<SystemTime>,
    scrubber: Arc<Mutex<Scrubber>>,
}

/// One that is played and one that the pointer is over, and those before them.
const OPEN_CLIPS: usize = 3;

/// The clip, if it is open as it is now; one that has changed since is closed.
fn known(
    clips: &mut VecDeque<OpenClip>,
    path: &Path,
    modified: Option<SystemTime>,
) -> Option<Arc<Mutex<Scrubber>>> {
    let at = clips.iter().position(|clip| clip.path == path)?;
    let clip = clips.remove(at).filter(|clip| clip.modified == modified)?;
    clips.push_back(clip.clone());
    Some(clip.scrubber)
}

impl OpenClips {
    fn open(
        &self,
        path: &Path,
        modified: Option<SystemTime>,
    ) -> Result<Arc<Mutex<Scrubber>>, AppError> {
        if let Some(scrubber) = known(&mut self.clips(), path, modified) {
            return Ok(scrubber);
        }
        // Without the lock: a large file on a slow drive must not hold up the others.
        let opened = Scrubber::open(path).map_err(|e| explain::media(&e))?;
        let mut clips = self.clips();
        // Of two that opened it at once, both look at the one that was there first.
        if let Some(scrubber) = known(&mut clips, path, modified) {
            return Ok(scrubber);
        }
        let scrubber = Arc::new(Mutex::new(opened));
        clips.push_back(OpenClip {
            path: path.to_owned(),
            modified,
            scrubber: scrubber.clone(),
        });
        while clips.len() > OPEN_CLIPS {
            clips.pop_front();
        }
        Ok(scrubber)
    }

    fn clips(&self) -> MutexGuard<'_, VecDeque<OpenClip>> {
        self.clips.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is this clip open?
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.clips().iter().any(|clip| clip.path == path)
    }
}

/// When the source shows what a result shows at a moment.
fn source_moment(graph: &Graph, at_micros: i64) -> i64 {
    let slow = slowness(graph.nodes.iter().map(|node| &node.op));
    // In slow motion it is shown earlier there.
    let fast = slow.and_then(Rational::recip).unwrap_or(Rational::ONE);
    let at_micros = fast.of(at_micros);
    let kept = graph.nodes.iter().find_map(|node| match &node.op {
        Op::Cut(params) => parse_kept(&params.keep).ok(),
        _ => None,
    });
    let Some(kept) = kept else {
        return at_micros.saturating_add(graph.skipped_micros());
    };
    let mut rest = at_micros;
    for stretch in &kept {
        let length = stretch.to_micros.map(|to| to - stretch.from_micros);
        match length {
            Some(length) if rest >= length => rest -= length,
            _ => return stretch.from_micros.saturating_add(rest),
        }
    }
    // A result may be a frame longer than what was asked for.
    kept.last()
        .and_then(|last| last.to_micros)
        .unwrap_or(at_micros)
}

impl App {
    /// The picture of a clip at a time, upright, at most `max_side` pixels long. `exact`: the very
    /// frame that is on the screen then; otherwise one near by, which costs no more than a frame.
    ///
    /// # Errors
    /// The file cannot be read or is no clip.
    pub fn clip_frame(
        &self,
        path: &Path,
        at_micros: i64,
        max_side: u32,
        exact: bool,
    ) -> Result<EncodedPicture, AppError> {
        let metadata =
            std::fs::metadata(path).map_err(|error| explain::unreadable(path, &error))?;
        self.note_use(path, &metadata);
        let scrubber = self.clips.open(path, metadata.modified().ok())?;
        // One that panicked may be anywhere; it finds its place again with the next jump.
        let mut scrubber = scrubber.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = scrubber
            .picture(at_micros, max_side.clamp(16, MAX_SIDE), exact)
            .map_err(|e| explain::media(&e))?;
        drop(scrubber);
        encode(&picture.data, picture.width, picture.height, false)
    }

    /// A small upright picture of a file, at most `max_side` pixels long.
    ///
    /// # Errors
    /// The file cannot be read or has no picture.
    pub fn thumbnail(&self, path: &Path, max_side: u32) -> Result<Arc<EncodedPicture>, AppError> {
        self.picture(path, None, max_side.clamp(16, 1024), false)
    }

    /// The source or the result of a job, for a clip at a point in time. Only a finished job has
    /// a result.
    ///
    /// # Errors
    /// There is no such job, or its file cannot be read.
    pub fn job_frame(
        &self,
        id: &JobId,
        side: Side,
        at_micros: i64,
    ) -> Result<Arc<EncodedPicture>, AppError> {
        let (path, at_micros) = self.place_of_frame(id, side, at_micros)?;
        self.picture(&path, at_micros, MAX_SIDE, true)
    }

    /// The file that holds a frame of a job, and when it is shown there.
    pub(crate) fn place_of_frame(
        &self,
        id: &JobId,
        side: Side,
        at_micros: i64,
    ) -> Result<(PathBuf, Option<i64>), AppError> {
        let job = self.job(id)?;
        let (path, run) = match side {
            Side::Before => (&job.spec.input, job.spec.pictures),
            Side::After if job.state == JobState::Succeeded => (&job.spec.output, None),
            Side::After => {
                return Err(AppError::new(
                    ErrorCode::JobState,
                    said!(
                        "job.no_result",
                        "Job {id} has no result yet.",
                        id = id.0.as_str()
                    ),
                )
                .hint("Wait until it is done."));
            }
        };
        let at_micros = match side {
            Side::Before => source_moment(&job.spec.graph, at_micros.max(0)),
            Side::After => at_micros.max(0),
        };
        let numbered =
            Container::from_path(&job.spec.output).is_ok_and(|c| c == Container::Pictures);
        if run.is_some() || (side == Side::After && numbered) {
            let rate = match job.spec.pictures {
                Some(run) => Some(run.rate),
                None => frameloom_media::probe(&job.spec.input)
                    .ok()
                    .and_then(|info| info.main_video().and_then(|(_, v)| v.frame_rate)),
            };
            if let Some(picture) = picture_at(path, run, rate, at_micros) {
                return Ok((picture, None));
            }
        }
        Ok((path.clone(), Some(at_micros)))
    }

    fn picture(
        &self,
        path: &Path,
        at_micros: Option<i64>,
        max_side: u32,
        lossless: bool,
    ) -> Result<Arc<EncodedPicture>, AppError> {
        let metadata =
            std::fs::metadata(path).map_err(|error| explain::unreadable(path, &error))?;
        self.note_use(path, &metadata);
        let key = Key {
            path: path.to_owned(),
            modified: metadata.modified().ok(),
            at_micros,
            max_side,
            lossless,
        };
        if let Some(picture) = self.previews.get(&key) {
            return Ok(picture);
        }
        let (width, height, rgb) = pixels(path, at_micros, max_side, Tones::Shown)?;
        let picture = Arc::new(encode(&rgb, width, height, lossless)?);
        self.previews.put(key, picture.clone());
        Ok(picture)
    }
}

/// An upright picture of a file, at most `max_side` pixels long: width, height and interleaved
/// 8-bit sRGB.
pub(crate) fn pixels(
    path: &Path,
    at_micros: Option<i64>,
    max_side: u32,
    tones: Tones,
) -> Result<(u32, u32, Vec<u8>), AppError> {
    let still = frameloom_still::is_still(path).map_err(|e| explain::still(&e))?;
    // Of an animation the frame of that time is shown.
    let moves = still
        && at_micros.is_some()
        && frameloom_media::animation_facts(path).is_ok_and(|facts| facts.is_some());
    if still && !moves {
        let picture =
            frameloom_still::read(path, &Limits::default()).map_err(|e| explain::still(&e))?;
        let preview = frameloom_still::to_srgb8_preview(&picture, max_side);
        Ok((preview.width, preview.height, preview.data))
    } else {
        let picture = frameloom_media::thumbnail(path, at_micros, max_side, tones)
            .map_err(|e| explain::media(&e))?;
        Ok((picture.width, picture.height, picture.data))
    }
}

/// A file of interleaved 8-bit RGB: PNG, or JPEG where it need not be exact.
pub(crate) fn encode(
    rgb: &[u8],
    width: u32,
    height: u32,
    lossless: bool,
) -> Result<EncodedPicture, AppError> {
    let mut bytes = Vec::new();
    let result = if lossless {
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(rgb, width, height, ExtendedColorType::Rgb8)
    } else {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        )
    };
    result.map_err(explain::internal)?;
    Ok(EncodedPicture {
        mime: if lossless { "image/png" } else { "image/jpeg" },
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::graph::{CutParams, InterpolateParams};

    #[test]
    fn a_moment_of_a_cut_result_lies_behind_what_was_left_out_before_it() {
        let graph = Graph::chain([Op::Cut(CutParams::new("1-2\n5-5.5\n8-"))]);
        let moments = [0, 999_999, 1_000_000, 1_400_000, 1_500_000, 3_000_000];
        let found = moments.map(|at| source_moment(&graph, at));
        assert_eq!(
            found,
            [
                1_000_000, 1_999_999, 5_000_000, 5_400_000, 8_000_000, 9_500_000
            ]
        );
        let slow = Op::Interpolate(InterpolateParams {
            slow: Rational::new(4, 1),
            ..InterpolateParams::default()
        });
        let graph = Graph::chain([Op::Cut(CutParams::new("1-2\n5-5.5\n8-")), slow]);
        assert_eq!(source_moment(&graph, 4_400_000), 5_100_000);
        assert_eq!(source_moment(&Graph::chain([]), 7), 7);
    }
}
