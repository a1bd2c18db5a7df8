//! Dark pictures made lighter.
//!
//! How much lighter each place is to become is found in small: of what a network makes of the
//! picture, or of the light that the brightest channel around each place shows (the estimate of
//! Guo, Li and Ling, "LIME", 2017, evened out by a guided filter instead of their solver). In a clip
//! that map is steadied over neighbouring pictures ([`super::steady`]), its edges come to those of
//! the picture ([`super::refined`]), and the picture is multiplied by it at full size: so it keeps
//! every detail however small the network's picture is.

use super::grid::Grid;
use super::guided::Guided;
use super::planes::{bands, load};
use super::refined::{Refiner, within};
use super::steady::{REACH, Seen, steadied};
use super::windowed::{self, Look, Small};
use super::{Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::nodes::depth::copy_alpha;
use crate::rgb::exact_samples_of_rgb;
use frameloom_core::graph::LightParams;
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, Planes, Sample};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::{CancelHandle, WholeSession};
use frameloom_media::{Frame, FramePool};

/// Longest side of the picture that light is estimated in, and radius of the windows in cells.
const SIDE: usize = 320;
const RADIUS: usize = 12;
/// Light that varies less than by the root of this is even.
const EVEN: f32 = 4e-3;
/// At full strength, light becomes what it was to the power of 1 less this: 0.6 as is usual for
/// this estimate makes flat pictures at its end, and people stop earlier.
const EVENED: f32 = 0.65;
/// No light is taken for less than this: noise has no light of its own.
const LEAST_LIGHT: f32 = 0.02;
/// Most that a place becomes lighter, in doublings.
const MOST: f32 = 3.5;
/// Radius of the windows in which edges are found, in cells, and the square of what luma varies by
/// at an edge.
const EDGES: (usize, f32) = (8, 4e-3);
/// From here on bright pixels keep their shades.
const KNEE: f32 = 0.75;

/// Refuses what cannot be made lighter, and models that do something else.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(
    params: &LightParams,
    manifest: Option<&ModelManifest>,
    input: &PictureFormat,
) -> Result<(), Said> {
    if manifest.is_some_and(|manifest| manifest.task != Task::Light) {
        return Err(said!(
            "light.no_light",
            "the model `{model}` does not make pictures lighter; leave it out, or name one that does, as `frameloom models available` lists them",
            model = params.model.as_deref().unwrap_or_default()
        ));
    }
    if input.color.is_hdr() {
        return Err(said!(
            "light.hdr",
            "HDR pictures already hold the light of the scene; turn them into SDR first"
        ));
    }
    Ok(())
}

/// Opens the node: with a memory of time for a clip whose light is steadied.
pub(super) fn open(
    params: &LightParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let full = (input.width as usize, input.height as usize);
    let (lamp, size, choice) = match &params.model {
        Some(id) => {
            let (session, choice) = opening.session_of(id)?;
            let session = WholeSession::new(session)?;
            let size = session.size_for(full, None);
            (Lamp::Model(Box::new(session)), size, Some(choice))
        }
        None => (Lamp::Estimate, within(full, SIDE), None),
    };
    let sides = (output.width, output.height);
    let samples = |v: f32| exact_samples_of_rgb(output.pixels, &output.color, sides, [v; 3]);
    let (black, white) = (samples(0.0), samples(1.0));
    let steady = input.pace != super::Pace::STILL && params.smooth > 0.0;
    let node = Light {
        lamp,
        small: Small::new(size)?,
        planes: Vec::new(),
        guided: Guided::default(),
        scratch: Vec::new(),
        strength: params.strength.clamp(0.0, 1.0) as f32,
        highlights: params.highlights.clamp(0.0, 1.0) as f32,
        smooth: params.smooth.clamp(0.0, 1.0) as f32,
        refiner: Refiner::new(input, opening.threads, EDGES),
        luma: (black[0], white[0]),
        black,
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        threads: opening.threads.max(1),
        output,
    };
    Ok((windowed::node(node, steady.then_some(REACH)), choice))
}

