//! Between Y'CbCr planes and RGB in floating point, by the equations of ITU-T H.273.
//!
//! Everything stays in `f32` between the two conversions: 8-bit RGB on the way would cost about
//! two dB against the source before a model has done anything.

use crate::resample::{Axis, Resampler};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::pixel::{
    AnyPlane, AnyPlaneMut, PixelFormat, PlaneMut, PlaneRef, Planes, Sample,
};

/// Full-size planes of `f32`, 0 black and 1 white.
#[derive(Debug, Clone, Default)]
pub struct FloatPlanes {
    /// The planes, each `width * height` long.
    pub planes: [Vec<f32>; 3],
    /// Samples per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl FloatPlanes {
    /// Planes of this size; what was in them is undefined.
    pub fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        for plane in &mut self.planes {
            plane.resize(width * height, 0.0);
        }
    }

    /// Plane `index` for reading.
    pub fn plane(&self, index: usize) -> PlaneRef<'_, f32> {
        PlaneRef {
            data: &self.planes[index],
            stride: self.width,
            width: self.width,
            height: self.height,
        }
    }
}

/// A plane of `f32` over a vector.
pub fn float_plane(data: &mut [f32], width: usize, height: usize) -> PlaneMut<'_, f32> {
    PlaneMut {
        data,
        stride: width,
        width,
        height,
    }
}

/// How sample values map to 0..1 luma and -0.5..0.5 chroma.
#[derive(Debug, Clone, Copy)]
struct Swing {
    luma_black: f32,
    luma_span: f32,
    chroma_zero: f32,
    chroma_span: f32,
}

impl Swing {
    /// H.273 equations 20 to 25 (limited) and 29 to 34 (full).
    fn new(bits: u8, full: bool) -> Self {
        let unit = f32::from(1u16 << (bits - 8));
        let max = f32::from(u16::MAX >> (16 - bits));
        if full {
            Self {
                luma_black: 0.0,
                luma_span: max,
                chroma_zero: 128.0 * unit,
                chroma_span: max,
            }
        } else {
            Self {
                luma_black: 16.0 * unit,
                luma_span: 219.0 * unit,
                chroma_zero: 128.0 * unit,
                chroma_span: 224.0 * unit,
            }
        }
    }
}

/// Converts pictures of one format and colour to RGB and, at `scale` times the size, back.
#[derive(Debug)]
pub struct RgbConverter {
    format: PixelFormat,
    swing: Swing,
    kr: f32,
    kb: f32,
    up: Option<Resampler>,
    down: Option<Resampler>,
    chroma: [Vec<f32>; 2],
}

impl RgbConverter {
    /// For pictures of `width x height` in `format` with the tags `color`. An unknown matrix is
    /// guessed by [`ColorInfo::matrix_or_guess`]; one without an equation (ICtCp, ...) is
    /// computed as BT.709, which is undone on the way back.
    pub fn new(
        format: PixelFormat,
        color: &ColorInfo,
        width: usize,
        height: usize,
        scale: usize,
    ) -> Self {
        let (matrix, _) = color.matrix_or_guess(width as u32, height as u32);
        let (kr, kb) = matrix
            .kr_kb()
            .or(Matrix::Bt709.kr_kb())
            .unwrap_or((0.2126, 0.0722));
        let (mut up, mut down) = (None, None);
        if let Planes::Yuv { shift_x, shift_y } = format.planes
            && shift_x + shift_y > 0
        {
            let (x, y) = color.chroma_location.offset();
            let axis_up = |shift: u8, size: usize, offset| match shift {
                0 => Axis::identity(size),
                _ => Axis::chroma_to_luma(size.div_ceil(2), size, offset),
            };
            let axis_down = |shift: u8, size: usize, offset| match shift {
                0 => Axis::identity(size),
                _ => Axis::luma_to_chroma(size, size.div_ceil(2), offset),
            };
            up = Some(Resampler::new(
                axis_up(shift_x, width, x),
                axis_up(shift_y, height, y),
            ));
            down = Some(Resampler::new(
                axis_down(shift_x, width * scale, x),
                axis_down(shift_y, height * scale, y),
            ));
        }
        Self {
            format,
            swing: Swing::new(format.bits, is_full_range(format, color)),
            kr: kr as f32,
            kb: kb as f32,
            up,
            down,
            chroma: Default::default(),
        }
    }

