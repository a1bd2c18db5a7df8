//! Does the result show what the source shows?
//!
//! Every processed frame is compared with its source in small: a thumbnail of cell means is cheap
//! (the samples are read once), does not care for restored texture, and sees what goes wrong in
//! practice: black or flat frames, colour and range shifts, swapped channels, frames that froze,
//! moved in time or moved in the picture. What cannot be told from a scene that really is so
//! (black, still) is never called a fault: the source is always asked first.
//!
//! Frame counts and times are checked where parts are finished and joined.

mod adder;
#[cfg(test)]
pub(crate) mod faults;
mod geometry;
mod grid;
mod seam;
mod thumbnail;
mod watch;

use crate::execute::inspect::look;
use crate::nodes::PictureFormat;
use crate::rgb::is_full_range;
pub use frameloom_core::receipt::PictureCheck;
use frameloom_media::{Frame, FrameTimes};
use frameloom_still::RowsRef;
pub(crate) use geometry::{Geometry, Passed};
use grid::Grid;
pub use grid::Rect;
pub use seam::Seams;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use thumbnail::{RowThumbnail, Thumbnail};
use watch::is_rgb;
pub(crate) use watch::{Before, Watcher};

/// Limits. What real clips come to was measured over the whole test material with cubic doubling
/// and, where they are small, both bundled models; the faults of the tests are above each limit.
mod limit {
    /// Mean shift of a plane of a frame: real ones stay under 0.001; limited range taken for full
    /// shifts nearly every picture by 0.02 and more.
    pub const PLANE_SHIFT: f32 = 0.008;
    /// Mean absolute difference of the cells of a plane: real ones stay under 0.003.
    pub const PLANE_DIFFERENCE: f32 = 0.02;
    /// Mean change of the source from frame to frame that counts as motion.
    pub const MOTION: f32 = 0.0002;
    /// By how much, as a part of a result's distance to its own source, the neighbour must fit
    /// better to count as the frame that is shown. A right result is nearer to its neighbour only
    /// by noise.
    pub const TIME_ADVANTAGE: f32 = 0.5;
    /// The least such gain: below it, nothing moves.
    pub const LEAST_GAIN: f32 = 0.0001;
    /// So many frames, and a third of those that move, must say so.
    pub const TIME_VOTES: u32 = 3;
    /// Mean difference of the cells of a picture whose tones were changed on purpose, in units of
    /// their spread: of two pictures that have nothing in common it is 1.1.
    pub const STRUCTURE_DIFFERENCE: f32 = 0.7;
    /// Mean step at a line where tiles meet, over a segment, beyond that of the source. Tiles that
    /// differ by two steps of 8 bit make 0.008; real ones stay under 0.002.
    pub const SEAM: f32 = 0.006;
    /// Displacement of the picture, averaged over a segment, in pixels of the source or of a result
    /// that is smaller.
    pub const SHIFT_PIXELS: f32 = 0.75;
}

/// A displacement is told by so many cells with neighbours all around: fewer tell of their texture.
const LEAST_CELLS: usize = 12;

/// SHA-256 over the presentation times in microseconds, each as eight bytes, little-endian.
pub fn times_sha256(times: &FrameTimes) -> String {
    let mut hash = Sha256::new();
    for micros in times.micros() {
        hash.update(micros.to_le_bytes());
    }
    crate::plan::hex(&hash.finalize())
}

/// SHA-256 of a whole file. `alive` is called now and then.
///
/// # Errors
/// The file cannot be read.
pub fn file_sha256(path: &Path, alive: &dyn Fn()) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((size, crate::plan::hex(&hash.finalize())));
        }
        hash.update(&block[..read]);
        size += read as u64;
        alive();
    }
}

/// Source and result of a frame, in small.
struct Pair {
    source: Thumbnail,
    result: Thumbnail,
}

/// The frame before the one in hand.
enum Last {
    Seen(Pair),
    /// It left as it had come, and is looked at only if the next one did not.
    Untouched(Frame),
}

/// Sums over a segment.
#[derive(Default)]
struct Sums {
    /// Frames whose source moved.
    moving: u32,
    /// Those whose result shows the source before, and those whose source is shown by the result
    /// before.
    late: u32,
    early: u32,
    /// Normal equations of the displacement, after Lucas and Kanade (1981): gradients of the
    /// source against the difference.
    xx: f64,
    xy: f64,
    yy: f64,
    xd: f64,
    yd: f64,
    /// Frames whose seams were looked at, and the steps at each.
    seamed: u32,
    steps: Vec<f32>,
}

