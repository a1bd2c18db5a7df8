//! Enlarging by a model.
//!
//! A luma model gets the luma plane as it is; chroma is enlarged by a cubic kernel at its own
//! siting, so a 4:2:0 picture never becomes RGB. A luma model on an RGB picture adds the detail
//! that it finds in the luma to the cubically enlarged colours, which is the same thing written in
//! RGB. An RGB model gets floating-point RGB. Alpha is enlarged by the cubic kernel: it has no
//! texture to restore, and a network may overshoot at its edges.

use super::{Filter, Opening, PictureFormat};
use crate::EngineError;
use crate::resample::{Axis, Resampler};
use crate::rgb::{FloatPlanes, RgbConverter, float_plane, is_full_range, load, store};
use frameloom_core::job::ProviderChoice;
use frameloom_core::model::TensorColor;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, Planes};
use frameloom_infer::{CancelHandle, Model, TilePlan, Upscaler};
use frameloom_media::{Frame, FramePool};

/// Weights of R, G and B in the luma that a luma model sees of an RGB picture: BT.601, as JPEG and
/// the benchmarks of super-resolution have it.
pub(crate) const RGB_LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The node.
pub(super) struct Upscale {
    upscaler: Upscaler,
    route: Route,
    output: PictureFormat,
    pool: FramePool,
    alpha: Option<Resampler>,
}

enum Route {
    /// Luma by the model, both chroma planes by the resampler. Grey pictures have none.
    Luma {
        full_range: bool,
        chroma: Option<Resampler>,
    },
    /// Luma of an RGB picture, added to its cubically enlarged colours.
    LumaOfRgb {
        cubic: Box<Resampler>,
        rgb: FloatPlanes,
        luma: Vec<f32>,
        enlarged_luma: Vec<f32>,
        cubic_luma: Vec<f32>,
        cubic_plane: Vec<f32>,
    },
    /// An RGB model on a Y'CbCr picture.
    Rgb {
        converter: Box<RgbConverter>,
        rgb: FloatPlanes,
        enlarged: FloatPlanes,
    },
    /// An RGB model on an RGB or grey picture.
    Planes {
        rgb: FloatPlanes,
        enlarged: FloatPlanes,
    },
}

impl Upscale {
    pub(super) fn open(
        model: &Model,
        input: &PictureFormat,
        output: PictureFormat,
        opening: &Opening<'_>,
    ) -> Result<(Self, ProviderChoice), EngineError> {
        let (session, choice) = opening.session(model)?;
        let mut upscaler = Upscaler::new(session, &model.manifest)?;
        if let Some(side) = opening.max_tile {
            let side = side.min(model.manifest.tile.preferred);
            upscaler = upscaler.with_tiles(TilePlan::Side(side));
        }
        let scale = upscaler.scale() as usize;
        let (width, height) = (input.width as usize, input.height as usize);
        let full_size =
            || Resampler::new(Axis::enlarge(width, scale), Axis::enlarge(height, scale));
        let luma_model = model.manifest.input.color == TensorColor::Luma;
        let full_range = is_full_range(input.pixels, &input.color);
        let route = match (luma_model, input.pixels.planes) {
            (true, Planes::Gray) => Route::Luma {
                full_range,
                chroma: None,
            },
            (true, Planes::Yuv { shift_x, shift_y }) => {
                let (x, y) = input.color.chroma_location.offset();
                let axis = |shift: u8, from: usize, to: u32, offset: f64| match shift {
                    0 => Axis::enlarge(from, scale),
                    _ => Axis::enlarge_chroma(
                        from.div_ceil(2),
                        (to as usize).div_ceil(2),
                        scale,
                        offset,
                    ),
                };
                Route::Luma {
                    full_range,
                    chroma: Some(Resampler::new(
                        axis(shift_x, width, output.width, x),
                        axis(shift_y, height, output.height, y),
                    )),
                }
            }
            (true, Planes::Gbr) => Route::LumaOfRgb {
                cubic: Box::new(full_size()),
                rgb: FloatPlanes::default(),
                luma: Vec::new(),
                enlarged_luma: Vec::new(),
                cubic_luma: Vec::new(),
                cubic_plane: Vec::new(),
            },
            (false, Planes::Yuv { .. }) => Route::Rgb {
                converter: Box::new(RgbConverter::new(
                    input.pixels,
                    &input.color,
                    width,
                    height,
                    scale,
                )),
                rgb: FloatPlanes::default(),
                enlarged: FloatPlanes::default(),
            },
            (false, Planes::Gray | Planes::Gbr) => Route::Planes {
                rgb: FloatPlanes::default(),
                enlarged: FloatPlanes::default(),
            },
        };
        let node = Self {
            upscaler,
            route,
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            alpha: input.pixels.alpha.then(full_size),
            output,
        };
        Ok((node, choice))
    }
}

