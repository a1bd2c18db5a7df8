//! Turning and mirroring by the EXIF orientation (CIPA DC-008, tag 0x0112).

use crate::picture::Samples;

/// Which turn makes a stored picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

impl Orientation {
    pub(crate) const UPRIGHT: Orientation = Orientation(1);

    /// 1 to 8; anything else counts as upright, as every viewer does it.
    pub(crate) fn from_exif(value: u32) -> Self {
        match value {
            1..=8 => Orientation(value as u8),
            _ => Orientation::UPRIGHT,
        }
    }

    /// Width and height change places.
    pub(crate) fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Clockwise turn in degrees, applied after the mirroring.
    pub(crate) fn rotation_degrees(self) -> i32 {
        match self.0 {
            3 | 4 => 180,
            6 | 7 => 90,
            5 | 8 => 270,
            _ => 0,
        }
    }

    /// Left and right change places before the turn.
    pub(crate) fn is_mirrored(self) -> bool {
        matches!(self.0, 2 | 4 | 5 | 7)
    }

    /// The samples upright, with their width and height.
    pub(crate) fn apply(
        self,
        samples: Samples,
        width: u32,
        height: u32,
        channels: usize,
    ) -> (Samples, u32, u32) {
        let (out_width, out_height) = if self.swaps_sides() {
            (height, width)
        } else {
            (width, height)
        };
        let samples = match samples {
            Samples::U8(data) => Samples::U8(self.turn(data, width, height, channels)),
            Samples::U16(data) => Samples::U16(self.turn(data, width, height, channels)),
        };
        (samples, out_width, out_height)
    }

    fn turn<T: Copy + Default>(self, data: Vec<T>, width: u32, height: u32, n: usize) -> Vec<T> {
        match n {
            1 => self.turn_pixels::<T, 1>(data, width as usize, height as usize),
            2 => self.turn_pixels::<T, 2>(data, width as usize, height as usize),
            3 => self.turn_pixels::<T, 3>(data, width as usize, height as usize),
            _ => self.turn_pixels::<T, 4>(data, width as usize, height as usize),
        }
    }

    fn turn_pixels<T: Copy + Default, const N: usize>(
        self,
        mut data: Vec<T>,
        width: usize,
        height: usize,
    ) -> Vec<T> {
        let (pixels, _) = data.as_chunks_mut::<N>();
        match self.0 {
            2 => pixels.chunks_exact_mut(width).for_each(|row| row.reverse()),
            3 => pixels.reverse(),
            4 => {
                for y in 0..height / 2 {
                    let (top, rest) = pixels.split_at_mut((y + 1) * width);
                    let from = (height - 2 - 2 * y) * width;
                    top[y * width..].swap_with_slice(&mut rest[from..from + width]);
                }
            }
            5..=8 => return self.transpose::<T, N>(pixels, width, height),
            _ => {}
        }
        data
    }

    /// Orientations 5 to 8, in squares that stay in the cache.
    fn transpose<T: Copy + Default, const N: usize>(
        self,
        pixels: &[[T; N]],
        width: usize,
        height: usize,
    ) -> Vec<T> {
        const SQUARE: usize = 32;
        let mut out = vec![T::default(); pixels.len() * N];
        let (target, _) = out.as_chunks_mut::<N>();
        let flip_x = matches!(self.0, 6 | 7);
        let flip_y = matches!(self.0, 7 | 8);
        for y0 in (0..height).step_by(SQUARE) {
            for x0 in (0..width).step_by(SQUARE) {
                for x in x0..(x0 + SQUARE).min(width) {
                    let to_y = if flip_y { width - 1 - x } else { x };
                    for y in y0..(y0 + SQUARE).min(height) {
                        let to_x = if flip_x { height - 1 - y } else { y };
                        target[to_y * height + to_x] = pixels[y * width + x];
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letter F, 2 x 3: "ab/c./d.", as each orientation stores it.
    #[test]
    fn every_stored_form_of_a_letter_comes_out_upright() {
        let upright = b"abc.d.".to_vec();
        let stored: [(u32, &[u8], u32, u32); 8] = [
            (1, b"abc.d.", 2, 3),
            (2, b"ba.c.d", 2, 3),
            (3, b".d.cba", 2, 3),
            (4, b"d.c.ab", 2, 3),
            (5, b"acdb..", 3, 2),
            (6, b"b..acd", 3, 2),
            (7, b"..bdca", 3, 2),
            (8, b"dca..b", 3, 2),
        ];
        for (value, data, width, height) in stored {
            let (samples, w, h) =
                Orientation::from_exif(value).apply(Samples::U8(data.to_vec()), width, height, 1);
            assert_eq!(samples, Samples::U8(upright.clone()), "orientation {value}");
            assert_eq!((w, h), (2, 3), "orientation {value}");
        }
    }

    #[test]
    fn channels_of_a_pixel_stay_together_and_odd_heights_keep_their_middle() {
        let data: Vec<u16> = (0..3 * 5 * 3).collect();
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value);
            let (samples, ..) = orientation.apply(Samples::U16(data.clone()), 3, 5, 3);
            let Samples::U16(out) = samples else {
                panic!("the depth changed")
            };
            assert!(out.chunks(3).all(|p| p[1] == p[0] + 1 && p[2] == p[0] + 2));
            let mut sorted = out.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, data, "orientation {value}");
        }
    }

    #[test]
    fn nonsense_is_upright() {
        assert_eq!(Orientation::from_exif(0), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_exif(9), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_exif(u32::MAX), Orientation::UPRIGHT);
    }
}
