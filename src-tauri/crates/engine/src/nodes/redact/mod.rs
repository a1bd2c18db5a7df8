//! Faces, text and areas that nobody is to recognise.
//!
//! A model looks at each picture, as a whole and in parts ([`Finder`]); what it finds is followed
//! through the pictures in which it is missed ([`track`]); what is left of a place are a few means
//! ([`paint`]).

mod gather;
mod paint;
mod track;
mod watch;

use super::overlay::{copied, since};
use super::temporal::{Give, Temporal, Timed};
use super::{Filter, Node, Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::motion::{Gray, is_cut};
use frameloom_core::graph::{
    Area, RedactMode, RedactParams, Search, SeenPath, parse_areas, parse_color, parse_paths,
};
use frameloom_core::job::{Device, ProviderChoice};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::pixel::{AnyPlane, PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::Timestamp;
use frameloom_infer::{CancelHandle, Found, PlaceSession};
use frameloom_media::{Converter, Frame, FramePool};
use paint::{Place, cover};
use std::collections::VecDeque;
use track::{Seen, Small, grown, links, places};

pub(super) use track::REACH;
pub(crate) use watch::Watch;
pub use watch::{Appearance, Appearances, FacePicture};

/// Parts of a picture that are looked at beside the whole: so much each of the largest part that has
/// the shape that the model takes.
const PARTS: [f64; 2] = [0.6, 0.45];
/// How many times as large as in the whole picture parts must be to be looked at.
const LARGER: f64 = 1.15;
/// A picture whose shape differs by this from the one that the model takes is looked at in parts of
/// that shape, too: squeezed, a face is none.
const SQUEEZED: f64 = 1.6;
/// Parts overlap by so much of theirs at least, so that no face lies on the edge of all.
const OVERLAP: f64 = 0.3;
/// Parts that are made larger than this are not worth a look.
const MOST_ENLARGED: f64 = 1.5;
/// Of two things that are found, so much of the smaller one lies in the other: they are one.
const WITHIN: f32 = 0.6;
/// What is found stays as it is where it lies on a way that is kept by so much of what both cover
/// together.
const ON_ITS_WAY: f32 = 0.5;
/// As [`WITHIN`], of what both cover together.
const SAME: f32 = 0.3;

/// Refuses parameters that make no sense.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(
    params: &RedactParams,
    model: Option<&ModelManifest>,
    input: &PictureFormat,
) -> Result<(), Said> {
    if let Some(manifest) = model
        && !manifest.task.finds()
    {
        return Err(said!(
            "redact.finds_nothing",
            "the model `{model}` finds neither faces nor text; `frameloom models available` lists those that do",
            model = &manifest.id
        ));
    }
    let (covered, spared) = areas(params).map_err(|reason| {
        said!(
            "redact.areas",
            "its areas cannot be read: {reason}",
            reason = Said::from(reason)
        )
    })?;
    kept(params).map_err(|reason| {
        said!(
            "redact.keep",
            "the faces that it is to keep cannot be read: {reason}",
            reason = Said::from(reason)
        )
    })?;
    let has_time = |area: &Area| area.from.is_some() || area.to.is_some();
    if input.pace == super::Pace::STILL && covered.iter().chain(&spared).any(has_time) {
        return Err(said!(
            "redact.still_time",
            "a picture by itself has no times; leave `from` and `to` out of its areas"
        ));
    }
    if model.is_none() && covered.is_empty() {
        return Err(said!(
            "redact.nothing",
            "nothing is to be covered; name a model that finds faces or text, or areas"
        ));
    }
    if params.cover == RedactMode::Fill && parse_color(&params.color).is_none() {
        return Err(said!(
            "background.color",
            "`{color}` is no colour; write it like #ff8000",
            color = &params.color
        ));
    }
    Ok(())
}

/// Areas that are covered, and those in which nothing is.
fn areas(params: &RedactParams) -> Result<(Vec<Area>, Vec<Area>), String> {
    let read = |text: &Option<String>| text.as_deref().map_or(Ok(Vec::new()), parse_areas);
    Ok((read(&params.areas)?, read(&params.spare)?))
}

/// The ways of what stays as it is.
fn kept(params: &RedactParams) -> Result<Vec<SeenPath>, String> {
    params.keep.as_deref().map_or(Ok(Vec::new()), parse_paths)
}

/// Which of `found` stay as they are at a time: for each way the one that lies on it best, and enough.
/// So whoever else comes near a face that is kept stays covered.
fn on_ways(found: &[Found], ways: &[SeenPath], seconds: f64) -> Vec<bool> {
    let mut kept = vec![false; found.len()];
    for way in ways.iter().filter_map(|way| way.at(seconds)) {
        let way = Found {
            sides: way.map(|side| side as f32),
            score: 0.0,
        };
        let overlaps = found.iter().map(|found| inside(found).overlap(&way));
        // Of equal ones the surer, which comes first.
        let best = overlaps
            .enumerate()
            .reduce(|best, next| match next.1 > best.1 {
                true => next,
                false => best,
            });
        if let Some((index, overlap)) = best
            && overlap >= ON_ITS_WAY
            && let Some(kept) = kept.get_mut(index)
        {
            *kept = true;
        }
    }
    kept
}

/// What of it lies in the picture.
fn inside(found: &Found) -> Found {
    Found {
        sides: found.sides.map(|side| side.clamp(0.0, 1.0)),
        ..*found
    }
}

/// Opens the node: with a memory of time for a clip in which a model finds something.
pub(super) fn open(
    params: &RedactParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let (covered, spared) = areas(params).map_err(|reason| EngineError::Node {
        node: "redact".to_owned(),
        reason: reason.into(),
    })?;
    let [r, g, b] = parse_color(&params.color).unwrap_or_default();
    let rgb = [r, g, b].map(|v| f32::from(v) / 255.0);
    let size = (output.width, output.height);
    let samples = crate::rgb::samples_of_rgb(output.pixels, &output.color, size, rgb);
    let mut fill = [0; 4];
    for (to, from) in fill.iter_mut().zip(samples) {
        *to = from;
    }
    let mut eraser = Eraser {
        mode: params.cover,
        fill,
        grow: params.grow.clamp(0.0, 1.0) as f32,
        covered,
        is_oval: false,
        zero: opening.zero,
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        output,
    };
    let Some(id) = &params.model else {
        return Ok((Node::Filter(Box::new(Areas(eraser))), None));
    };
    let model = opening.models.load(id)?;
    eraser.is_oval = model.manifest.task == Task::Faces;
    let session = PlaceSession::open(&(opening.runtime)()?, &model, opening.threads)?;
    let ways = kept(params).map_err(|reason| EngineError::Node {
        node: "redact".to_owned(),
        reason: reason.into(),
    })?;
    let finder = Finder::new(session, params, spared, input, opening.zero)?;
    let node = match input.pace == super::Pace::STILL {
        true => Node::Filter(Box::new(Still {
            finder,
            eraser,
            ways,
        })),
        false => Node::Temporal(Box::new(Clip {
            finder,
            eraser,
            ways,
            held: VecDeque::new(),
            given: 0,
            last: None,
        })),
    };
    let choice = opening.sessions.told(id, provider(opening.sessions.device));
    Ok((node, Some(choice)))
}

/// Refuses a model that finds no faces.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check_faces(manifest: &ModelManifest) -> Result<(), Said> {
    match manifest.task {
        Task::Faces => Ok(()),
        _ => Err(said!(
            "reframe.no_faces",
            "the model `{model}` finds no faces; leave it out to follow what moves, or name one that does",
            model = &manifest.id
        )),
    }
}

