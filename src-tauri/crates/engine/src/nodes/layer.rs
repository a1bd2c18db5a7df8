//! Pictures that are laid over others.

use super::PictureFormat;
use crate::EngineError;
use crate::rgb::exact_samples_of_rgb;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, PlaneMut, PlaneRef, Planes};
use frameloom_media::{Converter, Frame, FramePool};

/// Alpha of what hides everything below it.
const OPAQUE: u32 = 65_535;

/// Light of white in a graphic on an HDR picture, in cd/m² (ITU-R BT.2408, reference white).
const GRAPHICS_WHITE: f32 = 203.0;

/// A picture that is ready to be laid over others of one kind: its samples are those of the
/// pictures below, in full resolution of colour, each multiplied by its alpha.
pub(super) struct Layer {
    width: usize,
    height: usize,
    /// In steps of `1 << (16 - bits)` of a sample below.
    colors: Vec<Vec<u16>>,
    /// 0 to [`OPAQUE`].
    alpha: Vec<u16>,
}

/// Scene light of the same white in HLG: its signal is 75 %.
const HLG_GRAPHICS_WHITE: f32 = 0.264_96;

/// How the colours of a picture relate to its alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// The colours are what they would be without transparency.
    Straight,
    /// They are multiplied by it.
    Multiplied,
}

/// Makes layers of pictures.
pub(super) struct LayerMaker {
    below: PictureFormat,
    /// 0 to 1.
    opacity: f32,
    widener: Converter,
    scaler: Converter,
    /// Memory of the last kind of picture, before and after it is resized.
    wide: Option<FramePool>,
    sized: Option<FramePool>,
}

impl LayerMaker {
    /// For pictures that are laid over others of the format `below`.
    pub(super) fn new(below: PictureFormat, opacity: f64) -> Self {
        Self {
            below,
            opacity: opacity.clamp(0.0, 1.0) as f32,
            widener: Converter::new(),
            scaler: Converter::new(),
            wide: None,
            sized: None,
        }
    }

    /// The pictures that layers are made for.
    pub(super) fn below(&self) -> &PictureFormat {
        &self.below
    }

    /// Prepares `frame`, resized to `width` x `height` pixels.
    ///
    /// Colours are multiplied by alpha before they are resized: the colour that transparent
    /// pixels happen to have must not bleed into the edges.
    pub(super) fn make(
        &mut self,
        frame: &Frame,
        alpha: Alpha,
        (width, height): (u32, u32),
    ) -> Result<Layer, EngineError> {
        let wide = PixelFormat {
            planes: Planes::Gbr,
            bits: 16,
            alpha: frame.format().alpha,
        };
        let becomes_hdr = self.below.color.is_hdr() && !frame.color().is_hdr();
        let pool = pool_of(&mut self.wide, wide, (frame.width(), frame.height()))?;
        let mut rgb = self.widener.convert(frame, pool)?;
        if wide.alpha && alpha == Alpha::Straight {
            multiply(&mut rgb)?;
        }
        let pool = pool_of(&mut self.sized, wide, (width, height))?;
        let rgb = self.scaler.convert(&rgb, pool)?;
        let count = width as usize * height as usize;
        let mut planes = [const { Vec::new() }; 4];
        for (index, plane) in planes.iter_mut().enumerate().take(wide.plane_count()) {
            plane.reserve_exact(count);
            if let AnyPlane::U16(source) = rgb.plane(index) {
                for y in 0..source.height {
                    plane.extend_from_slice(source.row(y));
                }
            }
        }
        let [g, b, r, mut a] = planes;
        if !wide.alpha {
            a = vec![OPAQUE as u16; count];
        }
        let mut layer = Layer {
            width: width as usize,
            height: height as usize,
            colors: vec![g, b, r],
            alpha: a,
        };
        if becomes_hdr {
            layer.code_as_hdr(self.below.color.transfer.as_deref() == Some("arib-std-b67"));
        }
        layer.code(&self.below, self.opacity);
        Ok(layer)
    }
}

