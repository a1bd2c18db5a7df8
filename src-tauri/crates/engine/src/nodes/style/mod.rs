//! Pictures painted anew in the style of a network.
//!
//! A network paints every picture from the beginning, and its strokes lie elsewhere each time. So in
//! a clip what it painted is carried along the motion between neighbouring pictures and averaged
//! where they show the same ([`carried`]).

mod carried;

use super::windowed::{self, Look, Small};
use super::{Opened, Opening, PictureFormat};
use crate::EngineError;
use crate::motion::gray::Gray;
use crate::motion::{Pyramid, flow, is_cut};
use crate::nodes::depth::copy_alpha;
use crate::nodes::planes::{bands, load};
use carried::{Painted, averaged};
use frameloom_core::color::Matrix;
use frameloom_core::graph::{StyleColors, StyleParams};
use frameloom_core::model::Task;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, PlaneMut, Planes, Sample};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::{CancelHandle, WholeSession};
use frameloom_media::{Converter, Frame, FramePool};

/// Pictures before and after one whose strokes count.
pub(super) const REACH: usize = 3;
/// Longest side of the pictures that motion is found in.
const MOTION_SIDE: usize = 400;

/// Refuses models that paint nothing.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(params: &StyleParams, task: Task) -> Result<(), Said> {
    match task {
        Task::Style => Ok(()),
        _ => Err(said!(
            "style.no_style",
            "the model `{model}` is not one of a style; install one by `frameloom models import FILE --task style`",
            model = &params.model
        )),
    }
}

/// Opens the node: with a memory of time for a clip whose strokes are steadied.
pub(super) fn open(
    params: &StyleParams,
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let (session, choice) = opening.session_of(&params.model)?;
    let session = WholeSession::new(session)?;
    let full = (input.width as usize, input.height as usize);
    let size = session.size_for(full, Some(params.size.clamp(256, 2048) as usize));
    let steady = input.pace != super::Pace::STILL && params.smooth > 0.0;
    let canvas = PixelFormat {
        planes: Planes::Gbr,
        bits: 16,
        alpha: false,
    };
    let opaque = PixelFormat {
        alpha: false,
        ..output.pixels
    };
    let node = Style {
        session,
        small: Small::new(size)?,
        planes: Vec::new(),
        strength: params.strength.clamp(0.0, 1.0) as f32,
        keeps_colors: params.colors == StyleColors::Source,
        smooth: params.smooth.clamp(0.0, 1.0) as f32,
        is_steady: steady,
        canvas: FramePool::new(canvas, size.0 as u32, size.1 as u32)?,
        full: FramePool::new(opaque, output.width, output.height)?,
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        converter: Converter::new(),
        threads: opening.threads.max(1),
        output,
    };
    Ok((windowed::node(node, steady.then_some(REACH)), Some(choice)))
}

/// The node.
struct Style {
    session: WholeSession,
    small: Small,
    planes: Vec<Vec<f32>>,
    strength: f32,
    keeps_colors: bool,
    /// How much what was painted of neighbours counts.
    smooth: f32,
    /// Motion is needed.
    is_steady: bool,
    /// Pictures in the size that is painted, painted ones in full size, and results.
    canvas: FramePool,
    full: FramePool,
    pool: FramePool,
    converter: Converter,
    threads: usize,
    output: PictureFormat,
}

