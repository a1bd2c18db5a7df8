//! What can be typed to work on subtitles.

use super::{DeinterlaceName, Making, Upscale, Wishes};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use frameloom_app::subtitles::SubtitleFormat;
use frameloom_app::{PresetId, SubtitlePlace, SubtitleWish};
use frameloom_core::graph::{Anchor, TrackShow};
use frameloom_core::subtitles::Retime;
use frameloom_core::time::{FrameRate, Rational};
use std::path::PathBuf;

/// Arguments of `subtitles`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["export", "add", "burn"]))]
#[command(group = ArgGroup::new("times").args(["stretch", "rate", "sync"]))]
pub struct Subtitles {
    /// Files of subtitles, or clips.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Write the subtitles of each input in a format; the name after `-o` says it as well. `-o -` is the
    /// standard output.
    #[arg(long, value_name = "FORMAT", value_parser = subtitle_format())]
    pub export: Option<SubtitleFormat>,
    /// Write a copy of a clip with these subtitles as another track. Pictures and sound are copied; where
    /// the result cannot hold the pictures as they are, they are encoded anew, and that is said.
    #[arg(long, value_name = "FILE")]
    pub add: Option<PathBuf>,
    /// Burn these subtitles into the pictures. A clip may be named as well, even the input itself.
    #[arg(long, value_name = "FILE")]
    pub burn: Option<PathBuf>,
    /// Where to write: a file, or a folder. Beside the input if left out.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Take the track of this index of a clip (see `frameloom probe`); the first one with text if left
    /// out.
    #[arg(long, value_name = "INDEX")]
    pub track: Option<u32>,
    /// Character set of a file that is not in UTF-8, such as windows-1252 or windows-1258.
    #[arg(long, value_name = "NAME")]
    pub charset: Option<String>,
    /// Show everything so many seconds later; earlier with a minus.
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, value_parser = seconds)]
    pub shift: Option<Rational>,
    /// Multiply all times by this before they are shifted: 1.001, or 25/24.
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub stretch: Option<Rational>,
    /// The clip that they were made for had the first rate, and this one has the second: 25:23.976.
    #[arg(long, value_name = "FROM:TO", value_parser = rates)]
    pub rate: Option<Rational>,
    /// A time of the subtitles and the one at which it belongs: '0:01:00=0:01:02.5'. Given twice, all
    /// other times follow from both; given once, everything is shifted.
    #[arg(long, value_name = "IS=WANTED", value_parser = pair, conflicts_with = "shift")]
    pub sync: Vec<(i64, i64)>,
    /// Language of the new track: two or three letters of ISO 639.
    #[arg(long, value_name = "LANGUAGE", requires = "add")]
    pub language: Option<String>,
    /// Name of the new track, as menus show it.
    #[arg(long, value_name = "TITLE", requires = "add")]
    pub title: Option<String>,
    /// Players show the new track unless told otherwise.
    #[arg(long, requires = "add")]
    pub default: bool,
    /// Family of the font. As all of how it looks, for what is burned in and has no look of its own, as
    /// ASS has.
    #[arg(long, value_name = "FAMILY", requires = "burn")]
    pub font: Option<String>,
    /// Height of a line in percent of the picture's height, 0.5 to 50; 5 if left out.
    #[arg(long, value_name = "PERCENT", requires = "burn")]
    pub size: Option<f64>,
    /// Colour of the letters, '#rrggbb'; white if left out.
    #[arg(long, value_name = "COLOUR", requires = "burn")]
    pub color: Option<String>,
    /// Colour of the outline, '#rrggbb'; black if left out.
    #[arg(long, value_name = "COLOUR", requires = "burn")]
    pub outline_color: Option<String>,
    /// Width of the outline in percent of the size, 0 to 50; 6 if left out.
    #[arg(long, value_name = "PERCENT", requires = "burn")]
    pub outline: Option<f64>,
    /// Put a box of this colour behind the text, '#rrggbb'; black if only `--box` is said.
    #[arg(
        long = "box",
        value_name = "COLOUR",
        requires = "burn",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "#000000"
    )]
    pub back: Option<String>,
    /// Above instead of below.
    #[arg(long, requires = "burn")]
    pub top: bool,
    /// Distance from the edge in percent of the picture's height, 0 to 50; 4 if left out.
    #[arg(long, value_name = "PERCENT", requires = "burn")]
    pub margin: Option<f64>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of a clip with burned subtitles, with {name}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE", requires = "burn")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif), where subtitles are
    /// burned in.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
}

fn subtitle_format() -> impl TypedValueParser<Value = SubtitleFormat> {
    let words = SubtitleFormat::ALL.iter().map(|(_, word)| *word);
    PossibleValuesParser::new(words).try_map(|word| {
        SubtitleFormat::from_word(&word).ok_or_else(|| format!("there is no format `{word}`"))
    })
}

/// A decimal as an exact fraction of millionths.
fn decimal(text: &str) -> Option<Rational> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || whole.len() + part.len() == 0 || part.len() > 6 {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let micros: i64 = format!("{part:0<6}").parse().ok()?;
    let micros = whole.checked_mul(1_000_000)?.checked_add(micros)?;
    Rational::new(sign * micros, 1_000_000)
}

fn seconds(text: &str) -> Result<Rational, String> {
    decimal(text).ok_or_else(|| format!("`{text}` is no number of seconds; write 2.5 or -0.75"))
}