/// What finds faces in pictures of `input` with the model `id`.
pub(super) fn faces(
    id: &str,
    input: &PictureFormat,
    opening: &Opening<'_>,
) -> Result<(Finder, ProviderChoice), EngineError> {
    let model = opening.models.load(id)?;
    let session = PlaceSession::open(&(opening.runtime)()?, &model, opening.threads)?;
    let usual = RedactParams::default();
    let finder = Finder::new(session, &usual, Vec::new(), input, opening.zero)?;
    let choice = opening.sessions.told(id, provider(opening.sessions.device));
    Ok((finder, choice))
}

/// Where such models compute, and why not on the device that was asked for.
pub(crate) fn provider(wanted: &Device) -> ProviderChoice {
    let choice = PlaceSession::provider();
    match wanted {
        Device::Auto | Device::Cpu => choice,
        _ => choice.instead_of(Some(said!(
            "places.processor",
            "models that find something always compute on the processor"
        ))),
    }
}

/// Parts of one size that a model looks at.
struct View {
    /// Size of the whole picture when its parts have the size that the model takes.
    pool: FramePool,
    converter: Converter,
    /// Size of a part.
    size: (usize, usize),
    /// How many lie beside each other, and one above the other.
    count: (usize, usize),
}

/// What a model saw of a picture.
pub(super) struct Sight {
    /// Each thing once, the surest first.
    pub found: Vec<Found>,
    /// When it is shown, in seconds from the first.
    pub seconds: f64,
    /// The picture in small: red, green and blue from 0 to 1.
    rgb: [Vec<f32>; 3],
    size: (usize, usize),
}

