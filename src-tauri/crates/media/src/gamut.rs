//! From the primaries of wide video to those of sRGB, for results that mean sRGB and cannot say
//! anything else. The light is the same as far as sRGB goes; what lies outside of it becomes the
//! nearest value of each channel.
//!
//! The curves of ordinary video are made for a display that shows them as one for sRGB does, and so
//! they are taken for that curve, as where a PNG tells its colours.

use crate::error::MediaError;
use crate::frame::Frame;
use frameloom_core::color::ColorInfo;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;

type Matrix3 = [[f64; 3]; 3];

/// Coordinates of red, green, blue and white (ITU-T H.273, table 2).
struct Primaries {
    colors: [(f64, f64); 3],
    white: (f64, f64),
}

const D65: (f64, f64) = (0.3127, 0.3290);

const SRGB: Primaries = Primaries {
    colors: [(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)],
    white: D65,
};

fn primaries(name: &str) -> Option<Primaries> {
    let p3 = [(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)];
    let (colors, white) = match name {
        "bt2020" => ([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)], D65),
        "smpte432" => (p3, D65),
        "smpte431" => (p3, (0.314, 0.351)),
        "film" => (
            [(0.681, 0.319), (0.243, 0.692), (0.145, 0.049)],
            (0.310, 0.316),
        ),
        _ => return None,
    };
    Some(Primaries { colors, white })
}

/// The primaries of pictures that are not nearly sRGB's: those of standard definition differ from
/// them by less than eyes see.
pub(crate) fn wide_primaries(color: &ColorInfo) -> Option<&str> {
    color.primaries.as_deref().filter(|name| {
        !matches!(
            *name,
            "bt709" | "bt470bg" | "smpte170m" | "smpte240m" | "bt470m" | "ebu3213"
        )
    })
}

/// What becomes of colours that are not those of sRGB in a result that means sRGB, which is called
/// `name`, in plain words; `None` where nothing does.
pub fn lost_in_srgb(color: &ColorInfo, name: &str) -> Option<Said> {
    let wide = wide_primaries(color)?;
    Some(match primaries(wide) {
        Some(_) => said!(
            "lost.colours",
            "colours outside of sRGB, which is what {name} means: what is within is converted from {wide} and looks the same",
            name = name,
            wide = wide.to_string()
        ),
        None => said!(
            "lost.colour_note",
            "the note that the colours are {wide}: {name} means sRGB, and they will look different",
            wide = wide.to_string(),
            name = name
        ),
    })
}

fn product(a: &Matrix3, b: &Matrix3) -> Matrix3 {
    let mut result = [[0.0; 3]; 3];
    for (row, a) in result.iter_mut().zip(a) {
        for (column, value) in row.iter_mut().enumerate() {
            *value = (0..3).map(|k| a[k] * b[k][column]).sum();
        }
    }
    result
}

