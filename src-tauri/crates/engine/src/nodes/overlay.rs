//! Pictures over pictures.

use super::layer::{Alpha, Layer, LayerMaker};
use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_core::graph::{Anchor, OverEnd, OverlayParams};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{Rational, Timestamp};
use frameloom_media::{Frame, FramePool};
use std::sync::{Arc, Mutex, PoisonError};

/// The pictures at the second input of an overlay.
pub(crate) trait Over: Send {
    /// What they are like.
    fn format(&self) -> &PictureFormat;
    /// The picture that is shown `micros` after the first, with a number that tells it from the
    /// others; `None` where nothing is shown.
    ///
    /// # Errors
    /// It cannot be read or made.
    fn at(&mut self, micros: i64, after: OverEnd)
    -> Result<Option<(u64, Arc<Frame>)>, EngineError>;
    /// A picture a little before the present ones by which a later run knows that it is right, as
    /// its time in ticks of the source and its content hash; `None` where none is needed.
    fn mark(&self) -> Option<(i64, u64)>;
}

/// Shared by the lanes, which want nearly the same picture at the same time.
pub(crate) type SharedOver = Arc<Mutex<OverSource>>;

/// Layers that are kept: as many as lanes may lie apart.
const KEPT: usize = 12;

/// The pictures that are laid over others, with the layers made of them last.
pub(crate) struct OverSource {
    over: Box<dyn Over>,
    made: Vec<(u64, Arc<Layer>)>,
}

impl OverSource {
    pub(crate) fn new(over: Box<dyn Over>) -> SharedOver {
        Arc::new(Mutex::new(Self {
            over,
            made: Vec::new(),
        }))
    }

    /// As [`Over::at`].
    pub(super) fn at(
        &mut self,
        micros: i64,
        after: OverEnd,
    ) -> Result<Option<(u64, Arc<Frame>)>, EngineError> {
        self.over.at(micros, after)
    }

    /// Width of its pixels by their height.
    pub(super) fn aspect(&self) -> f64 {
        let ratio = self.over.format().sample_aspect_ratio;
        match ratio.num > 0 && ratio.den > 0 {
            true => ratio.to_f64(),
            false => 1.0,
        }
    }

    /// As [`Over::mark`].
    pub(crate) fn mark(&self) -> Option<(i64, u64)> {
        self.over.mark()
    }
}

/// Microseconds between `start` and `end` of something, from the first frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    start: i64,
    end: Option<i64>,
}

impl Shown {
    pub(super) fn new(start: Option<Rational>, end: Option<Rational>) -> Self {
        Self {
            start: start.map_or(0, micros),
            end: end.map(micros),
        }
    }

    /// How long it has been shown at `micros`; `None` while it is not.
    pub(super) fn since(self, micros: i64) -> Option<i64> {
        (micros >= self.start && self.end.is_none_or(|end| micros < end))
            .then(|| micros - self.start)
    }
}

fn micros(seconds: Rational) -> i64 {
    let exact = i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den);
    i64::try_from(exact).unwrap_or(i64::MAX)
}

/// Refuses times that are none.
pub(super) fn check_shown(start: Option<Rational>, end: Option<Rational>) -> Result<(), Said> {
    match (start, end) {
        (start, Some(end)) if start.unwrap_or(Rational { num: 0, den: 1 }) >= end => Err(said!(
            "node.disappears",
            "it would disappear ({end} s) before it appears",
            end = end.to_string()
        )),
        _ => Ok(()),
    }
}

/// Left upper corner of something of this size.
pub(super) fn place(
    anchor: Anchor,
    (x, y): (i64, i64),
    size: (u32, u32),
    below: (u32, u32),
) -> (i64, i64) {
    let (across, down) = anchor.halves();
    let at = |halves: i64, offset: i64, below: u32, size: u32| {
        let free = i64::from(below) - i64::from(size);
        // From the right and lower edges, inwards is to the left and up.
        let inwards = if halves == 2 { -offset } else { offset };
        free * halves / 2 + inwards
    };
    (at(across, x, below.0, size.0), at(down, y, below.1, size.1))
}

/// The node.
pub(super) struct Overlay {
    params: OverlayParams,
    shown: Shown,
    over: SharedOver,
    maker: LayerMaker,
    size: (u32, u32),
    at: (i64, i64),
    /// Time of the first frame below, in its pace.
    zero: i64,
    output: PictureFormat,
    pool: FramePool,
}

