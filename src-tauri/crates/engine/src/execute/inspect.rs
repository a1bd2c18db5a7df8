//! A quick look at a picture: is there anything in it?

use frameloom_core::pixel::{AnyPlane, PlaneRef};
use frameloom_media::Frame;

/// What a sample of the first plane says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// Mean, 0 to 1 of the largest value.
    pub mean: f32,
    /// Largest minus smallest, 0 to 1.
    pub spread: f32,
}

/// Looks at every eighth row: enough to tell a blank picture from a real one, at no cost.
pub(crate) fn look(frame: &Frame) -> Look {
    let max = f32::from(frame.format().max_value());
    match frame.plane(0) {
        AnyPlane::U8(plane) => look_at(plane, max),
        AnyPlane::U16(plane) => look_at(plane, max),
    }
}

fn look_at<T: Copy + Into<u32> + Ord>(plane: PlaneRef<'_, T>, max: f32) -> Look {
    let (mut sum, mut count) = (0u64, 0u64);
    let (mut low, mut high) = (u32::MAX, 0u32);
    // A small logo on black lies in few rows, of a small picture in very few.
    for y in (0..plane.height).step_by((plane.height / 32).clamp(1, 8)) {
        let row = plane.row(y);
        let Some(&first) = row.first() else { break };
        count += row.len() as u64;
        // Loops that a compiler makes vectors of: a row of 16 bits cannot overflow 32.
        for part in row.chunks(1 << 16) {
            sum += u64::from(part.iter().map(|&v| v.into()).sum::<u32>());
        }
        low = low.min(row.iter().fold(first, |a, &b| a.min(b)).into());
        high = high.max(row.iter().fold(first, |a, &b| a.max(b)).into());
    }
    if count == 0 {
        return Look {
            mean: 0.0,
            spread: 0.0,
        };
    }
    Look {
        mean: sum as f32 / count as f32 / max,
        spread: high.saturating_sub(low) as f32 / max,
    }
}

impl Look {
    /// True if `result` is blank although `self`, its source, is not.
    pub(crate) fn was_lost_in(&self, result: &Look) -> bool {
        self.spread > 0.05 && result.spread < 0.005
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_of(data: &[u8]) -> Look {
        look_at(
            PlaneRef {
                data,
                stride: 4,
                width: 4,
                height: data.len() / 4,
            },
            255.0,
        )
    }

    #[test]
    fn a_blank_result_is_told_from_a_blank_source() {
        let picture = look_of(&[0, 50, 100, 200, 9, 9, 9, 9]);
        let black = look_of(&[16; 8]);
        assert!(picture.was_lost_in(&black));
        assert!(!black.was_lost_in(&black), "a black scene is no failure");
        assert!(!picture.was_lost_in(&picture));
    }
}