fn applied(m: &Matrix3, v: [f64; 3]) -> [f64; 3] {
    m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

fn inverse(m: &Matrix3) -> Matrix3 {
    let minor = |r: usize, c: usize| {
        let (r1, r2) = ((r + 1) % 3, (r + 2) % 3);
        let (c1, c2) = ((c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let whole: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    let mut result = [[0.0; 3]; 3];
    for (r, row) in result.iter_mut().enumerate() {
        for (c, value) in row.iter_mut().enumerate() {
            *value = minor(c, r) / whole;
        }
    }
    result
}

/// X, Y and Z of coordinates at full light.
fn xyz((x, y): (f64, f64)) -> [f64; 3] {
    [x / y, 1.0, (1.0 - x - y) / y]
}

/// From linear red, green and blue to X, Y and Z.
fn to_xyz(primaries: &Primaries) -> Matrix3 {
    let [r, g, b] = primaries.colors.map(xyz);
    let columns: Matrix3 = [[r[0], g[0], b[0]], [r[1], g[1], b[1]], [r[2], g[2], b[2]]];
    let shares = applied(&inverse(&columns), xyz(primaries.white));
    columns.map(|row| [row[0] * shares[0], row[1] * shares[1], row[2] * shares[2]])
}

/// From X, Y and Z seen under one white to those under another (Bradford).
fn adapted(from: (f64, f64), to: (f64, f64)) -> Matrix3 {
    const CONES: Matrix3 = [
        [0.8951, 0.2664, -0.1614],
        [-0.7502, 1.7135, 0.0367],
        [0.0389, -0.0685, 1.0296],
    ];
    let (old, new) = (applied(&CONES, xyz(from)), applied(&CONES, xyz(to)));
    let mut scaled = CONES;
    for (cone, row) in scaled.iter_mut().enumerate() {
        *row = row.map(|value| value * new[cone] / old[cone]);
    }
    product(&inverse(&CONES), &scaled)
}

/// Steps of the tables of curves; in between lies a straight line.
const STEPS: usize = 4_096;

/// The curve of sRGB (IEC 61966-2-1) and its inverse, from 0 to 1.
fn linear(value: f32) -> f32 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn coded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// A way into sRGB.
pub(crate) struct Gamut {
    matrix: [[f32; 3]; 3],
    /// Light of every sample of 16 bits.
    light: Vec<f32>,
    /// Code of the square root of light, which is steep where light is little.
    code: Vec<f32>,
}

impl Gamut {
    /// `None` where the colours are near those of sRGB, or it is not known what they are.
    pub(crate) fn of(color: &ColorInfo) -> Option<Self> {
        let wide = primaries(color.primaries.as_deref()?)?;
        let there = product(&adapted(wide.white, D65), &to_xyz(&wide));
        let matrix = product(&inverse(&to_xyz(&SRGB)), &there);
        let is_light = color.transfer.as_deref() == Some("linear");
        let light = (0..=u16::MAX).map(|sample| {
            let value = f32::from(sample) / f32::from(u16::MAX);
            if is_light { value } else { linear(value) }
        });
        let code = (0..=STEPS + 1).map(|step| {
            let root = step as f32 / STEPS as f32;
            coded(root * root)
        });
        Some(Self {
            matrix: matrix.map(|row| row.map(|value| value as f32)),
            light: light.collect(),
            code: code.collect(),
        })
    }

    /// Converts planes of green, blue and red with 16 bits.
    ///
    /// # Errors
    /// Another layout, or no memory for samples of its own.
    pub(crate) fn convert(&self, frame: &mut Frame) -> Result<(), MediaError> {
        let format = frame.format();
        if format.planes != Planes::Gbr || format.bits != 16 {
            return Err(MediaError::UnsupportedPixelFormat {
                format: format.to_string(),
            });
        }
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        // Red, green, blue.
        const ORDER: [usize; 3] = [2, 0, 1];
        let mut rows = [vec![0u16; width], vec![0u16; width], vec![0u16; width]];
        for y in 0..height {
            for (row, plane) in rows.iter_mut().zip(ORDER) {
                if let AnyPlane::U16(plane) = frame.plane(plane) {
                    row.copy_from_slice(plane.row(y));
                }
            }
            let [red, green, blue] = &mut rows;
            for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
                let light = [*r, *g, *b].map(|sample| self.light[usize::from(sample)]);
                let out = self
                    .matrix
                    .map(|m| self.sample(m[0] * light[0] + m[1] * light[1] + m[2] * light[2]));
                [*r, *g, *b] = out;
            }
            for (row, plane) in rows.iter().zip(ORDER) {
                if let AnyPlaneMut::U16(mut plane) = frame.plane_mut(plane)? {
                    plane.row_mut(y).copy_from_slice(row);
                }
            }
        }
        Ok(())
    }

    fn sample(&self, light: f32) -> u16 {
        let place = light.clamp(0.0, 1.0).sqrt() * STEPS as f32;
        let step = place as usize;
        let (a, b) = (self.code[step], self.code[step + 1]);
        let value = a + (b - a) * (place - step as f32);
        (value.clamp(0.0, 1.0) * f32::from(u16::MAX) + 0.5) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gamut(name: &str) -> Gamut {
        Gamut::of(&ColorInfo {
            primaries: Some(name.to_owned()),
            ..ColorInfo::default()
        })
        .unwrap()
    }

    #[test]
    fn the_matrix_is_that_of_the_standard_and_white_stays_white() {
        // ITU-R BT.2407, the inverse of the matrix of BT.2087.
        let wanted = [
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ];
        for (row, wanted) in gamut("bt2020").matrix.iter().zip(wanted) {
            for (value, wanted) in row.iter().zip(wanted) {
                assert!((value - wanted).abs() < 2e-4, "{row:?}");
            }
        }
        for name in ["bt2020", "smpte432", "smpte431", "film"] {
            for row in gamut(name).matrix {
                let white: f32 = row.iter().sum();
                assert!((white - 1.0).abs() < 1e-4, "{name}: {white}");
            }
        }
    }

    #[test]
    fn the_curve_there_and_back_moves_no_grey() {
        let gamut = gamut("smpte432");
        for sample in (0..=u16::MAX).step_by(97) {
            let back = gamut.sample(gamut.light[usize::from(sample)]);
            assert!(back.abs_diff(sample) <= 2, "{sample} {back}");
        }
    }
}