impl Filter for Upscale {
    fn seams(&self) -> Option<super::Seams> {
        let scale = self.upscaler.scale().max(1);
        let side = |length: u32| (length / scale) as usize;
        let (columns, rows) = self
            .upscaler
            .seams(side(self.output.width), side(self.output.height));
        Some(super::Seams { columns, rows })
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        Some(self.upscaler.cancel_handle())
    }

    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        let format = self.output.pixels;
        let bits = format.bits;
        let max = f32::from(format.max_value());
        let (width, height) = (self.output.width as usize, self.output.height as usize);
        let upscaler = &mut self.upscaler;
        match &mut self.route {
            Route::Luma { full_range, chroma } => {
                upscaler.upscale_luma(frame.plane(0), bits, *full_range, out.plane_mut(0)?)?;
                if let Some(resampler) = chroma {
                    for index in [1, 2] {
                        resample(resampler, frame.plane(index), out.plane_mut(index)?, max);
                    }
                }
            }
            Route::LumaOfRgb {
                cubic,
                rgb,
                luma,
                enlarged_luma,
                cubic_luma,
                cubic_plane,
            } => {
                load_rgb(frame, rgb);
                let size = rgb.width * rgb.height;
                luma.resize(size, 0.0);
                let [r, g, b] = &rgb.planes;
                for (((y, r), g), b) in luma.iter_mut().zip(r).zip(g).zip(b) {
                    *y = RGB_LUMA[0] * r + RGB_LUMA[1] * g + RGB_LUMA[2] * b;
                }
                for buffer in [&mut *enlarged_luma, cubic_luma, cubic_plane] {
                    buffer.resize(width * height, 0.0);
                }
                let luma = float_plane(luma, rgb.width, rgb.height);
                upscaler
                    .upscale_luma_f32(luma.as_ref(), float_plane(enlarged_luma, width, height))?;
                cubic.run(
                    luma.as_ref(),
                    &mut float_plane(cubic_luma, width, height),
                    1.0,
                );
                for (detail, cubic) in enlarged_luma.iter_mut().zip(cubic_luma) {
                    *detail -= *cubic;
                }
                // GBR order in the frame, RGB order in the buffers.
                for (target, source) in [(2, 0), (0, 1), (1, 2)] {
                    cubic.run(
                        rgb.plane(source),
                        &mut float_plane(cubic_plane, width, height),
                        1.0,
                    );
                    for (value, detail) in cubic_plane.iter_mut().zip(&*enlarged_luma) {
                        *value = (*value + detail) * max;
                    }
                    store(
                        float_plane(cubic_plane, width, height).as_ref(),
                        out.plane_mut(target)?,
                        max,
                    );
                }
            }
            Route::Rgb {
                converter,
                rgb,
                enlarged,
            } => {
                converter.rgb_from_planes(&[frame.plane(0), frame.plane(1), frame.plane(2)], rgb);
                enlarge_rgb(upscaler, rgb, enlarged, width, height)?;
                converter.planes_from_rgb(enlarged);
                for index in 0..3 {
                    converter.write(enlarged, index, out.plane_mut(index)?);
                }
            }
            Route::Planes { rgb, enlarged } => {
                load_rgb(frame, rgb);
                enlarge_rgb(upscaler, rgb, enlarged, width, height)?;
                for plane in &mut enlarged.planes {
                    for value in plane {
                        *value *= max;
                    }
                }
                if format.planes == Planes::Gray {
                    let [r, g, b] = &mut enlarged.planes;
                    for ((g, r), b) in g.iter_mut().zip(r).zip(b) {
                        *g = (*r + *g + *b) / 3.0;
                    }
                    store(enlarged.plane(1), out.plane_mut(0)?, max);
                } else {
                    for (target, source) in [(2, 0), (0, 1), (1, 2)] {
                        store(enlarged.plane(source), out.plane_mut(target)?, max);
                    }
                }
            }
        }
        if let (Some(plane), Some(cubic)) = (format.alpha_plane(), &mut self.alpha) {
            resample(cubic, frame.plane(plane), out.plane_mut(plane)?, max);
        }
        Ok(out)
    }
}

fn enlarge_rgb(
    upscaler: &mut Upscaler,
    rgb: &FloatPlanes,
    enlarged: &mut FloatPlanes,
    width: usize,
    height: usize,
) -> Result<(), EngineError> {
    enlarged.resize(width, height);
    let [r, g, b] = &mut enlarged.planes;
    upscaler.upscale_rgb_f32(
        [rgb.plane(0), rgb.plane(1), rgb.plane(2)],
        [
            float_plane(r, width, height),
            float_plane(g, width, height),
            float_plane(b, width, height),
        ],
    )?;
    Ok(())
}

/// R, G and B of a GBR or grey frame, 0 to 1.
pub(super) fn load_rgb(frame: &Frame, rgb: &mut FloatPlanes) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    rgb.resize(width, height);
    let gain = 1.0 / f32::from(frame.format().max_value());
    let sources = match frame.format().planes {
        Planes::Gray => [0, 0, 0],
        Planes::Gbr | Planes::Yuv { .. } => [2, 0, 1],
    };
    for (plane, source) in rgb.planes.iter_mut().zip(sources) {
        let mut target = float_plane(plane, width, height);
        match frame.plane(source) {
            AnyPlane::U8(p) => load(p, &mut target),
            AnyPlane::U16(p) => load(p, &mut target),
        }
        for value in plane {
            *value *= gain;
        }
    }
}

fn resample(resampler: &mut Resampler, from: AnyPlane<'_>, to: AnyPlaneMut<'_>, max: f32) {
    match (from, to) {
        (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => resampler.run(from, &mut to, max),
        (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => resampler.run(from, &mut to, max),
        (AnyPlane::U8(from), AnyPlaneMut::U16(mut to)) => resampler.run(from, &mut to, max),
        (AnyPlane::U16(from), AnyPlaneMut::U8(mut to)) => resampler.run(from, &mut to, max),
    }
}