/// What is compared, and how.
#[derive(Debug)]
struct Plan {
    grid: Arc<Grid>,
    /// Something lies over parts of the picture: what fits best is compared, a half of it.
    covered: bool,
    /// Brightness and colours were changed on purpose: structure is compared.
    restyled: bool,
    /// They were changed so much that nothing is compared.
    recolored: bool,
    /// Samples mean something else: colours are compared.
    recoded: bool,
    /// Lines where tiles meet, in the source, and how many times larger the result is.
    seams: Option<(Seams, usize)>,
}

/// Compares results with their sources, frame by frame, in order.
pub(crate) struct Verifier {
    plan: Option<Arc<Plan>>,
    /// No node stands between source and result.
    is_empty: bool,
    last: Option<Last>,
    sums: Sums,
    found: PictureCheck,
}

impl Verifier {
    /// For frames of `input` that go through the nodes `passed`.
    pub(crate) fn new(input: &PictureFormat, passed: &[Passed]) -> Self {
        let plan = Geometry::follow(input, passed).and_then(|geometry| {
            Some(Plan {
                grid: Arc::new(Grid::new(&geometry)?),
                covered: geometry.covered,
                restyled: geometry.restyled,
                recolored: geometry.recolored,
                recoded: geometry.recoded,
                seams: geometry.seams,
            })
        });
        Self {
            plan: plan.map(Arc::new),
            is_empty: passed.is_empty(),
            last: None,
            sums: Sums::default(),
            found: PictureCheck::default(),
        }
    }

