//! Animated WebP, which FFmpeg decodes only from 8.1 on, by a decoder of its own.

use super::file::{AnimationFacts, animation_facts};
use crate::error::MediaError;
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::AvFormat;
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::media::{FieldOrder, MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use image_webp::{DecodingError, WebPDecoder};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Bytes that one picture may take: as a still one may.
const MEMORY_LIMIT: usize = 3 << 30;

/// The frames of an animated WebP.
pub(crate) struct WebPFrames {
    decoder: WebPDecoder<BufReader<File>>,
    path: PathBuf,
    /// Milliseconds at which the next frame begins.
    next_millis: i64,
}

impl WebPFrames {
    /// Opens the file and says what it is; `None` unless it is an animated WebP.
    pub(crate) fn probe(path: &Path) -> Result<Option<MediaInfo>, MediaError> {
        // Whatever is wrong with a file is said by whoever opens it in earnest.
        let mut head = [0; 21];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
        let animated = read.is_ok()
            && head.starts_with(b"RIFF")
            && &head[8..16] == b"WEBPVP8X"
            && head[20] & 0x02 != 0;
        if !animated {
            return Ok(None);
        }
        Ok(animation_facts(path)?.map(|facts| media_info(&facts, path)))
    }

    pub(crate) fn open(path: &Path) -> Result<Self, MediaError> {
        let file = File::open(path).map_err(|source| MediaError::NotReadable {
            source,
            path: path.into(),
        })?;
        let mut decoder = WebPDecoder::new(BufReader::new(file)).map_err(|e| damaged(&e, path))?;
        decoder.set_memory_limit(MEMORY_LIMIT);
        if !decoder.is_animated() {
            return Err(MediaError::NoVideo { path: path.into() });
        }
        Ok(Self {
            decoder,
            path: path.into(),
            next_millis: 0,
        })
    }

    /// The next frame, composed, its times in milliseconds; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<AvFrame>, MediaError> {
        let (width, height) = self.decoder.dimensions();
        let alpha = self.decoder.has_alpha();
        let (format, pixel) = match alpha {
            true => (AvFormat::RGBA, 4),
            false => (AvFormat::RGB24, 3),
        };
        let bytes = self.decoder.output_buffer_size();
        let mut pixels = Vec::new();
        let bytes = bytes.ok_or(MediaError::OutOfMemory)?;
        pixels
            .try_reserve_exact(bytes)
            .map_err(|_| MediaError::OutOfMemory)?;
        pixels.resize(bytes, 0);
        // The decoder is other people's and the content is anybody's.
        let read = catch_unwind(AssertUnwindSafe(|| self.decoder.read_frame(&mut pixels)));
        let millis = match read {
            Ok(Ok(millis)) => i64::from(millis),
            Ok(Err(DecodingError::NoMoreFrames)) => return Ok(None),
            Ok(Err(error)) => return Err(damaged(&error, &self.path)),
            Err(_) => {
                return Err(MediaError::Sequence {
                    what: "the animation is damaged".into(),
                    path: self.path.clone(),
                });
            }
        };
        let mut frame = AvFrame::packed(format, pixel, width, height)?;
        let row = width as usize * pixel;
        for (y, line) in pixels.chunks_exact(row).enumerate() {
            frame.packed_row_mut(y)[..row].copy_from_slice(line);
        }
        frame.set_best_pts(self.next_millis);
        frame.set_duration(millis);
        self.next_millis = self.next_millis.saturating_add(millis);
        Ok(Some(frame))
    }
}

fn damaged(error: &DecodingError, path: &Path) -> MediaError {
    MediaError::Sequence {
        what: said!(
            "animation.damaged",
            "the animation is damaged ({error})",
            error = Said::from(error.to_string())
        ),
        path: path.into(),
    }
}

fn media_info(facts: &AnimationFacts, path: &Path) -> MediaInfo {
    let size_bytes = std::fs::metadata(path).map_or(0, |facts| facts.len());
    let base = TimeBase::new(1, 1_000).unwrap_or(TimeBase::MICROS);
    let millis = |length: &Rational| length.num * 1_000 / length.den.max(1);
    let total: i64 = facts.lengths.iter().map(millis).sum();
    let uneven = facts.lengths.windows(2).any(|pair| {
        let difference = millis(&pair[0]) - millis(&pair[1]);
        difference.abs() > 2
    });
    let frames = facts.lengths.len();
    MediaInfo {
        kind: MediaKind::Video,
        container: "webp".to_owned(),
        size_bytes,
        duration_micros: Some(total * 1_000),
        bit_rate: (total > 0).then(|| size_bytes * 8_000 / total as u64),
        streams: vec![StreamInfo {
            index: 0,
            kind: StreamKind::Video,
            codec: "webp".to_owned(),
            profile: None,
            time_base: base,
            start_ticks: Some(0),
            duration_ticks: Some(total),
            frame_count: Some(frames as u64),
            bit_rate: None,
            language: None,
            dispositions: vec!["default".to_owned()],
            tags: BTreeMap::new(),
            video: Some(VideoInfo {
                width: facts.width,
                height: facts.height,
                pixel_format: if facts.alpha { "rgba" } else { "rgb24" }.to_owned(),
                bit_depth: 8,
                frame_rate: FrameRate::new(frames as i64 * 1_000, total.max(1)),
                variable_frame_rate: Some(uneven),
                sample_aspect_ratio: Rational { num: 1, den: 1 },
                rotation_degrees: 0,
                mirrored: false,
                color: ColorInfo {
                    matrix: Matrix::Identity,
                    matrix_name: Some("gbr".to_owned()),
                    range: Range::Full,
                    ..ColorInfo::default()
                },
                alpha: facts.alpha,
                field_order: FieldOrder::Progressive,
                hdr_metadata: false,
                dolby_vision: false,
            }),
            audio: None,
        }],
        chapters: Vec::new(),
        tags: BTreeMap::new(),
        warnings: Vec::new(),
    }
}
