//! Room on the disk: how much a job will need, whether it is there, and when to stop before the
//! disk is full to the last byte, which would take the rest of the machine along.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{EncodeSpec, Quality, VideoCodec};
use frameloom_core::media::Warning;
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::SaidValue;
use frameloom_engine::Plan;
use frameloom_engine::plan::{AlonePlan, MediumPlan, VideoPlan};
use frameloom_engine::sound::Making;
use frameloom_media::Container;
use frameloom_still::StillFormat;
use std::path::Path;

/// Left free for everything else that writes on this machine.
pub(crate) const RESERVE_BYTES: u64 = 64 << 20;

/// Bytes that a user of this process may still write on the disk that holds `path`; `None` where
/// the system does not tell. A path that does not exist yet is asked of its folder.
pub fn free_bytes(path: &Path) -> Option<u64> {
    path.ancestors()
        .find(|folder| folder.exists())
        .and_then(|folder| fs4::available_space(folder).ok())
}

/// About how many bytes a job writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// The parts, all of which are there until the job is done.
    pub parts: u64,
    /// The result, which is made of them while they are there.
    pub result: u64,
}

/// About how much sound alone comes to.
fn sound_forecast(alone: &AlonePlan, source_bytes: u64) -> Option<Forecast> {
    let seconds = alone.seconds()?;
    let tracks = alone.sound.sound.iter().flatten();
    let worked_out: u64 = tracks
        .filter_map(|track| match &track.making {
            Making::WorkedOut { encoder, .. } => Some(encoder.bit_rate.unwrap_or_else(|| {
                let channels = encoder.format.channels().unwrap_or(2) as u64;
                let bits = u64::from(encoder.bits.unwrap_or(32));
                u64::from(encoder.format.rate) * channels * bits
            })),
            Making::Copied { .. } | Making::Written { .. } => None,
        })
        .map(|bits| bits.saturating_mul(seconds) / 8)
        .sum();
    let copies = alone.encoder() == VideoPlan::COPY;
    Some(Forecast {
        parts: worked_out,
        result: if copies { source_bytes } else { worked_out },
    })
}

/// About how much a job writes; `None` where the length of its clip is unknown.
///
/// Bits per pixel as they come out for ordinary material at each quality; what really comes
/// depends on the pictures and is watched while the job runs.
pub fn forecast(plan: &Plan, encode: &EncodeSpec, output: &Path) -> Option<Forecast> {
    if let MediumPlan::Sound(alone) = &plan.medium {
        return sound_forecast(alone, plan.input.size_bytes);
    }
    let (width, height) = plan.sizes?.output;
    let pixels = f64::from(width) * f64::from(height);
    let MediumPlan::Video(video) = &plan.medium else {
        return Some(Forecast {
            // Stills have no parts.
            parts: 0,
            // Three bytes a pixel, hardly compressed: no still is larger but one of 16 bits.
            result: (pixels * 3.0) as u64,
        });
    };
    if video.copies {
        return Some(Forecast {
            // Only sound, which is next to nothing beside the pictures.
            parts: 0,
            result: plan.input.size_bytes,
        });
    }
    let frames = video.result_frames.or(video.frames_estimate)? as f64;
    let bytes = |bits_per_pixel: f64| (pixels * frames * bits_per_pixel / 8.0) as u64;
    if let Some(kind) = PictureKind::of(output) {
        let coded = video.pixels.unwrap_or(PixelFormat::YUV420P8);
        return Some(Forecast {
            parts: bytes(part_bits(coded)),
            result: bytes(kind.bits(coded, encode.quality)),
        });
    }
    let steps = |draft, good, archive, lossless| {
        by_quality(encode.quality, [draft, good, archive, lossless])
    };
    let bits_per_pixel = match codec_of(&video.encoder, encode) {
        Some(VideoCodec::H264) | None => steps(0.12, 0.3, 0.6, 6.0),
        Some(VideoCodec::Hevc) => steps(0.08, 0.2, 0.4, 6.0),
        Some(VideoCodec::Av1 | VideoCodec::Vp9) => steps(0.08, 0.2, 0.4, 6.0),
        Some(VideoCodec::Ffv1) => 8.0,
        Some(VideoCodec::Prores) => steps(2.0, 4.0, 4.0, 6.0),
        Some(VideoCodec::Dnxhr) => steps(1.0, 4.0, 7.0, 7.0),
    };
    // The result holds what the parts hold.
    Some(Forecast {
        parts: bytes(bits_per_pixel),
        result: bytes(bits_per_pixel),
    })
}

