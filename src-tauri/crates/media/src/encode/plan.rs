//! Which encoder, fed with what.

use crate::color::ColorNumbers;
use crate::container::Container;
use crate::encode::quality::{ENCODERS, Known, MAX_PIXELS, MAX_SIDE, max_size, settings};
use crate::error::MediaError;
use crate::ffi::encoder::{Encoder, EncoderSettings, input_formats, is_built_in, reason};
use crate::ffi::frame::AvFrame;
use crate::ffi::output::can_hold;
use crate::ffi::packet::Packet;
use crate::ffi::params::codec_id;
use crate::ffi::pixel::av_format;
use crate::hdr::HdrStatic;
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::media::Warning;
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// What has to be encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderSpec {
    /// Wanted codec; `None` leaves the choice to the container and this machine.
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    pub quality: Quality,
    /// Where the packets will go.
    pub container: Container,
    /// Width of the frames in pixels.
    pub width: u32,
    /// Height of the frames in pixels.
    pub height: u32,
    /// Format that the frames have at the end of the graph.
    pub format: PixelFormat,
    /// Base of the frames' times: that of the reader.
    pub time_base: TimeBase,
    /// Nominal rate, for rate control and the distance of key frames.
    pub frame_rate: Option<FrameRate>,
    /// Colour tags to write. What is unknown is not written.
    pub color: ColorInfo,
    /// Width of a pixel by its height.
    pub sample_aspect_ratio: Rational,
    /// Encoder threads.
    pub threads: usize,
    /// Static HDR data, from the first frame or the container.
    pub hdr: Option<HdrStatic>,
}

/// The encoder that was found and what it must be fed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderPlan {
    /// ffmpeg's name of the encoder.
    pub name: String,
    /// Codec; `None` for the last resort MPEG-4 part 2.
    pub codec: Option<VideoCodec>,
    /// Format that frames must have. Nothing is lost against the wanted one that the encoder
    /// could keep.
    pub input_format: PixelFormat,
    /// Set if the codec wants even sides: frames are padded to this size at the right and at the
    /// bottom by the encoder here.
    pub padded_size: Option<(u32, u32)>,
    /// Settings, exactly as the encoder gets them.
    pub parameters: Vec<(String, String)>,
}

impl EncoderPlan {
    /// What the user should know of this choice.
    pub fn warnings(&self, spec: &EncoderSpec) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some((width, height)) = self.padded_size {
            warnings.push(Warning::PaddedToEven { width, height });
        }
        let mut dropped = |what: Said| warnings.push(Warning::dropped(what));
        if spec.format.alpha && !self.input_format.alpha {
            dropped(said!(
                "lost.transparency_here",
                "transparency, which {encoder} does not have here",
                encoder = self.name.as_str()
            ));
        }
        if spec.format.bits > self.input_format.bits {
            dropped(said!(
                "lost.bits",
                "bits per sample beyond {bits}, which is what {encoder} takes",
                bits = self.input_format.bits,
                encoder = self.name.as_str()
            ));
        }
        warnings
    }

    pub(crate) fn known(&self) -> Result<Known, MediaError> {
        ENCODERS
            .iter()
            .copied()
            .find(|known| known.name == self.name)
            .ok_or_else(|| MediaError::EncoderUnavailable {
                wanted: self.name.clone(),
                reason: "this program does not know it".into(),
            })
    }

    pub(crate) fn coded_size(&self, spec: &EncoderSpec) -> (u32, u32) {
        self.padded_size.unwrap_or((spec.width, spec.height))
    }
}

/// An encoder of this machine, for reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsableEncoder {
    /// ffmpeg's name.
    pub name: &'static str,
    /// Codec; `None` for the last resort.
    pub codec: Option<VideoCodec>,
    /// Why it cannot be used, in the library's words; `None` if it encoded a test picture.
    pub refused: Option<String>,
}