/// The pool that is there if it fits, or a new one.
fn pool_of(
    kept: &mut Option<FramePool>,
    format: PixelFormat,
    (width, height): (u32, u32),
) -> Result<&FramePool, EngineError> {
    let fits =
        |pool: &FramePool| (pool.format(), pool.width(), pool.height()) == (format, width, height);
    let pool = match kept.take().filter(fits) {
        Some(pool) => pool,
        None => FramePool::new(format, width, height)?,
    };
    Ok(kept.insert(pool))
}

/// Multiplies the colours of a picture of 16 bits by its alpha.
fn multiply(frame: &mut Frame) -> Result<(), EngineError> {
    let alpha: Vec<u16> = match frame.plane(3) {
        AnyPlane::U16(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).to_vec())
            .collect(),
        AnyPlane::U8(_) => return Ok(()),
    };
    for index in 0..3 {
        if let AnyPlaneMut::U16(mut plane) = frame.plane_mut(index)? {
            let width = plane.width;
            for (y, alpha) in alpha.chunks_exact(width).enumerate() {
                for (value, &alpha) in plane.row_mut(y).iter_mut().zip(alpha) {
                    *value = share(u32::from(*value), u32::from(alpha)) as u16;
                }
            }
        }
    }
    Ok(())
}

/// `value * alpha`, rounded, with an alpha of [`OPAQUE`] for 1.
fn share(value: u32, alpha: u32) -> u32 {
    (value * alpha + OPAQUE / 2) / OPAQUE
}

impl Layer {
    /// From sRGB to BT.2020 primaries with PQ or HLG, white as bright as graphics are shown.
    fn code_as_hdr(&mut self, hlg: bool) {
        // sRGB (IEC 61966-2-1), by table: every pixel asks three times.
        let light: Vec<f32> = (0..=4096)
            .map(|i| {
                let v = i as f32 / 4096.0;
                if v <= 0.040_45 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            })
            .collect();
        let [g, b, r] = &mut self.colors[..] else {
            return;
        };
        for (((g, b), r), &alpha) in g.iter_mut().zip(b).zip(r).zip(&self.alpha) {
            if alpha == 0 {
                continue;
            }
            let linear = |value: u16| {
                let share = f32::from(value) / f32::from(alpha);
                light[(share * 4096.0 + 0.5).min(4096.0) as usize]
            };
            let (lr, lg, lb) = (linear(*r), linear(*g), linear(*b));
            // ITU-R BT.2087.
            let wide = [
                0.6274 * lr + 0.3293 * lg + 0.0433 * lb,
                0.0691 * lr + 0.9195 * lg + 0.0114 * lb,
                0.0164 * lr + 0.0880 * lg + 0.8956 * lb,
            ];
            let coded = if hlg {
                wide.map(|light| hlg_of(light * HLG_GRAPHICS_WHITE))
            } else {
                wide.map(|light| pq_of(light * GRAPHICS_WHITE))
            };
            let code = |value: f32| (value * f32::from(alpha) + 0.5) as u16;
            (*r, *g, *b) = (code(coded[0]), code(coded[1]), code(coded[2]));
        }
    }

