//! Subtitles beside the pictures that are written anew: read line by line, moved in time, and made what
//! the result can hold.

use super::node_error;
use crate::EngineError;
use crate::nodes::read_lines;
use frameloom_core::graph::SubtitleTrackParams;
use frameloom_core::said;
use frameloom_core::subtitles::language_of;
use frameloom_media::{Container, CueTrack, ReadSubtitles};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A track that was read.
pub(super) struct Lines {
    /// Its lines, counted from the first picture of their file, or from zero where it has none.
    pub track: CueTrack,
    /// Its language by three letters.
    pub language: Option<String>,
    /// Lines that could not be read or written, and are left out.
    pub unreadable: usize,
    /// Lines that would be over before the first picture, and are left out.
    pub before_zero: usize,
}

/// Reads the lines of a file as a node wants them.
///
/// # Errors
/// There is no text that can be read; times or the language are none; the container holds no
/// subtitles; nothing is left.
pub(super) fn read(
    node: &str,
    path: &Path,
    params: &SubtitleTrackParams,
    container: Container,
    cancel: &Arc<AtomicBool>,
) -> Result<Lines, EngineError> {
    let wish = ReadSubtitles {
        track: params.track,
        charset: params.charset.as_deref(),
    };
    let (subtitles, before_zero) = read_lines(node, path, wish, params.retime(), cancel)?;
    let language = match &params.language {
        Some(name) => Some(language_of(name).ok_or_else(|| {
            node_error(
                node,
                said!(
                    "subtitles.language",
                    "`{name}` is no language that files can name.",
                    name = name
                ),
            )
        })?),
        // What a file says of itself may be any word.
        None => subtitles.language.as_deref().and_then(language_of),
    };
    let track = subtitles.track(container, path)?;
    Ok(Lines {
        unreadable: subtitles.damaged + track.lost,
        track,
        language,
        before_zero,
    })
}