/// Draft, good, archive, without loss.
fn by_quality(quality: Quality, [draft, good, archive, lossless]: [f64; 4]) -> f64 {
    match quality {
        Quality::Draft => draft,
        Quality::Good => good,
        Quality::Archive => archive,
        Quality::Lossless => lossless,
    }
}

/// Results that are pictures alone, made of parts without loss when all of them are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PictureKind {
    Gif,
    Apng,
    WebP,
    Numbered(StillFormat),
}

impl PictureKind {
    fn of(output: &Path) -> Option<Self> {
        match Container::from_path(output).ok()? {
            Container::Gif => Some(Self::Gif),
            Container::Apng => Some(Self::Apng),
            Container::WebP => Some(Self::WebP),
            Container::Pictures => StillFormat::for_output(output).ok().map(Self::Numbered),
            _ => None,
        }
    }

    /// Bits per pixel of moving pictures with much detail, of which nothing stands still. Red, green
    /// and blue without loss take up to three times what their parts do, in which colour is coarse
    /// and apart from light.
    fn bits(self, coded: PixelFormat, quality: Quality) -> f64 {
        let steps = |bits| by_quality(quality, bits);
        let deep = coded.bits > 8;
        let color = match self {
            Self::Gif => return 7.0,
            Self::WebP => return steps([1.8, 2.6, 4.5, 11.0]),
            Self::Numbered(StillFormat::Jpeg) => return steps([3.0, 4.7, 7.3, 7.3]),
            Self::Numbered(StillFormat::WebP) => 15.0,
            Self::Apng | Self::Numbered(StillFormat::Png | StillFormat::Tiff) if deep => 32.0,
            Self::Apng => 17.0,
            Self::Numbered(StillFormat::Png | StillFormat::Tiff) => steps([21.0, 19.0, 19.0, 19.0]),
        };
        color + if coded.alpha { 3.0 } else { 0.0 }
    }
}

/// Bits per pixel of parts without loss.
fn part_bits(coded: PixelFormat) -> f64 {
    let shares = match coded.planes {
        Planes::Gray => 1.0,
        Planes::Gbr => 3.0,
        Planes::Yuv { shift_x, shift_y } => 1.0 + 2.0 / f64::from(1 << (shift_x + shift_y)),
    };
    let alpha = if coded.alpha { 2.0 } else { 0.0 };
    // The last bits of a deep sample are noise.
    4.0 + shares * (1.7 + f64::from(coded.bits.saturating_sub(8))) + alpha
}

fn codec_of(encoder: &str, encode: &EncodeSpec) -> Option<VideoCodec> {
    let named = [
        ("ffv1", VideoCodec::Ffv1),
        ("prores", VideoCodec::Prores),
        ("dnxhd", VideoCodec::Dnxhr),
        ("265", VideoCodec::Hevc),
        ("hevc", VideoCodec::Hevc),
        ("av1", VideoCodec::Av1),
        ("vp9", VideoCodec::Vp9),
    ];
    encode.codec.or_else(|| {
        named
            .iter()
            .find(|(part, _)| encoder.contains(part))
            .map(|(_, codec)| *codec)
    })
}

/// Warns if the room for parts (in `data`) and for the result (at `output`) is not there. Beside
/// parts a reserve is left free, which the warning names; a result may take what there is.
pub fn check(plan: &Plan, encode: &EncodeSpec, data: &Path, output: &Path) -> Option<Warning> {
    let Forecast {
        parts,
        result: size,
    } = forecast(plan, encode, output)?;
    let (of_data, of_output) = (free_bytes(data)?, free_bytes(output)?);
    // Two paths with the very same room are taken to be on one disk.
    let reserve = if parts > 0 { RESERVE_BYTES } else { 0 };
    let needs = if of_data == of_output {
        vec![(parts + size, reserve, of_data, output)]
    } else {
        vec![
            (parts, reserve, of_data, data),
            (size, 0, of_output, output),
        ]
    };
    needs
        .into_iter()
        .find(|(needed, reserve, free, _)| *needed > 0 && needed + reserve > *free)
        .map(|(needed, reserve, free, place)| Warning::DiskTight {
            needed_bytes: needed,
            reserve_bytes: reserve,
            free_bytes: free,
            place: place.display().to_string(),
        })
}

/// An error if a result of at least `bytes` does not fit beside `output`. The job pauses then,
/// before it fills the disk to the last byte.
pub fn watch_output(output: &Path, bytes: u64) -> Option<AppError> {
    let folder = output.parent()?;
    let free = free_bytes(folder)?;
    (free < bytes).then(|| {
        AppError::new(
            ErrorCode::DiskFull,
            said!(
                "disk.result",
                "The disk is nearly full: {free} are left, and the result takes {needed} or more.",
                free = SaidValue::Size { bytes: free },
                needed = SaidValue::Size { bytes }
            ),
        )
        .hint("Make room and resume the job; nothing that is done is lost.")
        .details(folder.display().to_string())
    })
}