/// What says how much lighter places become.
enum Lamp {
    Model(Box<WholeSession>),
    Estimate,
}

/// The node.
struct Light {
    lamp: Lamp,
    small: Small,
    planes: Vec<Vec<f32>>,
    guided: Guided,
    scratch: Vec<f32>,
    strength: f32,
    highlights: f32,
    /// How much the light of neighbours counts.
    smooth: f32,
    refiner: Refiner,
    /// Samples of the first plane for black and white, and of every plane for black.
    luma: (f32, f32),
    black: Vec<f32>,
    pool: FramePool,
    threads: usize,
    output: PictureFormat,
}

impl Look for Light {
    type Seen = Seen;

    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        match &self.lamp {
            Lamp::Model(session) => Some(session.cancel_handle()),
            Lamp::Estimate => None,
        }
    }

    fn see(&mut self, frame: &Frame, _: Option<&Seen>) -> Result<Seen, EngineError> {
        let rgb = self.small.rgb(frame)?;
        let size = self.small.size();
        let mut map = Grid::default();
        map.resize(size);
        let [r, g, b] = &rgb;
        match &mut self.lamp {
            Lamp::Model(session) => {
                session.run([r, g, b], size, &mut self.planes)?;
                if let [lr, lg, lb] = &self.planes[..] {
                    gains_of_pictures([r, g, b], [lr, lg, lb], &mut map, &mut self.scratch);
                }
            }
            Lamp::Estimate => gains_of_light([r, g, b], &mut map, &mut self.guided),
        }
        Ok(Seen { rgb, map })
    }

    fn is_cut(before: &Seen, next: &Seen) -> bool {
        before.is_cut(next)
    }

    fn make(
        &mut self,
        frame: &Frame,
        own: &Seen,
        before: &[&Seen],
        after: &[&Seen],
    ) -> Result<Frame, EngineError> {
        let neighbours = before.iter().chain(after).copied();
        let map = steadied(own, neighbours, self.smooth);
        let max = f32::from(frame.format().max_value());
        // Luma as a part of what lies between black and white.
        let (low, span) = match frame.format().planes {
            Planes::Gbr => (0.0, 1.0),
            _ => (self.luma.0 / max, (self.luma.1 - self.luma.0) / max),
        };
        let (strength, highlights) = (self.strength, self.highlights);
        self.refiner.refine(frame, &map, |doublings, luma| {
            let gain = (strength * doublings.clamp(0.0, MOST)).exp2();
            kept((luma - low) / span, gain, highlights)
        });
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        let planes = frame.format().plane_count() - usize::from(frame.format().alpha);
        for index in 0..planes {
            let (gains, zero) = (self.refiner.plane(index), self.black[index]);
            let from = frame.plane(index);
            match out.plane_mut(index)? {
                AnyPlaneMut::U8(mut to) => lighten(from, gains, (zero, max), &mut to, self.threads),
                AnyPlaneMut::U16(mut to) => {
                    lighten(from, gains, (zero, max), &mut to, self.threads)
                }
            }
        }
        copy_alpha(frame, &mut out)?;
        Ok(out)
    }
}

/// The factor by which a pixel of this luma, 0 to 1, becomes lighter: what would come near to white
/// is held back as far as `highlights` says, and nothing becomes darker.
fn kept(luma: f32, gain: f32, highlights: f32) -> f32 {
    let bright = luma * gain;
    if bright <= KNEE || luma <= 0.0 {
        return gain;
    }
    let room = 1.0 - KNEE;
    let held = KNEE + room * (1.0 - (-(bright - KNEE) / room).exp());
    let wanted = bright + highlights * (held - bright);
    (wanted.max(luma) / luma).min(gain)
}

