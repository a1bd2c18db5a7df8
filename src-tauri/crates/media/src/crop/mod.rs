//! What the container asks players to cut off, and what of it is done; and the turn of pictures
//! that are no tracks, which stands beside it.
//!
//! FFmpeg before 7.1 does not read these notes, and later ones only hand them on: so they are read
//! here, whatever the library, and the decoded picture is cut before anybody sees it. What the
//! coded stream itself says (the conformance window of H.264 and HEVC) is the decoder's work, and
//! no picture is cut twice: a note counts only for pictures of the size that it speaks of.

mod item;
mod read;

use crate::ffi::input::{Input, Stream};
use crate::ffi::pixel::AvFormat;
use crate::probe::Turn;
use ffmpeg_sys_next as sys;
use frameloom_core::media::{StreamInfo, Warning};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::Rational;
use read::{Noted, Track};
use std::path::Path;

/// Pixels at the sides of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edges {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

impl Edges {
    /// What is left of a picture; `None` for nothing.
    pub(crate) fn inside(self, (width, height): (u32, u32)) -> Option<(u32, u32)> {
        let side = |whole: u32, before: u32, behind: u32| {
            let left = whole.checked_sub(before)?.checked_sub(behind)?;
            (left > 0).then_some(left)
        };
        Some((
            side(width, self.left, self.right)?,
            side(height, self.top, self.bottom)?,
        ))
    }

    /// Moved outward to places where samples of colour begin, which lie on a grid.
    fn outward(self, (width, height): (u32, u32), (across, down): (u32, u32)) -> Self {
        let side = |whole: u32, before: u32, behind: u32, grid: u32| {
            let end = (whole - behind).next_multiple_of(grid).min(whole);
            (before - before % grid, whole - end)
        };
        let (left, right) = side(width, self.left, self.right, across);
        let (top, bottom) = side(height, self.top, self.bottom, down);
        Self {
            top,
            bottom,
            left,
            right,
        }
    }
}

/// A cut that is made after decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Size of the decoded pictures.
    pub whole: (u32, u32),
    /// What is left of them.
    pub size: (u32, u32),
    pub edges: Edges,
    /// The note asked for up to a few pixels more, which would have torn colour from light.
    rounded: bool,
    /// Shape of the pixels, where the library counts it from the whole picture.
    shape: Option<Rational>,
}

impl Cut {
    /// The stream as the pictures are given out.
    pub(crate) fn apply(self, info: &mut StreamInfo) {
        if let Some(video) = info.video.as_mut() {
            (video.width, video.height) = self.size;
            video.sample_aspect_ratio = self.shape.unwrap_or(video.sample_aspect_ratio);
        }
    }

    fn warning(self) -> Warning {
        let Edges {
            top,
            bottom,
            left,
            right,
        } = self.edges;
        Warning::Cropped {
            left,
            right,
            top,
            bottom,
            rounded: self.rounded,
        }
    }
}

/// What becomes of the note about a stream.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    Nothing,
    Cut(Cut),
    /// It is passed over, and why.
    Ignored(Said),
}

/// The notes of a file.
pub(crate) struct Crops {
    noted: Vec<Noted>,
    turn: Option<Turn>,
}

impl Crops {
    /// Reads them. A file that cannot be read has none; whoever opens it says why.
    pub(crate) fn of(path: &Path, input: &Input) -> Self {
        let (noted, turn) = read::noted(path, &input.format_name());
        Self { noted, turn }
    }

    /// How the picture of a file without tracks is turned, after the cut; `None` for clips, whose
    /// turn the library reads.
    pub(crate) fn turn(&self) -> Option<Turn> {
        self.turn
    }

    /// The cut of the pictures of a stream.
    pub(crate) fn cut(&self, input: &Input, stream: Stream<'_>) -> Option<Cut> {
        match self.verdict(input, stream) {
            Verdict::Cut(cut) => Some(cut),
            Verdict::Nothing | Verdict::Ignored(_) => None,
        }
    }

    /// What the user should know of the note about a stream.
    pub(crate) fn warning(&self, input: &Input, stream: Stream<'_>) -> Option<Warning> {
        match self.verdict(input, stream) {
            Verdict::Nothing => None,
            Verdict::Cut(cut) => Some(cut.warning()),
            Verdict::Ignored(why) => Some(Warning::dropped(said!(
                "lost.cut_note",
                "the note about what players cut off, {why}",
                why = why
            ))),
        }
    }

