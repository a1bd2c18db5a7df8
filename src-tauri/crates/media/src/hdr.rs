//! Static HDR data: mastering display (SMPTE ST 2086) and content light level (CTA-861.3).

use frameloom_core::time::Rational;
use serde::{Deserialize, Serialize};

/// Static HDR data of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HdrStatic {
    /// The display that the video was mastered on.
    pub mastering: Option<MasteringDisplay>,
    /// How bright the content gets.
    pub content_light: Option<ContentLight>,
}

/// SMPTE ST 2086. Either half may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasteringDisplay {
    /// CIE 1931 x and y of red, green, blue and the white point.
    pub chromaticities: Option<[[Rational; 2]; 4]>,
    /// Lowest and highest luminance in cd/m².
    pub luminance: Option<[Rational; 2]>,
}

/// CTA-861.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentLight {
    /// Brightest pixel in cd/m² (MaxCLL).
    pub max_content: u32,
    /// Brightest frame average in cd/m² (MaxFALL).
    pub max_average: u32,
}

fn word(bytes: &[u8], index: usize) -> Option<i32> {
    let bytes = bytes.get(index * 4..index * 4 + 4)?;
    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
}

impl HdrStatic {
    /// Reads the two structures of ffmpeg, `AVMasteringDisplayMetadata` and
    /// `AVContentLightMetadata`; `None` where neither says anything.
    pub(crate) fn parse(mastering: Option<&[u8]>, light: Option<&[u8]>) -> Option<Self> {
        let mastering = mastering.and_then(MasteringDisplay::parse);
        let content_light = light.and_then(|bytes| {
            Some(ContentLight {
                max_content: word(bytes, 0)?.cast_unsigned(),
                max_average: word(bytes, 1)?.cast_unsigned(),
            })
        });
        (mastering.is_some() || content_light.is_some()).then_some(Self {
            mastering,
            content_light,
        })
    }
}

impl ContentLight {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.max_content, self.max_average]
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .collect()
    }
}

impl MasteringDisplay {
    /// Six chromaticities of the primaries, two of the white point, lowest and highest luminance,
    /// each a numerator and a denominator; then the two flags.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let ratio = |index: usize| {
            Rational::new(
                i64::from(word(bytes, index * 2)?),
                i64::from(word(bytes, index * 2 + 1)?),
            )
        };
        let point = |index: usize| Some([ratio(index)?, ratio(index + 1)?]);
        let chromaticities = if word(bytes, 20)? != 0 {
            Some([point(0)?, point(2)?, point(4)?, point(6)?])
        } else {
            None
        };
        let luminance = if word(bytes, 21)? != 0 {
            point(8)
        } else {
            None
        };
        (chromaticities.is_some() || luminance.is_some()).then_some(Self {
            chromaticities,
            luminance,
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let zero = Rational { num: 0, den: 1 };
        let mut words: Vec<i32> = Vec::with_capacity(22);
        let points = self.chromaticities.unwrap_or([[zero; 2]; 4]);
        let luminance = self.luminance.unwrap_or([zero; 2]);
        for ratio in points.iter().flatten().chain(luminance.iter()) {
            words.push(i32::try_from(ratio.num).unwrap_or(0));
            words.push(i32::try_from(ratio.den).unwrap_or(1));
        }
        words.push(i32::from(self.chromaticities.is_some()));
        words.push(i32::from(self.luminance.is_some()));
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// The value of x265's `master-display`: chromaticities in 1/50000, luminance in 1/10000.
    pub(crate) fn x265_text(&self) -> Option<String> {
        let [red, green, blue, white] = self.chromaticities?;
        let [low, high] = self.luminance?;
        let scaled = |r: Rational, unit: i64| {
            let value = (i128::from(r.num) * i128::from(unit) * 2 + i128::from(r.den))
                / (i128::from(r.den) * 2);
            value.clamp(0, i128::from(u32::MAX))
        };
        let xy = |p: [Rational; 2]| format!("({},{})", scaled(p[0], 50_000), scaled(p[1], 50_000));
        Some(format!(
            "G{}B{}R{}WP{}L({},{})",
            xy(green),
            xy(blue),
            xy(red),
            xy(white),
            scaled(high, 10_000),
            scaled(low, 10_000)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(num: i64, den: i64) -> Rational {
        Rational::new(num, den).unwrap()
    }

    fn display() -> MasteringDisplay {
        MasteringDisplay {
            chromaticities: Some([
                [r(34_000, 50_000), r(16_000, 50_000)],
                [r(13_250, 50_000), r(34_500, 50_000)],
                [r(7_500, 50_000), r(3_000, 50_000)],
                [r(15_635, 50_000), r(16_450, 50_000)],
            ]),
            luminance: Some([r(50, 10_000), r(10_000_000, 10_000)]),
        }
    }

    #[test]
    fn the_structures_of_ffmpeg_survive_a_round_trip() {
        let light = ContentLight {
            max_content: 1000,
            max_average: 400,
        };
        let parsed = HdrStatic::parse(Some(&display().to_bytes()), Some(&light.to_bytes()));
        assert_eq!(
            parsed,
            Some(HdrStatic {
                mastering: Some(display()),
                content_light: Some(light)
            })
        );
        assert_eq!(HdrStatic::parse(Some(&[0; 12]), None), None);
        assert_eq!(HdrStatic::parse(Some(&[0; 88]), Some(&[1])), None);
    }

    #[test]
    fn x265_gets_the_units_that_it_wants() {
        assert_eq!(
            display().x265_text().as_deref(),
            Some("G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)")
        );
    }
}
