//! From the colours of a picture's own profile to those of sRGB.

use crate::picture::{Channels, Picture, Samples};
use moxcms::{ColorProfile, Layout, TransformOptions};

/// What became of the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Srgb {
    /// They mean sRGB now; the profile is gone.
    Converted,
    /// They meant it already, or nothing says otherwise.
    Already,
    /// How they are described cannot be used; nothing was changed.
    Unusable,
}

/// Makes the colours of a picture mean sRGB, in its own depth. Alpha stays as it is.
///
/// A picture of greys keeps its profile, which tells of light and of no colours.
pub fn to_srgb(picture: &mut Picture) -> Srgb {
    let color = picture.metadata.png_color;
    let Some(profile) = &picture.metadata.icc else {
        return match color {
            Some(color) if !color.is_srgb() => Srgb::Unusable,
            _ => Srgb::Already,
        };
    };
    let layout = match (picture.layout, crate::read::icc_space(profile)) {
        (Channels::Rgb, Some(space)) if space == *b"RGB " => Layout::Rgb,
        (Channels::Rgba, Some(space)) if space == *b"RGB " => Layout::Rgba,
        _ => return Srgb::Unusable,
    };
    let Ok(profile) = ColorProfile::new_from_slice(profile)
        .inspect_err(|error| tracing::debug!(%error, "unusable colour profile"))
    else {
        return Srgb::Unusable;
    };
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let row = picture.width as usize * picture.layout.count();
    let done = match &mut picture.samples {
        Samples::U8(samples) => profile
            .create_transform_8bit(layout, &srgb, layout, options)
            .and_then(|transform| in_rows(samples, row, |from, to| transform.transform(from, to))),
        Samples::U16(samples) => profile
            .create_transform_16bit(layout, &srgb, layout, options)
            .and_then(|transform| in_rows(samples, row, |from, to| transform.transform(from, to))),
    };
    match done {
        Ok(()) => {
            picture.metadata.icc = None;
            picture.metadata.png_color = None;
            Srgb::Converted
        }
        Err(error) => {
            tracing::debug!(%error, "colours could not be converted");
            Srgb::Unusable
        }
    }
}

/// Row by row: a second picture of this size may not fit into memory. A profile that gives a
/// transform fits any row, so that none fails behind one that was done.
fn in_rows<T: Copy + Default, E>(
    samples: &mut [T],
    row: usize,
    transform: impl Fn(&[T], &mut [T]) -> Result<(), E>,
) -> Result<(), E> {
    let mut made = vec![T::default(); row];
    for samples in samples.chunks_exact_mut(row.max(1)) {
        transform(samples, &mut made)?;
        samples.copy_from_slice(&made);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Metadata;

    fn picture(samples: Samples, layout: Channels, icc: Option<Vec<u8>>) -> Picture {
        Picture {
            width: 2,
            height: 1,
            layout,
            samples,
            metadata: Metadata {
                icc,
                ..Metadata::default()
            },
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_wide_red_becomes_the_one_of_srgb_and_greys_stay() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let samples = Samples::U8(vec![200, 60, 60, 7, 128, 128, 128, 9]);
        let mut wide = picture(samples, Channels::Rgba, Some(p3.clone()));
        assert_eq!(to_srgb(&mut wide), Srgb::Converted);
        assert_eq!(wide.metadata.icc, None);
        let Samples::U8(made) = &wide.samples else {
            panic!("its depth stays");
        };
        // A red of the wide space needs more red and less of the others in the narrow one.
        assert!(made[0] > 205 && made[1] < 60, "{made:?}");
        assert!(made[4..7].iter().all(|v| v.abs_diff(128) <= 1), "{made:?}");
        assert_eq!((made[3], made[7]), (7, 9), "alpha stays");
        let samples = Samples::U16(vec![51_400, 15_420, 15_420, 32_896, 32_896, 32_896]);
        let mut deep = picture(samples, Channels::Rgb, Some(p3));
        assert_eq!(to_srgb(&mut deep), Srgb::Converted);
        let Samples::U16(made) = &deep.samples else {
            panic!("its depth stays");
        };
        assert!(made[0] > 52_685 && made[1] < 15_420, "{made:?}");
    }

    #[test]
    fn what_has_no_profile_or_a_broken_one_is_left_as_it_is() {
        let samples = || Samples::U8(vec![1, 2, 3, 4, 5, 6]);
        let mut plain = picture(samples(), Channels::Rgb, None);
        assert_eq!(to_srgb(&mut plain), Srgb::Already);
        let mut broken = picture(samples(), Channels::Rgb, Some(b"no profile".to_vec()));
        assert_eq!(to_srgb(&mut broken), Srgb::Unusable);
        assert_eq!(broken.samples, samples());
        assert!(broken.metadata.icc.is_some());
    }
}
