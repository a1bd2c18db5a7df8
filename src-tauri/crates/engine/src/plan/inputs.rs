//! The inputs of a job before they are opened: what a probe says of them, and what the nodes make of it.

use crate::EngineError;
use crate::nodes::{Joints, Models, Pace, PictureFormat};
use crate::plan::upright_turn;
use frameloom_core::graph::{Line, Step};
use frameloom_core::job::JobSpec;
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, VideoInfo};
use frameloom_core::pixel::{PixelFormat, Planes};
use std::collections::BTreeMap;
use std::path::Path;

/// What a file is: by the reader of still pictures, or by ffmpeg.
pub(crate) fn probe(path: &Path) -> Result<MediaInfo, EngineError> {
    if frameloom_still::is_still(path)? {
        return Ok(frameloom_still::probe(path)?);
    }
    Ok(frameloom_media::probe(path)?)
}

/// What the input of a job that its graph calls `name` is: a file, or numbered pictures.
pub(crate) fn probe_input(spec: &JobSpec, name: &str) -> Result<MediaInfo, EngineError> {
    match spec.pictures_of(name) {
        Some(run) => Ok(frameloom_media::probe_pictures(spec.path_of(name), run)?),
        None => probe(spec.path_of(name)),
    }
}

/// The inputs of a job, as the plan knows them.
pub(super) struct Inputs<'a> {
    pub spec: &'a JobSpec,
    pub infos: BTreeMap<&'a str, MediaInfo>,
    pub models: &'a dyn Models,
}

impl<'a> Inputs<'a> {
    pub(super) fn info(&self, line: &Line<'_>) -> Result<&MediaInfo, EngineError> {
        self.infos
            .get(line.input)
            .ok_or_else(|| EngineError::NoFrames {
                path: self.spec.path_of(line.input).to_owned(),
            })
    }

    /// The pictures of a line's input as its first node gets them.
    pub(super) fn format(&self, line: &Line<'_>, turn: bool) -> Result<PictureFormat, EngineError> {
        let info = self.info(line)?;
        let path = self.spec.path_of(line.input);
        let (stream, video) = info
            .main_video()
            .ok_or_else(|| EngineError::NoFrames { path: path.into() })?;
        let mut input = picture_format(stream, video, info.kind);
        if info.kind == MediaKind::Still
            && let Some(turn) = upright_turn(stream)
        {
            // It is turned upright when it is read.
            input = turn.format(&input);
        }
        Ok(match upright_turn(stream) {
            Some(turn_by) if turn && info.kind != MediaKind::Still => turn_by.format(&input),
            _ => input,
        })
    }

    /// What a line makes of its pictures.
    pub(super) fn result(
        &self,
        line: &Line<'_>,
        turn: bool,
        joints: &mut Joints,
    ) -> Result<PictureFormat, EngineError> {
        let mut format = self.format(line, turn)?;
        for step in &line.steps {
            let over = match &step.side {
                Some(side) => Some(self.result(side, true, &mut Joints::default())?),
                None => None,
            };
            format = joints.after(step, &format, over.as_ref(), self.models)?;
        }
        Ok(format)
    }
}

/// Every step of a job, those of second inputs included.
pub(super) fn visit<'a>(line: &Line<'a>, seen: &mut dyn FnMut(&Step<'a>)) {
    for step in &line.steps {
        seen(step);
        if let Some(side) = &step.side {
            visit(side, seen);
        }
    }
}

/// What the probe says of the picture. The real pixel layout is known only from the first frame;
/// until then 4:2:0 stands in, which none of the sizes depends on.
pub(super) fn picture_format(
    stream: &StreamInfo,
    video: &VideoInfo,
    kind: MediaKind,
) -> PictureFormat {
    let yuv = PixelFormat::YUV420P8;
    PictureFormat {
        width: video.width,
        height: video.height,
        pixels: PixelFormat {
            planes: match video.pixel_format.as_str() {
                // Pictures are worked on as they are read: in full resolution of colour.
                _ if kind == MediaKind::Still => Planes::Gbr,
                name if name.starts_with("gray") => Planes::Gray,
                _ => yuv.planes,
            },
            bits: video.bit_depth.clamp(8, 16),
            alpha: video.alpha,
        },
        color: video.color.clone(),
        sample_aspect_ratio: video.sample_aspect_ratio,
        pace: if kind == MediaKind::Still {
            Pace::STILL
        } else {
            Pace {
                time_base: stream.time_base,
                frame_rate: video.frame_rate,
            }
        },
    }
}
