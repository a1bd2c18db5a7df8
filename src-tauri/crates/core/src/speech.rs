//! From how probable speech is over time to the stretches of a clip that are kept.

use crate::graph::KeptStretch;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How silence is told from speech, and how much of it stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SilenceRule {
    /// From which probability on somebody speaks, 0.05 to 0.95. Speech that was found goes on until
    /// it is lower by 0.15.
    pub threshold: f64,
    /// What is kept before and after speech, in milliseconds, 0 to 5000.
    pub padding_millis: u32,
    /// Shorter pauses stay, in milliseconds, 50 to 60000.
    pub min_silence_millis: u32,
    /// Shorter sounds are no speech, in milliseconds, 0 to 5000.
    pub min_speech_millis: u32,
}

impl Default for SilenceRule {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            padding_millis: 200,
            min_silence_millis: 500,
            min_speech_millis: 100,
        }
    }
}

impl SilenceRule {
    /// True if every value is within its limits.
    pub fn is_possible(&self) -> bool {
        (0.05..=0.95).contains(&self.threshold)
            && self.padding_millis <= 5_000
            && (50..=60_000).contains(&self.min_silence_millis)
            && self.min_speech_millis <= 5_000
    }
}

/// Speech that was found, in microseconds from the first picture, and how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speech {
    /// Where it begins.
    pub from_micros: i64,
    /// Where it ends.
    pub to_micros: i64,
}

/// How far below the threshold speech that was found still goes on: consonants and breaths inside of
/// words are quieter than vowels.
const HYSTERESIS: f64 = 0.15;

/// Where somebody speaks: `probabilities` are of windows of `window_micros`, the first of which begins
/// at `first_micros`. Pauses that are too short to be cut belong to the speech around them.
pub fn speech_of(
    probabilities: &[f32],
    first_micros: i64,
    window_micros: i64,
    rule: &SilenceRule,
) -> Vec<Speech> {
    let at =
        |window: usize| first_micros.saturating_add(window_micros.saturating_mul(window as i64));
    let mut runs: Vec<Speech> = Vec::new();
    let mut begun: Option<usize> = None;
    let mut end = |from: usize, to: usize| {
        let run = Speech {
            from_micros: at(from),
            to_micros: at(to),
        };
        let least = i64::from(rule.min_silence_millis) * 1_000;
        match runs.last_mut() {
            Some(last) if run.from_micros - last.to_micros < least => {
                last.to_micros = run.to_micros;
            }
            _ => runs.push(run),
        }
    };
    for (window, probability) in probabilities.iter().enumerate() {
        let probability = f64::from(*probability);
        match begun {
            None if probability >= rule.threshold => begun = Some(window),
            Some(from) if probability < rule.threshold - HYSTERESIS => {
                end(from, window);
                begun = None;
            }
            _ => {}
        }
    }
    if let Some(from) = begun {
        end(from, probabilities.len());
    }
    // A click is dropped only once it is known that no word is beside it.
    let least = i64::from(rule.min_speech_millis) * 1_000;
    runs.retain(|run| run.to_micros - run.from_micros >= least);
    runs
}

