//! Files of sound alone: which can be written, and what each holds beside its sound.

use super::encode::known;
use crate::ffi::output::can_hold;
use crate::ffi::params::codec_id;
use serde::{Deserialize, Serialize};

/// A kind of file that holds sound and no moving pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundFile {
    /// RIFF WAVE; RF64 where it would be too large for that.
    Wav,
    /// Apple's AIFF.
    Aiff,
    /// FLAC.
    Flac,
    /// MPEG layer 3, with ID3.
    Mp3,
    /// MPEG-4 sound: AAC, or ALAC.
    M4a,
    /// Vorbis in Ogg.
    Ogg,
    /// Opus in Ogg.
    Opus,
    /// Matroska without pictures.
    Mka,
}

/// What a file of sound usually holds: what of lossy sources, and what keeps everything.
struct Codecs {
    lossy: &'static [&'static str],
    lossless: &'static [&'static str],
    /// Others that are kept where a source has them.
    kept: &'static [&'static str],
}

impl SoundFile {
    /// All of them, the one that plays in most places first.
    pub const ALL: [SoundFile; 8] = [
        SoundFile::M4a,
        SoundFile::Mp3,
        SoundFile::Wav,
        SoundFile::Flac,
        SoundFile::Ogg,
        SoundFile::Opus,
        SoundFile::Aiff,
        SoundFile::Mka,
    ];

    /// The file of an extension in small letters, without its dot.
    pub(crate) fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "wav" | "wave" => SoundFile::Wav,
            "aif" | "aiff" => SoundFile::Aiff,
            "flac" => SoundFile::Flac,
            "mp3" => SoundFile::Mp3,
            "m4a" | "m4b" => SoundFile::M4a,
            "ogg" | "oga" => SoundFile::Ogg,
            "opus" => SoundFile::Opus,
            "mka" => SoundFile::Mka,
            _ => return None,
        })
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            SoundFile::Wav => "wav",
            SoundFile::Aiff => "aiff",
            SoundFile::Flac => "flac",
            SoundFile::Mp3 => "mp3",
            SoundFile::M4a => "m4a",
            SoundFile::Ogg => "ogg",
            SoundFile::Opus => "opus",
            SoundFile::Mka => "mka",
        }
    }

    /// The name that ffmpeg has for the muxer.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            SoundFile::Wav => "wav",
            SoundFile::Aiff => "aiff",
            SoundFile::Flac => "flac",
            SoundFile::Mp3 => "mp3",
            SoundFile::M4a => "ipod",
            SoundFile::Ogg => "ogg",
            SoundFile::Opus => "opus",
            SoundFile::Mka => "matroska",
        }
    }

    /// Tracks that players find in it.
    pub fn most_tracks(self) -> usize {
        match self {
            SoundFile::M4a | SoundFile::Mka => usize::MAX,
            _ => 1,
        }
    }

    /// True if its muxer writes chapters.
    pub(crate) fn holds_chapters(self) -> bool {
        !matches!(self, SoundFile::Wav | SoundFile::Aiff | SoundFile::Flac)
    }

    /// True if its muxer writes a cover of this codec.
    pub(crate) fn holds_cover(self, codec: &str) -> bool {
        match self {
            SoundFile::Wav | SoundFile::Ogg | SoundFile::Opus => false,
            SoundFile::M4a => matches!(codec, "mjpeg" | "png" | "bmp"),
            SoundFile::Mp3 | SoundFile::Flac | SoundFile::Aiff | SoundFile::Mka => {
                matches!(codec, "mjpeg" | "png")
            }
        }
    }

    fn codecs(self) -> Codecs {
        const PCM: &[&str] = &["pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"];
        const PCM_BE: &[&str] = &["pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_f32be"];
        let (lossy, lossless, kept): (&[&str], &[&str], &[&str]) = match self {
            SoundFile::Wav => (&[], PCM, &["pcm_u8", "pcm_f64le"]),
            SoundFile::Aiff => (&[], PCM_BE, &[]),
            SoundFile::Flac => (&[], &["flac"], &[]),
            SoundFile::Mp3 => (&["mp3"], &[], &[]),
            SoundFile::M4a => (&["aac"], &["alac"], &["ac3", "eac3"]),
            SoundFile::Ogg => (&["vorbis"], &["flac"], &["opus"]),
            SoundFile::Opus => (&["opus"], &[], &[]),
            SoundFile::Mka => (&["aac"], &["flac"], &[]),
        };
        Codecs {
            lossy,
            lossless,
            kept,
        }
    }

    /// True if players expect this codec in it.
    pub(crate) fn takes(self, codec: &str) -> bool {
        let codecs = self.codecs();
        let named = [codecs.lossy, codecs.lossless, codecs.kept];
        let is_usual = named.iter().any(|list| list.contains(&codec));
        let can = || codec_id(codec).is_some_and(|id| can_hold(self.muxer(), id));
        is_usual || (self == SoundFile::Mka && can())
    }

    /// Codecs for sound that is encoded, the best first: its own, where it can be written here; else
    /// without loss where that is `wanted` and there is one, and what is usual.
    pub(crate) fn candidates(self, own: &str, wanted: bool) -> Vec<&'static str> {
        let codecs = self.codecs();
        let mut list: Vec<&'static str> = Vec::new();
        if self.takes(own) {
            list.extend(known(own).map(|codec| codec.codec));
        }
        let (first, then) = match wanted {
            true => (codecs.lossless, codecs.lossy),
            false => (codecs.lossy, codecs.lossless),
        };
        for codec in first.iter().chain(then) {
            if !list.contains(codec) {
                list.push(codec);
            }
        }
        list
    }
}

/// Samples per second that an encoder takes, rising; any where there is no list.
pub(crate) fn rates(codec: &str) -> &'static [u32] {
    match codec {
        "mp3" => &[
            8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
        ],
        // It takes lower ones, and what is decoded of them has this one all the same.
        "opus" => &[48_000],
        "aac" => &[
            7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000,
            88_200, 96_000,
        ],
        _ => &[],
    }
}

/// The rate that comes nearest to `rate` without losing any of it, as far as the codec goes.
pub(crate) fn rate_for(codec: &str, rate: u32) -> u32 {
    let rates = rates(codec);
    let least = rates.iter().find(|known| **known >= rate);
    least.or(rates.last()).copied().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_sound_is_found_by_its_extension_and_holds_what_it_usually_holds() {
        for file in SoundFile::ALL {
            assert_eq!(SoundFile::from_extension(file.extension()), Some(file));
            let codecs = file.codecs();
            let all = [codecs.lossy, codecs.lossless, codecs.kept].concat();
            for codec in all {
                assert!(file.takes(codec), "{file:?} {codec}");
            }
        }
        assert!(!SoundFile::Wav.takes("mp3"), "players take it for PCM");
        assert!(!SoundFile::M4a.takes("opus"));
    }

    #[test]
    fn a_rate_is_never_lowered_where_the_codec_goes_as_high() {
        assert_eq!(rate_for("opus", 44_100), 48_000);
        assert_eq!(rate_for("aac", 16_000), 16_000);
        assert_eq!(rate_for("mp3", 96_000), 48_000);
        assert_eq!(rate_for("flac", 192_000), 192_000);
    }
}