    /// Fills `rgb` (R, G, B) from the colour planes of a picture.
    pub fn rgb_from_planes(&mut self, planes: &[AnyPlane<'_>; 3], rgb: &mut FloatPlanes) {
        let (width, height) = match planes[0] {
            AnyPlane::U8(p) => (p.width, p.height),
            AnyPlane::U16(p) => (p.width, p.height),
        };
        rgb.resize(width, height);
        let swing = self.swing;
        for (index, chroma) in self.chroma.iter_mut().enumerate() {
            chroma.resize(width * height, 0.0);
            let mut out = float_plane(chroma, width, height);
            match (&mut self.up, planes[index + 1]) {
                (Some(up), AnyPlane::U8(p)) => up.run(p, &mut out, 0.0),
                (Some(up), AnyPlane::U16(p)) => up.run(p, &mut out, 0.0),
                (None, AnyPlane::U8(p)) => load(p, &mut out),
                (None, AnyPlane::U16(p)) => load(p, &mut out),
            }
        }
        let [r, g, b] = &mut rgb.planes;
        match planes[0] {
            AnyPlane::U8(p) => load(p, &mut float_plane(g, width, height)),
            AnyPlane::U16(p) => load(p, &mut float_plane(g, width, height)),
        }
        let (kr, kb) = (self.kr, self.kb);
        let kg = 1.0 - kr - kb;
        let (cb, cr) = (&self.chroma[0], &self.chroma[1]);
        let (luma_gain, chroma_gain) = (1.0 / swing.luma_span, 1.0 / swing.chroma_span);
        for ((((g, r), b), &cb), &cr) in g.iter_mut().zip(r).zip(b).zip(cb).zip(cr) {
            let y = (*g - swing.luma_black) * luma_gain;
            let red = y + 2.0 * (1.0 - kr) * (cr - swing.chroma_zero) * chroma_gain;
            let blue = y + 2.0 * (1.0 - kb) * (cb - swing.chroma_zero) * chroma_gain;
            *g = (y - kr * red - kb * blue) / kg;
            *r = red;
            *b = blue;
        }
    }

    /// Turns RGB of the enlarged size into Y', Cb and Cr of the picture's numbers, in place: G
    /// becomes luma, B becomes Cb, R becomes Cr. [`RgbConverter::write`] then stores them.
    pub fn planes_from_rgb(&self, rgb: &mut FloatPlanes) {
        let swing = self.swing;
        let (kr, kb) = (self.kr, self.kb);
        let kg = 1.0 - kr - kb;
        let [r, g, b] = &mut rgb.planes;
        for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
            let y = kr * *r + kg * *g + kb * *b;
            let cr = (*r - y) / (2.0 * (1.0 - kr));
            let cb = (*b - y) / (2.0 * (1.0 - kb));
            *g = y * swing.luma_span + swing.luma_black;
            *b = cb * swing.chroma_span + swing.chroma_zero;
            *r = cr * swing.chroma_span + swing.chroma_zero;
        }
    }

    /// Stores plane `index` (0 luma, 1 Cb, 2 Cr) of what [`RgbConverter::planes_from_rgb`] made, chroma
    /// shrunk to its size.
    pub fn write(&mut self, converted: &FloatPlanes, index: usize, target: AnyPlaneMut<'_>) {
        let max = f32::from(self.format.max_value());
        let source = converted.plane([1, 2, 0][index]);
        match (&mut self.down, target) {
            (Some(down), AnyPlaneMut::U8(mut p)) if index > 0 => down.run(source, &mut p, max),
            (Some(down), AnyPlaneMut::U16(mut p)) if index > 0 => down.run(source, &mut p, max),
            (_, target) => store(source, target, max),
        }
    }
}

/// The samples of a colour, one per plane; alpha is opaque. `rgb` is coded as the picture is, 0 to
/// 1.
pub fn samples_of_rgb(
    format: PixelFormat,
    color: &ColorInfo,
    size: (u32, u32),
    rgb: [f32; 3],
) -> Vec<u16> {
    let max = f32::from(format.max_value());
    exact_samples_of_rgb(format, color, size, rgb)
        .into_iter()
        .map(|v| (v + 0.5).clamp(0.0, max) as u16)
        .collect()
}

/// As [`samples_of_rgb`], before they are rounded.
pub fn exact_samples_of_rgb(
    format: PixelFormat,
    color: &ColorInfo,
    (width, height): (u32, u32),
    [r, g, b]: [f32; 3],
) -> Vec<f32> {
    let max = f32::from(format.max_value());
    let swing = Swing::new(format.bits, is_full_range(format, color));
    let (matrix, _) = color.matrix_or_guess(width, height);
    let (kr, kb) = matrix
        .kr_kb()
        .or(Matrix::Bt709.kr_kb())
        .map_or((0.2126, 0.0722), |(kr, kb)| (kr as f32, kb as f32));
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let luma = y * swing.luma_span + swing.luma_black;
    let chroma = |difference: f32, k: f32| {
        difference / (2.0 * (1.0 - k)) * swing.chroma_span + swing.chroma_zero
    };
    let mut samples = match format.planes {
        Planes::Gray => vec![luma],
        Planes::Yuv { .. } => vec![luma, chroma(b - y, kb), chroma(r - y, kr)],
        Planes::Gbr => [g, b, r].map(|v| v * max).to_vec(),
    };
    samples.extend(format.alpha.then_some(max));
    samples
}

