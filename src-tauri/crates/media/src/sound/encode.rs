//! Which encoder makes a worked-out track, and how.

use super::file::rate_for;
use super::{SoundFile, SoundFormat};
use crate::container::Container;
use crate::error::MediaError;
use crate::ffi::encoder::reason;
use crate::ffi::output::can_hold;
use crate::ffi::params::codec_id;
use crate::ffi::sound::{SampleFormat, SoundEncoder, SoundSettings, sample_formats};
use frameloom_core::job::Quality;
use frameloom_core::said;
use serde::{Deserialize, Serialize};

/// What a track was before it was worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundSource {
    /// Codec as ffmpeg names it.
    pub codec: String,
    /// Rate and channels of the result.
    pub format: SoundFormat,
    /// Bits per second that these channels had; `None` where it is unknown or means nothing.
    pub bit_rate: Option<u64>,
    /// Significant bits of a sample; `None` for sound that was coded with loss, and for fractions.
    pub bits: Option<u32>,
}

/// How a track is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SoundEncoderPlan {
    /// Encoder as ffmpeg names it.
    pub encoder: String,
    /// Codec as ffmpeg names it.
    pub codec: String,
    /// Rate and channels.
    pub format: SoundFormat,
    /// Bits per second; `None` for codecs without loss.
    pub bit_rate: Option<u64>,
    /// Bits that samples are rounded to; `None` where the encoder takes fractions.
    pub bits: Option<u32>,
}

/// A codec that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundCodec {
    pub(super) codec: &'static str,
    encoder: &'static str,
    lossless: bool,
    /// Bits per second for one channel and for each further one that are good for anything.
    usual: (u64, u64),
    /// The only ones that there are, rising; empty where any is taken.
    steps: &'static [u64],
    /// Most bits per second for one channel, where steps do not say it.
    most: u64,
}

const AC3_STEPS: &[u64] = &[
    96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 320_000, 384_000, 448_000,
    512_000, 576_000, 640_000,
];
const MP3_STEPS: &[u64] = &[
    64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 320_000,
];

const fn lossy(
    codec: &'static str,
    encoder: &'static str,
    usual: (u64, u64),
    steps: &'static [u64],
    most: u64,
) -> SoundCodec {
    SoundCodec {
        codec,
        encoder,
        lossless: false,
        usual,
        steps,
        most,
    }
}

const fn lossless(codec: &'static str) -> SoundCodec {
    SoundCodec {
        codec,
        encoder: codec,
        lossless: true,
        usual: (0, 0),
        steps: &[],
        most: 0,
    }
}

/// In the order in which they are taken where a source's own codec cannot be. MP2 is not among
/// them: its encoder keeps the end of the sound to itself.
const CODECS: &[SoundCodec] = &[
    lossy("aac", "aac", (112_000, 80_000), &[], 256_000),
    lossy("opus", "libopus", (96_000, 64_000), &[], 256_000),
    lossy("vorbis", "libvorbis", (112_000, 80_000), &[], 160_000),
    lossy("ac3", "ac3", (128_000, 64_000), AC3_STEPS, 0),
    lossy("eac3", "eac3", (128_000, 64_000), &[], 640_000),
    lossy("mp3", "libmp3lame", (128_000, 64_000), MP3_STEPS, 0),
    lossless("flac"),
    lossless("alac"),
    lossless("pcm_s16le"),
    lossless("pcm_s24le"),
    lossless("pcm_s32le"),
    lossless("pcm_f32le"),
    lossless("pcm_f64le"),
    lossless("pcm_u8"),
    lossless("pcm_s16be"),
    lossless("pcm_s24be"),
    lossless("pcm_s32be"),
    lossless("pcm_f32be"),
];

impl SoundCodec {
    fn bit_rate(&self, source: &SoundSource, channels: u64) -> Option<u64> {
        if self.lossless {
            return None;
        }
        let usual = self.usual.0 + self.usual.1 * channels.saturating_sub(1);
        let wanted = source.bit_rate.unwrap_or(0).max(usual);
        match self.steps.last() {
            Some(most) => {
                let step = self.steps.iter().find(|step| **step >= wanted);
                Some(*step.unwrap_or(most))
            }
            None => Some(wanted.min(self.most * channels)),
        }
    }

