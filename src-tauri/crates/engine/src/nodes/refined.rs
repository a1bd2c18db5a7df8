//! Maps in the small size of a network brought to every pixel of a picture, their edges to those
//! of the picture.

use super::PictureFormat;
use super::grid::{Grid, Lens};
use super::guided::Guided;
use super::planes::{bands, chroma_means, luma_of};
use frameloom_core::pixel::Planes;
use frameloom_media::Frame;

/// Longest side of the grid that edges are found on.
const SIDE: usize = 640;

/// Refines maps for pictures of one format.
pub(super) struct Refiner {
    size: (usize, usize),
    /// Size of the planes of chroma and how they are subsampled, where they are.
    chroma_size: Option<((usize, usize), (u8, u8))>,
    threads: usize,
    /// Radius of the windows on the grid, in cells.
    radius: usize,
    /// Luma that varies less than by the root of this, of 1, is no edge.
    epsilon: f32,
    lens: Lens,
    guided: Guided,
    luma: Grid,
    coarse: Grid,
    /// The map of every pixel, and of every sample of chroma where those are fewer.
    pub values: Vec<f32>,
    chroma: Vec<f32>,
}

impl Refiner {
    /// For pictures of `format`.
    pub(super) fn new(
        format: &PictureFormat,
        threads: usize,
        (radius, epsilon): (usize, f32),
    ) -> Self {
        let size = (format.width as usize, format.height as usize);
        let small = within(size, SIDE);
        let mut this = Self {
            size,
            chroma_size: chroma_size(format),
            threads: threads.max(1),
            radius,
            epsilon,
            lens: Lens::new(small, size),
            guided: Guided::default(),
            luma: Grid::default(),
            coarse: Grid::default(),
            values: vec![0.0; size.0 * size.1],
            chroma: Vec::new(),
        };
        this.luma.resize(small);
        this.coarse.resize(small);
        this
    }

    /// Finds `values` of a picture from a map of any size; `finish` makes of each refined value and
    /// the luma of its pixel, 0 to 1, what is kept.
    pub(super) fn refine(
        &mut self,
        frame: &Frame,
        map: &Grid,
        finish: impl Fn(f32, f32) -> f32 + Sync,
    ) {
        let (width, height) = self.size;
        let mut line = vec![0.0; width];
        self.luma.shrink_by(self.size, 1.0, |y, out| {
            luma_of(frame, y, out, &mut line);
        });
        map.resampled(&mut self.coarse);
        self.guided
            .fit(&self.luma, &self.coarse, self.radius, self.epsilon);
        let (guided, lens) = (&self.guided, &self.lens);
        bands(
            self.threads,
            height,
            &mut self.values,
            width,
            |rows, band| {
                let mut lines = [Vec::new(), Vec::new()];
                let (mut line, mut luma) = (vec![0.0; width], vec![0.0; width]);
                for (y, row) in rows.zip(band.chunks_exact_mut(width)) {
                    luma_of(frame, y, &mut luma, &mut line);
                    row.copy_from_slice(&luma);
                    guided.row(lens, y, row, &mut lines);
                    for (v, luma) in row.iter_mut().zip(&luma) {
                        *v = finish(*v, *luma);
                    }
                }
            },
        );
        if let Some((to, shifts)) = self.chroma_size {
            let chroma = &mut self.chroma;
            chroma_means(self.threads, &self.values, self.size, shifts, to, chroma);
        }
    }

    /// What was kept for the samples of a plane.
    pub(super) fn plane(&self, index: usize) -> &[f32] {
        match index {
            1 | 2 if self.chroma_size.is_some() => &self.chroma,
            _ => &self.values,
        }
    }
}

/// Size of the planes of chroma and how they are subsampled, where they are smaller than the luma.
fn chroma_size(format: &PictureFormat) -> Option<((usize, usize), (u8, u8))> {
    match format.pixels.planes {
        Planes::Yuv { shift_x, shift_y } if shift_x + shift_y > 0 => {
            let (wide, high) = format.pixels.plane_size(1, format.width, format.height);
            Some(((wide as usize, high as usize), (shift_x, shift_y)))
        }
        _ => None,
    }
}

/// A size of the same proportion whose longest side is at most `most`.
pub(super) fn within((width, height): (usize, usize), most: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest <= most {
        return (width.max(1), height.max(1));
    }
    let side = |side: usize| (side * most / longest).max(1);
    (side(width), side(height))
}