/// What is kept of a clip of `length_micros`: speech with its padding, within `from_micros` and
/// `to_micros` where only a stretch is taken. Stretches that touch are one.
pub fn kept_of(
    speech: &[Speech],
    rule: &SilenceRule,
    (from_micros, to_micros): (i64, i64),
) -> Vec<KeptStretch> {
    let padding = i64::from(rule.padding_millis) * 1_000;
    let mut kept: Vec<(i64, i64)> = Vec::new();
    for run in speech {
        let from = run.from_micros.saturating_sub(padding).max(from_micros);
        let to = run.to_micros.saturating_add(padding).min(to_micros);
        if from >= to {
            continue;
        }
        match kept.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => kept.push((from, to)),
        }
    }
    kept.into_iter()
        .map(|(from_micros, to)| KeptStretch {
            from_micros,
            // Up to the very end, whatever a container says of its length.
            to_micros: (to < to_micros).then_some(to),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: i64 = 32_000;

    fn rule() -> SilenceRule {
        SilenceRule {
            min_silence_millis: 320,
            padding_millis: 64,
            ..SilenceRule::default()
        }
    }

    fn windows(words: &[(f32, usize)]) -> Vec<f32> {
        let each = words.iter();
        each.flat_map(|&(probability, count)| std::iter::repeat_n(probability, count))
            .collect()
    }

    fn found(words: &[(f32, usize)]) -> Vec<(i64, i64)> {
        let runs = speech_of(&windows(words), 0, WINDOW, &rule());
        let window = |micros| micros / WINDOW;
        runs.iter()
            .map(|run| (window(run.from_micros), window(run.to_micros)))
            .collect()
    }

    #[test]
    fn speech_begins_at_the_threshold_and_ends_well_below_it() {
        let words = [(0.1, 20), (0.6, 10), (0.4, 5), (0.6, 3), (0.2, 20)];
        assert_eq!(found(&words), [(20, 38)]);
        assert_eq!(found(&[(0.4, 40)]), []);
        assert_eq!(found(&[(0.9, 40)]), [(0, 40)]);
    }

    #[test]
    fn short_pauses_stay_and_long_ones_part() {
        assert_eq!(found(&[(0.9, 10), (0.0, 9), (0.9, 10)]), [(0, 29)]);
        assert_eq!(
            found(&[(0.9, 10), (0.0, 10), (0.9, 10)]),
            [(0, 10), (20, 30)]
        );
    }

    #[test]
    fn a_click_is_no_speech_unless_a_word_is_beside_it() {
        assert_eq!(found(&[(0.0, 20), (0.9, 3), (0.0, 20)]), []);
        assert_eq!(found(&[(0.9, 2), (0.0, 5), (0.9, 10)]), [(0, 17)]);
    }

    #[test]
    fn padding_stays_within_the_clip_and_joins_what_it_meets() {
        let speech = [(0, 500_000), (600_000, 700_000), (2_000_000, 2_990_000)].map(
            |(from_micros, to_micros)| Speech {
                from_micros,
                to_micros,
            },
        );
        let kept = |from_micros, to_micros| KeptStretch {
            from_micros,
            to_micros,
        };
        assert_eq!(
            kept_of(&speech, &rule(), (0, 3_000_000)),
            [kept(0, Some(764_000)), kept(1_936_000, None)]
        );
        assert_eq!(
            kept_of(&speech, &rule(), (300_000, 2_500_000)),
            [kept(300_000, Some(764_000)), kept(1_936_000, None)]
        );
        assert_eq!(kept_of(&[], &rule(), (0, 3_000_000)), []);
    }

    #[test]
    fn what_is_out_of_its_limits_is_not_possible() {
        assert!(SilenceRule::default().is_possible());
        let wrong = SilenceRule {
            threshold: f64::NAN,
            ..SilenceRule::default()
        };
        assert!(!wrong.is_possible());
        let wrong = SilenceRule {
            min_silence_millis: 49,
            ..SilenceRule::default()
        };
        assert!(!wrong.is_possible());
    }

    proptest! {
        #[test]
        fn whatever_is_surely_speech_is_kept_with_its_padding(
            probabilities in prop::collection::vec(0f32..1.0, 0..400),
            padding in 0u32..400, silence in 50u32..2_000,
        ) {
            let rule = SilenceRule { padding_millis: padding, min_silence_millis: silence, min_speech_millis: 0, ..rule() };
            let length = probabilities.len() as i64 * WINDOW;
            let speech = speech_of(&probabilities, 0, WINDOW, &rule);
            let kept = kept_of(&speech, &rule, (0, length));
            let mut end = -1;
            for stretch in &kept {
                prop_assert!(stretch.from_micros > end, "rising, with a gap between");
                end = stretch.to_micros.unwrap_or(length);
                prop_assert!(stretch.from_micros < end && end <= length);
            }
            for (n, p) in probabilities.iter().enumerate().filter(|(_, p)| f64::from(**p) >= rule.threshold) {
                let pad = i64::from(padding) * 1_000;
                let from = (n as i64 * WINDOW - pad).max(0);
                let to = ((n as i64 + 1) * WINDOW + pad).min(length);
                prop_assert!(kept.iter().any(|k| k.from_micros <= from && k.to_micros.unwrap_or(length) >= to), "{n} {p}");
            }
        }
    }
}