/// Looks at pictures with a model.
pub(super) struct Finder {
    session: PlaceSession,
    views: Vec<View>,
    threshold: f32,
    spared: Vec<Area>,
    input: PictureFormat,
    zero: i64,
}

impl Finder {
    /// Stops it from another thread.
    pub(super) fn cancel_handle(&self) -> CancelHandle {
        self.session.cancel_handle()
    }

    fn new(
        session: PlaceSession,
        params: &RedactParams,
        spared: Vec<Area>,
        input: &PictureFormat,
        zero: i64,
    ) -> Result<Self, EngineError> {
        let (width, height) = (input.width as usize, input.height as usize);
        let small = PixelFormat {
            planes: Planes::Gbr,
            bits: 16,
            alpha: false,
        };
        let view = |size: (usize, usize), whole: (usize, usize), count| {
            Ok::<View, EngineError>(View {
                pool: FramePool::new(small, whole.0 as u32, whole.1 as u32)?,
                converter: Converter::new(),
                size,
                count,
            })
        };
        let size = session.size_for(width, height);
        let mut views = vec![view(size, size, (1, 1))?];
        // The largest part of the shape that the model takes.
        let (w, h) = (width as f64, height as f64);
        let shape = match session.is_fixed() {
            true => size.0 as f64 / size.1 as f64,
            false => w / h,
        };
        let (base_w, base_h) = (w.min(h * shape), h.min(w / shape));
        let squeezed = (w / h / shape).max(shape * h / w);
        let mut shares = Vec::new();
        if squeezed > SQUEEZED {
            shares.push(1.0);
        }
        shares.extend(match params.search {
            Search::Quick => &PARTS[..0],
            Search::Usual => &PARTS[..1],
            Search::Thorough => &PARTS[..],
        });
        for share in shares {
            let part = (base_w * share, base_h * share);
            let size = session.size_for(part.0.ceil() as usize, part.1.ceil() as usize);
            let larger = (size.0 as f64 / part.0, size.1 as f64 / part.1);
            let most = match session.is_fixed() {
                true => MOST_ENLARGED,
                // What takes any size has seen the picture as it is.
                false => 1.0,
            };
            let whole = (
                ((w * larger.0).round() as usize).max(size.0),
                ((h * larger.1).round() as usize).max(size.1),
            );
            // Parts that are hardly larger than they were in the whole picture show nothing new.
            let before = session.size_for(width, height).0 as f64 / w;
            let is_seen = !session.is_fixed() && larger.0 < before * LARGER;
            if larger.0 > most || is_seen {
                continue;
            }
            let count = |side: f64, part: f64| {
                (((side - part) / (part * (1.0 - OVERLAP))).ceil().max(0.0) as usize) + 1
            };
            views.push(view(size, whole, (count(w, part.0), count(h, part.1)))?);
        }
        Ok(Self {
            session,
            views,
            threshold: params.threshold.clamp(0.05, 0.95) as f32,
            spared,
            input: input.clone(),
            zero,
        })
    }