fn factor(text: &str) -> Result<Rational, String> {
    let found = match text.split_once('/') {
        Some((num, den)) => num
            .parse::<u32>()
            .ok()
            .zip(den.parse::<u32>().ok())
            .and_then(|(num, den)| Rational::new(num.into(), den.into())),
        None => decimal(text),
    };
    found
        .filter(|factor| Retime::new(None, Some(*factor)).is_some())
        .ok_or_else(|| format!("`{text}` is no factor from 1/100 to 100; write 1.001 or 25/24"))
}

/// What was shown at one rate of pictures is shown at another: a picture stays the picture it was.
fn rates(text: &str) -> Result<Rational, String> {
    let refused = || format!("`{text}` is no pair of rates; write 23.976:25");
    let (from, to) = text.split_once(':').ok_or_else(refused)?;
    let rate = |text: &str| text.parse::<FrameRate>().map(FrameRate::ratio);
    let (from, to) = (rate(from)?, rate(to)?);
    let num = from.num.checked_mul(to.den);
    let den = from.den.checked_mul(to.num);
    num.zip(den)
        .and_then(|(num, den)| Rational::new(num, den))
        .filter(|factor| Retime::new(None, Some(*factor)).is_some())
        .ok_or_else(refused)
}

/// `h:mm:ss.fff`, `mm:ss` or seconds, in microseconds.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.trim().rsplit(':');
    let seconds = decimal(parts.next()?).filter(|s| s.num >= 0)?;
    let micros =
        i64::try_from(i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den)).ok()?;
    let mut whole = |most: u32| match parts.next() {
        None => Some(0),
        Some(text) => text.parse::<u32>().ok().filter(|n| *n < most),
    };
    let (minutes, hours) = (whole(1_000_000)?, whole(100_000)?);
    let minutes = i64::from(minutes) + i64::from(hours) * 60;
    parts
        .next()
        .is_none()
        .then(|| micros + minutes * 60_000_000)
}

fn pair(text: &str) -> Result<(i64, i64), String> {
    text.split_once('=')
        .and_then(|(is, wanted)| clock(is).zip(clock(wanted)))
        .ok_or_else(|| format!("`{text}` is no pair of times; write 0:01:00=0:01:02.5"))
}

impl Subtitles {
    /// The factor and the shift, in seconds.
    ///
    /// # Errors
    /// A sentence: the pairs of times fit no clip.
    fn times(&self) -> Result<(Option<Rational>, Option<Rational>), String> {
        let micros = |micros: i64| Rational::new(micros, 1_000_000);
        match self.sync.as_slice() {
            [] => Ok((self.stretch.or(self.rate), self.shift)),
            [(is, wanted)] => Ok((None, micros(wanted - is))),
            [first, second] => match Retime::through(*first, *second) {
                Some(retime) => Ok((Some(retime.stretch), micros(retime.shift_micros))),
                None => Err("No clip fits both pairs of times.".to_owned()),
            },
            _ => Err("Two pairs of times say everything; there are more.".to_owned()),
        }
    }

    /// Which subtitles, when they are shown, and how they look.
    ///
    /// # Errors
    /// A sentence: the pairs of times fit no clip.
    pub fn wish(&self) -> Result<SubtitleWish, String> {
        let (stretch, shift) = self.times()?;
        Ok(SubtitleWish {
            place: match self.add {
                Some(_) => SubtitlePlace::Track,
                None => SubtitlePlace::Pictures,
            },
            language: self.language.clone(),
            title: self.title.clone(),
            show: match self.default {
                true => TrackShow::Always,
                false => TrackShow::Chosen,
            },
            file: self.burn.clone().or_else(|| self.add.clone()),
            track: self.track,
            charset: self.charset.clone(),
            shift,
            stretch,
            font: self.font.clone(),
            size: self.size,
            color: self.color.clone(),
            outline_color: self.outline_color.clone(),
            outline: self.outline,
            back: self.back.clone(),
            anchor: self.top.then_some(Anchor::Top),
            margin: self.margin,
        })
    }

    /// As the command for enlarging takes it.
    pub fn upscale(&self, wish: SubtitleWish) -> Upscale {
        Upscale {
            output: self.output.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            wishes: Wishes {
                subtitles: Some(wish),
                ..Wishes::default()
            },
            ..Upscale::new(PresetId::Subtitles, &self.inputs, &self.making)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly_as_people_write_them() {
        assert_eq!(seconds("-1.5").unwrap(), Rational::new(-3, 2).unwrap());
        assert_eq!(seconds("+.04").unwrap(), Rational::new(1, 25).unwrap());
        for wrong in [
            "",
            ".",
            "1e3",
            "1.2.3",
            "1.0000001",
            "--1",
            "9999999999999999",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(clock("1:02:03.5"), Some(3_723_500_000));
        assert_eq!(clock("90:00"), Some(5_400_000_000));
        assert_eq!(clock("-1"), None);
        assert_eq!(clock("1:2:3:4"), None);
        assert_eq!(pair("0:01:00=62.5").unwrap(), (60_000_000, 62_500_000));
        assert_eq!(
            rates("23.976:25").unwrap(),
            Rational::new(960, 1001).unwrap()
        );
        assert_eq!(factor("25/24").unwrap(), Rational::new(25, 24).unwrap());
        assert!(factor("0").is_err());
        assert!(rates("24").is_err());
    }
}
