//! What the samples of a picture mean, by their depth and range.

/// What the numbers of a picture mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    /// The sample that is black, and the one that is white.
    pub black_white: (f64, f64),
    /// The largest sample.
    pub max: f32,
}

impl Numbers {
    pub(super) const UNIT: Numbers = Numbers {
        black_white: (0.0, 1.0),
        max: 1.0,
    };

    pub(super) fn of_bits(bits: u8, full_range: bool) -> Self {
        let max = ((1u32 << bits) - 1) as f32;
        let black_white = if full_range {
            (0.0, f64::from(max))
        } else {
            let step = 2f64.powi(i32::from(bits) - 8);
            (16.0 * step, 235.0 * step)
        };
        Self { black_white, max }
    }
}
