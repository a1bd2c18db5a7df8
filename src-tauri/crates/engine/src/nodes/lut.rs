//! Lookup tables for colours: Adobe's `.cube` format (Cube LUT Specification 1.0).

use frameloom_core::said;
use frameloom_core::said::Said;
use std::io::Read;
use std::path::Path;

/// Larger files are refused: 129 steps a side are about 70 MB of text.
const MAX_BYTES: u64 = 128 << 20;
const MAX_CUBE: usize = 129;
const MAX_CURVE: usize = 65_536;

/// A table of colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lut {
    /// Steps along a side (cube), or in all (curves).
    size: usize,
    is_cube: bool,
    low: [f32; 3],
    span: [f32; 3],
    values: Vec<[f32; 3]>,
}

impl Lut {
    /// Reads a `.cube` file.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(super) fn read(path: &Path) -> Result<Self, Said> {
        let unreadable = |e: std::io::Error| {
            said!(
                "node.lut_unreadable",
                "the lookup table `{path}` cannot be read: {error}",
                path = path.display(),
                error = Said::from(e.to_string())
            )
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        let read = file
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        if read as u64 > MAX_BYTES {
            return Err(said!(
                "node.lut_too_large",
                "the lookup table `{path}` is too large",
                path = path.display()
            ));
        }
        Self::parse(&text).map_err(|reason| {
            said!(
                "node.lut",
                "the lookup table `{path}` {reason}",
                path = path.display(),
                reason = Said::from(reason)
            )
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut size = None;
        let (mut low, mut high) = ([0.0; 3], [1.0; 3]);
        let mut values = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            let wrong = |what: &str| format!("has {what} in line {}", number + 1);
            if line.is_empty() || line.starts_with('#') || line.starts_with("TITLE") {
                continue;
            }
            let mut words = line.split_ascii_whitespace();
            let keyword = line.split_ascii_whitespace().next().unwrap_or_default();
            match keyword {
                "LUT_3D_SIZE" | "LUT_1D_SIZE" => {
                    let is_cube = keyword == "LUT_3D_SIZE";
                    let limit = if is_cube { MAX_CUBE } else { MAX_CURVE };
                    let steps = words
                        .nth(1)
                        .and_then(|w| w.parse::<usize>().ok())
                        .filter(|steps| (2..=limit).contains(steps))
                        .ok_or_else(|| wrong(&format!("no size from 2 to {limit}")))?;
                    if size.replace((steps, is_cube)).is_some() {
                        return Err(wrong("a second size"));
                    }
                }
                "DOMAIN_MIN" => low = triple(words.skip(1)).ok_or_else(|| wrong("no numbers"))?,
                "DOMAIN_MAX" => high = triple(words.skip(1)).ok_or_else(|| wrong("no numbers"))?,
                // Resolve writes one range for all channels.
                "LUT_3D_INPUT_RANGE" | "LUT_1D_INPUT_RANGE" => {
                    let mut range = words.skip(1).map(|w| w.parse::<f32>().ok());
                    let (Some(Some(a)), Some(Some(b))) = (range.next(), range.next()) else {
                        return Err(wrong("no range"));
                    };
                    (low, high) = ([a; 3], [b; 3]);
                }
                _ => {
                    let Some((steps, is_cube)) = size else {
                        return Err(wrong("something that is no colour table"));
                    };
                    let limit = if is_cube {
                        steps * steps * steps
                    } else {
                        steps
                    };
                    if values.len() == limit {
                        return Err(wrong("more colours than it promises"));
                    }
                    values.push(triple(words).ok_or_else(|| wrong("no three numbers"))?);
                }
            }
        }
        let (size, is_cube) = size.ok_or("does not say its size (LUT_3D_SIZE)")?;
        let wanted = if is_cube { size * size * size } else { size };
        if values.len() != wanted {
            return Err(format!("has {} colours instead of {wanted}", values.len()));
        }
        let mut span = [0.0; 3];
        for (channel, span) in span.iter_mut().enumerate() {
            *span = high[channel] - low[channel];
            if !span.is_finite() || *span < 1e-6 {
                return Err("has an empty domain".to_owned());
            }
        }
        Ok(Self {
            size,
            is_cube,
            low,
            span,
            values,
        })
    }

    /// The colour for a colour. Outside of the table its edge goes on in parallel to the identity,
    /// so that what lies above white is not cut off.
    #[inline]
    pub(super) fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let last = (self.size - 1) as f32;
        let (mut cell, mut part, mut outside) = ([0usize; 3], [0f32; 3], [0f32; 3]);
        for channel in 0..3 {
            let at = (rgb[channel] - self.low[channel]) / self.span[channel];
            let inside = at.clamp(0.0, 1.0);
            outside[channel] = (at - inside) * self.span[channel];
            let place = inside * last;
            cell[channel] = (place as usize).min(self.size - 2);
            part[channel] = place - cell[channel] as f32;
        }
        let inside = if self.is_cube {
            self.tetrahedral(cell, part)
        } else {
            let mut out = [0.0; 3];
            for channel in 0..3 {
                let (a, b) = (self.values[cell[channel]], self.values[cell[channel] + 1]);
                out[channel] = a[channel] + (b[channel] - a[channel]) * part[channel];
            }
            out
        };
        [0, 1, 2].map(|channel| inside[channel] + outside[channel])
    }