/// Every encoder that this program can drive and the libraries contain, each opened once.
pub fn usable_encoders() -> Vec<UsableEncoder> {
    // Only that the libraries keep quiet depends on it.
    let _ = crate::init();
    ENCODERS
        .iter()
        .filter(|known| is_built_in(known.name))
        .map(|known| {
            let spec = EncoderSpec {
                codec: known.codec,
                quality: Quality::Draft,
                container: Container::Mkv,
                width: TRIAL_SIDE,
                height: TRIAL_SIDE,
                format: PixelFormat::YUV420P8,
                time_base: TimeBase::MICROS,
                frame_rate: FrameRate::new(25, 1),
                color: ColorInfo::default(),
                sample_aspect_ratio: Rational { num: 1, den: 1 },
                threads: 1,
                hdr: None,
            };
            UsableEncoder {
                name: known.name,
                codec: known.codec,
                refused: plan_with(*known, &spec).err().map(|e| reason(&e)),
            }
        })
        .collect()
}

/// Chooses an encoder that this machine really has, by encoding one small picture with each
/// candidate (once per process).
///
/// # Errors
/// [`MediaError::EncoderUnavailable`] with what was refused and why;
/// [`MediaError::InvalidRequest`] if the codec cannot go into the container.
pub fn plan_encoder(spec: &EncoderSpec) -> Result<EncoderPlan, MediaError> {
    plan_among(spec, None)
}

/// As [`plan_encoder`], for a job that was planned with the encoder `planned`: where that one is
/// refused now, none behind it is taken in its place. It is not by chance that it does not open any
/// more; the result would be of another codec than was said; and x265 waits for ever for a thread
/// that x264 before it did not get either.
///
/// # Errors
/// As [`plan_encoder`].
pub fn plan_encoder_again(spec: &EncoderSpec, planned: &str) -> Result<EncoderPlan, MediaError> {
    plan_among(spec, Some(planned))
}

fn plan_among(spec: &EncoderSpec, planned: Option<&str>) -> Result<EncoderPlan, MediaError> {
    crate::init()?;
    if let Some(codec) = spec.codec
        && !container_takes(spec.container, codec)
    {
        return Err(MediaError::InvalidRequest {
            what: said!(
                "request.codec_container",
                "{codec} does not go into {container}",
                codec = codec_text(codec),
                container = spec.container.shown()
            ),
        });
    }
    if u64::from(spec.width) * u64::from(spec.height) > MAX_PIXELS
        || spec.width.max(spec.height) > MAX_SIDE
    {
        return Err(MediaError::BadDimensions {
            width: spec.width,
            height: spec.height,
        });
    }
    let mut refused = Vec::new();
    let mut lossy_alpha = None;
    for codec in wanted_codecs(spec) {
        for known in ENCODERS
            .iter()
            .copied()
            .filter(|known| known.codec == codec)
        {
            if spec.quality == Quality::Lossless && !known.lossless {
                refused.push(format!(
                    "{} has no lossless mode; choose FFV1, H.264, HEVC or VP9, or the quality \
                     `archive`",
                    known.name
                ));
                continue;
            }
            if !is_built_in(known.name) {
                continue;
            }
            match plan_with(known, spec) {
                Ok(plan) if spec.format.alpha && !plan.input_format.alpha => {
                    lossy_alpha = lossy_alpha.or(Some(plan));
                }
                Ok(plan) => return Ok(plan),
                Err(MediaError::OutOfMemory) => return Err(MediaError::OutOfMemory),
                Err(error) if planned == Some(known.name) => {
                    return Err(MediaError::EncoderUnavailable {
                        wanted: known.name.to_owned(),
                        reason: reason(&error),
                    });
                }
                Err(error) => refused.push(format!("{}: {}", known.name, reason(&error))),
            }
        }
    }
    lossy_alpha.ok_or_else(|| MediaError::EncoderUnavailable {
        wanted: format!(
            "{} in {}",
            spec.codec.map_or("video", codec_text),
            spec.container.extension()
        ),
        reason: if refused.is_empty() {
            "the codec library was built without one".into()
        } else {
            refused.join("; ")
        },
    })
}

pub(crate) fn codec_text(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H264 => "H.264",
        VideoCodec::Hevc => "HEVC",
        VideoCodec::Av1 => "AV1",
        VideoCodec::Vp9 => "VP9",
        VideoCodec::Ffv1 => "FFV1",
        VideoCodec::Prores => "ProRes",
        VideoCodec::Dnxhr => "DNxHR",
    }
}