    /// As many bits per second as a quality is worth, where `usual` are good.
    fn at_quality(&self, usual: u64, quality: Quality, channels: u64) -> u64 {
        let wanted = match quality {
            Quality::Draft => usual * 2 / 3,
            Quality::Good => usual,
            Quality::Archive | Quality::Lossless => usual * 5 / 3,
        };
        match self.steps.last() {
            Some(most) => {
                let step = self.steps.iter().find(|step| **step >= wanted);
                *step.unwrap_or(most)
            }
            None => wanted.min(self.most * channels),
        }
    }

    /// Bits of whole numbers that the codec keeps; `None` if it takes fractions, or what it keeps
    /// is no question.
    fn bits(&self, source: &SoundSource) -> Option<u32> {
        if !self.lossless || self.codec.starts_with("pcm_f") {
            return None;
        }
        let wide = source.bits.is_none_or(|bits| bits > 16);
        Some(match self.codec {
            "pcm_u8" => 8,
            codec if codec.starts_with("pcm_s16") => 16,
            codec if codec.starts_with("pcm_s24") => 24,
            codec if codec.starts_with("pcm_s32") => 32,
            _ if wide => 24,
            _ => 16,
        })
    }

    /// True if nothing of the source is lost by the form of the numbers.
    fn keeps(&self, source: &SoundSource) -> bool {
        match (self.bits(source), source.bits) {
            (Some(kept), Some(bits)) => kept >= bits,
            // Fractions of a source that was itself without loss, such as `pcm_f32le`.
            (Some(kept), None) => kept >= 24,
            (None, _) => true,
        }
    }

    fn sample_format(&self, bits: Option<u32>) -> Option<SampleFormat> {
        use SampleFormat as F;
        let offered = sample_formats(self.encoder);
        let liked: &[F] = match bits {
            Some(bits) if bits <= 16 => &[F::S16, F::S16P, F::S32, F::S32P],
            Some(_) => &[F::S32, F::S32P],
            None if self.lossless => &[F::DBL, F::DBLP, F::FLT, F::FLTP],
            None => &[F::FLTP, F::FLT, F::S32P, F::S32, F::S16P, F::S16],
        };
        let found = liked.iter().find(|format| offered.contains(format));
        // A few have a form of their own, of which there is no choice.
        found.or(offered.first()).copied()
    }
}

pub(super) fn known(codec: &str) -> Option<&'static SoundCodec> {
    CODECS.iter().find(|known| known.codec == codec)
}

/// Codecs of sources that lose nothing and cannot be, or should not be, written again.
fn is_lossless(codec: &str) -> bool {
    let others = [
        "truehd",
        "mlp",
        "wavpack",
        "tta",
        "ape",
        "tak",
        "wmalossless",
    ];
    codec.starts_with("pcm_")
        || others.contains(&codec)
        || known(codec).is_some_and(|known| known.lossless)
}

