//! Colour that the four layouts cannot hold, brought to what they can.

/// sRGB encoding of linear light (IEC 61966-2-1), both 0 to 1.
pub(crate) fn linear_to_srgb(value: f32) -> f32 {
    if value <= 0.003_130_8 {
        value * 12.92
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    }
}

/// 0 to 1 in 16 bits; what is outside, and what is no number, is clipped.
pub(crate) fn float_to_u16(value: f32) -> u16 {
    // `as` saturates, and makes 0 of a NaN.
    (value * 65_535.0 + 0.5) as u16
}

/// CIE L*a*b* (D50, as TIFF and ICC have it; L 0 to 100) as sRGB, 0 to 1.
pub(crate) fn lab_to_srgb(lab: [f32; 3]) -> [f32; 3] {
    let fy = (lab[0] + 16.0) / 116.0;
    let inverse = |t: f32| {
        if t > 6.0 / 29.0 {
            t * t * t
        } else {
            3.0 * (6.0f32 / 29.0).powi(2) * (t - 4.0 / 29.0)
        }
    };
    // White of D50.
    let x = 0.964_22 * inverse(fy + lab[1] / 500.0);
    let y = inverse(fy);
    let z = 0.825_21 * inverse(fy - lab[2] / 200.0);
    // XYZ (D50) to linear sRGB, Bradford-adapted (Lindbloom).
    [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ]
    .map(|v| linear_to_srgb(v.clamp(0.0, 1.0)))
}

/// Ink coverage (0 none, 65535 full) as red, green, blue, without knowing the inks.
pub(crate) fn cmyk_to_rgb(inks: [u16; 4]) -> [u16; 3] {
    let white = 65_535 - u32::from(inks[3]);
    [inks[0], inks[1], inks[2]]
        .map(|ink| (((65_535 - u32::from(ink)) * white + 32_767) / 65_535) as u16)
}

/// 16 bits to 8, rounded.
pub(crate) fn to_8_bits(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32_767) / 65_535) as u8
}

/// 8 bits to 16: 0 stays 0 and 255 becomes 65535.
pub(crate) fn to_16_bits(value: u8) -> u16 {
    u16::from(value) * 257
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_middle_grey_keep_their_place() {
        for (lightness, wanted) in [(0.0, 0.0), (100.0, 1.0), (53.39, 0.5)] {
            for value in lab_to_srgb([lightness, 0.0, 0.0]) {
                assert!((value - wanted).abs() < 0.004, "{lightness}: {value}");
            }
        }
        // The red of sRGB (Lindbloom's calculator, D50).
        let red = lab_to_srgb([54.29, 80.81, 69.89]);
        assert!(red[0] > 0.99 && red[1] < 0.02 && red[2] < 0.02, "{red:?}");
    }

    #[test]
    fn depths_go_there_and_back() {
        for value in 0..=255 {
            assert_eq!(to_8_bits(to_16_bits(value)), value);
        }
        assert_eq!(float_to_u16(1.0), 65_535);
        assert_eq!(float_to_u16(2.0), 65_535);
        assert_eq!(float_to_u16(f32::NAN), 0);
        assert_eq!(float_to_u16(-1.0), 0);
    }

    #[test]
    fn no_ink_is_white_and_black_ink_is_black() {
        assert_eq!(cmyk_to_rgb([0; 4]), [65_535; 3]);
        assert_eq!(cmyk_to_rgb([0, 0, 0, 65_535]), [0; 3]);
        assert_eq!(cmyk_to_rgb([0, 65_535, 65_535, 0]), [65_535, 0, 0]);
    }
}
