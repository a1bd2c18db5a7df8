//! Exposure, white balance and lookup tables, in floating-point RGB.

use super::lut::Lut;
use super::upscale::load_rgb;
use super::{Filter, PictureFormat};
use crate::EngineError;
use crate::rgb::{FloatPlanes, RgbConverter, store};
use frameloom_core::graph::ColorParams;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::{Frame, FramePool};
use std::path::Path;

/// Displays follow about this power of the coded value (BT.1886). A factor of the light is then
/// one of the coded value too: its root.
const GAMMA: f64 = 2.4;

/// The light that "no change" stands for, in Kelvin.
const NEUTRAL: f64 = 6504.0;

/// Refuses what cannot be done to pictures of this kind.
pub(super) fn check(params: &ColorParams, input: &PictureFormat) -> Result<(), Said> {
    let finite = [
        params.exposure,
        params.tint,
        params.temperature.unwrap_or(NEUTRAL),
    ];
    if finite.iter().any(|v| !v.is_finite()) {
        return Err(said!("node.finite", "its numbers must be finite"));
    }
    let changes_light = gains(params) != [1.0; 3];
    if changes_light && input.color.is_hdr() {
        return Err(said!(
            "node.hdr_light",
            "exposure and white balance are computed for SDR, and this is HDR; use a lookup table"
        ));
    }
    let tints = params.tint != 0.0 || params.temperature.is_some();
    if input.pixels.planes == Planes::Gray && tints {
        return Err(said!(
            "node.grey",
            "a grey picture has no colour to balance"
        ));
    }
    if let Some(path) = &params.lut {
        Lut::read(Path::new(path))?;
    }
    Ok(())
}

/// Factors of coded R, G and B.
fn gains(params: &ColorParams) -> [f32; 3] {
    let mut light = [1.0; 3];
    if let Some(kelvin) = params.temperature {
        let (neutral, lit) = (white(NEUTRAL), white(kelvin));
        for ((gain, neutral), lit) in light.iter_mut().zip(neutral).zip(lit) {
            *gain = neutral / lit;
        }
    }
    light[1] *= 2f64.powf(params.tint / 200.0);
    // The balance changes colour, not brightness.
    let luma = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    let exposure = 2f64.powf(params.exposure);
    light.map(|gain| (gain / luma * exposure).powf(1.0 / GAMMA) as f32)
}

/// Linear R, G and B (BT.709 primaries) of a black body (Kim et al., US 7024034, the cubic splines
/// for 1667 to 25000 K).
fn white(kelvin: f64) -> [f64; 3] {
    let t = kelvin.clamp(1_667.0, 25_000.0);
    let poly = |c: [f64; 4], v: f64| ((c[0] * v + c[1]) * v + c[2]) * v + c[3];
    let inverse = 1e3 / t;
    let x = if t <= 4_000.0 {
        poly(
            [-0.266_123_9, -0.234_358_9, 0.877_695_6, 0.179_910],
            inverse,
        )
    } else {
        poly([-3.025_846_9, 2.107_037_9, 0.222_634_7, 0.240_390], inverse)
    };
    let y = if t <= 2_222.0 {
        poly(
            [-1.106_381_4, -1.348_110_20, 2.185_558_32, -0.202_196_83],
            x,
        )
    } else if t <= 4_000.0 {
        poly(
            [-0.954_947_6, -1.374_185_93, 2.091_370_15, -0.167_488_67],
            x,
        )
    } else {
        poly([3.081_758_0, -5.873_386_70, 3.751_129_97, -0.370_014_83], x)
    };
    let (big_x, big_z) = (x / y, (1.0 - x - y) / y);
    [
        3.240_454_2 * big_x - 1.537_138_5 - 0.498_531_4 * big_z,
        -0.969_266_0 * big_x + 1.876_010_8 + 0.041_556_0 * big_z,
        0.055_643_4 * big_x - 0.204_025_9 + 1.057_225_2 * big_z,
    ]
    .map(|v| v.max(1e-3))
}

