//! Do the tiles of a picture meet without a line?

use frameloom_core::pixel::{AnyPlane, PlaneRef};
use frameloom_media::Frame;

/// Lines where tiles meet: the first column, and the first row, behind each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seams {
    /// Columns, in pixels.
    pub columns: Vec<usize>,
    /// Rows, in pixels.
    pub rows: Vec<usize>,
}

impl Seams {
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.rows.is_empty()
    }

    /// Mean of the first plane in front of and behind each stretch of each line, as parts of full
    /// scale. The lines count in pixels of the source; `frame` is `scale` times as large.
    pub(crate) fn sides(&self, frame: &Frame, scale: usize) -> Vec<Vec<[f32; 2]>> {
        let max = f32::from(frame.format().max_value());
        match frame.plane(0) {
            AnyPlane::U8(plane) => self.sides_of(&plane, scale, max),
            AnyPlane::U16(plane) => self.sides_of(&plane, scale, max),
        }
    }

    fn sides_of<T: Copy + Into<u32>>(
        &self,
        plane: &PlaneRef<'_, T>,
        scale: usize,
        max: f32,
    ) -> Vec<Vec<[f32; 2]>> {
        let columns = self.columns.iter().map(|&x| (x * scale, true));
        let rows = self.rows.iter().map(|&y| (y * scale, false));
        let (stretch, depth, gap) = (STRETCH * scale, DEPTH * scale, GAP * scale);
        columns
            .chain(rows)
            .map(|(line, across)| {
                let (length, along) = if across {
                    (plane.width, plane.height)
                } else {
                    (plane.height, plane.width)
                };
                if line < gap + depth || line + gap + depth > length {
                    return Vec::new();
                }
                (0..along / stretch)
                    .map(|i| {
                        let stretch = i * stretch..(i + 1) * stretch;
                        let mean = |from: usize| {
                            let (xs, ys) = if across {
                                (from..from + depth, stretch.clone())
                            } else {
                                (stretch.clone(), from..from + depth)
                            };
                            let count = (xs.len() * ys.len()) as f32;
                            let sum: u64 = ys
                                .flat_map(|y| &plane.row(y)[xs.clone()])
                                .map(|&sample| u64::from(sample.into()))
                                .sum();
                            sum as f32 / count / max
                        };
                        [mean(line - gap - depth), mean(line + gap)]
                    })
                    .collect()
            })
            .collect()
    }
}

/// Pixels of the source along a line that are looked at together.
const STRETCH: usize = 16;

/// Pixels of the source on each side of a line that are looked at.
const DEPTH: usize = 6;

/// Pixels of the source between the line and those: an edge that lies on the line is restored
/// there, and overshoots.
const GAP: usize = 3;

/// How much of the step at each line is not in the source: the mean over its stretches, as a part
/// of full scale. What the picture itself does there is in both.
pub(crate) fn steps(source: &[Vec<[f32; 2]>], result: &[Vec<[f32; 2]>]) -> Vec<f32> {
    let lines = source.iter().zip(result);
    lines
        .map(|(source, result)| {
            let change = |([a, b], [c, d]): (&[f32; 2], &[f32; 2])| ((d - c) - (b - a)).abs();
            let sum: f32 = source.iter().zip(result).map(change).sum();
            sum / source.len().max(1) as f32
        })
        .collect()
}