/// True if black is 0. Grey and RGB pictures are full range unless their tags say otherwise.
pub fn is_full_range(format: PixelFormat, color: &ColorInfo) -> bool {
    match color.range {
        Range::Full => true,
        Range::Limited => false,
        Range::Unspecified => !matches!(format.planes, Planes::Yuv { .. }),
    }
}

/// Copies samples to floats without scaling.
pub fn load<S: Sample>(src: PlaneRef<'_, S>, dst: &mut PlaneMut<'_, f32>) {
    for y in 0..dst.height.min(src.height) {
        for (out, sample) in dst.row_mut(y).iter_mut().zip(src.row(y)) {
            *out = sample.to_f32();
        }
    }
}

/// Rounds floats into samples.
pub fn store(src: PlaneRef<'_, f32>, dst: AnyPlaneMut<'_>, max: f32) {
    match dst {
        AnyPlaneMut::U8(mut p) => {
            for y in 0..p.height.min(src.height) {
                for (out, &value) in p.row_mut(y).iter_mut().zip(src.row(y)) {
                    *out = u8::nearest(value, max);
                }
            }
        }
        AnyPlaneMut::U16(mut p) => {
            for y in 0..p.height.min(src.height) {
                for (out, &value) in p.row_mut(y).iter_mut().zip(src.row(y)) {
                    *out = u16::nearest(value, max);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::color::ChromaLocation;
    use frameloom_media::{Frame, Reader, ReaderOptions};
    use std::path::{Path, PathBuf};

    fn psnr(a: &[u8], b: &[u8]) -> f64 {
        let sum: f64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        10.0 * (255.0f64.powi(2) / (sum / a.len() as f64)).log10()
    }

    fn smooth(width: usize, height: usize, phase: f64, low: f64, high: f64) -> Vec<u8> {
        (0..width * height)
            .map(|i| {
                let (x, y) = ((i % width) as f64, (i / width) as f64);
                let wave = ((x * 0.11 + phase).sin() * (y * 0.07 + phase).cos() + 1.0) / 2.0;
                (low + wave * (high - low)).round() as u8
            })
            .collect()
    }

    fn view(data: &[u8], width: usize) -> AnyPlane<'_> {
        AnyPlane::U8(PlaneRef {
            data,
            stride: width,
            width,
            height: data.len() / width,
        })
    }

    fn view_mut(data: &mut [u8], width: usize) -> AnyPlaneMut<'_> {
        let height = data.len() / width;
        AnyPlaneMut::U8(PlaneMut {
            data,
            stride: width,
            width,
            height,
        })
    }

    #[test]
    fn a_trip_through_rgb_keeps_every_matrix_range_and_siting_above_50_db() {
        let (w, h) = (97, 63);
        let (cw, ch) = (49, 32);
        for matrix in [
            Matrix::Bt601,
            Matrix::Bt709,
            Matrix::Bt2020,
            Matrix::Unspecified,
        ] {
            for range in [Range::Full, Range::Limited] {
                for chroma_location in [
                    ChromaLocation::Left,
                    ChromaLocation::Center,
                    ChromaLocation::TopLeft,
                ] {
                    let color = ColorInfo {
                        matrix,
                        range,
                        chroma_location,
                        ..ColorInfo::default()
                    };
                    let source = [
                        smooth(w, h, 0.0, 40.0, 200.0),
                        smooth(cw, ch, 1.0, 100.0, 150.0),
                        smooth(cw, ch, 2.0, 100.0, 150.0),
                    ];
                    let mut converter = RgbConverter::new(PixelFormat::YUV420P8, &color, w, h, 1);
                    let mut rgb = FloatPlanes::default();
                    converter.rgb_from_planes(
                        &[
                            view(&source[0], w),
                            view(&source[1], cw),
                            view(&source[2], cw),
                        ],
                        &mut rgb,
                    );
                    let mut back = [vec![0; w * h], vec![0; cw * ch], vec![0; cw * ch]];
                    converter.planes_from_rgb(&mut rgb);
                    for (index, (plane, width)) in back.iter_mut().zip([w, cw, cw]).enumerate() {
                        converter.write(&rgb, index, view_mut(plane, width));
                    }
                    for (plane, (a, b)) in source.iter().zip(&back).enumerate() {
                        let db = psnr(a, b);
                        assert!(db > 50.0, "{color:?} plane {plane}: {db:.1} dB");
                    }
                }
            }
        }
    }

    /// A picture of a real clip, or where there is none, of slow waves.
    fn picture(format: PixelFormat, color: &ColorInfo) -> Frame {
        let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
            PathBuf::from,
        );
        let clip = root.join("media/video/h264_aac_17s_640x360.mp4");
        let mut frame = match Reader::open(&clip, &ReaderOptions::default()) {
            Ok(mut reader) => {
                reader.seek_before(100_000_000).unwrap();
                reader.next_frame().unwrap().unwrap()
            }
            Err(_) => {
                println!("skipped: no test data (a made-up picture is used)");
                let mut frame = Frame::new(PixelFormat::YUV420P8, 640, 360).unwrap();
                for plane in 0..3 {
                    let AnyPlaneMut::U8(mut p) = frame.plane_mut(plane).unwrap() else {
                        unreachable!("8 bits were asked for");
                    };
                    let waves = smooth(p.width, p.height, plane as f64, 60.0, 180.0);
                    let width = p.width;
                    for y in 0..p.height {
                        p.row_mut(y).copy_from_slice(&waves[y * width..][..width]);
                    }
                }
                frame
            }
        };
        frame.set_color(color);
        frameloom_media::convert(&frame, format).unwrap()
    }

    fn values(plane: AnyPlane<'_>) -> Vec<f64> {
        match plane {
            AnyPlane::U8(p) => (0..p.height)
                .flat_map(|y| p.row(y).iter().map(|s| f64::from(*s)))
                .collect(),
            AnyPlane::U16(p) => (0..p.height)
                .flat_map(|y| p.row(y).iter().map(|s| f64::from(*s)))
                .collect(),
        }
    }

    #[test]
    fn a_real_picture_comes_back_from_rgb_above_50_db_and_its_mean_does_not_drift() {
        let yuv = |shift_x, shift_y, bits| PixelFormat {
            planes: Planes::Yuv { shift_x, shift_y },
            bits,
            alpha: false,
        };
        for format in [
            yuv(1, 1, 8),
            yuv(1, 0, 8),
            yuv(0, 0, 8),
            yuv(1, 1, 10),
            yuv(1, 0, 10),
            yuv(0, 0, 12),
            yuv(1, 1, 16),
        ] {
            for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
                for range in [Range::Limited, Range::Full] {
                    let color = ColorInfo {
                        matrix,
                        range,
                        chroma_location: ChromaLocation::Left,
                        ..ColorInfo::default()
                    };
                    let source = picture(format, &color);
                    let (w, h) = (source.width() as usize, source.height() as usize);
                    let mut converter = RgbConverter::new(format, &color, w, h, 1);
                    let mut rgb = FloatPlanes::default();
                    let planes = [source.plane(0), source.plane(1), source.plane(2)];
                    converter.rgb_from_planes(&planes, &mut rgb);
                    converter.planes_from_rgb(&mut rgb);
                    let mut back = Frame::new(format, w as u32, h as u32).unwrap();
                    for plane in 0..3 {
                        converter.write(&rgb, plane, back.plane_mut(plane).unwrap());
                    }
                    let max = f64::from(format.max_value());
                    for plane in 0..3 {
                        let (a, b) = (values(source.plane(plane)), values(back.plane(plane)));
                        let pairs = || a.iter().zip(&b).map(|(a, b)| b - a);
                        let count = a.len() as f64;
                        let mean = pairs().sum::<f64>() / count / max * 255.0;
                        let square = pairs().map(|d| d * d).sum::<f64>() / count;
                        let db = 10.0 * (max * max / square.max(1e-9)).log10();
                        let what = format!("{format} {matrix:?} {range:?} plane {plane}");
                        assert!(db >= 50.0, "{what}: {db:.1} dB");
                        assert!(mean.abs() <= 0.1, "{what}: the mean moves by {mean:.3}");
                    }
                }
            }
        }
    }

    #[test]
    fn studio_white_is_one_and_bars_have_the_colours_of_the_standard() {
        let color = ColorInfo {
            matrix: Matrix::Bt601,
            range: Range::Limited,
            ..ColorInfo::default()
        };
        let format = PixelFormat {
            planes: Planes::Yuv {
                shift_x: 0,
                shift_y: 0,
            },
            bits: 8,
            alpha: false,
        };
        let mut converter = RgbConverter::new(format, &color, 2, 1, 1);
        let mut rgb = FloatPlanes::default();
        // White, and full red as BT.601 writes it: Y 81, Cb 90, Cr 240.
        converter.rgb_from_planes(
            &[
                view(&[235, 81], 2),
                view(&[128, 90], 2),
                view(&[128, 240], 2),
            ],
            &mut rgb,
        );
        for (plane, wanted) in rgb.planes.iter().zip([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]) {
            for (value, wanted) in plane.iter().zip(wanted) {
                assert!((value - wanted).abs() < 0.01, "{value} is not {wanted}");
            }
        }
    }
}
