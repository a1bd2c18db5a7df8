//! Which format a file is in (by its first bytes) and which one a result is written in.

use std::path::Path;

/// Bytes from the start of a file that [`SourceFormat::detect`] looks at.
pub(crate) const HEAD_LEN: usize = 32;

/// Formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceFormat {
    Png,
    Jpeg,
    WebP,
    Tiff,
    Gif,
    Bmp,
    Ico,
    Pnm,
    Qoi,
    Tga,
    Hdr,
    Exr,
    Farbfeld,
}

impl SourceFormat {
    /// The format by the first [`HEAD_LEN`] bytes. `tail` is the end of the file (26 bytes are
    /// enough): TGA has its mark there.
    pub(crate) fn detect(head: &[u8], tail: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| head.starts_with(magic);
        if starts(b"\x89PNG\r\n\x1a\n") {
            Some(SourceFormat::Png)
        } else if starts(b"\xff\xd8\xff") {
            Some(SourceFormat::Jpeg)
        } else if starts(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(SourceFormat::WebP)
        } else if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
            Some(SourceFormat::Tiff)
        } else if starts(b"GIF87a") || starts(b"GIF89a") {
            Some(SourceFormat::Gif)
        } else if starts(b"BM") && bmp_header(head) {
            Some(SourceFormat::Bmp)
        } else if (starts(b"\0\0\x01\0") || starts(b"\0\0\x02\0")) && ico_header(head) {
            Some(SourceFormat::Ico)
        } else if starts(b"qoif") {
            Some(SourceFormat::Qoi)
        } else if starts(b"#?RADIANCE") || starts(b"#?RGBE") {
            Some(SourceFormat::Hdr)
        } else if starts(b"\x76\x2f\x31\x01") {
            Some(SourceFormat::Exr)
        } else if starts(b"farbfeld") {
            Some(SourceFormat::Farbfeld)
        } else if pnm_header(head) {
            Some(SourceFormat::Pnm)
        } else if tail.ends_with(b"TRUEVISION-XFILE.\0") || tga_header(head) {
            Some(SourceFormat::Tga)
        } else {
            None
        }
    }

    /// Short name, as a probe gives it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            SourceFormat::Png => "png",
            SourceFormat::Jpeg => "jpeg",
            SourceFormat::WebP => "webp",
            SourceFormat::Tiff => "tiff",
            SourceFormat::Gif => "gif",
            SourceFormat::Bmp => "bmp",
            SourceFormat::Ico => "ico",
            SourceFormat::Pnm => "pnm",
            SourceFormat::Qoi => "qoi",
            SourceFormat::Tga => "tga",
            SourceFormat::Hdr => "hdr",
            SourceFormat::Exr => "exr",
            SourceFormat::Farbfeld => "farbfeld",
        }
    }

    /// Name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SourceFormat::Png => "PNG",
            SourceFormat::Jpeg => "JPEG",
            SourceFormat::WebP => "WebP",
            SourceFormat::Tiff => "TIFF",
            SourceFormat::Gif => "GIF",
            SourceFormat::Bmp => "BMP",
            SourceFormat::Ico => "ICO",
            SourceFormat::Pnm => "PNM",
            SourceFormat::Qoi => "QOI",
            SourceFormat::Tga => "TGA",
            SourceFormat::Hdr => "Radiance HDR",
            SourceFormat::Exr => "OpenEXR",
            SourceFormat::Farbfeld => "Farbfeld",
        }
    }
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// "BM" alone begins many a text: the size of the second header must be one that exists.
fn bmp_header(head: &[u8]) -> bool {
    matches!(
        u32_le(head, 14),
        Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
    )
}

/// The first entry has a reserved 0 and one or more bytes somewhere behind the directory.
fn ico_header(head: &[u8]) -> bool {
    let count = u16::from_le_bytes([
        head.get(4).copied().unwrap_or(0),
        head.get(5).copied().unwrap_or(0),
    ]);
    count > 0
        && head.get(9) == Some(&0)
        && u32_le(head, 14).is_some_and(|size| size > 0)
        && u32_le(head, 18).is_some_and(|at| at >= 6 + 16 * u32::from(count))
}

/// P1 to P7 and white space.
fn pnm_header(head: &[u8]) -> bool {
    matches!(head, [b'P', b'1'..=b'7', space, ..] if space.is_ascii_whitespace())
}

