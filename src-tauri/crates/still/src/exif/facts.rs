//! What people ask of a picture's EXIF block, as text (CIPA DC-008-2019, 4.6).

use super::ifd::{Directories, Field};
use super::tag;
use frameloom_core::library::{ExifFact, ExifName};

const ARTIST: u16 = 0x013b;
const COPYRIGHT: u16 = 0x8298;
const EXPOSURE_TIME: u16 = 0x829a;
const F_NUMBER: u16 = 0x829d;
const SENSITIVITY: u16 = 0x8827;
const FOCAL_LENGTH: u16 = 0x920a;
const LENS_MODEL: u16 = 0xa434;
const LATITUDE_REF: u16 = 1;
const LATITUDE: u16 = 2;
const LONGITUDE_REF: u16 = 3;
const LONGITUDE: u16 = 4;

/// What is there, in the order in which people ask. What makes no sense is left out.
pub(crate) fn facts(found: &Directories) -> Vec<ExifFact> {
    let exif = |tag| found.exif.iter().find(|field| field.tag == tag);
    let ratio = |tag| exif(tag).and_then(Field::as_ratio).filter(|n| *n > 0.0);
    let rows = [
        (ExifName::Camera, camera(found)),
        (ExifName::Lens, found.text(LENS_MODEL)),
        (
            ExifName::Taken,
            found
                .text(tag::DATE_TIME_ORIGINAL)
                .or_else(|| found.text(tag::DATE_TIME))
                .and_then(|text| date(&text)),
        ),
        (ExifName::Exposure, ratio(EXPOSURE_TIME).map(exposure)),
        (ExifName::Aperture, ratio(F_NUMBER).map(short)),
        (
            ExifName::Iso,
            exif(SENSITIVITY)
                .and_then(Field::as_u32)
                .filter(|iso| *iso > 0)
                .map(|iso| iso.to_string()),
        ),
        (ExifName::FocalLength, ratio(FOCAL_LENGTH).map(short)),
        (ExifName::Artist, found.text(ARTIST)),
        (ExifName::Copyright, found.text(COPYRIGHT)),
        (ExifName::Software, found.text(tag::SOFTWARE)),
        (ExifName::Position, position(found)),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| {
            Some(ExifFact {
                name,
                value: value?,
            })
        })
        .collect()
}

/// Makers write themselves into the model, too.
fn camera(found: &Directories) -> Option<String> {
    let (make, model) = (found.text(tag::MAKE), found.text(tag::MODEL));
    match (make, model) {
        (Some(make), Some(model)) => {
            let first = make.split_whitespace().next().unwrap_or_default();
            match model.to_lowercase().starts_with(&first.to_lowercase()) {
                true => Some(model),
                false => Some(format!("{make} {model}")),
            }
        }
        (make, model) => make.or(model),
    }
}

/// `2024:05:17 08:30:00` with dashes; cameras without a clock write zeros or spaces.
fn date(text: &str) -> Option<String> {
    let (day, time) = text.split_once(' ')?;
    let is_set = day.len() == 10 && day.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    is_set.then(|| format!("{} {}", day.replace(':', "-"), time.trim()))
}

/// `1/250`, or seconds from a third on.
fn exposure(seconds: f64) -> String {
    match seconds < 0.3 {
        true => format!("1/{:.0}", 1.0 / seconds),
        false => short(seconds),
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Degrees with a sign; five decimals are a metre.
fn position(found: &Directories) -> Option<String> {
    let gps = |tag| found.gps.iter().find(|field| field.tag == tag);
    let degrees = |value: u16, reference: u16, negative: &str, most: f64| {
        let parts = gps(value)?.as_ratios();
        let [degrees, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let minutes = rest.first().copied().unwrap_or(0.0);
        let seconds = rest.get(1).copied().unwrap_or(0.0);
        let sum = degrees + minutes / 60.0 + seconds / 3600.0;
        let is_negative = gps(reference)?.as_text()?.eq_ignore_ascii_case(negative);
        (sum.is_finite() && sum <= most).then_some(if is_negative { -sum } else { sum })
    };
    let latitude = degrees(LATITUDE, LATITUDE_REF, "S", 90.0)?;
    let longitude = degrees(LONGITUDE, LONGITUDE_REF, "W", 180.0)?;
    Some(format!("{latitude:.5}, {longitude:.5}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tag: u16, value: &str) -> Field {
        Field {
            tag,
            kind: 2,
            data: format!("{value}\0").into_bytes(),
        }
    }

    fn ratios(tag: u16, values: &[(u32, u32)]) -> Field {
        let data = values
            .iter()
            .flat_map(|(n, d)| [n.to_le_bytes(), d.to_le_bytes()].concat())
            .collect();
        Field { tag, kind: 5, data }
    }

    #[test]
    fn a_picture_tells_how_it_was_taken_as_people_write_it() {
        let found = Directories {
            primary: vec![
                text(tag::MAKE, "NIKON CORPORATION"),
                text(tag::MODEL, "NIKON D750"),
                text(ARTIST, "Mai"),
            ],
            exif: vec![
                text(tag::DATE_TIME_ORIGINAL, "2024:05:17 08:30:00"),
                ratios(EXPOSURE_TIME, &[(10, 2500)]),
                ratios(F_NUMBER, &[(28, 10)]),
                ratios(FOCAL_LENGTH, &[(50, 1)]),
            ],
            gps: vec![
                text(LATITUDE_REF, "S"),
                ratios(LATITUDE, &[(10, 1), (30, 1), (0, 1)]),
                text(LONGITUDE_REF, "E"),
                ratios(LONGITUDE, &[(105, 1), (51, 1), (18, 1)]),
            ],
            interop: vec![],
        };
        let told: Vec<_> = facts(&found)
            .into_iter()
            .map(|f| (f.name, f.value))
            .collect();
        let expected = [
            (ExifName::Camera, "NIKON D750"),
            (ExifName::Taken, "2024-05-17 08:30:00"),
            (ExifName::Exposure, "1/250"),
            (ExifName::Aperture, "2.8"),
            (ExifName::FocalLength, "50"),
            (ExifName::Artist, "Mai"),
            (ExifName::Position, "-10.50000, 105.85500"),
        ];
        assert_eq!(told, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let found = Directories {
            primary: vec![
                text(tag::DATE_TIME, "0000:00:00 00:00:00"),
                text(ARTIST, " "),
            ],
            exif: vec![
                ratios(EXPOSURE_TIME, &[(0, 1)]),
                ratios(F_NUMBER, &[(1, 0)]),
            ],
            gps: vec![text(LATITUDE_REF, "N"), ratios(LATITUDE, &[(900, 1)])],
            interop: vec![],
        };
        assert_eq!(facts(&found), []);
    }
}