    /// The eye for the sources.
    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::new(self.plan.clone(), self.is_empty)
    }

    /// What was found since the last end of a segment.
    pub(crate) fn found(&self) -> PictureCheck {
        self.found
    }

    /// Compares a result with its source.
    ///
    /// # Errors
    /// What is wrong with the picture, in words that follow "frame 12 ".
    pub(crate) fn after(&mut self, before: Before, result: &Frame) -> Result<(), String> {
        let before = match before {
            Before::Seen(seen) => seen,
            Before::Kept(source) if source.is_same_picture(result) => {
                self.found.compared += 1;
                self.last = Some(Last::Untouched(source));
                return Ok(());
            }
            Before::Kept(source) => watch::see(self.plan.as_deref(), &source),
        };
        if self.plan.as_ref().is_some_and(|plan| plan.recolored) {
            self.found.looked_at += 1;
            return Ok(());
        }
        if before.look.was_lost_in(&look(result)) {
            return Err("came out blank although its source is not".into());
        }
        let (Some(plan), Some(source)) = (self.plan.clone(), before.thumbnail) else {
            self.found.looked_at += 1;
            return Ok(());
        };
        let mut result_small = Thumbnail::of_result(result, &plan.grid);
        if plan.recoded {
            result_small = result_small.into_rgb(result);
        }
        let comparable = if plan.recoded || before.is_rgb == is_rgb(result) {
            source.planes.len().min(result_small.planes.len())
        } else {
            0
        };
        let (source, result_small) = if plan.restyled {
            let (Some(source), Some(result)) = (source.toneless(), result_small.toneless()) else {
                self.found.looked_at += 1;
                return Ok(());
            };
            let (_, difference) = compare(&source.planes[0], &result.planes[0], plan.covered);
            if difference > limit::STRUCTURE_DIFFERENCE {
                return Err("does not show what its source shows".into());
            }
            (source, result)
        } else {
            if comparable == 0 {
                self.found.looked_at += 1;
                return Ok(());
            }
            // Tags that are missing mean the usual.
            if !plan.recoded && before.is_full != is_full_range(result.format(), &result.color()) {
                return Err("is tagged with another range of samples than its source".into());
            }
            result_small.planes.truncate(comparable);
            self.compare_planes(&source, &result_small, &plan)?;
            (source, result_small)
        };
        self.found.compared += 1;
        if let (Some(sides), Some((seams, scale))) = (before.sides, &plan.seams)
            && !plan.recoded
            && !plan.restyled
        {
            self.sums.seamed += 1;
            let steps = seam::steps(&sides, &seams.sides(result, *scale));
            self.sums.steps.resize(steps.len(), 0.0);
            for (sum, step) in self.sums.steps.iter_mut().zip(steps) {
                *sum += step;
            }
        }
        if !plan.covered {
            self.sums
                .add_displacement(&plan.grid, &source, &result_small);
        }
        let last = match self.last.take() {
            Some(Last::Untouched(frame)) => Some(Pair {
                source: Thumbnail::of_source(&frame, &plan.grid),
                result: Thumbnail::of_result(&frame, &plan.grid),
            }),
            Some(Last::Seen(last)) => Some(last),
            None => None,
        };
        if let Some(last) = last {
            let moved = source.distance(&last.source);
            // In units of the spread, everything is larger.
            let unit = if plan.restyled { 4.0 } else { 1.0 };
            if moved > limit::MOTION * unit && result_small == last.result {
                return Err("repeats the frame before it although its source moves on".into());
            }
            if moved > limit::MOTION * unit && !plan.covered {
                let own = result_small.distance(&source);
                let is_nearer = |other: f32| {
                    let gained = own - other;
                    gained > limit::LEAST_GAIN * unit && gained > limit::TIME_ADVANTAGE * own
                };
                self.sums.moving += 1;
                self.sums.late += u32::from(is_nearer(result_small.distance(&last.source)));
                self.sums.early += u32::from(is_nearer(last.result.distance(&source)));
            }
        }
        self.last = Some(Last::Seen(Pair {
            source,
            result: result_small,
        }));
        Ok(())
    }

    fn compare_planes(
        &mut self,
        source: &Thumbnail,
        result: &Thumbnail,
        plan: &Plan,
    ) -> Result<(), String> {
        let names = if plan.recoded {
            ["colour"; 3]
        } else {
            ["brightness", "colour", "colour"]
        };
        // Of Cb and Cr, red and blue have nearly twice.
        let more = if plan.recoded { 2.0 } else { 1.0 };
        for (name, (a, b)) in names
            .into_iter()
            .zip(source.planes.iter().zip(&result.planes))
        {
            let (shift, difference) = compare(a, b, plan.covered);
            self.found.worst_shift = self.found.worst_shift.max(shift);
            self.found.worst_difference = self.found.worst_difference.max(difference);
            if shift > limit::PLANE_SHIFT * more {
                return Err(format!(
                    "has another {name} than its source, by {:.1} % of full scale on average",
                    shift * 100.0
                ));
            }
            if difference > limit::PLANE_DIFFERENCE * more {
                return Err(format!(
                    "does not show what its source shows: its {name} differs by {:.1} % of full scale",
                    difference * 100.0
                ));
            }
        }
        Ok(())
    }

    /// Judges what shows only over many frames and says what the whole segment came to.
    ///
    /// # Errors
    /// What is wrong, in words that follow "its pictures ".
    pub(crate) fn end_segment(&mut self) -> Result<PictureCheck, String> {
        let sums = std::mem::take(&mut self.sums);
        for (votes, name) in [(sums.late, "late"), (sums.early, "early")] {
            if votes >= limit::TIME_VOTES && votes * 3 > sums.moving {
                return Err(format!("come a frame too {name}"));
            }
        }
        if let (Some(plan), Some((x, y))) = (&self.plan, sums.displacement()) {
            let cell = plan.grid.cell_pixels();
            let length = (x * cell.0).hypot(y * cell.1);
            self.found.worst_displacement_pixels = self.found.worst_displacement_pixels.max(length);
            if length > limit::SHIFT_PIXELS {
                return Err(format!("are displaced by about {length:.1} pixels"));
            }
        }
        for sum in &sums.steps {
            let step = sum / sums.seamed.max(1) as f32;
            self.found.worst_seam = self.found.worst_seam.max(step);
            if step > limit::SEAM {
                return Err(format!(
                    "show where the tiles of the model meet, by {:.1} % of full scale",
                    step * 100.0
                ));
            }
        }
        Ok(std::mem::take(&mut self.found))
    }
}

/// Compares a still picture with its source; both come in rows.
pub(crate) struct StillVerifier {
    verifier: Verifier,
    source: Option<Thumbnail>,
    result: Option<RowThumbnail>,
}