/// How many doublings lighter the pictures of a network are, place by place.
fn gains_of_pictures(
    dark: [&Vec<f32>; 3],
    light: [&Vec<f32>; 3],
    map: &mut Grid,
    scratch: &mut Vec<f32>,
) {
    /// What is added to both sides: noise near black has no ratio.
    const FLOOR: f32 = 0.02;
    let luma = |[r, g, b]: [&Vec<f32>; 3], i: usize| {
        let [red, green, blue] = super::RGB_LUMA;
        red * r[i] + green * g[i] + blue * b[i]
    };
    let mut before = Grid::default();
    before.resize(map.size());
    for i in 0..map.values.len() {
        before.values[i] = luma(dark, i);
        map.values[i] = luma(light, i);
    }
    // The texture that a network paints or smooths is not light.
    let radius = (map.width.max(map.height) / 80).max(1);
    before.blur(radius, scratch);
    map.blur(radius, scratch);
    for (v, before) in map.values.iter_mut().zip(&before.values) {
        let ratio = (v.max(0.0) + FLOOR) / (before.max(0.0) + FLOOR);
        *v = ratio.log2().clamp(0.0, MOST);
    }
}

/// How many doublings lighter places become by the light that they have.
fn gains_of_light([r, g, b]: [&Vec<f32>; 3], map: &mut Grid, guided: &mut Guided) {
    let mut light = Grid::default();
    light.resize(map.size());
    let channels = r.iter().zip(g).zip(b);
    for (v, ((r, g), b)) in light.values.iter_mut().zip(channels) {
        *v = r.max(*g).max(*b).clamp(0.0, 1.0);
    }
    guided.fit(&light, &light, RADIUS, EVEN);
    let lens = super::grid::Lens::new(light.size(), light.size());
    let mut lines = [Vec::new(), Vec::new()];
    let width = light.width.max(1);
    let rows = map
        .values
        .chunks_exact_mut(width)
        .zip(light.values.chunks_exact(width));
    for (y, (row, own)) in rows.enumerate() {
        row.copy_from_slice(own);
        guided.row(&lens, y, row, &mut lines);
        for v in row {
            *v = (-EVENED * v.clamp(LEAST_LIGHT, 1.0).log2()).clamp(0.0, MOST);
        }
    }
}

/// A plane multiplied around `zero`.
fn lighten<S: Sample + Send>(
    from: AnyPlane<'_>,
    gains: &[f32],
    (zero, max): (f32, f32),
    to: &mut PlaneMut<'_, S>,
    threads: usize,
) {
    let (width, height, stride) = (to.width, to.height, to.stride);
    bands(threads, height, to.data, stride, |rows, band| {
        let mut own = vec![0.0; width];
        for (y, out) in rows.zip(band.chunks_mut(stride)) {
            load(from, y, &mut own);
            let gains = &gains[y * width..][..width];
            for ((out, v), gain) in out.iter_mut().zip(&own).zip(gains) {
                *out = S::nearest(zero + (v - zero) * gain, max);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bright_keeps_its_shades_and_nothing_becomes_darker() {
        assert_eq!(kept(0.1, 3.0, 1.0), 3.0);
        let bright = |luma: f32| luma * kept(luma, 3.0, 1.0);
        // Three times as light would be white from a third on.
        assert!(bright(0.3) < bright(0.4) && bright(0.4) < bright(0.6) && bright(0.6) < 1.0);
        for luma in [0.0, 0.2, 0.5, 0.9, 1.0] {
            assert!(luma * kept(luma, 1.5, 1.0) >= luma);
        }
        assert_eq!(kept(0.5, 3.0, 0.0), 3.0);
    }

    #[test]
    fn the_estimate_lights_the_dark_side_and_leaves_the_bright_one() {
        let (width, height) = (64, 32);
        let plane: Vec<f32> = (0..width * height)
            .map(|i| if i % width < 32 { 0.06 } else { 0.9 })
            .collect();
        let mut map = Grid::default();
        map.resize((width, height));
        gains_of_light([&plane, &plane, &plane], &mut map, &mut Guided::default());
        let row = &map.values[16 * width..][..width];
        assert!(row[4] > 2.3 && row[60] < 0.2, "{row:?}");
        // The edge stays where it is: no halo of light around the bright side.
        assert!(row[28] > 2.0 && row[35] < 0.4, "{row:?}");
    }
}
