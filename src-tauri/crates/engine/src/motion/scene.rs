//! Where one shot ends and the next begins: the only rule for it.
//!
//! A cut changes both which tones a picture has and where they are. A camera that is swung round
//! changes where they are, a lamp that is switched on changes the tones: neither alone is a cut.
//!
//! What looks at two pictures only asks [`is_cut`]. What can look at a clip to both sides
//! ([`super::shots`]) starts with the same [`Change`] and adds what the pictures around tell.

use super::gray::Gray;

/// Cells in which pictures are compared.
const COLUMNS: usize = 24;
const ROWS: usize = 14;
const TONES: usize = 32;
/// Part of the pixels that have other tones, and likeness of the cells (1: the same, 0: nothing in
/// common), beyond which pictures are of different shots: either both change clearly, or one of
/// them wholly and the other a little.
const RULES: [(f32, f32); 2] = [(0.3, 0.5), (0.12, 0.15)];
/// The same of details: two landscapes are alike as a whole, bright above and dark below, and have no
/// detail in common.
const DETAILS: (f32, f32) = (0.2, 0.3);
/// How far the likeness that is asked for moves from the most to the least sensitive.
const LIKENESS_RANGE: f32 = 0.6;
/// The sensitivity of the rule, 0 to 1.
pub(crate) const USUAL: f32 = 0.5;

/// What changed from one picture to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// Part of the pixels that have other tones, 0 to 1.
    pub tones: f32,
    /// Likeness of the places, -1 to 1.
    pub likeness: f32,
    /// Likeness of the details, -1 to 1.
    pub details: f32,
    /// How much brighter or darker places became on average, 0 to 1.
    pub distance: f32,
}

impl Change {
    /// Of pictures of one size.
    pub(crate) fn between(before: &Glance, after: &Glance) -> Self {
        let changed: f32 = before
            .tones
            .iter()
            .zip(&after.tones)
            .map(|(a, b)| (a - b).abs())
            .sum();
        let apart = before.cells.iter().zip(&after.cells);
        let apart: f32 = apart.map(|(a, b)| (a - b).abs()).sum();
        Self {
            tones: 0.5 * changed,
            likeness: likeness(&before.cells, &after.cells, SPREAD),
            details: likeness(&before.details, &after.details, FINE_SPREAD),
            distance: apart / (255.0 * before.cells.len().max(1) as f32),
        }
    }

    /// The sensitivity from which on the pictures are of different shots: 0 for what nobody would
    /// deny, beyond 1 for what is none at all.
    pub(crate) fn needs(self) -> f32 {
        self.needs_of_whole()
            .min(self.by(DETAILS, self.details))
            .max(0.0)
    }

    /// The same without a look at details, which any motion changes in time: for pictures that are
    /// not next to each other.
    pub(crate) fn needs_of_whole(self) -> f32 {
        let rules = RULES.map(|rule| self.by(rule, self.likeness));
        rules.into_iter().fold(f32::INFINITY, f32::min).max(0.0)
    }

    /// The sensitivity that a rule asks for.
    fn by(self, (tones, least): (f32, f32), likeness: f32) -> f32 {
        let by_tones = USUAL + 1.0 - self.tones / tones;
        by_tones.max(USUAL + (likeness - least) / LIKENESS_RANGE)
    }

    /// True if they are of different shots.
    pub(crate) fn is_cut(self) -> bool {
        self.needs() < USUAL
    }
}

/// True if `after` is of another shot than `before`.
pub(crate) fn is_cut(before: &Gray, after: &Gray) -> bool {
    (before.width, before.height) != (after.width, after.height)
        || Change::between(&Glance::of(before), &Glance::of(after)).is_cut()
}

/// What is compared of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Glance {
    /// Part of the pixels that have each tone.
    tones: [f32; TONES],
    /// Mean brightness of places, 0 to 255, row by row.
    pub cells: Vec<f32>,
    /// How much each of them differs from those around it.
    details: Vec<f32>,
}

impl Glance {
    pub(crate) fn of(gray: &Gray) -> Self {
        let mut tones = [0.0f32; TONES];
        let share = 1.0 / gray.values.len().max(1) as f32;
        for v in &gray.values {
            // Between two tones, a pixel counts for both: noise at a limit is no change.
            let at = (v * (TONES as f32 / 256.0) - 0.5).clamp(0.0, (TONES - 1) as f32);
            let (low, part) = (at as usize, at.fract());
            tones[low] += share * (1.0 - part);
            tones[(low + 1).min(TONES - 1)] += share * part;
        }
        let (columns, rows) = (COLUMNS.min(gray.width), ROWS.min(gray.height));
        let mut cells = vec![0.0f32; columns * rows];
        let mut counts = vec![0u32; columns * rows];
        for y in 0..gray.height {
            let row = y * rows / gray.height * columns;
            for (x, v) in gray.row(y).iter().enumerate() {
                let cell = row + x * columns / gray.width;
                cells[cell] += v;
                counts[cell] += 1;
            }
        }
        for (cell, count) in cells.iter_mut().zip(counts) {
            *cell /= count.max(1) as f32;
        }
        Self {
            tones,
            details: details_of(&cells, columns, rows),
            cells,
        }
    }
}

