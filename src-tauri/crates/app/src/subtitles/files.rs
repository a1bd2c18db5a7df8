//! Subtitles written as a file, and what became a track of a copy.

use super::{SubtitleWish, TEXT, invalid, no_file};
use crate::request::absolute_input;
use crate::saved::saved;
use crate::{App, explain, inputs};
use frameloom_core::error::AppError;
use frameloom_core::graph::Op;
use frameloom_core::job::Job;
use frameloom_core::said;
use frameloom_media::{Container, SubtitleFormat};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Subtitles in another format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedSubtitles {
    /// Where they are; `None` where they are only text.
    pub output: Option<PathBuf>,
    /// The whole file.
    #[serde(skip)]
    pub text: String,
    /// Lines in it.
    pub lines: usize,
    /// Lines that could not be read, or be written in the format.
    pub unreadable: usize,
    /// Lines that would be over before zero, and are left out.
    pub before_zero: usize,
}

/// A copy with another track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedSubtitles {
    /// The copy.
    pub output: PathBuf,
    /// Codec of the new track.
    pub codec: String,
    /// Lines in it.
    pub lines: usize,
    /// Lines that could not be read, or be written in the codec.
    pub unreadable: usize,
    /// Lines that would be over before the first picture, and are left out.
    pub before_zero: usize,
}

impl App {
    /// The subtitles of a file in a format, as text.
    ///
    /// # Errors
    /// The file holds no text that can be read, in a sentence.
    pub fn subtitle_text(
        &self,
        input: &Path,
        wish: &SubtitleWish,
        format: SubtitleFormat,
    ) -> Result<SavedSubtitles, AppError> {
        let input = absolute_input(input)?;
        let (subtitles, before_zero) = wish.read(&input)?;
        let (text, lost) = subtitles
            .written(format)
            .map_err(|error| explain::media(&error))?;
        Ok(SavedSubtitles {
            output: None,
            text,
            lines: subtitles.cues.len() - lost,
            unreadable: subtitles.damaged + lost,
            before_zero,
        })
    }

    /// Writes the subtitles of a file beside it, or where `output` says, in a format or in that of the
    /// name, under a name that is free or may be overwritten.
    ///
    /// # Errors
    /// As [`App::subtitle_text`]; the name asks for no format; nothing can be written there.
    pub fn save_subtitles(
        &self,
        input: &Path,
        wish: &SubtitleWish,
        format: Option<SubtitleFormat>,
        output: Option<&Path>,
        overwrite: bool,
    ) -> Result<SavedSubtitles, AppError> {
        let input = absolute_input(input)?;
        let named = output.filter(|path| !inputs::names_a_folder(path));
        let format = format
            .or_else(|| named.and_then(SubtitleFormat::from_path))
            .ok_or_else(|| {
                invalid(said!(
                    "subtitles.which_format",
                    "Nothing says in which format the subtitles are to be written."
                ))
                .hint(
                    "Give the result a name that ends in .srt, .vtt or .ass, or say --export srt.",
                )
            })?;
        if let Some(path) = named
            && SubtitleFormat::from_path(path) != Some(format)
        {
            return Err(invalid(said!(
                "subtitles.ending",
                "The name of the result does not end in `.{format}`.",
                format = format.word()
            ))
            .hint("Change the name, or leave the format out."));
        }
        let usual = input.with_extension(format.word());
        let wanted = match (named, output) {
            (Some(path), _) => path.to_path_buf(),
            (None, Some(folder)) => folder.join(usual.file_name().unwrap_or_default()),
            (None, None) => usual,
        };
        let mut made = self.subtitle_text(&input, wish, format)?;
        let path = saved(&wanted, &input, overwrite, |place| {
            std::fs::write(place, &made.text).map_err(|e| explain::unwritable(&wanted, &e))
        })?;
        made.output = Some(path);
        Ok(made)
    }

    /// What the new track of a job that adds one holds.
    ///
    /// # Errors
    /// The job adds none, or its subtitles cannot be read any more.
    pub fn added_subtitles(&self, job: &Job) -> Result<AddedSubtitles, AppError> {
        let nodes = &job.spec.graph.nodes;
        let track = nodes.iter().find_map(|node| match &node.op {
            Op::SubtitleTrack(params) => Some(params),
            _ => None,
        });
        let (params, file) = track.zip(job.spec.inputs.get(TEXT)).ok_or_else(no_file)?;
        let wish = SubtitleWish {
            track: params.track,
            charset: params.charset.clone(),
            shift: params.shift,
            stretch: params.stretch,
            ..SubtitleWish::default()
        };
        let output = &job.spec.output;
        let container = Container::from_path(output).map_err(|e| explain::media(&e))?;
        let (subtitles, before_zero) = wish.read(file)?;
        let track = subtitles
            .track(container, file)
            .map_err(|error| explain::media(&error))?;
        Ok(AddedSubtitles {
            output: output.clone(),
            codec: track.codec.to_owned(),
            lines: track.packets.len(),
            unreadable: subtitles.damaged + track.lost,
            before_zero,
        })
    }
}