fn codec_name(codec: Option<VideoCodec>) -> &'static str {
    match codec {
        Some(VideoCodec::H264) => "h264",
        Some(VideoCodec::Hevc) => "hevc",
        Some(VideoCodec::Av1) => "av1",
        Some(VideoCodec::Vp9) => "vp9",
        Some(VideoCodec::Ffv1) => "ffv1",
        Some(VideoCodec::Prores) => "prores",
        Some(VideoCodec::Dnxhr) => "dnxhd",
        None => "mpeg4",
    }
}

pub(crate) fn container_takes(container: Container, codec: VideoCodec) -> bool {
    container.sound_file().is_none()
        && codec_id(codec_name(Some(codec))).is_some_and(|id| can_hold(container.muxer(), id))
}

/// Codecs to try, best first. `None` is the last resort.
fn wanted_codecs(spec: &EncoderSpec) -> Vec<Option<VideoCodec>> {
    use VideoCodec as C;
    if let Some(codec) = spec.codec {
        return vec![Some(codec)];
    }
    // Every picture as it is, until all of them are there.
    if spec.container.is_pictures() {
        return vec![Some(C::Ffv1)];
    }
    let mut list: Vec<Option<VideoCodec>> = Vec::new();
    if spec.format.alpha {
        list.extend(match spec.container {
            Container::Mov => [Some(C::Prores), None],
            Container::Mkv if spec.quality == Quality::Lossless => [Some(C::Ffv1), Some(C::Vp9)],
            Container::Mkv => [Some(C::Vp9), Some(C::Ffv1)],
            Container::Webm => [Some(C::Vp9), None],
            // No codec in MP4 carries transparency that players know.
            _ => [None, None],
        });
    }
    if spec.quality == Quality::Lossless && spec.format.planes == Planes::Gbr {
        list.push(Some(C::Ffv1));
    }
    list.extend(match spec.container {
        Container::Webm => [Some(C::Vp9), Some(C::Av1), None, None, None],
        _ => [
            Some(C::H264),
            Some(C::Hevc),
            Some(C::Av1),
            Some(C::Vp9),
            None,
        ],
    });
    // High dynamic range in H.264 plays nowhere: HEVC first.
    if spec.color.is_hdr() && spec.container != Container::Webm {
        list.insert(0, Some(C::Hevc));
    }
    let mut seen = Vec::new();
    list.retain(|codec| {
        let takes = match codec {
            Some(codec) => container_takes(spec.container, *codec),
            None => spec.container != Container::Webm,
        };
        let fresh = !seen.contains(codec);
        seen.push(*codec);
        takes && fresh
    });
    // The last resort comes last.
    list.sort_by_key(Option::is_none);
    list
}

pub(crate) fn plan_with(known: Known, spec: &EncoderSpec) -> Result<EncoderPlan, MediaError> {
    let (width, height) = max_size(known.name);
    if spec.width > width || spec.height > height {
        return Err(MediaError::EncoderUnavailable {
            wanted: known.name.to_owned(),
            reason: format!(
                "it takes at most {width} x {height} pixels, not {} x {}",
                spec.width, spec.height
            ),
        });
    }
    let input_format = input_formats(known.name)
        .into_iter()
        .filter(|format| !format.alpha || carries_alpha(known, spec.container))
        .min_by_key(|format| loss(playable(known, spec), *format))
        .ok_or_else(|| MediaError::EncoderUnavailable {
            wanted: known.name.to_owned(),
            reason: "it takes no planar format".into(),
        })?;
    let mut plan = EncoderPlan {
        name: known.name.to_owned(),
        codec: known.codec,
        input_format,
        padded_size: None,
        parameters: settings(known, spec, input_format),
    };
    let odd = (spec.width % 2 == 1, spec.height % 2 == 1);
    match try_open(known, spec, &plan, odd) {
        Ok(()) => Ok(plan),
        Err(first) if odd != (false, false) => {
            if try_open(known, spec, &plan, (false, false)).is_err() {
                return Err(first);
            }
            let even = |side: u32| side + side % 2;
            plan.padded_size = Some((even(spec.width), even(spec.height)));
            Ok(plan)
        }
        Err(error) => Err(error),
    }
}

/// VP9 keeps transparency in blocks of its own, which only Matroska and WebM have.
fn carries_alpha(known: Known, container: Container) -> bool {
    known.codec != Some(VideoCodec::Vp9) || matches!(container, Container::Mkv | Container::Webm)
}