/// How much each cell differs from the mean of the nine around it; beyond the border is what is at it.
fn details_of(cells: &[f32], columns: usize, rows: usize) -> Vec<f32> {
    let near = |at: usize, count: usize| [at.saturating_sub(1), at, (at + 1).min(count - 1)];
    let mut details = Vec::with_capacity(cells.len());
    for y in 0..rows {
        for x in 0..columns {
            let mut sum = 0.0;
            for row in near(y, rows) {
                for column in near(x, columns) {
                    sum += cells[row * columns + column];
                }
            }
            details.push(cells[y * columns + x] - sum / 9.0);
        }
    }
    details
}

/// A spread of less than a step of 8 bit has no places; details are half as large.
const SPREAD: f32 = 1.0;
const FINE_SPREAD: f32 = 0.5;

/// Correlation of cells; pictures whose mean square is not beyond `spread` are flat, and alike.
fn likeness(a: &[f32], b: &[f32], spread: f32) -> f32 {
    let mean = |cells: &[f32]| cells.iter().sum::<f32>() / cells.len().max(1) as f32;
    let (ma, mb) = (mean(a), mean(b));
    let (mut both, mut aa, mut bb) = (0.0f32, 0.0f32, 0.0f32);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - ma, b - mb);
        both += a * b;
        aa += a * a;
        bb += b * b;
    }
    let flat = spread * a.len().max(1) as f32;
    match (aa > flat, bb > flat) {
        (true, true) => both / (aa * bb).sqrt(),
        (false, false) => 1.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(see: impl Fn(f32, f32) -> f32) -> Gray {
        let (width, height) = (192, 108);
        let cells = (0..height).flat_map(|y| (0..width).map(move |x| (x as f32, y as f32)));
        Gray {
            width,
            height,
            values: cells.map(|(x, y)| see(x, y).clamp(0.0, 255.0)).collect(),
        }
    }

    #[test]
    fn another_scene_is_a_cut_and_light_motion_and_noise_are_none() {
        let scene = |x: f32, y: f32| 120.0 + 60.0 * (x / 31.0).sin() + 40.0 * (y / 17.0).cos();
        let one = picture(scene);
        let moved = picture(|x, y| scene(x + 6.0, y - 3.0));
        let noisy =
            picture(|x, y| scene(x, y) + 6.0 * ((x * 12.9 + y * 78.2).sin() * 43.7).fract());
        let lit = picture(|x, y| 1.3 * scene(x, y) + 25.0);
        let other = picture(|x, y| 60.0 + 0.8 * y + 30.0 * ((x + y) / 9.0).sin());
        assert!(!is_cut(&one, &moved) && !is_cut(&one, &noisy) && !is_cut(&one, &lit));
        let change = Change::between(&Glance::of(&one), &Glance::of(&other));
        assert!(is_cut(&one, &other), "{change:?}");
        let black = picture(|_, _| 0.0);
        assert!(is_cut(&one, &black) && !is_cut(&black, &black));
    }

    #[test]
    fn what_changed_more_needs_less_sensitivity() {
        let change = |tones, likeness| Change {
            tones,
            likeness,
            details: 1.0,
            distance: 0.1,
        };
        // The limits of the rule are those of the usual sensitivity.
        assert!(change(0.31, 0.49).is_cut() && change(0.13, 0.14).is_cut());
        assert!(!change(0.29, 0.4).is_cut() && !change(0.9, 0.51).is_cut());
        assert!(!change(0.11, -0.5).is_cut());
        let needs: Vec<f32> = [(0.8, 0.0), (0.4, 0.4), (0.25, 0.5), (0.2, 0.7), (0.0, 1.0)]
            .map(|(tones, likeness)| change(tones, likeness).needs())
            .to_vec();
        assert!(needs.windows(2).all(|pair| pair[0] < pair[1]), "{needs:?}");
        assert!(needs[0] == 0.0 && needs[4] > 1.0, "{needs:?}");
        let other_details = Change {
            details: 0.1,
            ..change(0.25, 0.8)
        };
        assert!(other_details.is_cut() && !change(0.25, 0.8).is_cut());
    }
}