    /// Between the four corners of the tetrahedron that the colour lies in: exact along the grey
    /// axis, where trilinear interpolation would tint.
    #[inline]
    fn tetrahedral(&self, [r, g, b]: [usize; 3], [x, y, z]: [f32; 3]) -> [f32; 3] {
        let n = self.size;
        // Red runs fastest.
        let corner =
            |dr: usize, dg: usize, db: usize| self.values[(r + dr) + n * ((g + dg) + n * (b + db))];
        let (first, second) = (corner(0, 0, 0), corner(1, 1, 1));
        let (c1, c2, w) = if x >= y {
            if y >= z {
                (corner(1, 0, 0), corner(1, 1, 0), [x, y, z])
            } else if x >= z {
                (corner(1, 0, 0), corner(1, 0, 1), [x, z, y])
            } else {
                (corner(0, 0, 1), corner(1, 0, 1), [z, x, y])
            }
        } else if z >= y {
            (corner(0, 0, 1), corner(0, 1, 1), [z, y, x])
        } else if z >= x {
            (corner(0, 1, 0), corner(0, 1, 1), [y, z, x])
        } else {
            (corner(0, 1, 0), corner(1, 1, 0), [y, x, z])
        };
        let weights = [1.0 - w[0], w[0] - w[1], w[1] - w[2], w[2]];
        [0, 1, 2].map(|i| {
            weights[0] * first[i] + weights[1] * c1[i] + weights[2] * c2[i] + weights[3] * second[i]
        })
    }
}

fn triple<'a>(words: impl Iterator<Item = &'a str>) -> Option<[f32; 3]> {
    let mut values = [0.0; 3];
    let mut count = 0;
    for word in words {
        let value: f32 = word.parse().ok().filter(|v: &f32| v.is_finite())?;
        *values.get_mut(count)? = value;
        count += 1;
    }
    (count == 3).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(size: usize) -> String {
        let mut text = format!("TITLE \"no change\"\n# comment\nLUT_3D_SIZE {size}\n");
        let step = |i: usize| i as f64 / (size - 1) as f64;
        for b in 0..size {
            for g in 0..size {
                for r in 0..size {
                    text.push_str(&format!("{:.6} {:.6} {:.6}\n", step(r), step(g), step(b)));
                }
            }
        }
        text
    }

    #[test]
    fn an_identity_table_changes_no_colour_inside_or_outside() {
        let lut = Lut::parse(&identity(17)).unwrap();
        for rgb in [
            [0.0, 0.5, 1.0],
            [0.31, 0.32, 0.33],
            [0.9, 0.1, 0.5],
            [0.2, 0.8, 0.4],
            [0.1, 0.5, 0.9],
            [0.5, 0.2, 0.7],
            [-0.1, 1.2, 0.5],
        ] {
            let out = lut.apply(rgb);
            for (a, b) in rgb.iter().zip(out) {
                assert!((a - b).abs() < 1e-5, "{rgb:?} became {out:?}");
            }
        }
    }

    #[test]
    fn red_runs_fastest_and_the_domain_counts() {
        let mut text = String::from("LUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\n");
        for i in 0..8 {
            text.push_str(&format!(
                "{} {} {}\n",
                i & 1,
                (i >> 1 & 1) * 10,
                (i >> 2) * 100
            ));
        }
        let lut = Lut::parse(&text).unwrap();
        assert_eq!(lut.apply([2.0, 0.0, 0.0]), [1.0, 0.0, 0.0]);
        assert_eq!(lut.apply([0.0, 2.0, 0.0]), [0.0, 10.0, 0.0]);
        assert_eq!(lut.apply([1.0, 1.0, 1.0]), [0.5, 5.0, 50.0]);
    }

    #[test]
    fn curves_work_by_channel() {
        let lut = Lut::parse("LUT_1D_SIZE 3\n0 0 1\n0.25 0.5 0.5\n1 1 0\n").unwrap();
        let out = lut.apply([0.5, 0.25, 0.75]);
        assert_eq!(out, [0.25, 0.25, 0.25]);
    }

    #[test]
    fn damaged_tables_are_refused_with_the_line() {
        for (text, part) in [
            ("", "size"),
            ("hello", "line 1"),
            ("LUT_3D_SIZE 2\n0 0\n", "line 2"),
            ("LUT_3D_SIZE 2\n0 0 0\n", "1 colours instead of 8"),
            ("LUT_3D_SIZE 9999\n", "2 to 129"),
            ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n2 2 2\n", "more colours"),
            (
                "LUT_1D_SIZE 2\nDOMAIN_MAX 0 1 1\n0 0 0\n1 1 1\n",
                "empty domain",
            ),
            ("LUT_1D_SIZE 2\n0 0 NaN\n1 1 1\n", "line 2"),
        ] {
            let error = Lut::parse(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