impl Overlay {
    pub(super) fn open(
        params: &OverlayParams,
        over: SharedOver,
        zero: i64,
        output: PictureFormat,
    ) -> Result<Self, EngineError> {
        let format = over
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .over
            .format()
            .clone();
        let size = size_over(params, &format, &output);
        Ok(Self {
            shown: Shown::new(params.start, params.end),
            at: place(
                params.anchor,
                (params.x, params.y),
                size,
                (output.width, output.height),
            ),
            maker: LayerMaker::new(output.clone(), params.opacity),
            params: params.clone(),
            over,
            size,
            zero,
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            output,
        })
    }

    fn layer(&mut self, micros: i64) -> Result<Option<Arc<Layer>>, EngineError> {
        let mut shared = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((number, picture)) = shared.over.at(micros, self.params.after)? else {
            return Ok(None);
        };
        if let Some((_, layer)) = shared.made.iter().find(|(made, _)| *made == number) {
            return Ok(Some(layer.clone()));
        }
        let layer = Arc::new(self.maker.make(&picture, Alpha::Straight, self.size)?);
        if shared.made.len() >= KEPT {
            shared.made.remove(0);
        }
        shared.made.push((number, layer.clone()));
        Ok(Some(layer))
    }
}

/// Pixels of what is laid over, with its pixels as wide as those below.
fn size_over(params: &OverlayParams, over: &PictureFormat, below: &PictureFormat) -> (u32, u32) {
    let ratio = |format: &PictureFormat| {
        let ratio = format.sample_aspect_ratio;
        if ratio.num > 0 && ratio.den > 0 {
            ratio.to_f64()
        } else {
            1.0
        }
    };
    let shape = ratio(over) / ratio(below);
    let own = f64::from(over.width) * shape;
    let width = params
        .width
        .map_or(own, |part| part * f64::from(below.width));
    let height = width / own * f64::from(over.height);
    let side = |v: f64| (v.round() as u32).clamp(1, super::MAX_SIDE);
    (side(width), side(height))
}

/// Refuses what cannot be laid over pictures of this kind.
pub(super) fn check(
    params: &OverlayParams,
    over: &PictureFormat,
    below: &PictureFormat,
) -> Result<(), Said> {
    check_shown(params.start, params.end)?;
    if over.color.is_hdr() && !below.color.is_hdr() {
        return Err(said!(
            "node.hdr_over",
            "what is laid over is HDR and what is below is not; turn it into SDR first"
        ));
    }
    let (width, height) = size_over(params, over, below);
    let (wide, high) = (below.width, below.height);
    if width > wide.saturating_mul(4) || height > high.saturating_mul(4) {
        return Err(said!(
            "node.over_size",
            "{width} x {height} pixels over {wide} x {high}: give it a `width`",
            width = width,
            height = height,
            wide = wide,
            high = high
        ));
    }
    Ok(())
}

impl Filter for Overlay {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn covers(&self) -> Option<super::Rect> {
        let (x, y) = self.at;
        Some(super::Rect::of(self.size.0, self.size.1).moved(x as f64, y as f64))
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let micros = since(&self.output, self.zero, frame);
        let layer = match self.shown.since(micros) {
            Some(micros) => self.layer(micros)?,
            None => None,
        };
        let Some(layer) = layer else {
            return Ok(frame.share()?);
        };
        let mut out = copied(frame, &self.pool)?;
        layer.lay_over(&mut out, self.at)?;
        Ok(out)
    }
}

/// Microseconds between the first frame and this one.
pub(super) fn since(format: &PictureFormat, zero: i64, frame: &Frame) -> i64 {
    Timestamp::new(frame.pts().saturating_sub(zero), format.pace.time_base).micros()
}

/// A frame that may be written to, whoever else looks at the first.
pub(super) fn copied(frame: &Frame, pool: &FramePool) -> Result<Frame, EngineError> {
    use frameloom_core::pixel::{AnyPlane, AnyPlaneMut};
    let mut out = pool.get()?;
    out.copy_props_from(frame)?;
    for index in 0..frame.format().plane_count() {
        match (frame.plane(index), out.plane_mut(index)?) {
            (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
                for y in 0..to.height {
                    to.row_mut(y).copy_from_slice(from.row(y));
                }
            }
            (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
                for y in 0..to.height {
                    to.row_mut(y).copy_from_slice(from.row(y));
                }
            }
            // The pool was made for this very format.
            _ => unreachable!("a copy has the depth of its original"),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_inwards_from_every_corner() {
        let at = |anchor| place(anchor, (3, 5), (20, 10), (101, 50));
        assert_eq!(at(Anchor::TopLeft), (3, 5));
        assert_eq!(at(Anchor::TopRight), (78, 5));
        assert_eq!(at(Anchor::BottomLeft), (3, 35));
        assert_eq!(at(Anchor::BottomRight), (78, 35));
        assert_eq!(at(Anchor::Center), (43, 25));
        assert_eq!(at(Anchor::Left), (3, 25));
    }
}
