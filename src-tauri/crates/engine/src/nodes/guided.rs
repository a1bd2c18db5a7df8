//! Edges of a matte brought to those of the picture: the guided filter (He, Sun and Tang, "Guided
//! Image Filtering", 2010) in its fast form on a grid (He and Sun, 2015).
//!
//! Around every place the matte is taken for a linear function of the picture's luma,
//! `a * luma + b`. The coefficients are found and averaged on the grid; the luma is that of every
//! single pixel, so that the edge comes out as sharp as the picture has it.

use super::grid::{Grid, Lens};

/// The coefficients for every cell of a grid.
#[derive(Debug, Default)]
pub(super) struct Guided {
    a: Grid,
    b: Grid,
    squares: Grid,
    products: Grid,
    luma: Grid,
    matte: Grid,
    scratch: Vec<f32>,
}

impl Guided {
    /// Finds the coefficients. `luma` and `matte` are of one size, from 0 to 1; `radius` is that of
    /// the window in cells, and an edge counts whose luma varies by more than the root of
    /// `epsilon`.
    pub(super) fn fit(&mut self, luma: &Grid, matte: &Grid, radius: usize, epsilon: f32) {
        for grid in [&mut self.squares, &mut self.products] {
            grid.resize(luma.size());
        }
        self.luma.clone_from(luma);
        self.matte.clone_from(matte);
        for (square, v) in self.squares.values.iter_mut().zip(&luma.values) {
            *square = v * v;
        }
        let pairs = luma.values.iter().zip(&matte.values);
        for (product, (v, m)) in self.products.values.iter_mut().zip(pairs) {
            *product = v * m;
        }
        for grid in [
            &mut self.luma,
            &mut self.matte,
            &mut self.squares,
            &mut self.products,
        ] {
            grid.blur(radius, &mut self.scratch);
        }
        self.a.resize(luma.size());
        self.b.resize(luma.size());
        let means = self.luma.values.iter().zip(&self.matte.values);
        let moments = self.squares.values.iter().zip(&self.products.values);
        let coefficients = self.a.values.iter_mut().zip(&mut self.b.values);
        for (((luma, matte), (square, product)), (a, b)) in means.zip(moments).zip(coefficients) {
            let variance = (square - luma * luma).max(0.0);
            *a = (product - luma * matte) / (variance + epsilon);
            *b = matte - *a * luma;
        }
        self.a.blur(radius, &mut self.scratch);
        self.b.blur(radius, &mut self.scratch);
    }

    /// Row `y` of the matte of a plane that `lens` lies over: `luma` is that row of the picture, and
    /// becomes the matte, not clamped. `lines` is memory.
    pub(super) fn row(&self, lens: &Lens, y: usize, luma: &mut [f32], lines: &mut [Vec<f32>; 2]) {
        let [a, b] = lines;
        lens.line(&self.a, y, a);
        lens.line(&self.b, y, b);
        for (x, v) in luma.iter_mut().enumerate() {
            *v = lens.at(a, x) * *v + lens.at(b, x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_edge_comes_to_where_the_picture_has_it() {
        // Dark on the left of column 21, bright on its right; the matte is off by three columns and
        // soft.
        let (width, height) = (48, 24);
        let cells = |value: &dyn Fn(usize) -> f32| Grid {
            width,
            height,
            values: (0..width * height).map(|i| value(i % width)).collect(),
        };
        let luma = cells(&|x| if x < 21 { 0.2 } else { 0.7 });
        let matte = cells(&|x| ((x as f32 - 14.0) / 20.0).clamp(0.0, 1.0));
        let mut guided = Guided::default();
        guided.fit(&luma, &matte, 6, 1e-4);
        let lens = Lens::new(luma.size(), (width, height));
        let mut row = luma.values[..width].to_vec();
        guided.row(&lens, 12, &mut row, &mut Default::default());
        assert!(row[20] < 0.4 && row[21] > 0.4, "{row:?}");
        let step = row[21] - row[20];
        let before = matte.values[21] - matte.values[20];
        assert!(step > 4.0 * before, "{step} after {before}");
        // Without an edge in the picture the matte is only smoothed.
        let flat = cells(&|_| 0.5);
        guided.fit(&flat, &matte, 2, 1e-4);
        let mut row = flat.values[..width].to_vec();
        guided.row(&lens, 12, &mut row, &mut Default::default());
        assert!((row[24] - matte.values[24]).abs() < 0.05, "{row:?}");
    }
}
