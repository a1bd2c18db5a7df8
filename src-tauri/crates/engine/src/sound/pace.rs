//! How far sound is, where it is all that is done to a clip: told in frames of the clip, as the progress
//! of every job is.

use super::{Making, Sound, SoundPlan, SoundStep};
use crate::control::Progress;
use std::cell::Cell;

/// Readings of a track for a loudness: it is measured, its peaks are limited and it is measured again,
/// it is written, and what it was is read beside what it became.
const FOR_LOUDNESS: f64 = 4.0;
/// As that, for anything else: written, and compared.
const OTHERWISE: f64 = 2.0;

/// Sound that was heard so far, of what is to be heard.
pub(crate) struct Pace {
    frames: u64,
    /// Seconds to come in all.
    expected: f64,
    heard: Cell<f64>,
    /// A network hears some of it, which takes most of the time: nothing else counts.
    by_network: bool,
}

impl Pace {
    /// For a clip of so many frames, shown between two moments in microseconds.
    pub(crate) fn new(plan: &SoundPlan, frames: u64, span: (i64, i64)) -> Self {
        let worked_out = || {
            let tracks = plan.sound.iter().flatten();
            tracks.filter_map(|track| match &track.making {
                Making::WorkedOut { sound, .. } => Some(sound),
                Making::Copied { .. } | Making::Written { .. } => None,
            })
        };
        let networks: u32 = worked_out().map(networks).sum();
        let times = match networks {
            0 => worked_out().map(readings).sum(),
            networks => f64::from(networks),
        };
        let seconds = span.1.saturating_sub(span.0) as f64 / 1e6;
        Self {
            frames,
            expected: seconds * times,
            heard: Cell::new(0.0),
            by_network: networks > 0,
        }
    }

    /// So many samples were read from a file.
    pub(crate) fn read(&self, samples: usize, rate: u32, progress: &dyn Progress) {
        if !self.by_network {
            self.add(samples, rate, progress);
        }
    }

    /// So many samples went through a network, of all channels at once.
    pub(crate) fn went_through(&self, samples: usize, rate: u32, progress: &dyn Progress) {
        if self.by_network {
            self.add(samples, rate, progress);
        }
    }

    fn add(&self, samples: usize, rate: u32, progress: &dyn Progress) {
        self.heard
            .set(self.heard.get() + samples as f64 / f64::from(rate.max(1)));
        // How often a track is read is not known for sure: the last frame is done with all of it.
        let share = (self.heard.get() / self.expected.max(1e-3)).clamp(0.0, 1.0);
        let most = self.frames.saturating_sub(1);
        progress.done(((self.frames as f64 * share) as u64).min(most));
    }
}

/// Networks that a track goes through.
fn networks(sound: &Sound) -> u32 {
    match sound {
        Sound::Stream { .. } => 0,
        Sound::Step { step, of, .. } => {
            let own = matches!(step, SoundStep::Denoise(params) if params.model.is_some());
            u32::from(own) + networks(of)
        }
        Sound::Joined { clips } => clips.iter().flatten().map(networks).sum(),
    }
}

/// About how often a track is read.
fn readings(sound: &Sound) -> f64 {
    match sound {
        Sound::Step {
            step: SoundStep::Loudness(_),
            ..
        } => FOR_LOUDNESS,
        _ => OTHERWISE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::TrackPlan;
    use frameloom_core::graph::{AudioDenoiseParams, LoudnessParams, MuxEnd};
    use frameloom_core::job::{PictureSizes, ProviderChoice, Step};
    use frameloom_core::media::Warning;
    use frameloom_media::{SoundEncoderPlan, SoundFormat};
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Told(AtomicU64);

    impl Progress for Told {
        fn step(&self, _: Step, _: Option<u64>) {}
        fn done(&self, frames: u64) {
            self.0.store(frames, Ordering::Relaxed);
        }
        fn warning(&self, _: Warning) {}
        fn provider(&self, _: &ProviderChoice) {}
        fn sizes(&self, _: PictureSizes) {}
    }
    fn plan(steps: impl IntoIterator<Item = SoundStep>) -> SoundPlan {
        let stream = Sound::Stream {
            input: "main".to_owned(),
            stream: 1,
        };
        let sound = steps.into_iter().fold(stream, |of, step| Sound::Step {
            node: "a".to_owned(),
            step,
            of: Box::new(of),
        });
        let encoder = SoundEncoderPlan {
            encoder: "flac".to_owned(),
            codec: "flac".to_owned(),
            format: SoundFormat {
                rate: 8_000,
                layout: "mono".to_owned(),
            },
            bit_rate: None,
            bits: None,
        };
        SoundPlan {
            sound: Some(vec![TrackPlan {
                making: Making::WorkedOut { sound, encoder },
                tags: Default::default(),
                dispositions: Vec::new(),
            }]),
            subtitles: None,
            ends: MuxEnd::Pictures,
            origins: Default::default(),
        }
    }

    fn after(pace: &Pace, told: &Told) -> u64 {
        // Ten seconds are read, and as many go through a network.
        pace.read(80_000, 8_000, told);
        pace.went_through(160_000, 16_000, told);
        told.0.load(Ordering::Relaxed)
    }

    #[test]
    fn what_is_read_counts_as_often_as_it_will_be() {
        let told = Told::default();
        let pace = Pace::new(
            &plan([SoundStep::Loudness(LoudnessParams::default())]),
            400,
            (5, 10_000_005),
        );
        assert_eq!(after(&pace, &told), 100);
        for _ in 0..9 {
            after(&pace, &told);
        }
        assert_eq!(
            told.0.load(Ordering::Relaxed),
            399,
            "never more than there is"
        );
    }

    #[test]
    fn where_a_network_hears_nothing_else_counts() {
        let network = AudioDenoiseParams {
            model: Some("/a.onnx".to_owned()),
            ..AudioDenoiseParams::default()
        };
        let steps = [
            SoundStep::Denoise(network),
            SoundStep::Loudness(LoudnessParams::default()),
        ];
        let told = Told::default();
        let pace = Pace::new(&plan(steps), 400, (0, 20_000_000));
        assert_eq!(after(&pace, &told), 200);
    }
}