/// The node.
pub(super) struct Color {
    gains: [f32; 3],
    lut: Option<Lut>,
    converter: Option<RgbConverter>,
    rgb: FloatPlanes,
    output: PictureFormat,
    pool: FramePool,
}

impl Color {
    pub(super) fn open(
        params: &ColorParams,
        input: &PictureFormat,
        output: PictureFormat,
    ) -> Result<Self, EngineError> {
        let lut = params
            .lut
            .as_ref()
            .map(|path| Lut::read(Path::new(path)))
            .transpose()
            .map_err(|reason| EngineError::Node {
                node: "color".to_owned(),
                reason,
            })?;
        let converter = matches!(input.pixels.planes, Planes::Yuv { .. }).then(|| {
            let (width, height) = (input.width as usize, input.height as usize);
            RgbConverter::new(input.pixels, &input.color, width, height, 1)
        });
        Ok(Self {
            gains: gains(params),
            lut,
            converter,
            rgb: FloatPlanes::default(),
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            output,
        })
    }

    fn correct(&mut self) {
        let [r, g, b] = &mut self.rgb.planes;
        for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
            let mut rgb = [*r * self.gains[0], *g * self.gains[1], *b * self.gains[2]];
            if let Some(lut) = &self.lut {
                rgb = lut.apply(rgb);
            }
            [*r, *g, *b] = rgb;
        }
    }
}

impl Filter for Color {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        let format = frame.format();
        let max = f32::from(format.max_value());
        if let Some(mut converter) = self.converter.take() {
            let planes = [frame.plane(0), frame.plane(1), frame.plane(2)];
            converter.rgb_from_planes(&planes, &mut self.rgb);
            self.correct();
            converter.planes_from_rgb(&mut self.rgb);
            for index in 0..3 {
                converter.write(&self.rgb, index, out.plane_mut(index)?);
            }
            self.converter = Some(converter);
        } else {
            load_rgb(frame, &mut self.rgb);
            self.correct();
            for plane in &mut self.rgb.planes {
                for value in plane {
                    *value *= max;
                }
            }
            if format.planes == Planes::Gray {
                store(self.rgb.plane(1), out.plane_mut(0)?, max);
            } else {
                for (target, source) in [(2, 0), (0, 1), (1, 2)] {
                    store(self.rgb.plane(source), out.plane_mut(target)?, max);
                }
            }
        }
        if let Some(index) = format.alpha_plane() {
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
                _ => unreachable!("colours do not change the depth"),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(exposure: f64, temperature: Option<f64>, tint: f64) -> ColorParams {
        ColorParams {
            exposure,
            temperature,
            tint,
            lut: None,
        }
    }

    #[test]
    fn nothing_asked_is_nothing_changed() {
        assert_eq!(gains(&params(0.0, None, 0.0)), [1.0; 3]);
        assert_eq!(gains(&params(0.0, Some(NEUTRAL), 0.0)), [1.0; 3]);
    }

    #[test]
    fn a_stop_doubles_the_light() {
        let [r, g, b] = gains(&params(1.0, None, 0.0));
        assert_eq!((r, g), (g, b));
        assert!((f64::from(g).powf(GAMMA) - 2.0).abs() < 1e-5);
    }

    #[test]
    fn white_under_a_lamp_becomes_neutral_and_daylight_shade_warm() {
        let lamp = white(2856.0);
        assert!(lamp[0] > lamp[1] && lamp[1] > lamp[2], "{lamp:?} is orange");
        let correction = gains(&params(0.0, Some(2856.0), 0.0));
        let corrected = [0, 1, 2].map(|i| lamp[i] * f64::from(correction[i]).powf(GAMMA));
        let neutral = white(NEUTRAL);
        let ratio = corrected[0] / neutral[0];
        for i in 1..3 {
            assert!((corrected[i] / neutral[i] / ratio - 1.0).abs() < 1e-4);
        }
        let shade = gains(&params(0.0, Some(10_000.0), 0.0));
        assert!(shade[0] > shade[2]);
        // The splines meet: no jump between 3999 and 4001 K.
        for (a, b) in white(3_999.0).iter().zip(white(4_001.0)) {
            assert!((a - b).abs() < 0.01);
        }
    }
}
