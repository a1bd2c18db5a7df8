//! Subtitles written as a file, or as a track of a copy.

use super::{SubtitleWish, invalid, no_file};
use crate::request::absolute_input;
use crate::saved::saved;
use crate::scenes::copy_checked;
use crate::{App, SceneWatch, explain, inputs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::TrackChoice;
use frameloom_core::media::{MediaKind, StreamKind};
use frameloom_core::said;
use frameloom_core::subtitles::language_of;
use frameloom_core::time::Timestamp;
use frameloom_media::{
    AddedPlace, AddedTrack, Container, CueTrack, RemuxSpec, SubtitleFormat, TrackFrom, plan_remux,
};
use serde::Serialize;
use std::collections::BTreeMap;
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

/// What is known of a new track.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTrack {
    /// Its language, such as `en` or `eng`; that of the subtitles where `None`.
    pub language: Option<String>,
    /// Its name in a menu.
    pub title: Option<String>,
    /// Players show it unless told otherwise.
    pub is_default: bool,
    /// Tracks of the clip that are left out.
    pub drop: Vec<TrackChoice>,
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

    /// Writes a copy of a clip with its tracks as they are and the subtitles of `wish` as another, and
    /// reads it back: what was there must be the same, and the lines those of the subtitles.
    ///
    /// # Errors
    /// The input is no clip; the subtitles cannot be read; the container cannot hold a track; the copy
    /// is not what it should be; nobody waits any more.
    pub fn add_subtitles(
        &self,
        input: &Path,
        wish: &SubtitleWish,
        track: &NewTrack,
        output: Option<&Path>,
        overwrite: bool,
        watch: &mut dyn SceneWatch,
    ) -> Result<AddedSubtitles, AppError> {
        let input = absolute_input(input)?;
        let Some(file) = &wish.file else {
            return Err(no_file());
        };
        let file = absolute_input(file)?;
        let info = inputs::probe(&input)?;
        if info.kind == MediaKind::Still || !inputs::has_picture(&info) {
            return Err(invalid(said!(
                "subtitles.no_clip",
                "`{name}` is no clip; subtitles are added to one.",
                name = input.display()
            ))
            .hint("Choose a video."));
        }
        let wanted = wanted_copy(&input, output);
        let container = Container::from_path(&wanted).map_err(|e| explain::media(&e))?;
        let plan = plan_remux(&info, container, &track.drop).map_err(|e| explain::media(&e))?;
        let (subtitles, before_zero) = wish.read(&file)?;
        let made = subtitles
            .track(container, &file)
            .map_err(|error| explain::media(&error))?;
        let language = track.language.clone().or(subtitles.language.clone());
        let mut tags = BTreeMap::new();
        if let Some(language) = language {
            let name = language_of(&language).ok_or_else(|| {
                invalid(said!(
                    "subtitles.language",
                    "`{name}` is no language that files can name.",
                    name = language
                ))
                .hint("Use the two or three letters of ISO 639, such as en, vi, fra.")
            })?;
            tags.insert("language".to_owned(), name);
        }
        if let Some(title) = &track.title {
            tags.insert("title".to_owned(), title.clone());
        }
        let shift_micros = info.main_video().map_or(0, |(stream, _)| {
            Timestamp::new(stream.start_ticks.unwrap_or(0), stream.time_base).micros()
        });
        let added = [AddedTrack {
            from: TrackFrom::Subtitles {
                track: &made,
                shift_micros,
            },
            tags,
            dispositions: match track.is_default {
                true => vec!["default".to_owned()],
                false => Vec::new(),
            },
        }];
        let output = saved(&wanted, &input, overwrite, |place| {
            let spec = RemuxSpec {
                source: &input,
                output_tmp: place,
                plan: &plan,
                chapters: None,
                added: &added,
                place: AddedPlace::Last,
                kept: None,
            };
            copy_checked(&input, &info, &spec, watch)?;
            check_track(place, &input, &made)
        })?;
        Ok(AddedSubtitles {
            output,
            codec: made.codec.to_owned(),
            lines: made.packets.len(),
            unreadable: subtitles.damaged + made.lost,
            before_zero,
        })
    }
}

/// Where a copy goes: beside its source, in its container where that can be written.
fn wanted_copy(input: &Path, output: Option<&Path>) -> PathBuf {
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    let own = Container::from_path(input)
        .ok()
        .filter(|own| Container::ALL.contains(own));
    let usual = format!(
        "{stem}_subtitled.{}",
        own.unwrap_or(Container::Mkv).extension()
    );
    match output {
        Some(path) if inputs::names_a_folder(path) => path.join(usual),
        Some(path) => path.to_path_buf(),
        None => input.with_file_name(usual),
    }
}

/// Reads the last track of a copy, and compares its lines with those that were written.
fn check_track(copy: &Path, source: &Path, made: &CueTrack) -> Result<(), AppError> {
    let info = inputs::probe(copy)?;
    let mut tracks = info.streams.iter();
    let last = tracks.rfind(|s| s.kind == StreamKind::Subtitle);
    let failed = |details: String| {
        AppError::new(
            ErrorCode::VerificationFailed,
            said!(
                "subtitles.differ",
                "The new track of the copy of `{name}` is not what was written.",
                name = source.display()
            ),
        )
        .hint("Choose another container, such as .mkv.")
        .details(details)
    };
    let stream = last.map_or(u32::MAX, |stream| stream.index);
    match made.differs(copy, stream, 0, &Default::default()) {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(failed(why)),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_in_its_container_where_that_can_be() {
        let of = |input: &str| wanted_copy(Path::new(input), None);
        assert_eq!(of("/a/b.mp4"), Path::new("/a/b_subtitled.mp4"));
        assert_eq!(of("/a/b.ts"), Path::new("/a/b_subtitled.mkv"));
        assert_eq!(
            wanted_copy(Path::new("/a/b.mp4"), Some(Path::new("/c/"))),
            Path::new("/c/b_subtitled.mp4")
        );
    }
}