    pub(super) fn see(&mut self, frame: &Frame) -> Result<Sight, EngineError> {
        let mut found = Vec::new();
        let mut first = None;
        for view in &mut self.views {
            let small = view.converter.convert(frame, &view.pool)?;
            let (width, height) = (small.width() as usize, small.height() as usize);
            let rgb = [2, 0, 1].map(|index| plane(&small, index));
            let (w, h) = view.size;
            // Parts begin at even distances, the last of them at the far edge.
            let begin = |at: usize, count: usize, side: usize, part: usize| {
                at * side.saturating_sub(part) / (count.max(2) - 1)
            };
            let (columns, rows) = view.count;
            for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                let x = begin(column, columns, width, w);
                let y = begin(row, rows, height, h);
                let part = |plane: &Vec<f32>| -> Vec<f32> {
                    (y..y + h)
                        .flat_map(|y| &plane[y * width + x..][..w])
                        .copied()
                        .collect()
                };
                let [r, g, b] = [part(&rgb[0]), part(&rgb[1]), part(&rgb[2])];
                for one in self.session.run([&r, &g, &b], (w, h), self.threshold)? {
                    let [left, top, right, bottom] = one.sides;
                    let across = |side: f32| (x as f32 + side * w as f32) / width as f32;
                    let down = |side: f32| (y as f32 + side * h as f32) / height as f32;
                    found.push(Found {
                        sides: [across(left), down(top), across(right), down(bottom)],
                        ..one
                    });
                }
            }
            first.get_or_insert((rgb, (width, height)));
        }
        let seconds = since(&self.input, self.zero, frame) as f64 / 1e6;
        let is_spared = |found: &Found| {
            let [left, top, right, bottom] = found.sides.map(f64::from);
            let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
            self.spared.iter().any(|area| {
                let [left, top, right, bottom] = area.sides;
                area.holds_at(seconds) && (left..=right).contains(&x) && (top..=bottom).contains(&y)
            })
        };
        let mut found = joined(found);
        found.retain(|one| !is_spared(one));
        let (rgb, size) = first.unwrap_or_default();
        Ok(Sight {
            found,
            seconds,
            rgb,
            size,
        })
    }
}

/// What is one thing, seen in several parts of the picture, as one: an edge of a part may have cut
/// it, so it is as large as all of them together.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut joined: Vec<Found> = Vec::new();
    for one in found {
        let is_same = |other: &&mut Found| {
            one.overlap(other) > SAME
                || one.share_in(other) > WITHIN
                || other.share_in(&one) > WITHIN
        };
        match joined.iter_mut().find(is_same) {
            Some(other) => *other = other.with(&one),
            None => joined.push(one),
        }
    }
    joined
}

/// A plane from 0 to 1.
fn plane(frame: &Frame, index: usize) -> Vec<f32> {
    let most = f32::from(frame.format().max_value());
    match frame.plane(index) {
        AnyPlane::U8(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).iter().map(|&v| f32::from(v) / most))
            .collect(),
        AnyPlane::U16(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).iter().map(|&v| f32::from(v) / most))
            .collect(),
    }
}

/// Covers places.
struct Eraser {
    mode: RedactMode,
    fill: [u16; 4],
    grow: f32,
    covered: Vec<Area>,
    /// What is found is oval.
    is_oval: bool,
    zero: i64,
    pool: FramePool,
    output: PictureFormat,
}