/// The format to come near to. Red, green and blue in a codec for players plays nearly nowhere, so
/// unless nothing may be lost such pictures become what they play: 4:2:0.
fn playable(known: Known, spec: &EncoderSpec) -> PixelFormat {
    use VideoCodec as C;
    let for_players = matches!(
        known.codec,
        None | Some(C::H264 | C::Hevc | C::Av1 | C::Vp9)
    );
    if for_players && spec.quality != Quality::Lossless && spec.format.planes == Planes::Gbr {
        return PixelFormat {
            planes: PixelFormat::YUV420P8.planes,
            ..spec.format
        };
    }
    spec.format
}

/// How much of `from` is lost in `to`; more than enough costs a little, so that the nearest wins.
fn loss(from: PixelFormat, to: PixelFormat) -> u32 {
    let mut cost = 0;
    if from.alpha && !to.alpha {
        cost += 1_000;
    }
    if !from.alpha && to.alpha {
        cost += 40;
    }
    let (a, b) = (u32::from(from.bits), u32::from(to.bits));
    cost += if b < a {
        300 + 10 * (a - b)
    } else {
        2 * (b - a)
    };
    cost += match (from.planes, to.planes) {
        (Planes::Gray, Planes::Gray) | (Planes::Gbr, Planes::Gbr) => 0,
        (
            Planes::Yuv {
                shift_x: ax,
                shift_y: ay,
            },
            Planes::Yuv {
                shift_x: bx,
                shift_y: by,
            },
        ) => {
            let axis = |a: u8, b: u8| match b.cmp(&a) {
                std::cmp::Ordering::Greater => 200,
                std::cmp::Ordering::Less => 20,
                std::cmp::Ordering::Equal => 0,
            };
            axis(ax, bx) + axis(ay, by)
        }
        // Gray in the smallest colour format costs nothing but empty planes.
        (Planes::Gray, Planes::Yuv { shift_x, shift_y }) => {
            30 + 2 * (2 - u32::from(shift_x) - u32::from(shift_y).min(1))
        }
        (Planes::Gray, Planes::Gbr) => 100,
        (Planes::Gbr, Planes::Yuv { shift_x, shift_y }) => {
            400 + 200 * (u32::from(shift_x) + u32::from(shift_y))
        }
        (Planes::Yuv { .. }, Planes::Gbr) => 900,
        (_, Planes::Gray) => 5_000,
    };
    cost
}

/// Side of the picture that an encoder is tried with: the least that DNxHR takes.
const TRIAL_SIDE: u32 = 256;

type Key = (String, (bool, bool));

/// Encodes one small picture of the same oddness. The answer is kept for the process.
fn try_open(
    known: Known,
    spec: &EncoderSpec,
    plan: &EncoderPlan,
    odd: (bool, bool),
) -> Result<(), MediaError> {
    static TRIED: OnceLock<Mutex<HashMap<Key, Option<String>>>> = OnceLock::new();
    let small = (spec.width.min(TRIAL_SIDE), spec.height.min(TRIAL_SIDE));
    let key = (
        format!(
            "{} {} {:?} {small:?}",
            plan.name, plan.input_format, plan.parameters
        ),
        odd,
    );
    let tried = TRIED.get_or_init(Mutex::default);
    let cached = tried
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    let answer = match cached {
        Some(answer) => answer,
        None => {
            let answer = match encode_one(known, spec, plan, odd) {
                Ok(()) => None,
                Err(MediaError::OutOfMemory) => return Err(MediaError::OutOfMemory),
                Err(error) => Some(reason(&error)),
            };
            tried
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, answer.clone());
            answer
        }
    };
    match answer {
        None => Ok(()),
        Some(reason) => Err(MediaError::EncoderUnavailable {
            wanted: plan.name.clone(),
            reason,
        }),
    }
}

fn encode_one(
    known: Known,
    spec: &EncoderSpec,
    plan: &EncoderPlan,
    odd: (bool, bool),
) -> Result<(), MediaError> {
    // Small pictures as they are: some encoders have a least size. Large ones by a small one.
    let side = |side: u32, odd: bool| match side {
        0..TRIAL_SIDE => side + u32::from(!odd) * (side % 2),
        _ => TRIAL_SIDE + u32::from(odd),
    };
    let (width, height) = (side(spec.width, odd.0), side(spec.height, odd.1));
    let mut encoder = open(known, spec, plan, (width, height))?;
    let mut frame = AvFrame::zeroed(plan.input_format, width, height)?;
    frame.set_pts(0);
    frame.set_color(ColorNumbers::from_info(&coded_color(
        spec,
        plan.input_format,
    )));
    encoder.send(Some(&frame))?;
    encoder.send(None)?;
    let mut packet = Packet::new()?;
    if !encoder.receive(&mut packet)? {
        return Err(MediaError::EncoderUnavailable {
            wanted: plan.name.clone(),
            reason: "it gave no packet for a test picture".into(),
        });
    }
    Ok(())
}