/// Chooses the encoder for a track that was worked on: the source's own codec where it can be
/// written and the container holds it, else the usual one; bits per second not below the source's.
/// What was without loss stays so, unless a file of sound alone is asked for whose usual codec loses
/// something: then `quality` says whether another is taken, and how many bits.
///
/// # Errors
/// [`MediaError::EncoderUnavailable`] with what each candidate said.
pub fn plan_sound_encoder(
    source: &SoundSource,
    container: Container,
    quality: Quality,
) -> Result<SoundEncoderPlan, MediaError> {
    crate::init()?;
    if let Some(file) = container.sound_file() {
        return plan_for_file(source, file, quality);
    }
    let channels = source.format.channels()? as u64;
    let mut reasons = Vec::new();
    let same = known(&source.codec);
    let keeps = is_lossless(&source.codec);
    let others = CODECS.iter().filter(|codec| codec.lossless == keeps);
    for codec in same.into_iter().chain(others) {
        let holds = codec_id(codec.codec).is_some_and(|id| can_hold(container.muxer(), id));
        if !holds || (keeps && !codec.keeps(source)) {
            continue;
        }
        let plan = SoundEncoderPlan {
            encoder: codec.encoder.to_owned(),
            codec: codec.codec.to_owned(),
            format: SoundFormat {
                rate: match codec.codec {
                    // What is decoded of it has this rate.
                    "opus" if 48_000 % source.format.rate.max(1) == 0 => 48_000,
                    _ => source.format.rate,
                },
                layout: usual_layout(codec.codec, &source.format.layout),
            },
            bit_rate: codec.bit_rate(source, channels),
            bits: codec.bits(source),
        };
        match open(&plan) {
            Ok(_) => return Ok(plan),
            Err(MediaError::OutOfMemory) => return Err(MediaError::OutOfMemory),
            Err(error) => reasons.push(format!("{}: {}", codec.encoder, reason(&error))),
        }
    }
    if keeps && container == Container::Webm {
        // It holds nothing without loss.
        let lossy = SoundSource {
            codec: "opus".to_owned(),
            ..source.clone()
        };
        return plan_sound_encoder(&lossy, container, quality);
    }
    reasons.dedup();
    Err(MediaError::EncoderUnavailable {
        wanted: format!(
            "{} Hz, {} in .{}",
            source.format.rate,
            source.format.layout,
            container.extension()
        ),
        reason: if reasons.is_empty() {
            "none is known that this container holds".to_owned()
        } else {
            reasons.join("; ")
        },
    })
}

/// Fewer bits per second are good for nothing.
const LEAST_BITS: u64 = 16_000;

/// The encoder for a track of a file of sound alone.
fn plan_for_file(
    source: &SoundSource,
    file: SoundFile,
    quality: Quality,
) -> Result<SoundEncoderPlan, MediaError> {
    let channels = source.format.channels()? as u64;
    if file == SoundFile::Mp3 && channels > 2 {
        let what = said!(
            "sound.mp3_channels",
            "an MP3 holds one or two channels, and this sound has {count}; name the result .m4a, .ogg or .flac",
            count = channels
        );
        return Err(MediaError::InvalidRequest { what });
    }
    let was_lossless = is_lossless(&source.codec);
    let mut reasons = Vec::new();
    let candidates = file.candidates(&source.codec, quality == Quality::Lossless);
    let candidates = candidates.into_iter().filter_map(known);
    for codec in candidates {
        // Sound that was coded with loss has no more to tell than this.
        let source = &SoundSource {
            bits: match was_lossless || !codec.lossless {
                true => source.bits,
                false => Some(16),
            },
            // Those of sound without loss say nothing of what another codec needs.
            bit_rate: source.bit_rate.filter(|_| !was_lossless),
            ..source.clone()
        };
        if codec.lossless && !codec.keeps(source) {
            continue;
        }
        let own = codec.bit_rate(source, channels);
        let mut plan = SoundEncoderPlan {
            encoder: codec.encoder.to_owned(),
            codec: codec.codec.to_owned(),
            format: SoundFormat {
                rate: rate_for(codec.codec, source.format.rate),
                layout: usual_layout(codec.codec, &source.format.layout),
            },
            bit_rate: match was_lossless || source.codec != codec.codec {
                true => own.map(|rate| codec.at_quality(rate, quality, channels)),
                false => own,
            },
            bits: codec.bits(source),
        };
        loop {
            let error = match open(&plan) {
                Ok(_) => return Ok(plan),
                Err(MediaError::OutOfMemory) => return Err(MediaError::OutOfMemory),
                Err(error) => error,
            };
            // At low rates some have no use for so many bits.
            match plan.bit_rate {
                Some(bit_rate) if bit_rate >= LEAST_BITS * 4 / 3 => {
                    plan.bit_rate = Some(bit_rate * 3 / 4);
                }
                _ => {
                    reasons.push(format!("{}: {}", codec.encoder, reason(&error)));
                    break;
                }
            }
        }
    }
    Err(MediaError::EncoderUnavailable {
        wanted: format!(
            "{} Hz, {} in .{}",
            source.format.rate,
            source.format.layout,
            file.extension()
        ),
        reason: reasons.join("; "),
    })
}

