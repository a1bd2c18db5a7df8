//! A picture in memory, what comes with it, and how large it may be.

use crate::error::Fault;
use frameloom_core::media::Warning;

/// A decoded picture, upright.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Columns, after the orientation was applied.
    pub width: u32,
    /// Rows, after the orientation was applied.
    pub height: u32,
    /// `width * height * layout.count()` samples: rows from the top, pixels from the left,
    /// channels interleaved, alpha straight.
    pub samples: Samples,
    /// What the channels of a pixel are.
    pub layout: Channels,
    /// What came with the picture. Its orientation is 1, for the samples are upright.
    pub metadata: Metadata,
    /// What a person should know of this reading.
    pub warnings: Vec<Warning>,
}

impl Picture {
    /// Bits per sample: 8 or 16.
    pub fn bits(&self) -> u8 {
        match self.samples {
            Samples::U8(_) => 8,
            Samples::U16(_) => 16,
        }
    }
}

/// Interleaved samples of either depth, native-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65535.
    U16(Vec<u16>),
}

impl Samples {
    /// The samples of `rows`, each of `row_samples` samples; `None` if that is outside.
    pub fn rows(&self, row_samples: usize, rows: std::ops::Range<usize>) -> Option<RowsRef<'_>> {
        let range = rows.start.checked_mul(row_samples)?..rows.end.checked_mul(row_samples)?;
        Some(match self {
            Samples::U8(data) => RowsRef::U8(data.get(range)?),
            Samples::U16(data) => RowsRef::U16(data.get(range)?),
        })
    }

    /// All samples.
    pub fn as_rows(&self) -> RowsRef<'_> {
        match self {
            Samples::U8(data) => RowsRef::U8(data),
            Samples::U16(data) => RowsRef::U16(data),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Samples::U8(data) => data.len(),
            Samples::U16(data) => data.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whole rows of interleaved samples, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum RowsRef<'a> {
    /// 0 to 255.
    U8(&'a [u8]),
    /// 0 to 65535, native-endian.
    U16(&'a [u16]),
}

impl RowsRef<'_> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            RowsRef::U8(data) => data.len(),
            RowsRef::U16(data) => data.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Channels of a pixel, in this order in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channels {
    /// Luma.
    Gray,
    /// Luma, straight alpha.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, straight alpha.
    Rgba,
}

impl Channels {
    /// Samples per pixel.
    pub fn count(self) -> usize {
        match self {
            Channels::Gray => 1,
            Channels::GrayAlpha => 2,
            Channels::Rgb => 3,
            Channels::Rgba => 4,
        }
    }

    /// Samples per pixel without alpha.
    pub fn color_count(self) -> usize {
        match self {
            Channels::Gray | Channels::GrayAlpha => 1,
            Channels::Rgb | Channels::Rgba => 3,
        }
    }

    /// The last sample of a pixel is alpha.
    pub fn has_alpha(self) -> bool {
        matches!(self, Channels::GrayAlpha | Channels::Rgba)
    }

    /// The same with or without alpha.
    pub fn with_alpha(self, alpha: bool) -> Self {
        match (self.color_count(), alpha) {
            (1, false) => Channels::Gray,
            (1, true) => Channels::GrayAlpha,
            (_, false) => Channels::Rgb,
            (_, true) => Channels::Rgba,
        }
    }
}

/// What comes with a picture and is carried to the result where its format can.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// ICC profile, byte for byte.
    pub icc: Option<Vec<u8>>,
    /// EXIF as a TIFF block (`II*\0..` or `MM\0*..`), without the `Exif\0\0` in front.
    pub exif: Option<Vec<u8>>,
    /// XMP packet, UTF-8.
    pub xmp: Option<Vec<u8>>,
    /// Dots per inch, across and down.
    pub dpi: Option<(f64, f64)>,
    /// Keyword and text of a PNG's text chunks, XMP and raw profiles apart.
    pub text: Vec<(String, String)>,
    /// How a PNG without ICC profile describes its colour.
    pub png_color: Option<PngColor>,
}

/// Colour as the chunks `sRGB`, `gAMA`, `cHRM` and `cICP` of a PNG tell it (PNG 3rd edition, 11.3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PngColor {
    /// Rendering intent of `sRGB`.
    pub srgb_intent: Option<u8>,
    /// Gamma times 100000.
    pub gamma: Option<u32>,
    /// White, red, green, blue as x, y times 100000.
    pub chromaticities: Option<[u32; 8]>,
    /// Primaries, transfer, matrix, full range (ITU-T H.273).
    pub cicp: Option<[u8; 4]>,
}

impl PngColor {
    /// Nothing of it differs from what an untagged picture means.
    pub(crate) fn is_srgb(&self) -> bool {
        let cicp_is_srgb = matches!(self.cicp, None | Some([1, 13, 0, 1]));
        let gamma_is_srgb = matches!(self.gamma, None | Some(45_000..=46_000));
        let chroma_is_srgb = self.chromaticities.is_none_or(|c| {
            const SRGB: [u32; 8] = [
                31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000,
            ];
            c.iter().zip(SRGB).all(|(a, b)| a.abs_diff(b) <= 100)
        });
        cicp_is_srgb && (self.srgb_intent.is_some() || (gamma_is_srgb && chroma_is_srgb))
    }
}

/// How large a picture may be. Checked on the header, before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the picture.
    pub max_pixels: u64,
    /// Pixels along one side.
    pub max_side: u32,
    /// Bytes of the decoded samples.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 1 << 29,
            max_side: 65_535,
            // 16384 x 16384 with alpha in 16 bits takes 2 GiB.
            max_bytes: 3 << 30,
        }
    }
}

impl Limits {
    /// Number of samples of a picture, if it is within the limits.
    pub(crate) fn samples(
        &self,
        width: u32,
        height: u32,
        channels: usize,
        sample_bytes: usize,
    ) -> Result<usize, Fault> {
        let too_large = |limit: String| Fault::TooLarge {
            width,
            height,
            limit,
        };
        if width == 0 || height == 0 {
            return Err(Fault::Damaged("it has no pixels".into()));
        }
        if width > self.max_side || height > self.max_side {
            return Err(too_large(format!("{} pixels a side", self.max_side)));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return Err(too_large(format!(
                "{} megapixels",
                self.max_pixels.div_ceil(1_000_000)
            )));
        }
        let samples = pixels * channels as u64;
        if samples * sample_bytes as u64 > self.max_bytes {
            return Err(too_large(format!("{} MiB of memory", self.max_bytes >> 20)));
        }
        usize::try_from(samples).map_err(|_| too_large("the memory of this machine".into()))
    }
}
