//! New pictures between those of a clip, and clips that last longer by them.

use super::Op;
use crate::time::{FrameRate, Rational};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How many frames there are of each. One of `rate` and `times` is given at most; where none is, there
/// are twice as many in the same time, and as many to a second as before where the clip is slowed down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct InterpolateParams {
    /// Frames per second.
    pub rate: Option<FrameRate>,
    /// Times the frame rate that the clip has, 2 to 8.
    pub times: Option<u32>,
    /// Id of a model that makes the pictures in between; what moves is followed without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub model: Option<String>,
    /// How many times as long the result lasts, 1 to [`Self::SLOWEST`]; as long as the clip where left
    /// out. Sound, subtitles and chapters of the clip go with its pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub slow: Option<Rational>,
    /// What becomes of the clip's sound where it lasts longer; stretched where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sound: Option<SlowSound>,
}

/// The sound of a clip in slow motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SlowSound {
    /// As long as the pictures, as high as before.
    #[default]
    Stretch,
    /// None.
    Drop,
}

impl InterpolateParams {
    /// Most times as long as the clip.
    pub const SLOWEST: i64 = 32;

    /// Frames per second of the result of a clip; `None` where nobody knows those of the clip, or
    /// the number is none.
    pub fn rate_of(&self, clip: Option<FrameRate>) -> Option<FrameRate> {
        match self.rate {
            Some(rate) => Some(rate),
            None => {
                let rate = clip?.ratio();
                let usual = if self.slow.is_some() { 1 } else { 2 };
                let times = i64::from(self.times.unwrap_or(usual));
                FrameRate::new(rate.num.checked_mul(times)?, rate.den)
            }
        }
    }

    /// How many times as long the result lasts.
    pub fn slowness(&self) -> Rational {
        self.slow.unwrap_or(Rational::ONE)
    }

    /// True if the clip's own sound is left out.
    pub fn drops_sound(&self) -> bool {
        self.slow.is_some() && self.sound == Some(SlowSound::Drop)
    }
}

/// How many times as long a result lasts as what of the clip is kept, by the nodes on its way; 1 where
/// none of them changes that, `None` where the number does not fit.
pub fn slowness<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Option<Rational> {
    let mut all = Rational::ONE;
    for op in ops {
        if let Op::Interpolate(params) = op {
            all = all.times(params.slowness())?;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(num: i64, den: i64) -> InterpolateParams {
        InterpolateParams {
            slow: Rational::new(num, den),
            ..InterpolateParams::default()
        }
    }

    #[test]
    fn a_slowed_clip_has_its_own_rate_unless_another_is_asked_for() {
        let film = FrameRate::new(24_000, 1_001);
        assert_eq!(slow(4, 1).rate_of(film), film);
        let twice = InterpolateParams {
            times: Some(2),
            ..slow(4, 1)
        };
        assert_eq!(twice.rate_of(film), FrameRate::new(48_000, 1_001));
        let given = InterpolateParams {
            rate: FrameRate::new(60, 1),
            ..slow(4, 1)
        };
        assert_eq!(given.rate_of(None), FrameRate::new(60, 1));
        let plain = InterpolateParams::default();
        assert_eq!(plain.rate_of(film), FrameRate::new(48_000, 1_001));
        assert_eq!(plain.slowness(), Rational::ONE);
    }

    #[test]
    fn clips_are_as_slow_as_all_their_nodes_make_them() {
        let ops = [
            Op::Interpolate(slow(3, 2)),
            Op::Sink,
            Op::Interpolate(slow(4, 1)),
        ];
        assert_eq!(slowness(&ops), Rational::new(6, 1));
        assert_eq!(slowness(&[Op::Sink]), Some(Rational::ONE));
        assert_eq!(
            slowness(&[Op::Interpolate(slow(i64::MAX, 1)), ops[0].clone()]),
            None
        );
    }

    #[test]
    fn sound_is_left_out_of_slowed_clips_alone() {
        let mut params = InterpolateParams {
            sound: Some(SlowSound::Drop),
            ..InterpolateParams::default()
        };
        assert!(!params.drops_sound());
        params.slow = Rational::new(2, 1);
        assert!(params.drops_sound());
    }
}
