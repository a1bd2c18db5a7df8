//! Frames in between by a network, which gets pictures as floating-point red, green and blue.
//!
//! One that is not told a moment makes the picture in the middle, and others by halving: the nearest
//! sixteenth of the way, each half of which is made once. Alpha is mixed: no network was shown any.

use crate::EngineError;
use crate::nodes::PictureFormat;
use crate::nodes::upscale::load_rgb;
use crate::rgb::{FloatPlanes, RgbConverter, store};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Planes, Sample};
use frameloom_infer::{BetweenSession, CancelHandle};
use frameloom_media::{Frame, FramePool};
use std::collections::BTreeMap;

/// Of so many parts of the way, halving reaches the nearest.
const PARTS: u32 = 16;

/// Makes frames of one format.
pub(super) struct Network {
    session: BetweenSession,
    /// For pictures that are not red, green and blue already.
    converter: Option<RgbConverter>,
    pool: FramePool,
    /// What is known between two frames, by [`PARTS`] of the way: both of them, and what was made.
    known: BTreeMap<u32, FloatPlanes>,
    made: FloatPlanes,
}

impl Network {
    pub(super) fn new(session: BetweenSession, input: &PictureFormat, pool: FramePool) -> Self {
        let (width, height) = (input.width as usize, input.height as usize);
        let is_yuv = matches!(input.pixels.planes, Planes::Yuv { .. });
        Self {
            session,
            converter: is_yuv
                .then(|| RgbConverter::new(input.pixels, &input.color, width, height, 1)),
            pool,
            known: BTreeMap::new(),
            made: FloatPlanes::default(),
        }
    }

    pub(super) fn cancel_handle(&self) -> CancelHandle {
        self.session.cancel_handle()
    }

    /// Takes the two frames that the next ones lie between.
    pub(super) fn begin(&mut self, first: &Frame, second: &Frame) {
        self.known.clear();
        for (part, frame) in [(0, first), (PARTS, second)] {
            let mut rgb = FloatPlanes::default();
            match &mut self.converter {
                Some(converter) => {
                    let planes = [0, 1, 2].map(|index| frame.plane(index));
                    converter.rgb_from_planes(&planes, &mut rgb);
                }
                None => load_rgb(frame, &mut rgb),
            }
            self.known.insert(part, rgb);
        }
    }

    /// The frame at `way` (0 to 1) between those of [`Network::begin`]; later ones come later.
    pub(super) fn frame(
        &mut self,
        (first, second): (&Frame, &Frame),
        way: f64,
    ) -> Result<Frame, EngineError> {
        if self.session.knows_moments() {
            self.between((0, PARTS), way as f32)?;
        } else {
            self.by_halves(way)?;
        }
        let mut out = self.pool.get()?;
        out.copy_props_from(first)?;
        self.write(&mut out)?;
        if let Some(alpha) = first.format().alpha_plane() {
            let max = f32::from(first.format().max_value());
            let (a, b) = (first.plane(alpha), second.plane(alpha));
            match (a, b, out.plane_mut(alpha)?) {
                (AnyPlane::U8(a), AnyPlane::U8(b), AnyPlaneMut::U8(to)) => {
                    mix((&a, &b), to, way as f32, max);
                }
                (AnyPlane::U16(a), AnyPlane::U16(b), AnyPlaneMut::U16(to)) => {
                    mix((&a, &b), to, way as f32, max);
                }
                // All frames of a clip have its format.
                _ => {}
            }
        }
        Ok(out)
    }

    /// Makes the picture at a moment between two that are known.
    fn between(&mut self, (low, high): (u32, u32), moment: f32) -> Result<(), EngineError> {
        let (Some(first), Some(second)) = (self.known.get(&low), self.known.get(&high)) else {
            // Never a picture of another moment instead.
            return Err(EngineError::Node {
                node: "interpolate".to_owned(),
                reason: format!("the pictures at {low} and {high} of {PARTS} are not known").into(),
            });
        };
        let size = (first.width, first.height);
        self.made.resize(size.0, size.1);
        let planes = [first, second].map(|rgb| rgb.planes.each_ref().map(Vec::as_slice));
        self.session
            .run(planes, size, moment, &mut self.made.planes)?;
        Ok(())
    }

    /// Makes the picture nearest to a moment that middles of middles lead to.
    fn by_halves(&mut self, way: f64) -> Result<(), EngineError> {
        let wanted = ((way * f64::from(PARTS)).round() as u32).clamp(1, PARTS - 1);
        self.know(wanted)?;
        // Later ones need nothing before the pictures that this one lies in the middle of.
        self.known.retain(|part, _| *part >= wanted - half(wanted));
        if let Some(found) = self.known.get(&wanted) {
            self.made.clone_from(found);
        }
        Ok(())
    }

    /// Makes the picture at `part` of [`PARTS`], and before it those that it lies in the middle of,
    /// where they are not known.
    fn know(&mut self, part: u32) -> Result<(), EngineError> {
        if self.known.contains_key(&part) || part == 0 || part >= PARTS {
            return Ok(());
        }
        let (low, high) = (part - half(part), part + half(part));
        self.know(low)?;
        self.know(high)?;
        self.between((low, high), 0.5)?;
        self.known.insert(part, self.made.clone());
        Ok(())
    }

    /// Writes what was made as the samples of a frame.
    fn write(&mut self, out: &mut Frame) -> Result<(), EngineError> {
        let format = out.format();
        let rgb = &mut self.made;
        if let Some(converter) = &mut self.converter {
            converter.planes_from_rgb(rgb);
            for index in 0..3 {
                converter.write(rgb, index, out.plane_mut(index)?);
            }
            return Ok(());
        }
        let max = f32::from(format.max_value());
        for value in rgb.planes.iter_mut().flatten() {
            *value *= max;
        }
        if format.planes == Planes::Gray {
            let [r, g, b] = &mut rgb.planes;
            for ((g, r), b) in g.iter_mut().zip(r).zip(b) {
                *g = (*r + *g + *b) / 3.0;
            }
            store(rgb.plane(1), out.plane_mut(0)?, max);
            return Ok(());
        }
        // Green, blue and red in the frame.
        for (target, source) in [(2, 0), (0, 1), (1, 2)] {
            store(rgb.plane(source), out.plane_mut(target)?, max);
        }
        Ok(())
    }
}

/// How far the two pictures are that the one at `part` lies in the middle of.
fn half(part: u32) -> u32 {
    1 << part.trailing_zeros()
}

fn mix<S: Sample>(
    (a, b): (&PlaneRef<'_, S>, &PlaneRef<'_, S>),
    mut to: PlaneMut<'_, S>,
    way: f32,
    max: f32,
) {
    for y in 0..to.height {
        let pairs = a.row(y).iter().zip(b.row(y));
        for (out, (a, b)) in to.row_mut(y).iter_mut().zip(pairs) {
            let (a, b) = (a.to_f32(), b.to_f32());
            *out = S::nearest(a + (b - a) * way, max);
        }
    }
}
