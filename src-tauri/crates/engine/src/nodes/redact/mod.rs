//! Faces, text and areas that nobody is to recognise.
//!
//! A model looks at each picture, as a whole and in parts ([`Finder`]); what it finds is followed
//! through the pictures in which it is missed ([`track`]); what is left of a place are a few means
//! ([`paint`]).

mod paint;
mod track;

use super::overlay::{copied, since};
use super::temporal::{Give, Temporal, Timed};
use super::{Filter, Node, Opened, Opening, PictureFormat, shot};
use crate::EngineError;
use frameloom_core::graph::{Area, RedactMode, RedactParams, Search, parse_areas, parse_color};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::pixel::{AnyPlane, PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::{CancelHandle, Found, PlaceSession, each_once};
use frameloom_media::{Converter, Frame, FramePool};
use paint::{Place, cover};
use std::collections::VecDeque;
use track::{Seen, Small, grown, links, places};

pub(super) use track::REACH;

/// Parts of a picture that are looked at beside the whole: so much of its sides each, and how many
/// lie beside each other.
const PARTS: [(f64, usize); 2] = [(0.6, 2), (0.45, 3)];
/// Parts that are made larger than this are not worth a look.
const MOST_ENLARGED: f64 = 1.5;

/// Refuses parameters that make no sense.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(params: &RedactParams, model: Option<&ModelManifest>) -> Result<(), Said> {
    if let Some(manifest) = model
        && !manifest.task.finds()
    {
        return Err(said!(
            "redact.finds_nothing",
            "the model `{model}` finds neither faces nor text; `frameloom models available` lists those that do",
            model = &manifest.id
        ));
    }
    if model.is_none() && params.areas.is_none() {
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
    areas(params).map(drop).map_err(|reason| {
        said!(
            "redact.areas",
            "its areas cannot be read: {reason}",
            reason = Said::from(reason)
        )
    })
}

/// Areas that are covered, and those in which nothing is.
fn areas(params: &RedactParams) -> Result<(Vec<Area>, Vec<Area>), String> {
    let read = |text: &Option<String>| text.as_deref().map_or(Ok(Vec::new()), parse_areas);
    Ok((read(&params.areas)?, read(&params.spare)?))
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
    let finder = Finder::new(session, params, spared, input, opening.zero)?;
    let node = match input.pace == super::Pace::STILL {
        true => Node::Filter(Box::new(Still { finder, eraser })),
        false => Node::Temporal(Box::new(Clip {
            finder,
            eraser,
            held: VecDeque::new(),
            given: 0,
            last: None,
        })),
    };
    Ok((node, Some(PlaceSession::provider())))
}

/// Parts of one size that a model looks at.
struct View {
    /// Size of the whole picture when its parts have the size that the model takes.
    pool: FramePool,
    converter: Converter,
    /// Size of a part.
    size: (usize, usize),
    /// How many lie beside each other, and one above the other.
    count: usize,
}

/// What a model saw of a picture.
struct Sight {
    found: Vec<Found>,
    /// The picture in small: red, green and blue from 0 to 1.
    rgb: [Vec<f32>; 3],
    size: (usize, usize),
}

/// Looks at pictures with a model.
struct Finder {
    session: PlaceSession,
    views: Vec<View>,
    threshold: f32,
    spared: Vec<Area>,
    input: PictureFormat,
    zero: i64,
}

impl Finder {
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
        let mut views = vec![view(size, size, 1)?];
        let parts = match (params.search, session.is_fixed()) {
            (Search::Quick, _) | (Search::Usual, false) => 0,
            (Search::Usual, true) | (Search::Thorough, false) => 1,
            (Search::Thorough, true) => 2,
        };
        for (share, count) in &PARTS[..parts] {
            let part = |side: usize| (side as f64 * share).ceil() as usize;
            let size = session.size_for(part(width), part(height));
            let whole = |side: usize| (side as f64 / share).round() as usize;
            let whole = (whole(size.0), whole(size.1));
            if whole.0 as f64 <= width as f64 * MOST_ENLARGED {
                views.push(view(size, whole, *count)?);
            }
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

    fn see(&mut self, frame: &Frame) -> Result<Sight, EngineError> {
        let mut found = Vec::new();
        let mut first = None;
        for view in &mut self.views {
            let small = view.converter.convert(frame, &view.pool)?;
            let (width, height) = (small.width() as usize, small.height() as usize);
            let rgb = [2, 0, 1].map(|index| plane(&small, index));
            let (w, h) = view.size;
            // Parts begin at even distances, the last of them at the far edge.
            let begin = |at: usize, side: usize, part: usize| {
                at * side.saturating_sub(part) / (view.count.max(2) - 1)
            };
            for (row, column) in (0..view.count).flat_map(|r| (0..view.count).map(move |c| (r, c)))
            {
                let (x, y) = (begin(column, width, w), begin(row, height, h));
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
        let mut found = each_once(found);
        found.retain(|one| !is_spared(one));
        let (rgb, size) = first.unwrap_or_default();
        Ok(Sight { found, rgb, size })
    }
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
        let seconds = since(&self.output, self.zero, frame) as f64 / 1e6;
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let pixels = |[left, top, right, bottom]: [f32; 4]| {
            [left * width, top * height, right * width, bottom * height]
        };
        let areas = self.covered.iter().filter(|area| area.holds_at(seconds));
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
        let places: Vec<[f32; 4]> = sight.found.iter().map(|found| found.sides).collect();
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
    /// Up to [`REACH`] pictures that were given, and those that wait.
    held: VecDeque<Held>,
    /// How many of those were given.
    given: usize,
    /// The last picture in small.
    last: Option<[Vec<f32>; 3]>,
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
        let Sight { found, rgb, size } = self.finder.see(&timed.frame)?;
        let is_cut = self
            .last
            .as_ref()
            .is_some_and(|last| shot::is_cut(last, &rgb));
        let back = match self.held.back() {
            Some(before) if !is_cut => links(&before.seen.found, &found),
            _ => vec![None; found.len()],
        };
        let seen = Seen {
            found,
            back,
            is_cut,
            small: Small::new(&rgb, size),
        };
        self.last = Some(rgb);
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