impl StillVerifier {
    /// For a picture of `input` that goes through the nodes `passed`; its rows are `source`. Both,
    /// and the rows of the `result`, say how many samples a pixel has and how many are not alpha.
    pub(crate) fn new(
        input: &PictureFormat,
        passed: &[Passed],
        (source, (channels, colors)): (RowsRef<'_>, (usize, usize)),
        result: (usize, usize),
    ) -> Self {
        let verifier = Verifier::new(input, passed);
        let grid = verifier.plan.as_ref().map(|plan| plan.grid.clone());
        let small = grid.as_ref().and_then(|grid| {
            let mut small = RowThumbnail::new(grid, false, channels, colors);
            small.push(source);
            small.finish()
        });
        Self {
            verifier,
            source: small,
            result: grid.map(|grid| RowThumbnail::new(&grid, true, result.0, result.1)),
        }
    }

    /// Takes rows of the result, from top to bottom.
    pub(crate) fn push(&mut self, rows: RowsRef<'_>) {
        if let Some(result) = &mut self.result {
            result.push(rows);
        }
    }

    /// What was found.
    ///
    /// # Errors
    /// What is wrong with the picture, in words that follow "the picture ".
    pub(crate) fn finish(mut self) -> Result<PictureCheck, String> {
        let mut check = PictureCheck {
            looked_at: 1,
            ..PictureCheck::default()
        };
        let (Some(plan), Some(mut source), Some(result)) =
            (self.verifier.plan.clone(), self.source, self.result)
        else {
            return Ok(check);
        };
        let Some(mut result) = result.finish() else {
            return Err("came out with rows missing".to_owned());
        };
        if plan.recolored {
            return Ok(check);
        }
        if plan.restyled {
            let (Some(a), Some(b)) = (source.toneless(), result.toneless()) else {
                return Ok(check);
            };
            if compare(&a.planes[0], &b.planes[0], plan.covered).1 > limit::STRUCTURE_DIFFERENCE {
                return Err("does not show what its source shows".to_owned());
            }
            (source, result) = (a, b);
        } else {
            // These are R, G and B, or grey.
            self.verifier.compare_planes(&source, &result, &plan)?;
            check = self.verifier.found;
        }
        (check.compared, check.looked_at) = (1, 0);
        if !plan.covered {
            let mut sums = Sums::default();
            sums.add_displacement(&plan.grid, &source, &result);
            if let Some((x, y)) = sums.displacement() {
                let cell = plan.grid.cell_pixels();
                let length = (x * cell.0).hypot(y * cell.1);
                check.worst_displacement_pixels = length;
                // One picture has less to say than a segment of a clip.
                if length > limit::SHIFT_PIXELS * 2.0 {
                    return Err(format!("is displaced by about {length:.1} pixels"));
                }
            }
        }
        Ok(check)
    }
}

impl Sums {
    fn add_displacement(&mut self, grid: &Grid, source: &Thumbnail, result: &Thumbnail) {
        let (columns, rows) = (grid.columns, grid.rows);
        if columns.saturating_sub(2) * rows.saturating_sub(2) < LEAST_CELLS {
            return;
        }
        let (s, r) = (&source.planes[0], &result.planes[0]);
        for y in 1..rows.saturating_sub(1) {
            for x in 1..columns.saturating_sub(1) {
                let at = y * columns + x;
                let gx = f64::from(s[at + 1] - s[at - 1]) / 2.0;
                let gy = f64::from(s[at + columns] - s[at - columns]) / 2.0;
                let d = f64::from(s[at] - r[at]);
                self.xx += gx * gx;
                self.xy += gx * gy;
                self.yy += gy * gy;
                self.xd += gx * d;
                self.yd += gy * d;
            }
        }
    }

    /// In cells; `None` where the pictures have too little structure to tell.
    fn displacement(&self) -> Option<(f32, f32)> {
        let determinant = self.xx * self.yy - self.xy * self.xy;
        let trace = self.xx + self.yy;
        // Structure in both directions, and more of it than rounding makes.
        if trace < 1e-2 || determinant < 0.01 * trace * trace {
            return None;
        }
        let x = (self.yy * self.xd - self.xy * self.yd) / determinant;
        let y = (self.xx * self.yd - self.xy * self.xd) / determinant;
        Some((x as f32, y as f32))
    }
}

/// Shift of the mean, and mean absolute difference; where something lies over the picture, of the
/// half of the cells that fit best.
fn compare(a: &[f32], b: &[f32], covered: bool) -> (f32, f32) {
    let mut changes: Vec<f32> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    if covered {
        changes.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        changes.truncate(changes.len().div_ceil(2));
    }
    let count = changes.len().max(1) as f32;
    let shift = changes.iter().sum::<f32>() / count;
    let difference = changes.iter().map(|change| change.abs()).sum::<f32>() / count;
    (shift.abs(), difference)
}
