//! Names and numbers of colour tags (ITU-T H.273), between ffmpeg's fields and `core::color`.

use frameloom_core::color::{ChromaLocation, ColorInfo, Matrix, Range};

/// Number of "unspecified" in the three H.273 tables.
pub(crate) const UNSPECIFIED: i32 = 2;

const PRIMARIES: &[(i32, &str)] = &[
    (1, "bt709"),
    (4, "bt470m"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "film"),
    (9, "bt2020"),
    (10, "smpte428"),
    (11, "smpte431"),
    (12, "smpte432"),
    (22, "ebu3213"),
];

const TRANSFERS: &[(i32, &str)] = &[
    (1, "bt709"),
    (4, "bt470m"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "linear"),
    (9, "log100"),
    (10, "log316"),
    (11, "iec61966-2-4"),
    (12, "bt1361e"),
    (13, "iec61966-2-1"),
    (14, "bt2020-10"),
    (15, "bt2020-12"),
    (16, "smpte2084"),
    (17, "smpte428"),
    (18, "arib-std-b67"),
];

const MATRICES: &[(i32, &str)] = &[
    (0, "gbr"),
    (1, "bt709"),
    (4, "fcc"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "ycgco"),
    (9, "bt2020nc"),
    (10, "bt2020c"),
    (11, "smpte2085"),
    (12, "chroma-derived-nc"),
    (13, "chroma-derived-c"),
    (14, "ictcp"),
];

fn name_of(table: &[(i32, &str)], number: i32) -> Option<String> {
    let (_, name) = table.iter().find(|(n, _)| *n == number)?;
    Some((*name).to_owned())
}

fn number_of(table: &[(i32, &str)], name: Option<&str>) -> i32 {
    name.and_then(|name| table.iter().find(|(_, n)| *n == name))
        .map_or(UNSPECIFIED, |(number, _)| *number)
}

/// The five colour numbers as ffmpeg stores them in a frame or a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColorNumbers {
    pub primaries: i32,
    pub transfer: i32,
    pub matrix: i32,
    pub range: i32,
    pub chroma: i32,
}

impl ColorNumbers {
    pub(crate) fn from_info(info: &ColorInfo) -> Self {
        let matrix = match number_of(MATRICES, info.matrix_name.as_deref()) {
            UNSPECIFIED => match info.matrix {
                Matrix::Unspecified | Matrix::Other => UNSPECIFIED,
                Matrix::Identity => 0,
                Matrix::Bt709 => 1,
                Matrix::Fcc => 4,
                Matrix::Bt601 => 6,
                Matrix::Smpte240m => 7,
                Matrix::Bt2020 => 9,
            },
            number => number,
        };
        Self {
            primaries: number_of(PRIMARIES, info.primaries.as_deref()),
            transfer: number_of(TRANSFERS, info.transfer.as_deref()),
            matrix,
            range: match info.range {
                Range::Unspecified => 0,
                Range::Limited => 1,
                Range::Full => 2,
            },
            chroma: match info.chroma_location {
                ChromaLocation::Unspecified => 0,
                ChromaLocation::Left => 1,
                ChromaLocation::Center => 2,
                ChromaLocation::TopLeft => 3,
                ChromaLocation::Top => 4,
                ChromaLocation::BottomLeft => 5,
                ChromaLocation::Bottom => 6,
            },
        }
    }

    pub(crate) fn to_info(self) -> ColorInfo {
        ColorInfo {
            primaries: name_of(PRIMARIES, self.primaries),
            transfer: name_of(TRANSFERS, self.transfer),
            matrix_name: name_of(MATRICES, self.matrix),
            matrix: match self.matrix {
                0 => Matrix::Identity,
                1 => Matrix::Bt709,
                4 => Matrix::Fcc,
                5 | 6 => Matrix::Bt601,
                7 => Matrix::Smpte240m,
                9 => Matrix::Bt2020,
                8 | 10..=14 => Matrix::Other,
                _ => Matrix::Unspecified,
            },
            range: match self.range {
                1 => Range::Limited,
                2 => Range::Full,
                _ => Range::Unspecified,
            },
            chroma_location: match self.chroma {
                1 => ChromaLocation::Left,
                2 => ChromaLocation::Center,
                3 => ChromaLocation::TopLeft,
                4 => ChromaLocation::Top,
                5 => ChromaLocation::BottomLeft,
                6 => ChromaLocation::Bottom,
                _ => ChromaLocation::Unspecified,
            },
        }
    }

    /// Every tag that is missing here, taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        let pick = |a: i32, b: i32, unknown: i32| if a == unknown { b } else { a };
        Self {
            primaries: pick(self.primaries, other.primaries, UNSPECIFIED),
            transfer: pick(self.transfer, other.transfer, UNSPECIFIED),
            matrix: pick(self.matrix, other.matrix, UNSPECIFIED),
            range: pick(self.range, other.range, 0),
            chroma: pick(self.chroma, other.chroma, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_tag_survives_a_trip_through_names() {
        for (primaries, _) in PRIMARIES {
            for (transfer, _) in TRANSFERS {
                for (matrix, _) in MATRICES {
                    let numbers = ColorNumbers {
                        primaries: *primaries,
                        transfer: *transfer,
                        matrix: *matrix,
                        range: 2,
                        chroma: 3,
                    };
                    assert_eq!(ColorNumbers::from_info(&numbers.to_info()), numbers);
                }
            }
        }
    }

    #[test]
    fn unknown_stays_unknown() {
        let info = ColorInfo::default();
        let numbers = ColorNumbers::from_info(&info);
        assert_eq!(
            (numbers.primaries, numbers.transfer, numbers.matrix),
            (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED)
        );
        assert_eq!((numbers.range, numbers.chroma), (0, 0));
        assert_eq!(numbers.to_info(), info);
    }
}
