//! Subtitles that are text: read from any file that holds some, moved in time, written in another
//! format or as a track.
//!
//! | | kept | lost |
//! |---|---|---|
//! | in the same format (SRT to SRT, ...) | the text of every line to the byte; in WebVTT its name and place; in ASS the whole document but for times | notes, regions and style sheets of WebVTT |
//! | ASS from anything | italics, bold, underline, strike-out, colours, fonts, sizes, places | places of WebVTT |
//! | SRT, WebVTT, MP4 from anything | what of that the format knows | the rest: in SRT and WebVTT margins and effects, in WebVTT colours too |

mod read;
mod text;
mod track;
mod write;

pub use read::{ReadSubtitles, read_subtitles};
pub use track::{CuePacket, CueTrack};
pub use write::SubtitleFormat;

use crate::error::MediaError;
use frameloom_core::subtitles::Retime;
use std::path::PathBuf;

/// A file of subtitles of more bytes is not read: a film has a tenth of a megabyte.
pub const MAX_SUBTITLE_BYTES: u64 = 64 << 20;
/// A track of more lines is not read.
pub const MAX_CUES: usize = 500_000;
/// Fonts of a file take no more bytes than this together.
const MAX_FONT_BYTES: usize = 256 << 20;

/// Text that is shown from one moment to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// Its first moment, in microseconds: of a clip counted from its first picture, of a file that is
    /// nothing but subtitles from zero.
    pub from_micros: i64,
    /// The first moment behind it.
    pub to_micros: i64,
    /// As ASS has it: `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`.
    pub event: String,
    /// As the file had it.
    own: Own,
}

/// A cue in the codec of its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Own {
    /// Its text; `None` where one packet became several cues, or the text is not UTF-8.
    text: Option<String>,
    /// Name of a cue of WebVTT.
    name: String,
    /// Place of a cue of WebVTT.
    settings: String,
}

/// A font that a file brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtitleFont {
    /// Its bytes, in one of the formats of fonts.
    pub bytes: Vec<u8>,
}

/// The subtitles of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtitles {
    /// What stands before the events in a document of ASS.
    pub header: String,
    /// Its styles were made by a person: it was ASS before.
    pub is_styled: bool,
    /// Its events have the fields that its own document names, and not those that all others have.
    pub has_own_fields: bool,
    /// Its lines, by their beginning.
    pub cues: Vec<Cue>,
    /// Name of the codec that it had.
    pub codec: String,
    /// Language of the track, as the file has it.
    pub language: Option<String>,
    /// Fonts of the file, for what is styled.
    pub fonts: Vec<SubtitleFont>,
    /// Lines that could not be read.
    pub damaged: usize,
}

impl Subtitles {
    /// Moves all times. What would be over before zero is left out; gives how many those are.
    pub fn retime(&mut self, retime: Retime) -> usize {
        if retime.is_nothing() {
            return 0;
        }
        let before = self.cues.len();
        for cue in &mut self.cues {
            cue.from_micros = retime.at(cue.from_micros).max(0);
            cue.to_micros = retime.at(cue.to_micros);
        }
        self.cues.retain(|cue| cue.to_micros > cue.from_micros);
        before - self.cues.len()
    }

    /// The lines of a text of SRT, WebVTT or ASS, as if it were a file of that content.
    ///
    /// # Errors
    /// As [`read_subtitles`].
    pub fn of_text(text: &str) -> Result<Self, MediaError> {
        read::of_text(
            text.to_owned(),
            std::path::Path::new("text"),
            &Default::default(),
        )
    }

    /// Every letter that is shown, with the commands of ASS among them.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.cues.iter().map(Cue::text)
    }
}

impl Cue {
    /// The last field of its event: text with commands of ASS.
    pub fn text(&self) -> &str {
        self.event.splitn(9, ',').nth(8).unwrap_or_default()
    }
}

/// The refusal of a file.
fn refused(
    path: &std::path::Path,
    what: frameloom_core::said::Said,
    remedy: impl Into<String>,
) -> MediaError {
    MediaError::Subtitles {
        what,
        remedy: remedy.into(),
        path: PathBuf::from(path),
    }
}