/// These codecs know one place for surround channels; to say the other makes files that few
/// players read.
fn usual_layout(codec: &str, layout: &str) -> String {
    let side_means_back = ["aac", "opus", "vorbis"].contains(&codec);
    match layout {
        "5.1(side)" if side_means_back => "5.1".to_owned(),
        "5.0(side)" if side_means_back => "5.0".to_owned(),
        "5.1" if matches!(codec, "ac3" | "eac3") => "5.1(side)".to_owned(),
        "5.0" if matches!(codec, "ac3" | "eac3") => "5.0(side)".to_owned(),
        other => other.to_owned(),
    }
}

/// Opens the encoder of a plan.
pub(super) fn open(plan: &SoundEncoderPlan) -> Result<SoundEncoder, MediaError> {
    let codec = known(&plan.codec).ok_or_else(|| MediaError::EncoderUnavailable {
        wanted: plan.codec.clone(),
        reason: "this program does not write it".to_owned(),
    })?;
    let format = codec
        .sample_format(plan.bits)
        .ok_or_else(|| MediaError::EncoderUnavailable {
            wanted: plan.encoder.clone(),
            reason: "the library was built without it".to_owned(),
        })?;
    SoundEncoder::open(&SoundSettings {
        name: &plan.encoder,
        rate: plan.format.rate,
        layout: &plan.format.layout,
        format,
        bit_rate: plan.bit_rate.unwrap_or(0),
        raw_bits: plan
            .bits
            .filter(|bits| (17..32).contains(bits))
            .unwrap_or(0),
        options: &[],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(codec: &str, layout: &str, bit_rate: Option<u64>, bits: Option<u32>) -> SoundSource {
        SoundSource {
            codec: codec.to_owned(),
            format: SoundFormat {
                rate: 48_000,
                layout: layout.to_owned(),
            },
            bit_rate,
            bits,
        }
    }

    fn chosen(source: &SoundSource, container: Container) -> (String, Option<u64>, Option<u32>) {
        let plan = plan_sound_encoder(source, container, Quality::Good).unwrap();
        (plan.codec, plan.bit_rate, plan.bits)
    }

    #[test]
    fn sound_keeps_its_codec_and_never_fewer_bits_than_it_had() {
        let aac = source("aac", "stereo", Some(320_000), None);
        assert_eq!(
            chosen(&aac, Container::Mp4),
            ("aac".into(), Some(320_000), None)
        );
        let thin = source("aac", "stereo", Some(64_000), None);
        assert_eq!(chosen(&thin, Container::Mkv).1, Some(192_000));
        let ac3 = source("ac3", "5.1(side)", Some(448_000), None);
        assert_eq!(
            chosen(&ac3, Container::Mkv),
            ("ac3".into(), Some(448_000), None)
        );
        let odd = source("mp3", "stereo", Some(170_000), None);
        assert_eq!(
            chosen(&odd, Container::Mp4),
            ("mp3".into(), Some(192_000), None)
        );
    }

    #[test]
    fn sound_without_loss_stays_so_where_the_container_has_a_place_for_it() {
        let flac = source("flac", "stereo", None, Some(24));
        assert_eq!(
            chosen(&flac, Container::Mkv),
            ("flac".into(), None, Some(24))
        );
        let pcm = source("pcm_s24le", "5.1", None, Some(24));
        assert_eq!(
            chosen(&pcm, Container::Mov),
            ("pcm_s24le".into(), None, Some(24))
        );
        assert_eq!(
            chosen(&pcm, Container::Mp4),
            ("flac".into(), None, Some(24)),
            "MP4 has no place for PCM"
        );
        let true_hd = source("truehd", "5.1(side)", None, Some(24));
        assert_eq!(chosen(&true_hd, Container::Mkv).2, Some(24));
        let float = source("pcm_f32le", "stereo", None, None);
        assert_eq!(
            chosen(&float, Container::Mkv),
            ("pcm_f32le".into(), None, None)
        );
        assert_eq!(chosen(&flac, Container::Webm).0, "opus");
    }

    #[test]
    fn what_cannot_be_written_again_becomes_what_is_usual() {
        let dts = source("dts", "5.1(side)", Some(1_509_000), None);
        let plan = plan_sound_encoder(&dts, Container::Mp4, Quality::Good).unwrap();
        assert_eq!(
            (plan.codec.as_str(), plan.format.layout.as_str()),
            ("aac", "5.1")
        );
        assert_eq!(chosen(&dts, Container::Webm).0, "opus");
    }

    #[test]
    fn a_file_of_sound_gets_the_codec_that_players_expect_in_it() {
        let file = |file, source: &SoundSource, quality| {
            let plan = plan_sound_encoder(source, Container::Sound(file), quality).unwrap();
            (plan.codec, plan.bit_rate, plan.bits, plan.format.rate)
        };
        let wav = source("pcm_s24le", "stereo", Some(2_304_000), Some(24));
        let mp3 = source("mp3", "stereo", Some(128_000), None);
        let (good, lossless) = (Quality::Good, Quality::Lossless);
        let lossy = |codec: &str, rate| (codec.to_owned(), Some(rate), None, 48_000);
        let whole = |codec: &str, bits| (codec.to_owned(), None, Some(bits), 48_000);
        assert_eq!(file(SoundFile::Wav, &wav, good), whole("pcm_s24le", 24));
        assert_eq!(file(SoundFile::Flac, &wav, good), whole("flac", 24));
        assert_eq!(file(SoundFile::Aiff, &wav, good), whole("pcm_s24be", 24));
        assert_eq!(file(SoundFile::M4a, &wav, good), lossy("aac", 192_000));
        assert_eq!(file(SoundFile::M4a, &wav, lossless), whole("alac", 24));
        assert_eq!(file(SoundFile::Mp3, &wav, good), lossy("mp3", 192_000));
        assert_eq!(
            file(SoundFile::Mp3, &wav, Quality::Archive).1,
            Some(320_000)
        );
        assert_eq!(file(SoundFile::Mp3, &wav, Quality::Draft).1, Some(128_000));
        assert_eq!(file(SoundFile::Ogg, &wav, good), lossy("vorbis", 192_000));
        assert_eq!(file(SoundFile::Opus, &wav, good), lossy("opus", 160_000));
        // Its own codec keeps what it had; without loss it need not have more than it has.
        assert_eq!(file(SoundFile::Mp3, &mp3, good), lossy("mp3", 192_000));
        assert_eq!(file(SoundFile::Wav, &mp3, good), whole("pcm_s16le", 16));
        assert_eq!(file(SoundFile::Flac, &mp3, good), whole("flac", 16));
        let float = source("pcm_f32le", "stereo", None, None);
        assert_eq!(file(SoundFile::Wav, &float, good).0, "pcm_f32le");
        assert_eq!(file(SoundFile::Flac, &float, good), whole("flac", 24));
    }

    #[test]
    fn old_recordings_get_as_many_bits_as_the_codec_can_use() {
        for rate in [8_000, 16_000] {
            let mut old = source("vorbis", "mono", Some(48_000), None);
            old.format.rate = rate;
            let file = Container::Sound(SoundFile::Ogg);
            let plan = plan_sound_encoder(&old, file, Quality::Good).unwrap();
            assert_eq!((plan.codec.as_str(), plan.format.rate), ("vorbis", rate));
            assert!(plan.bit_rate.unwrap() >= 32_000, "{:?}", plan.bit_rate);
        }
    }

    #[test]
    fn rates_and_channels_that_a_codec_lacks_are_changed_or_refused() {
        let mut high = source("pcm_s24le", "stereo", None, Some(24));
        high.format.rate = 96_000;
        let plan = |source: &SoundSource, file| {
            plan_sound_encoder(source, Container::Sound(file), Quality::Good)
        };
        assert_eq!(plan(&high, SoundFile::Mp3).unwrap().format.rate, 48_000);
        assert_eq!(plan(&high, SoundFile::Flac).unwrap().format.rate, 96_000);
        let around = source("pcm_s16le", "5.1", None, Some(16));
        let refused = plan(&around, SoundFile::Mp3).unwrap_err().to_string();
        assert!(refused.contains("one or two channels"), "{refused}");
        assert_eq!(plan(&around, SoundFile::M4a).unwrap().codec, "aac");
    }
}