impl Look for Style {
    type Seen = Painted;

    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        Some(self.session.cancel_handle())
    }

    fn see(&mut self, frame: &Frame, before: Option<&Painted>) -> Result<Painted, EngineError> {
        let rgb = self.small.rgb(frame)?;
        let size = self.small.size();
        let [r, g, b] = &rgb;
        self.session.run([r, g, b], size, &mut self.planes)?;
        let mut planes = std::mem::take(&mut self.planes).into_iter();
        let mut next = || planes.next().unwrap_or_default();
        let rgb_painted = [next(), next(), next()];
        let pyramid = self.is_steady.then(|| Pyramid::of_gray(gray(&rgb, size)));
        let mut painted = Painted {
            size,
            rgb: rgb_painted,
            pyramid,
            ways: None,
        };
        if let Some(before) = before
            && !Self::is_cut(before, &painted)
            && let (Some(one), Some(two)) = (&before.pyramid, &painted.pyramid)
        {
            painted.ways = Some((flow::flow(one, two), flow::flow(two, one)));
        }
        Ok(painted)
    }

    fn is_cut(before: &Painted, next: &Painted) -> bool {
        match (&before.pyramid, &next.pyramid) {
            (Some(before), Some(next)) => is_cut(before.finest(), next.finest()),
            _ => false,
        }
    }

    fn make(
        &mut self,
        frame: &Frame,
        own: &Painted,
        before: &[&Painted],
        after: &[&Painted],
    ) -> Result<Frame, EngineError> {
        let mean;
        let rgb = match before.is_empty() && after.is_empty() {
            true => &own.rgb,
            false => {
                mean = averaged(own, before, after, self.smooth, self.threads);
                &mean
            }
        };
        let mut canvas = self.canvas.get()?;
        let [r, g, b] = rgb;
        for (index, values) in [g, b, r].into_iter().enumerate() {
            if let AnyPlaneMut::U16(mut plane) = canvas.plane_mut(index)? {
                for (y, row) in values
                    .chunks_exact(own.size.0)
                    .enumerate()
                    .take(plane.height)
                {
                    for (out, v) in plane.row_mut(y).iter_mut().zip(row) {
                        *out = u16::nearest(v * 65_535.0, 65_535.0);
                    }
                }
            }
        }
        // The painted picture gets the samples of its source.
        let mut color = frame.color();
        if frame.format().planes != Planes::Gbr && color.matrix == Matrix::Unspecified {
            color.matrix = color.matrix_or_guess(frame.width(), frame.height()).0;
        }
        canvas.set_color(&color);
        let painted = self.converter.convert(&canvas, &self.full)?;
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        self.blend(frame, &painted, &mut out)?;
        copy_alpha(frame, &mut out)?;
        Ok(out)
    }
}

impl Style {
    fn blend(&self, frame: &Frame, painted: &Frame, out: &mut Frame) -> Result<(), EngineError> {
        let pixels = frame.format();
        let max = f32::from(pixels.max_value());
        let planes = pixels.plane_count() - usize::from(pixels.alpha);
        let luma = match (self.keeps_colors, pixels.planes) {
            (true, Planes::Gbr) => Some(frame),
            _ => None,
        };
        for index in 0..planes {
            let keeps = self.keeps_colors && index > 0 && luma.is_none();
            let strength = if keeps { 0.0 } else { self.strength };
            let (own, new) = (frame.plane(index), painted.plane(index));
            let mix = Mix {
                own,
                new,
                // Of red, green and blue, brightness alone changes all three alike.
                luma: luma.map(|own| (own, painted)),
                strength,
                max,
            };
            match out.plane_mut(index)? {
                AnyPlaneMut::U8(mut to) => mix.write(&mut to, self.threads),
                AnyPlaneMut::U16(mut to) => mix.write(&mut to, self.threads),
            }
        }
        Ok(())
    }
}

/// Two planes, and how they are mixed.
struct Mix<'a> {
    own: AnyPlane<'a>,
    new: AnyPlane<'a>,
    luma: Option<(&'a Frame, &'a Frame)>,
    strength: f32,
    max: f32,
}

impl Mix<'_> {
    fn write<S: Sample + Send>(&self, to: &mut PlaneMut<'_, S>, threads: usize) {
        let (width, height, stride) = (to.width, to.height, to.stride);
        bands(threads, height, to.data, stride, |rows, band| {
            let [mut own, mut new] = [(); 2].map(|()| vec![0.0; width]);
            let [mut lines, mut dark, mut light] = [(); 3].map(|()| vec![0.0; width]);
            for (y, out) in rows.zip(band.chunks_mut(stride)) {
                load(self.own, y, &mut own);
                match self.luma {
                    Some((before, after)) => {
                        super::planes::luma_of(before, y, &mut dark, &mut lines);
                        super::planes::luma_of(after, y, &mut light, &mut lines);
                        let pairs = dark.iter().zip(&light).zip(&own);
                        for (new, ((dark, light), own)) in new.iter_mut().zip(pairs) {
                            *new = own + (light - dark) * self.max;
                        }
                    }
                    None => load(self.new, y, &mut new),
                }
                for ((out, own), new) in out.iter_mut().zip(&own).zip(&new) {
                    *out = S::nearest(own + (new - own) * self.strength, self.max);
                }
            }
        });
    }
}

/// A small grey picture of one in colours, for finding motion.
fn gray(rgb: &[Vec<f32>; 3], (width, height): (usize, usize)) -> Gray {
    let [red, green, blue] = super::RGB_LUMA;
    let [r, g, b] = rgb;
    let mut small = super::grid::Grid::default();
    small.resize(super::refined::within((width, height), MOTION_SIDE));
    small.shrink_by((width, height), 255.0, |y, out| {
        let at = y * width;
        for (x, v) in out.iter_mut().enumerate() {
            *v = red * r[at + x] + green * g[at + x] + blue * b[at + x];
        }
    });
    Gray {
        width: small.width,
        height: small.height,
        values: small.values,
    }
}