/// The tags of what is coded. Red, green and blue that become luma and chroma get the matrix that
/// their size stands for, in limited range, as the converter makes them; that is known then, and
/// players must be told.
fn coded_color(spec: &EncoderSpec, input: PixelFormat) -> ColorInfo {
    let mut color = spec.color.clone();
    if spec.format.planes == Planes::Gbr && input.planes != Planes::Gbr {
        if color.matrix == Matrix::Identity {
            color.matrix = Matrix::Unspecified;
            color.range = Range::Limited;
        }
        color.matrix = color.matrix_or_guess(spec.width, spec.height).0;
        color.matrix_name = None;
    }
    color
}

/// Opens the encoder of a plan.
pub(crate) fn open(
    known: Known,
    spec: &EncoderSpec,
    plan: &EncoderPlan,
    size: (u32, u32),
) -> Result<Encoder, MediaError> {
    let rate = spec.frame_rate.map(FrameRate::ratio);
    let fallback = Rational { num: 25, den: 1 };
    let counted = rate.unwrap_or(fallback).recip().unwrap_or(fallback);
    Encoder::open(&EncoderSettings {
        name: known.name,
        width: size.0,
        height: size.1,
        format: av_format(plan.input_format)?,
        time_base: if known.counts_frames {
            counted
        } else {
            spec.time_base.ratio()
        },
        frame_rate: Some(rate.unwrap_or(fallback)),
        color: ColorNumbers::from_info(&coded_color(spec, plan.input_format)),
        sample_aspect_ratio: spec.sample_aspect_ratio,
        options: &plan.parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::encoder::VideoEncoder;
    use crate::frame::Frame;

    fn spec(codec: Option<VideoCodec>, width: u32, height: u32) -> EncoderSpec {
        EncoderSpec {
            codec,
            quality: Quality::Draft,
            container: Container::Mp4,
            width,
            height,
            format: PixelFormat::YUV420P8,
            time_base: TimeBase::MICROS,
            frame_rate: FrameRate::new(25, 1),
            color: ColorInfo::default(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            threads: 1,
            hdr: None,
        }
    }

    #[test]
    fn the_last_resort_encodes() {
        crate::init().unwrap();
        let known = *ENCODERS
            .iter()
            .find(|known| known.name == "mpeg4")
            .expect("it is in the list");
        let spec = spec(None, 128, 96);
        let plan = plan_with(known, &spec).unwrap();
        let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
        let mut times = Vec::new();
        let mut sink = |packet: crate::EncodedPacket| {
            times.push((packet.pts, packet.key));
            Ok(())
        };
        for index in 0..3 {
            let mut frame = Frame::new(plan.input_format, 128, 96).unwrap();
            frame.set_timing(index * 40_000, 40_000);
            encoder.send(&frame, &mut sink).unwrap();
        }
        encoder.finish(&mut sink).unwrap();
        assert_eq!(times, [(0, true), (40_000, false), (80_000, false)]);
    }

    #[test]
    fn a_frame_that_an_encoder_does_not_take_goes_to_another_or_is_refused_with_the_limit() {
        if is_built_in("libx264") {
            let asked = plan_encoder(&spec(Some(VideoCodec::H264), 16_800, 128)).unwrap_err();
            assert!(asked.to_string().contains("16384"), "{asked}");
        }
        if is_built_in("libx265") {
            let free = plan_encoder(&spec(None, 16_800, 128)).unwrap();
            assert_eq!(free.codec, Some(VideoCodec::Hevc));
        }
        for (width, height) in [(30_720, 17_280), (70_000, 16)] {
            assert!(matches!(
                plan_encoder(&spec(None, width, height)),
                Err(MediaError::BadDimensions { .. })
            ));
        }
    }
}