/// After a part of `part_bytes` was written to `folder`: an error if there is no room for another
/// two like it. The job pauses then, before anything of this machine fails for want of a byte.
pub fn watch(folder: &Path, part_bytes: u64) -> Option<AppError> {
    let free = free_bytes(folder)?;
    let wanted = RESERVE_BYTES + 2 * part_bytes;
    (free < wanted).then(|| {
        AppError::new(
            ErrorCode::DiskFull,
            said!(
                "disk.job",
                "The disk is nearly full: {free} are left, and the job wants {needed}.",
                free = SaidValue::Size { bytes: free },
                needed = SaidValue::Size { bytes: wanted }
            ),
        )
        .hint("Make room and resume the job; nothing that is done is lost.")
        .details(folder.display().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::graph::{Graph, Op, ResizeParams};
    use frameloom_core::job::{JOB_SPEC_VERSION, JobSpec};
    use frameloom_core::model::ModelManifest;
    use frameloom_core::time::FrameRate;
    use frameloom_engine::EngineError;
    use frameloom_infer::Model;
    use frameloom_media::{
        AnimationSpec, EncoderSpec, PartWriter, Reader, ReaderOptions, VideoEncoder,
    };
    use frameloom_still::{Channels, Picture, Samples};
    use std::path::PathBuf;

    /// A plan for the demo clip of 640 x 360 pixels.
    fn planned(output: &str, ops: Vec<Op>) -> Forecast {
        struct NoModels;
        impl frameloom_engine::Models for NoModels {
            fn manifest(&self, _: &str) -> Result<ModelManifest, EngineError> {
                Err(EngineError::Stopped)
            }
            fn load(&self, _: &str) -> Result<Model, EngineError> {
                Err(EngineError::Stopped)
            }
        }
        let input = demo();
        let info = frameloom_media::probe(&input).unwrap();
        let encode = EncodeSpec {
            drop: vec!["audio".parse().unwrap()],
            ..EncodeSpec::default()
        };
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input,
            pictures: None,
            output: output.into(),
            overwrite: false,
            graph: Graph::chain(ops),
            encode: encode.clone(),
            device: Default::default(),
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: Default::default(),
            upright: false,
            sample: false,
        };
        let plan = frameloom_engine::plan(&spec, &info, &NoModels).unwrap();
        forecast(&plan, &encode, Path::new(output)).unwrap()
    }

    fn demo() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo.mp4")
    }

    #[test]
    fn an_animation_is_counted_beside_its_parts_and_by_the_frames_that_it_will_have() {
        let small = |output| {
            let size = ResizeParams {
                width: 320,
                height: 180,
            };
            planned(output, vec![Op::Resize(size)])
        };
        let (gif, apng, jpeg) = (small("o.gif"), small("o.apng"), small("o_%03d.jpg"));
        assert!(gif.parts == apng.parts && apng.parts == jpeg.parts);
        assert!(apng.result > 2 * apng.parts, "{apng:?}");
        assert!(jpeg.result < jpeg.parts, "{jpeg:?}");
        let mp4 = small("o.mp4");
        assert_eq!(mp4.parts, mp4.result);
        assert!(mp4.parts * 10 < gif.parts, "{mp4:?}");
        let rate = FrameRate::new(6, 1).unwrap();
        let (all, few) = (
            planned("o.gif", Vec::new()),
            planned("o.gif", vec![Op::Fps { rate }]),
        );
        let info = frameloom_media::probe(&demo()).unwrap();
        let own = info.main_video().and_then(|(_, v)| v.frame_rate).unwrap();
        let share = few.result as f64 / all.result as f64;
        let wanted = 6.0 / own.ratio().to_f64();
        assert!((share - wanted).abs() < 0.01, "{share}, not {wanted}");
    }

    /// Bits per pixel of real parts and of what is made of them.
    fn measured(source: &Path, kind: PictureKind, quality: Quality) -> (f64, f64) {
        const FRAMES: usize = 6;
        let folder = tempfile::tempdir().unwrap();
        let mut reader = Reader::open(source, &ReaderOptions::default()).unwrap();
        let mut frames = Vec::new();
        while frames.len() < FRAMES {
            frames.push(reader.next_frame().unwrap().unwrap());
        }
        let (_, video) = reader.info().main_video().unwrap();
        let first = &frames[0];
        let pixels = f64::from(first.width()) * f64::from(first.height()) * FRAMES as f64;
        let container = match kind {
            PictureKind::Gif => Container::Gif,
            PictureKind::Apng => Container::Apng,
            PictureKind::WebP => Container::WebP,
            PictureKind::Numbered(_) => Container::Pictures,
        };
        let spec = EncoderSpec {
            codec: None,
            quality,
            container,
            width: first.width(),
            height: first.height(),
            format: first.format(),
            time_base: reader.time_base(),
            frame_rate: video.frame_rate,
            color: first.color(),
            sample_aspect_ratio: video.sample_aspect_ratio,
            threads: 1,
            hdr: None,
        };
        let encoder_plan = frameloom_media::plan_encoder(&spec).unwrap();
        let mut encoder = VideoEncoder::open(&spec, &encoder_plan).unwrap();
        let part = folder.path().join("0000.part");
        let mut writer = PartWriter::create(&part, &encoder.part_header()).unwrap();
        let mut sink = |packet: frameloom_media::EncodedPacket| writer.write(&packet);
        for frame in &frames {
            let frame = frameloom_media::convert(frame, encoder_plan.input_format).unwrap();
            encoder.send(&frame, &mut sink).unwrap();
        }
        encoder.finish(&mut sink).unwrap();
        writer.finish().unwrap();
        let part_bits = std::fs::metadata(&part).unwrap().len() as f64 * 8.0 / pixels;
        let output = folder.path().join("out");
        let result = match kind {
            PictureKind::Numbered(format) => {
                let picture = frameloom_media::frame_at(source, 0).unwrap();
                let picture = Picture {
                    width: picture.width,
                    height: picture.height,
                    samples: Samples::U8(picture.data),
                    layout: Channels::Rgb,
                    metadata: Default::default(),
                    warnings: Vec::new(),
                };
                frameloom_still::write(&output, format, &picture, quality).unwrap();
                std::fs::metadata(&output).unwrap().len() as f64 * FRAMES as f64
            }
            _ => {
                let spec = AnimationSpec {
                    parts: &[part],
                    output_tmp: &output,
                    container,
                    quality,
                    plays: 0,
                    frame_rate: video.frame_rate,
                };
                let report =
                    frameloom_media::write_animation(&spec, &Default::default(), &mut |_| {});
                report.unwrap().size_bytes as f64
            }
        };
        (part_bits, result * 8.0 / pixels)
    }

    #[test]
    fn real_pictures_take_about_what_is_forecast() {
        let mut wrong = Vec::new();
        for (kind, quality) in [
            (PictureKind::Gif, Quality::Good),
            (PictureKind::Apng, Quality::Draft),
            (PictureKind::Apng, Quality::Good),
            (PictureKind::WebP, Quality::Draft),
            (PictureKind::WebP, Quality::Good),
            (PictureKind::WebP, Quality::Archive),
            (PictureKind::WebP, Quality::Lossless),
            (PictureKind::Numbered(StillFormat::Png), Quality::Draft),
            (PictureKind::Numbered(StillFormat::Png), Quality::Good),
            (PictureKind::Numbered(StillFormat::Tiff), Quality::Good),
            (PictureKind::Numbered(StillFormat::WebP), Quality::Good),
            (PictureKind::Numbered(StillFormat::Jpeg), Quality::Draft),
            (PictureKind::Numbered(StillFormat::Jpeg), Quality::Good),
            (PictureKind::Numbered(StillFormat::Jpeg), Quality::Archive),
        ] {
            let (part, result) = measured(&demo(), kind, quality);
            let coded = PixelFormat::YUV420P8;
            for (what, found, told) in [
                ("parts", part, part_bits(coded)),
                ("result", result, kind.bits(coded, quality)),
            ] {
                println!("{kind:?} {quality:?} {what}: {found:.2} bits, told {told:.2}");
                // A forecast that is too small lets a disk fill up; one too large is only a word.
                if !(0.95..2.0).contains(&(told / found)) {
                    wrong.push(format!(
                        "{kind:?} {quality:?} {what}: {found:.2}, not {told:.2}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn room_is_asked_of_the_nearest_folder_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("not/there/yet.mp4");
        assert!(free_bytes(&deep).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn a_result_that_does_not_fit_is_noticed_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("result.mp4");
        let free = free_bytes(&output).unwrap();
        assert_eq!(watch_output(&output, free / 2), None);
        assert!(watch_output(&output, free * 2).is_some_and(|e| e.code == ErrorCode::DiskFull));
    }

    #[test]
    fn a_part_that_leaves_no_room_for_two_more_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(watch(folder.path(), u64::MAX / 4).is_some_and(|e| e.code == ErrorCode::DiskFull));
    }
}