    fn verdict(&self, input: &Input, stream: Stream<'_>) -> Verdict {
        let is_video = |s: Stream<'_>| {
            s.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_VIDEO
                && !s.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC)
        };
        if !is_video(stream) {
            return Verdict::Nothing;
        }
        let before = |s: &Stream<'_>| s.raw().index < stream.raw().index && is_video(*s);
        let place = input.streams().filter(before).count();
        let found = self.noted.iter().find(|noted| match noted.track {
            Track::Place(n) => n == place,
            Track::Number(id) => i64::from(id) == i64::from(stream.raw().id),
        });
        let p = stream.parameters();
        let size = (p.0.width.max(0) as u32, p.0.height.max(0) as u32);
        let lines_of_fields = matches!(p.field_order(), 2..=5);
        found.map_or(Verdict::Nothing, |noted| {
            judge(noted, size, grid(AvFormat(p.0.format), lines_of_fields))
        })
    }
}

/// Pixels across and down that share a sample of colour, and a line of each field.
fn grid(format: AvFormat, fields: bool) -> (u32, u32) {
    // Most pictures are 4:2:0, should the library not know before it decodes.
    let (across, down) = format
        .descriptor()
        .map_or((1, 1), |d| (d.log2_chroma_w, d.log2_chroma_h));
    (1 << across, 1 << (down + u8::from(fields)))
}

fn judge(noted: &Noted, size: (u32, u32), grid: (u32, u32)) -> Verdict {
    let Some(edges) = noted.edges else {
        return Verdict::Ignored(said!("cut_note.impossible", "which cannot be one"));
    };
    if edges == Edges::default() {
        return Verdict::Nothing;
    }
    let Some(inside) = edges.inside(noted.whole) else {
        return Verdict::Ignored(said!(
            "cut_note.nothing_left",
            "which would leave nothing of the picture"
        ));
    };
    if noted.stereo {
        return Verdict::Ignored(said!(
            "cut_note.stereo",
            "for it is not known how it is meant for pictures of two eyes"
        ));
    }
    if size == inside {
        // The stream itself says the same.
        return Verdict::Nothing;
    }
    if size != noted.whole {
        return Verdict::Ignored(said!(
            "cut_note.other_size",
            "which speaks of pictures of another size"
        ));
    }
    let outward = edges.outward(size, grid);
    match outward.inside(size) {
        Some(_) if outward == Edges::default() => Verdict::Ignored(said!(
            "cut_note.too_little",
            "which is less than what shares a sample of colour"
        )),
        Some(left) => Verdict::Cut(Cut {
            whole: size,
            size: left,
            edges: outward,
            rounded: outward != edges,
            shape: noted.shape,
        }),
        None => Verdict::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(left: u32, right: u32, top: u32, bottom: u32) -> Edges {
        Edges {
            top,
            bottom,
            left,
            right,
        }
    }

    fn noted(edges: Option<Edges>) -> Noted {
        Noted {
            track: Track::Place(0),
            whole: (128, 97),
            edges,
            stereo: false,
            shape: None,
        }
    }

    fn cut(noted: &Noted, grid: (u32, u32)) -> Option<(Edges, (u32, u32), bool)> {
        match judge(noted, (128, 97), grid) {
            Verdict::Cut(cut) => Some((cut.edges, cut.size, cut.rounded)),
            _ => None,
        }
    }

    #[test]
    fn a_cut_begins_where_a_sample_of_colour_begins_and_never_takes_more_than_was_asked() {
        let odd = noted(Some(edges(3, 5, 1, 0)));
        assert_eq!(
            cut(&odd, (1, 1)),
            Some((edges(3, 5, 1, 0), (120, 96), false))
        );
        assert_eq!(
            cut(&odd, (2, 2)),
            Some((edges(2, 4, 0, 0), (122, 97), true))
        );
        let fields = noted(Some(edges(4, 4, 6, 9)));
        assert_eq!(
            cut(&fields, (2, 4)),
            Some((edges(4, 4, 4, 9), (120, 84), true))
        );
    }

    #[test]
    fn a_note_that_cannot_be_true_is_passed_over_and_said() {
        for (edges, size) in [
            (None, (128, 97)),
            (Some(edges(64, 64, 0, 0)), (128, 97)),
            (Some(edges(u32::MAX, u32::MAX, 0, 0)), (128, 97)),
            (Some(edges(0, 0, 0, 97)), (128, 97)),
            (Some(edges(8, 8, 0, 0)), (64, 48)),
            (Some(edges(1, 1, 0, 0)), (128, 97)),
        ] {
            let verdict = judge(&noted(edges), size, (2, 2));
            assert!(matches!(verdict, Verdict::Ignored(_)), "{verdict:?}");
        }
        let stereo = Noted {
            stereo: true,
            ..noted(Some(edges(8, 8, 0, 0)))
        };
        assert!(matches!(
            judge(&stereo, (128, 97), (2, 2)),
            Verdict::Ignored(_)
        ));
    }

    #[test]
    fn what_the_stream_cuts_itself_is_not_cut_again() {
        let both = noted(Some(edges(0, 0, 0, 1)));
        assert_eq!(judge(&both, (128, 96), (2, 2)), Verdict::Nothing);
        assert_eq!(
            judge(&noted(Some(Edges::default())), (128, 97), (2, 2)),
            Verdict::Nothing
        );
    }
}
