//! Looking for who is seen, with the very detector that covers them.

use super::gather::Gather;
use super::track::Small;
use super::{Finder, PictureFormat, RedactParams, Sight, areas};
use crate::EngineError;
use crate::motion::{Gray, is_cut};
use crate::nodes::Opening;
use frameloom_core::graph::paths_text;
use frameloom_core::time::Rational;
use frameloom_infer::{CancelHandle, PlaceSession};
use frameloom_media::{Frame, Tones, show};
use serde::{Deserialize, Serialize};

/// Longest side of the picture of a face.
const FACE_SIDE: f64 = 144.0;
/// So many times as large as a face is its picture.
const AROUND: f64 = 1.7;

/// A small picture of a face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacePicture {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes of R, G and B.
    pub rgb: Vec<u8>,
}

/// Something that is surely one face, or one text, from its first to its last picture. Who it is, and
/// whether two of them are the same, is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    /// When it is seen first, from the first picture.
    pub from_micros: i64,
    /// When its last picture begins.
    pub to_micros: i64,
    /// In how many pictures it was found.
    pub pictures: u64,
    /// When it is seen best.
    pub at_micros: i64,
    /// Where it is then: left, top, right and bottom in parts of the picture.
    pub sides: [f64; 4],
    /// How sure the model was, 0 to 1.
    pub score: f32,
    /// What the parameter `keep` of the node is for it to stay visible; several with a blank line
    /// between them.
    pub keep: String,
    /// It.
    pub face: FacePicture,
}

/// Who is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Appearances {
    /// In the order of their first pictures.
    pub list: Vec<Appearance>,
    /// How many more there were: for a moment only, or more than are told apart. They are always
    /// covered.
    pub left_out: u64,
}

/// Looks at one clip after the other.
pub(crate) struct Watch {
    finder: Finder,
    aspect: Rational,
    last: Option<Gray>,
    seen: Seen,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen(Gather<FacePicture>);

impl Watch {
    /// For the pictures that a node with these parameters gets, behind what was `seen` in the clips
    /// before.
    ///
    /// # Errors
    /// The node has no model, or it cannot be opened.
    pub(crate) fn open(
        params: &RedactParams,
        input: &PictureFormat,
        opening: &Opening<'_>,
        seen: Seen,
    ) -> Result<Self, EngineError> {
        let refused = |reason: String| EngineError::Node {
            node: "redact".to_owned(),
            reason: reason.into(),
        };
        let (_, spared) = areas(params).map_err(refused)?;
        let id = params.model.as_ref();
        let id = id.ok_or_else(|| refused("it has no model that finds anything".to_owned()))?;
        let model = opening.models.load(id)?;
        let session = PlaceSession::open(&(opening.runtime)()?, &model, opening.threads)?;
        Ok(Self {
            finder: Finder::new(session, params, spared, input, opening.zero)?,
            aspect: input.sample_aspect_ratio,
            last: None,
            seen,
        })
    }

    /// Stops it from another thread.
    pub(crate) fn cancel_handle(&self) -> CancelHandle {
        self.finder.cancel_handle()
    }

    /// Looks at a picture; gives its time in seconds from the first.
    ///
    /// # Errors
    /// The model fails, or there is no memory.
    pub(crate) fn see(&mut self, frame: &Frame) -> Result<f64, EngineError> {
        let Sight {
            found,
            seconds,
            rgb,
            size,
        } = self.finder.see(frame)?;
        let gray = Gray::of_rgb(&rgb, size);
        // The first picture of a clip follows none.
        let is_cut = self.last.as_ref().is_none_or(|last| is_cut(last, &gray));
        self.last = Some(gray);
        let picture = (Small::new(&rgb, size), is_cut);
        let aspect = self.aspect;
        let mut face = |sides| face_of(frame, aspect, sides);
        self.seen.0.push(seconds, found, picture, &mut face)?;
        Ok(seconds)
    }

    /// What was seen.
    pub(crate) fn into_seen(self) -> Seen {
        self.seen
    }
}

impl Seen {
    /// All of it.
    pub(crate) fn finish(self) -> Appearances {
        let (all, left_out) = self.0.finish();
        let micros = |seconds: f64| (seconds * 1e6).round() as i64;
        let list = all.into_iter().map(|one| Appearance {
            from_micros: micros(one.from),
            to_micros: micros(one.to),
            pictures: one.pictures,
            at_micros: micros(one.best.seconds),
            sides: one.best.sides,
            score: one.score,
            keep: paths_text(&one.paths),
            face: one.face,
        });
        Appearances {
            list: list.collect(),
            left_out,
        }
    }
}

/// What is at a place of a frame, and a little around it.
fn face_of(
    frame: &Frame,
    aspect: Rational,
    [left, top, right, bottom]: [f64; 4],
) -> Result<FacePicture, EngineError> {
    let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
    let longest = width.max(height);
    let side = ((right - left) * width)
        .max((bottom - top) * height)
        .max(1.0);
    // The frame is reduced until the face has its size; it is never enlarged.
    let wanted = FACE_SIDE * longest / (AROUND * side);
    let wanted = wanted.clamp(FACE_SIDE.min(longest), longest).ceil() as u32;
    let image = show(frame, aspect, (0, false), Some(wanted), Tones::Shown)?;
    let (w, h) = (f64::from(image.width), f64::from(image.height));
    let side = (AROUND * ((right - left) * w).max((bottom - top) * h)).max(1.0);
    let span = |from: f64, to: f64, all: f64| {
        let middle = 0.5 * (from + to) * all;
        let begin = (middle - 0.5 * side)
            .floor()
            .clamp(0.0, (all - 1.0).max(0.0));
        let end = (middle + 0.5 * side).ceil();
        (begin as usize)..(end.clamp(begin + 1.0, all.max(begin + 1.0)) as usize)
    };
    let (xs, ys) = (span(left, right, w), span(top, bottom, h));
    let row = (image.width as usize * 3).max(3);
    let rows = image.data.chunks_exact(row).skip(ys.start).take(ys.len());
    let rgb: Vec<u8> = rows
        .flat_map(|row| row.get(xs.start * 3..xs.end * 3).unwrap_or_default())
        .copied()
        .collect();
    Ok(FacePicture {
        width: xs.len() as u32,
        height: ys.len() as u32,
        rgb,
    })
}
