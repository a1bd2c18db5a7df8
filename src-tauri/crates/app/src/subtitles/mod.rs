//! Subtitles that are text: burned into a clip, written in another format, added to a copy as a track.
//!
//! Only burning changes pictures, and is a job. The others take as long as reading the file does.

mod files;

pub use files::{AddedSubtitles, NewTrack, SavedSubtitles};
pub use frameloom_media::SubtitleFormat;

use crate::presets::{self, Work};
use crate::request::{absolute_input, shown};
use crate::{Span, UpscaleRequest, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Anchor, Graph, Op, SubtitlesParams};
use frameloom_core::media::VideoInfo;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::subtitles::Retime;
use frameloom_core::time::Rational;
use frameloom_media::{FieldReport, ReadSubtitles, Subtitles, read_subtitles};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Which subtitles are taken, when they are shown, and how they look where they are burned in. What is
/// left open is as usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SubtitleWish {
    /// A file of subtitles, or a clip with a track of text; the clip itself where `None`.
    #[ts(type = "string | null")]
    pub file: Option<PathBuf>,
    /// Index of the stream in that file; the first one with text where `None`.
    pub track: Option<u32>,
    /// Character set of a file of subtitles; UTF-8, or UTF-16 with its mark, where `None`.
    pub charset: Option<String>,
    /// Seconds by which all of it comes later; earlier where negative.
    pub shift: Option<Rational>,
    /// What all times are multiplied by, before they are shifted.
    pub stretch: Option<Rational>,
    /// Family of the font.
    pub font: Option<String>,
    /// Height of a line in percent of the picture's height.
    pub size: Option<f64>,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// Colour of the outline, `#rrggbb`.
    pub outline_color: Option<String>,
    /// Width of the outline in percent of the size of the text.
    pub outline: Option<f64>,
    /// Colour of a box behind the text, `#rrggbb`; none where `None`.
    #[serde(rename = "box")]
    pub back: Option<String>,
    /// Where they lie; below where `None`.
    pub anchor: Option<Anchor>,
    /// Distance from the edges in percent of the picture's height.
    pub margin: Option<f64>,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl SubtitleWish {
    /// How times change.
    fn retime(&self) -> Result<Retime, AppError> {
        Retime::new(self.shift, self.stretch).ok_or_else(|| {
            invalid(said!(
                "subtitles.retime",
                "subtitles are shifted by two days at most, and stretched to a hundredth or a hundred times"
            ))
            .hint("Choose another time, or leave it out.")
        })
    }

    /// Reads the file, or `input` where none is named, with the times that are wanted; gives also how
    /// many lines would be over before zero.
    fn read(&self, input: &Path) -> Result<(Subtitles, usize), AppError> {
        let retime = self.retime()?;
        let wish = ReadSubtitles {
            track: self.track,
            charset: self.charset.as_deref(),
        };
        let mut subtitles = read_subtitles(input, wish, &Default::default())
            .map_err(|error| explain::media(&error))?;
        let gone = subtitles.retime(retime);
        if subtitles.cues.is_empty() {
            return Err(invalid(said!(
                "subtitles.all_before",
                "all of its lines would be over before the first picture; shift them less"
            ))
            .hint("Choose another shift."));
        }
        Ok((subtitles, gone))
    }

    /// The node that burns them into `input`, of which `span` is taken.
    fn node(&self, input: &Path, span: Option<Span>) -> Result<SubtitlesParams, AppError> {
        self.retime()?;
        let file = match &self.file {
            Some(file) => absolute_input(file)?,
            None => input.to_path_buf(),
        };
        let path = file.to_str().ok_or_else(|| {
            invalid(said!(
                "name.no_text",
                "The name `{path}` is not valid Unicode.",
                path = file.display()
            ))
            .hint("Rename it.")
        })?;
        let usual = SubtitlesParams::new(path);
        // The node counts from the first picture that is taken.
        let shift = match span.map(|span| span.from_micros).filter(|&from| from != 0) {
            Some(from) => {
                let own = self.retime()?.shift_micros;
                Rational::new(own.saturating_sub(from), 1_000_000)
            }
            None => self.shift,
        };
        Ok(SubtitlesParams {
            track: self.track,
            charset: self.charset.clone(),
            shift,
            stretch: self.stretch,
            font: self.font.clone(),
            size: self.size.unwrap_or(usual.size),
            color: self.color.clone().unwrap_or(usual.color),
            outline_color: self.outline_color.clone().unwrap_or(usual.outline_color),
            outline: self.outline.unwrap_or(usual.outline),
            back: self.back.clone(),
            anchor: self.anchor.unwrap_or(usual.anchor),
            margin: self.margin.unwrap_or(usual.margin),
            file: usual.file,
        })
    }
}

/// What a request to burn subtitles into a clip comes to. `first` is the stretch that is taken.
///
/// # Errors
/// Nothing that can be drawn is asked for.
pub(crate) fn burning(
    request: &UpscaleRequest,
    first: Option<Op>,
    input: &Path,
    video: &VideoInfo,
    report: Option<FieldReport>,
) -> Result<Work, AppError> {
    if request.model.is_some() || request.scale.is_some() {
        return Err(invalid(said!(
            "preset.no_model",
            "A model and a scale have no meaning for `{preset}`.",
            preset = request.preset.preset().word
        ))
        .hint("Leave them out, or use `enlarge`."));
    }
    let wish = request.subtitles.clone().unwrap_or_default();
    let span = request.span.filter(|_| first.is_some());
    let mut ops: Vec<Op> = first.into_iter().collect();
    ops.extend(fields::node(request.deinterlace, report));
    ops.push(Op::Subtitles(Box::new(wish.node(input, span)?)));
    Ok(Work {
        graph: Graph::chain(ops),
        size: Some(shown(video, (video.width, video.height))),
        ending: presets::ending_of(request.preset.preset(), request)?,
    })
}