impl Eraser {
    /// The picture without what is in `found`, in parts of it, and in the areas of its time.
    fn erase(&self, frame: &Frame, found: &[[f32; 4]]) -> Result<Frame, EngineError> {
        let from = since(&self.output, self.zero, frame) as f64 / 1e6;
        let length = Timestamp::new(frame.duration(), self.output.pace.time_base).micros();
        // A picture that is still shown when an area begins is covered all the time.
        let to = from + length.max(1) as f64 / 1e6;
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let pixels = |[left, top, right, bottom]: [f32; 4]| {
            [left * width, top * height, right * width, bottom * height]
        };
        let areas = self.covered.iter().filter(|area| area.meets(from, to));
        let areas = areas.map(|area| Place {
            sides: pixels(area.sides.map(|side| side as f32)),
            is_oval: false,
        });
        let found = found.iter().map(|&sides| Place {
            sides: pixels(grown(sides, self.grow)),
            is_oval: self.is_oval,
        });
        let places: Vec<Place> = areas.chain(found).collect();
        if places.is_empty() {
            return Ok(frame.share()?);
        }
        let mut out = copied(frame, &self.pool)?;
        cover(&mut out, &places, self.mode, self.fill)?;
        Ok(out)
    }
}

/// The node that covers areas only.
struct Areas(Eraser);

impl Filter for Areas {
    fn output(&self) -> &PictureFormat {
        &self.0.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        self.0.erase(frame, &[])
    }
}

/// The node for a picture by itself.
struct Still {
    finder: Finder,
    eraser: Eraser,
    /// Of what stays as it is.
    ways: Vec<SeenPath>,
}

impl Filter for Still {
    fn output(&self) -> &PictureFormat {
        &self.eraser.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        Some(self.finder.session.cancel_handle())
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let sight = self.finder.see(frame)?;
        let kept = on_ways(&sight.found, &self.ways, sight.seconds);
        let found = sight.found.iter().zip(kept);
        let places: Vec<[f32; 4]> = found
            .filter(|(_, is_kept)| !is_kept)
            .map(|(found, _)| found.sides)
            .collect();
        self.eraser.erase(frame, &places)
    }
}

/// A picture with what was seen of it.
struct Held {
    /// `None` once it was given.
    timed: Option<Timed>,
    seen: Seen,
}

/// The node for clips.
struct Clip {
    finder: Finder,
    eraser: Eraser,
    /// Of what stays as it is.
    ways: Vec<SeenPath>,
    /// Up to [`REACH`] pictures that were given, and those that wait.
    held: VecDeque<Held>,
    /// How many of those were given.
    given: usize,
    /// The last picture in small.
    last: Option<Gray>,
}

impl Clip {
    /// Gives the first picture that waits.
    fn give_next(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let at = self.given;
        let Some(timed) = self.held.get_mut(at).and_then(|held| held.timed.take()) else {
            return Ok(());
        };
        let window: Vec<&Seen> = self.held.iter().map(|held| &held.seen).collect();
        let frame = self.eraser.erase(&timed.frame, &places(&window, at))?;
        self.given += 1;
        while self.given > REACH {
            self.held.pop_front();
            self.given -= 1;
        }
        give(Timed { frame, ..timed })
    }
}

impl Temporal for Clip {
    fn output(&self) -> &PictureFormat {
        &self.eraser.output
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.held.clear();
        self.given = 0;
        self.last = None;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let Sight {
            found,
            seconds,
            rgb,
            size,
        } = self.finder.see(&timed.frame)?;
        let gray = Gray::of_rgb(&rgb, size);
        let is_cut = self.last.as_ref().is_some_and(|last| is_cut(last, &gray));
        let back = match self.held.back() {
            Some(before) if !is_cut => links(&before.seen.found, &found),
            _ => vec![None; found.len()],
        };
        let seen = Seen {
            kept: on_ways(&found, &self.ways, seconds),
            found,
            back,
            is_cut,
            small: Small::new(&rgb, size),
        };
        self.last = Some(gray);
        self.held.push_back(Held {
            timed: Some(timed),
            seen,
        });
        if self.held.len() > self.given + REACH {
            self.give_next(give)?;
        }
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        while self.given < self.held.len() {
            self.give_next(give)?;
        }
        Ok(())
    }
}