    /// From RGB to the samples of the pictures below.
    fn code(&mut self, below: &PictureFormat, opacity: f32) {
        let bits = below.pixels.bits;
        let steps = f32::from(1u16 << (16 - bits));
        let format = PixelFormat {
            alpha: false,
            ..below.pixels
        };
        // Every coding is linear: black, and what each of the three adds to it.
        let size = (below.width, below.height);
        let exact = |rgb| exact_samples_of_rgb(format, &below.color, size, rgb);
        let black = exact([0.0; 3]);
        let parts = [
            exact([1.0, 0.0, 0.0]),
            exact([0.0, 1.0, 0.0]),
            exact([0.0, 0.0, 1.0]),
        ];
        let planes = black.len();
        let mut coded: Vec<Vec<u16>> = (0..planes).map(|_| vec![0; self.alpha.len()]).collect();
        for (plane, out) in coded.iter_mut().enumerate() {
            let [g, b, r] = &self.colors[..] else { return };
            let zero = black[plane];
            let [by_r, by_g, by_b] = [0, 1, 2].map(|c| parts[c][plane] - zero);
            for ((((out, &r), &g), &b), &a) in out.iter_mut().zip(r).zip(g).zip(b).zip(&self.alpha)
            {
                let unit = 1.0 / OPAQUE as f32;
                let value = zero * f32::from(a)
                    + by_r * f32::from(r)
                    + by_g * f32::from(g)
                    + by_b * f32::from(b);
                *out = (value * unit * opacity * steps + 0.5) as u16;
            }
        }
        self.colors = coded;
        if opacity < 1.0 {
            for alpha in &mut self.alpha {
                *alpha = (f32::from(*alpha) * opacity + 0.5) as u16;
            }
        }
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// Lays it over `frame` with its upper left corner at `at`; what hangs over an edge is cut.
    pub(super) fn lay_over(&self, frame: &mut Frame, at: (i64, i64)) -> Result<(), EngineError> {
        let format = frame.format();
        let (width, height) = (i64::from(frame.width()), i64::from(frame.height()));
        let left = at.0.clamp(0, width);
        let top = at.1.clamp(0, height);
        let right = at.0.saturating_add(self.width as i64).clamp(left, width);
        let bottom = at.1.saturating_add(self.height as i64).clamp(top, height);
        if left == right || top == bottom {
            return Ok(());
        }
        let area = Area {
            at,
            left: left as usize,
            top: top as usize,
            right: right as usize,
            bottom: bottom as usize,
            width: width as usize,
            height: height as usize,
        };
        let below = below_alpha(frame, &area);
        for index in 0..self.colors.len() {
            let shift = match format.planes {
                Planes::Yuv { shift_x, shift_y } if index > 0 => (shift_x, shift_y),
                _ => (0, 0),
            };
            match frame.plane_mut(index)? {
                AnyPlaneMut::U8(plane) => {
                    self.blend(plane, index, shift, &area, below.as_deref(), 8)
                }
                AnyPlaneMut::U16(plane) => {
                    self.blend(plane, index, shift, &area, below.as_deref(), format.bits);
                }
            }
        }
        if let (Some(index), Some(below)) = (format.alpha_plane(), below) {
            let max = u32::from(format.max_value());
            match frame.plane_mut(index)? {
                AnyPlaneMut::U8(plane) => self.cover(plane, &area, &below, max),
                AnyPlaneMut::U16(plane) => self.cover(plane, &area, &below, max),
            }
        }
        Ok(())
    }

    /// Place in the layer of a pixel of the picture below.
    fn place(&self, area: &Area, x: usize, y: usize) -> usize {
        let (x, y) = (x as i64 - area.at.0, y as i64 - area.at.1);
        y as usize * self.width + x as usize
    }

    fn blend<T: Depth>(
        &self,
        mut plane: PlaneMut<'_, T>,
        index: usize,
        (shift_x, shift_y): (u8, u8),
        area: &Area,
        below: Option<&[u16]>,
        bits: u8,
    ) {
        let opaque = OPAQUE as f32;
        let unit = opaque / f32::from(1u16 << (16 - bits));
        let max = f32::from(u16::MAX >> (16 - bits));
        let colors = &self.colors[index];
        for y in area.top >> shift_y..=(area.bottom - 1) >> shift_y {
            let row = plane.row_mut(y);
            for (x, sample) in row
                .iter_mut()
                .enumerate()
                .take(((area.right - 1) >> shift_x) + 1)
                .skip(area.left >> shift_x)
            {
                // Of the pixels that share the sample: what covers it, and what is left of it.
                let (mut over, mut hidden, mut kept) = (0.0f32, 0.0f32, 0.0f32);
                for py in y << shift_y..((y + 1) << shift_y).min(area.height) {
                    for px in x << shift_x..((x + 1) << shift_x).min(area.width) {
                        let under =
                            below.map_or(opaque, |below| f32::from(below[area.index(px, py)]));
                        if !area.holds(px, py) {
                            kept += under;
                            continue;
                        }
                        let place = self.place(area, px, py);
                        let alpha = f32::from(self.alpha[place]);
                        over += f32::from(colors[place]);
                        hidden += alpha;
                        kept += under * (opaque - alpha) / opaque;
                    }
                }
                if hidden == 0.0 {
                    continue;
                }
                let value = (over * unit + sample.get() * kept) / (hidden + kept);
                sample.set(value.min(max));
            }
        }
    }

    fn cover<T: Depth>(&self, mut plane: PlaneMut<'_, T>, area: &Area, below: &[u16], max: u32) {
        let (opaque, max) = (OPAQUE as f32, max as f32);
        for y in area.top..area.bottom {
            let row = plane.row_mut(y);
            for (x, sample) in row.iter_mut().enumerate().take(area.right).skip(area.left) {
                let alpha = f32::from(self.alpha[self.place(area, x, y)]);
                let under = f32::from(below[area.index(x, y)]);
                sample.set((alpha + under * (opaque - alpha) / opaque) / opaque * max);
            }
        }
    }
}

/// The part of a picture that a layer hides, in pixels.
struct Area {
    at: (i64, i64),
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    width: usize,
    height: usize,
}

impl Area {
    fn holds(&self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// The area with the pixels that share a sample of colour with one of it.
    fn outer(&self) -> [usize; 4] {
        [
            self.left & !1,
            self.top & !1,
            ((self.right + 1) & !1).min(self.width),
            ((self.bottom + 1) & !1).min(self.height),
        ]
    }

    /// Place of a pixel of [`Area::outer`] among all of them.
    fn index(&self, x: usize, y: usize) -> usize {
        let [left, top, right, _] = self.outer();
        (y - top) * (right - left) + x - left
    }
}

/// Alpha of the picture below, 0 to [`OPAQUE`], at [`Area::outer`].
fn below_alpha(frame: &Frame, area: &Area) -> Option<Vec<u16>> {
    fn read<T: Depth>(plane: PlaneRef<'_, T>, area: &Area, max: f32) -> Vec<u16> {
        let [left, top, right, bottom] = area.outer();
        (top..bottom)
            .flat_map(|y| &plane.row(y)[left..right])
            .map(|sample| (sample.get() / max * OPAQUE as f32 + 0.5) as u16)
            .collect()
    }
    let max = f32::from(frame.format().max_value());
    let index = frame.format().alpha_plane()?;
    Some(match frame.plane(index) {
        AnyPlane::U8(plane) => read(plane, area, max),
        AnyPlane::U16(plane) => read(plane, area, max),
    })
}

/// A sample of 8 or 16 bits.
trait Depth: Copy {
    fn get(self) -> f32;
    /// Rounds to the nearest.
    fn set(&mut self, value: f32);
}

impl Depth for u8 {
    fn get(self) -> f32 {
        f32::from(self)
    }
    fn set(&mut self, value: f32) {
        *self = (value + 0.5) as u8;
    }
}

impl Depth for u16 {
    fn get(self) -> f32 {
        f32::from(self)
    }
    fn set(&mut self, value: f32) {
        *self = (value + 0.5) as u16;
    }
}

/// The PQ signal of a light in cd/m² (SMPTE ST 2084).
fn pq_of(light: f32) -> f32 {
    let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 4096.0 * 128.0);
    let (c1, c2, c3) = (
        3424.0 / 4096.0,
        2413.0 / 4096.0 * 32.0,
        2392.0 / 4096.0 * 32.0,
    );
    let y = (light.max(0.0) / 10_000.0).powf(m1);
    ((c1 + c2 * y) / (1.0 + c3 * y)).powf(m2)
}

/// The HLG signal of a scene light of 0 to 1 (ITU-R BT.2100).
fn hlg_of(light: f32) -> f32 {
    let light = light.max(0.0);
    if light <= 1.0 / 12.0 {
        (3.0 * light).sqrt()
    } else {
        0.178_832_77 * (12.0 * light - 0.284_668_92).ln() + 0.559_910_7
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pace;
    use super::*;
    use frameloom_core::color::{ColorInfo, Matrix, Range};
    use frameloom_core::time::Rational;

    fn below(planes: Planes, bits: u8, alpha: bool, color: ColorInfo) -> PictureFormat {
        PictureFormat {
            width: 33,
            height: 21,
            pixels: PixelFormat {
                planes,
                bits,
                alpha,
            },
            color,
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            pace: Pace::STILL,
        }
    }

    fn bt709() -> ColorInfo {
        ColorInfo {
            matrix: Matrix::Bt709,
            range: Range::Limited,
            ..ColorInfo::default()
        }
    }

    fn fill(frame: &mut Frame, values: &[u16]) {
        for (index, &value) in values.iter().enumerate() {
            match frame.plane_mut(index).unwrap() {
                AnyPlaneMut::U8(mut plane) => {
                    (0..plane.height).for_each(|y| plane.row_mut(y).fill(value as u8));
                }
                AnyPlaneMut::U16(mut plane) => {
                    (0..plane.height).for_each(|y| plane.row_mut(y).fill(value));
                }
            }
        }
    }

    fn sample(frame: &Frame, index: usize, x: usize, y: usize) -> u16 {
        match frame.plane(index) {
            AnyPlane::U8(plane) => u16::from(plane.row(y)[x]),
            AnyPlane::U16(plane) => plane.row(y)[x],
        }
    }

    /// A picture of one colour, R, G, B and alpha of 255.
    fn flat(width: u32, height: u32, [r, g, b, a]: [u16; 4]) -> Frame {
        let format = PixelFormat {
            planes: Planes::Gbr,
            bits: 8,
            alpha: true,
        };
        let mut frame = Frame::new(format, width, height).unwrap();
        fill(&mut frame, &[g, b, r, a]);
        frame
    }

    const LAYOUTS: [Planes; 5] = [
        Planes::Gray,
        Planes::Gbr,
        Planes::Yuv {
            shift_x: 0,
            shift_y: 0,
        },
        Planes::Yuv {
            shift_x: 1,
            shift_y: 0,
        },
        Planes::Yuv {
            shift_x: 1,
            shift_y: 1,
        },
    ];

    #[test]
    fn a_colour_over_a_colour_is_their_mixture_in_every_layout_and_depth() {
        for (planes, bits) in LAYOUTS
            .into_iter()
            .flat_map(|p| [8, 10, 16].map(|b| (p, b)))
        {
            let color = match planes {
                Planes::Yuv { .. } => bt709(),
                _ => ColorInfo::default(),
            };
            let format = below(planes, bits, false, color);
            let code =
                |rgb: [f32; 3]| exact_samples_of_rgb(format.pixels, &format.color, (33, 21), rgb);
            let (under, over) = (code([0.2, 0.4, 0.6]), code([1.0, 0.0, 0.4]));
            let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
            let rounded: Vec<u16> = under.iter().map(|v| (v + 0.5) as u16).collect();
            fill(&mut frame, &rounded);
            let mut maker = LayerMaker::new(format.clone(), 0.5);
            let picture = flat(9, 7, [255, 0, 102, 204]);
            maker
                .make(&picture, Alpha::Straight, (9, 7))
                .unwrap()
                .lay_over(&mut frame, (30, -3))
                .unwrap();
            let alpha = 0.5 * 0.8;
            for index in 0..under.len() {
                let found = f32::from(sample(&frame, index, sample_column(planes, index), 1));
                let wanted = under[index] * (1.0 - alpha) + over[index] * alpha;
                // swscale is off by one where it widens 8 bits.
                let step = f32::from(format.pixels.max_value()) / 255.0;
                assert!(
                    (found - wanted).abs() <= 1.0_f32.max(step * 0.6),
                    "{}: plane {index}: {found}, not {wanted}",
                    format.pixels
                );
                assert_eq!(sample(&frame, index, 0, 0), rounded[index], "outside");
                assert_eq!(sample(&frame, index, 1, 7), rounded[index], "outside");
            }
        }
    }

    /// A column that is covered whole: pixel 32 of luma is the last.
    fn sample_column(planes: Planes, index: usize) -> usize {
        match planes {
            Planes::Yuv { shift_x: 1, .. } if index > 0 => 15,
            _ => 31,
        }
    }

    #[test]
    fn a_sample_of_colour_that_is_covered_in_part_changes_in_part() {
        let format = below(LAYOUTS[4], 8, false, bt709());
        let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
        fill(&mut frame, &[100, 128, 128]);
        // One column of red at an odd place.
        LayerMaker::new(format.clone(), 1.0)
            .make(&flat(1, 21, [255, 0, 0, 255]), Alpha::Straight, (1, 21))
            .unwrap()
            .lay_over(&mut frame, (5, 0))
            .unwrap();
        let red = exact_samples_of_rgb(format.pixels, &format.color, (33, 21), [1.0, 0.0, 0.0]);
        let found = f32::from(sample(&frame, 2, 2, 4));
        assert!((found - (128.0 + red[2]) / 2.0).abs() <= 1.0, "{found}");
        assert_eq!(sample(&frame, 2, 1, 4), 128);
        assert_eq!(sample(&frame, 2, 3, 4), 128);
        assert_eq!(sample(&frame, 0, 4, 4), 100);
    }

    #[test]
    fn an_odd_corner_is_exact_where_every_pixel_has_a_colour() {
        let planes = Planes::Yuv {
            shift_x: 0,
            shift_y: 0,
        };
        let format = below(planes, 8, false, bt709());
        let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
        fill(&mut frame, &[100, 90, 160]);
        LayerMaker::new(format.clone(), 1.0)
            .make(&flat(5, 3, [255, 0, 0, 255]), Alpha::Straight, (5, 3))
            .unwrap()
            .lay_over(&mut frame, (7, 9))
            .unwrap();
        let red = exact_samples_of_rgb(format.pixels, &format.color, (33, 21), [1.0, 0.0, 0.0]);
        for (index, ground) in [100, 90, 160].into_iter().enumerate() {
            for y in 0..21 {
                for x in 0..33 {
                    let found = sample(&frame, index, x, y);
                    if (7..12).contains(&x) && (9..12).contains(&y) {
                        assert!(
                            (f32::from(found) - red[index]).abs() <= 1.0,
                            "{index} {x} {y}"
                        );
                    } else {
                        assert_eq!(found, ground, "{index} {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn over_a_transparent_picture_stays_what_is_laid_there() {
        let format = below(LAYOUTS[4], 8, true, bt709());
        let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
        fill(&mut frame, &[16, 128, 128, 0]);
        LayerMaker::new(format.clone(), 1.0)
            .make(&flat(8, 8, [255, 255, 255, 128]), Alpha::Straight, (8, 8))
            .unwrap()
            .lay_over(&mut frame, (3, 3))
            .unwrap();
        // Half transparent white, not half grey.
        assert!(sample(&frame, 0, 5, 5).abs_diff(235) <= 1);
        assert!(sample(&frame, 3, 5, 5).abs_diff(128) <= 1);
        assert_eq!(sample(&frame, 3, 2, 2), 0);
    }

    #[test]
    fn white_text_on_hdr_is_as_bright_as_graphics_are() {
        for (transfer, wanted) in [("smpte2084", 0.5807), ("arib-std-b67", 0.75)] {
            let color = ColorInfo {
                transfer: Some(transfer.to_owned()),
                matrix: Matrix::Bt2020,
                range: Range::Limited,
                ..ColorInfo::default()
            };
            let format = below(LAYOUTS[4], 10, false, color);
            let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
            fill(&mut frame, &[64, 512, 512]);
            LayerMaker::new(format, 1.0)
                .make(&flat(8, 8, [255, 255, 255, 255]), Alpha::Straight, (8, 8))
                .unwrap()
                .lay_over(&mut frame, (4, 4))
                .unwrap();
            let signal = (f32::from(sample(&frame, 0, 6, 6)) - 64.0) / 876.0;
            assert!((signal - wanted).abs() < 0.003, "{transfer}: {signal}");
            assert!(sample(&frame, 1, 3, 3).abs_diff(512) <= 1);
        }
    }

    #[test]
    fn the_colour_of_transparent_pixels_does_not_bleed_into_edges() {
        let format = below(Planes::Gbr, 8, false, ColorInfo::default());
        let mut frame = Frame::new(format.pixels, 33, 21).unwrap();
        fill(&mut frame, &[0, 0, 0]);
        // Red on the left; what is transparent on the right is green.
        let mut picture = flat(40, 20, [255, 0, 0, 255]);
        for index in [0, 2, 3] {
            if let AnyPlaneMut::U8(mut plane) = picture.plane_mut(index).unwrap() {
                for y in 0..20 {
                    plane.row_mut(y)[20..].fill(if index == 0 { 255 } else { 0 });
                }
            }
        }
        LayerMaker::new(format, 1.0)
            .make(&picture, Alpha::Straight, (21, 11))
            .unwrap()
            .lay_over(&mut frame, (0, 0))
            .unwrap();
        let green = (0..21).map(|x| sample(&frame, 0, x, 5)).max().unwrap();
        assert!(green <= 2, "{green}");
    }
}