/// TGA version 1 has no mark: every field of its header must be plausible.
fn tga_header(head: &[u8]) -> bool {
    let [
        _,
        map,
        kind,
        map_0,
        map_1,
        map_2,
        map_3,
        map_bits,
        _,
        _,
        _,
        _,
        w0,
        w1,
        h0,
        h1,
        bits,
        flags,
        ..,
    ] = head
    else {
        return false;
    };
    let has_map = match (map, kind) {
        (1, 1 | 9) => true,
        (0, 2 | 3 | 10 | 11) => false,
        _ => return false,
    };
    let map_is_plausible = if has_map {
        matches!(map_bits, 15 | 16 | 24 | 32) && (*map_2 > 0 || *map_3 > 0)
    } else {
        [map_0, map_1, map_2, map_3, map_bits]
            .iter()
            .all(|byte| **byte == 0)
    };
    let bits_are_plausible = match kind {
        1 | 9 => matches!(bits, 8 | 16),
        3 | 11 => matches!(bits, 8 | 16),
        _ => matches!(bits, 15 | 16 | 24 | 32),
    };
    map_is_plausible
        && bits_are_plausible
        && flags & 0xc0 == 0
        && (*w0, *w1) != (0, 0)
        && (*h0, *h1) != (0, 0)
}

/// Formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StillFormat {
    /// PNG, always without loss, 8 and 16 bit.
    Png,
    /// Baseline JPEG, 8 bit, no alpha, up to 65500 pixels a side.
    Jpeg,
    /// WebP, without loss, 8 bit, up to 16383 pixels a side.
    WebP,
    /// TIFF in deflated strips, always without loss, 8 and 16 bit; BigTIFF where it gets long.
    Tiff,
}

impl StillFormat {
    /// The format that the extension of `path` names; the file need not exist.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "png" => Some(StillFormat::Png),
            "jpg" | "jpeg" | "jpe" | "jfif" => Some(StillFormat::Jpeg),
            "webp" => Some(StillFormat::WebP),
            "tif" | "tiff" => Some(StillFormat::Tiff),
            _ => None,
        }
    }

    /// As [`from_path`](Self::from_path), with the error that a person should see.
    ///
    /// # Errors
    /// [`StillError::UnknownExtension`](crate::StillError::UnknownExtension).
    pub fn for_output(path: &Path) -> Result<Self, crate::StillError> {
        Self::from_path(path).ok_or_else(|| crate::StillError::UnknownExtension {
            extension: path
                .extension()
                .map(|extension| extension.to_string_lossy().into_owned())
                .unwrap_or_default(),
            path: path.to_path_buf(),
        })
    }

    /// Extension without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            StillFormat::Png => "png",
            StillFormat::Jpeg => "jpg",
            StillFormat::WebP => "webp",
            StillFormat::Tiff => "tif",
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            StillFormat::Png => "PNG",
            StillFormat::Jpeg => "JPEG",
            StillFormat::WebP => "WebP",
            StillFormat::Tiff => "TIFF",
        }
    }

    /// The format has an alpha channel.
    pub fn holds_alpha(self) -> bool {
        !matches!(self, StillFormat::Jpeg)
    }

    /// The format has 16-bit samples.
    pub fn holds_16_bits(self) -> bool {
        matches!(self, StillFormat::Png | StillFormat::Tiff)
    }

    /// Longest side in pixels.
    pub fn max_side(self) -> u32 {
        match self {
            StillFormat::Png => i32::MAX as u32,
            // 65535 by the standard; libjpeg stops here.
            StillFormat::Jpeg => 65_500,
            // 16384 in the lossless stream, 16383 in libwebp.
            StillFormat::WebP => 16_383,
            StillFormat::Tiff => u32::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_begins_like_a_bitmap_is_no_bitmap() {
        assert_eq!(
            SourceFormat::detect(b"BM is how this long text begins, you see", b""),
            None
        );
        assert_eq!(
            SourceFormat::detect(b"P5 is a portable graymap", b""),
            Some(SourceFormat::Pnm)
        );
        assert_eq!(SourceFormat::detect(b"P is for picture", b""), None);
        assert_eq!(SourceFormat::detect(b"", b""), None);
        assert_eq!(SourceFormat::detect(&[0; 32], &[0; 26]), None);
    }

    #[test]
    fn an_extension_counts_in_any_case() {
        assert_eq!(
            StillFormat::from_path(Path::new("a.JPG")),
            Some(StillFormat::Jpeg)
        );
        assert_eq!(
            StillFormat::from_path(Path::new("a.b.tiff")),
            Some(StillFormat::Tiff)
        );
        assert_eq!(StillFormat::from_path(Path::new("png")), None);
        let error = StillFormat::for_output(Path::new("a.gif")).unwrap_err();
        assert!(error.to_string().contains("\"gif\""));
    }
}
