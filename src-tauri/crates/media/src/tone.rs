//! HDR pictures as a screen without HDR shows them: for previews, never for results.
//!
//! Light in cd/m² by the curves of BT.2100, bright parts rolled off by the curve of BT.2390 (5.4.1)
//! from 1,000 to the 203 cd/m² that BT.2408 gives to white, colours brought from BT.2020 to BT.709,
//! coded as sRGB.

use frameloom_core::color::ColorInfo;
use std::sync::LazyLock;

/// White of a screen without HDR (BT.2408, 2.1).
const WHITE: f64 = 203.0;
/// The brightest light that is told apart: what most masters and HLG at home end at.
const PEAK: f64 = 1000.0;
/// Steps of the tables over light, spaced by its square root as eyes are.
const STEPS: usize = 4096;

/// Red, green and blue of BT.2020 in those of BT.709, both linear.
const TO_BT709: [[f32; 3]; 3] = [
    [1.660_49, -0.587_64, -0.072_85],
    [-0.124_55, 1.132_9, -0.008_35],
    [-0.018_15, -0.100_58, 1.118_73],
];
/// Luminance of BT.2020.
const LUMA: [f32; 3] = [0.2627, 0.678, 0.0593];

/// Light of a coded sample of PQ (0 to 1), in cd/m² (BT.2100 table 4).
fn pq_light(coded: f64) -> f64 {
    let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 4096.0 * 128.0);
    let (c1, c2, c3) = (
        3424.0 / 4096.0,
        2413.0 / 4096.0 * 32.0,
        2392.0 / 4096.0 * 32.0,
    );
    let root = coded.max(0.0).powf(1.0 / m2);
    10_000.0 * ((root - c1).max(0.0) / (c2 - c3 * root)).powf(1.0 / m1)
}

/// The inverse of [`pq_light`].
fn pq_coded(light: f64) -> f64 {
    let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 4096.0 * 128.0);
    let (c1, c2, c3) = (
        3424.0 / 4096.0,
        2413.0 / 4096.0 * 32.0,
        2392.0 / 4096.0 * 32.0,
    );
    let power = (light.max(0.0) / 10_000.0).powf(m1);
    ((c1 + c2 * power) / (1.0 + c3 * power)).powf(m2)
}

/// Light of the scene for a coded sample of HLG, 0 to 1 (BT.2100 table 5).
fn hlg_scene(coded: f64) -> f64 {
    let a: f64 = 0.178_832_77;
    let (b, c) = (1.0 - 4.0 * a, 0.5 - a * (4.0 * a).ln());
    if coded <= 0.5 {
        coded.max(0.0).powi(2) / 3.0
    } else {
        (((coded - c) / a).exp() + b) / 12.0
    }
}

/// Light that is left of `light` up to [`PEAK`] on a screen that ends at [`WHITE`], in cd/m².
fn rolled_off(light: f64) -> f64 {
    let (peak, white) = (pq_coded(PEAK), pq_coded(WHITE));
    let (at, most) = (pq_coded(light.min(PEAK)) / peak, white / peak);
    let knee = 1.5 * most - 0.5;
    if at <= knee {
        return light;
    }
    let t = (at - knee) / (1.0 - knee);
    let bent = (2.0 * t.powi(3) - 3.0 * t.powi(2) + 1.0) * knee
        + (t.powi(3) - 2.0 * t.powi(2) + t) * (1.0 - knee)
        + (-2.0 * t.powi(3) + 3.0 * t.powi(2)) * most;
    pq_light(bent * peak)
}

fn srgb(linear: f64) -> f64 {
    match linear {
        l if l <= 0.003_130_8 => 12.92 * l,
        l => 1.055 * l.powf(1.0 / 2.4) - 0.055,
    }
}

fn over_samples(light: impl Fn(f64) -> f64) -> Vec<f32> {
    (0..=u16::MAX)
        .map(|code| light(f64::from(code) / f64::from(u16::MAX)) as f32)
        .collect()
}

static PQ: LazyLock<Vec<f32>> = LazyLock::new(|| over_samples(pq_light));
static HLG: LazyLock<Vec<f32>> = LazyLock::new(|| over_samples(hlg_scene));
/// Light that is left by light, as a factor, over the square root of light by [`PEAK`].
static GAIN: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let at = |step: usize| (step as f64 / (STEPS - 1) as f64).powi(2) * PEAK;
    let gain = |light: f64| rolled_off(light) / light;
    (0..STEPS)
        .map(|step| gain(at(step.max(1))) as f32)
        .collect()
});
/// sRGB over the square root of linear light from 0 to 1.
static CODED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let at = |step: usize| (step as f64 / (STEPS - 1) as f64).powi(2);
    (0..STEPS)
        .map(|step| (srgb(at(step)) * 255.0).round() as u8)
        .collect()
});

fn step(share: f32) -> usize {
    (share.clamp(0.0, 1.0).sqrt() * (STEPS - 1) as f32 + 0.5) as usize
}

/// R, G, B bytes for showing of R, G, B big-endian words as `color` tags them, which must be HDR.
pub(crate) fn shown(words: &[u8], color: &ColorInfo) -> Vec<u8> {
    let hlg = color.transfer.as_deref() == Some("arib-std-b67");
    let wide = color.primaries.as_deref() != Some("bt709");
    let (table, gain, coded) = (if hlg { &*HLG } else { &*PQ }, &*GAIN, &*CODED);
    let mut bytes = Vec::with_capacity(words.len() / 2);
    for pixel in words.chunks_exact(6) {
        let sample = |at: usize| table[usize::from(u16::from_be_bytes([pixel[at], pixel[at + 1]]))];
        let mut light = [sample(0), sample(2), sample(4)];
        if hlg {
            // What the scene gave, as a screen of PEAK shows it: brighter the more of it there is.
            let luma: f32 = light.iter().zip(LUMA).map(|(l, weight)| l * weight).sum();
            let factor = luma.max(1e-6).powf(0.2) * PEAK as f32;
            light = light.map(|l| l * factor);
        }
        // All three by one factor: colours keep their tone.
        let brightest = light.iter().copied().fold(0.0, f32::max);
        let over = (PEAK as f32 / brightest.max(1e-6)).min(1.0);
        let factor = gain[step(brightest / PEAK as f32)] * over / WHITE as f32;
        light = light.map(|l| l * factor);
        if wide {
            light = TO_BT709.map(|row| row.iter().zip(light).map(|(weight, l)| weight * l).sum());
        }
        bytes.extend(light.map(|l| coded[step(l)]));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(transfer: &str) -> ColorInfo {
        ColorInfo {
            transfer: Some(transfer.to_owned()),
            primaries: Some("bt2020".to_owned()),
            ..ColorInfo::default()
        }
    }

    fn grey(transfer: &str, coded: f64) -> [u8; 3] {
        let word = ((coded * 65535.0).round() as u16).to_be_bytes();
        let bytes = shown(&[word; 3].concat(), &color(transfer));
        [bytes[0], bytes[1], bytes[2]]
    }

    #[test]
    fn the_curves_are_those_of_their_standards() {
        // BT.2408 table 1: white of 203 cd/m² is 58 % of PQ and 75 % of HLG.
        assert!((pq_light(0.58) - 203.0).abs() < 2.0, "{}", pq_light(0.58));
        assert!((pq_coded(203.0) - 0.58).abs() < 0.001);
        assert!((pq_light(pq_coded(1000.0)) - 1000.0).abs() < 0.01);
        assert!((hlg_scene(0.5) - 1.0 / 12.0).abs() < 1e-9);
        assert!((hlg_scene(1.0) - 1.0).abs() < 1e-6);
        let white = hlg_scene(0.75).powf(1.2) * PEAK;
        assert!((white - 203.0).abs() < 2.0, "{white}");
    }

    #[test]
    fn dark_and_middle_light_is_left_alone_and_bright_light_is_rolled_off_to_white() {
        assert_eq!(grey("smpte2084", 0.0), [0; 3]);
        let exact = |light: f64| (srgb(light / WHITE) * 255.0).round() as i32;
        for light in [1.0, 5.0, 26.0, 80.0] {
            let [r, g, b] = grey("smpte2084", pq_coded(light)).map(i32::from);
            assert!((g - exact(light)).abs() <= 1, "{light}: {g}");
            assert!((r - g).abs() <= 1 && (b - g).abs() <= 1, "grey stays grey");
        }
        assert_eq!(grey("smpte2084", pq_coded(1000.0)), [255; 3]);
        assert_eq!(grey("smpte2084", 1.0), [255; 3]);
        assert_eq!(grey("arib-std-b67", 1.0), [255; 3]);
        let mut last = 0;
        for code in 0..=1000 {
            let [_, now, _] = grey("smpte2084", f64::from(code) / 1000.0);
            assert!(now >= last, "{code}");
            last = now;
        }
    }

    #[test]
    fn both_curves_show_the_same_light_alike() {
        for light in [10.0, 60.0, 203.0, 600.0] {
            let hlg = {
                let scene = (light / PEAK).powf(1.0 / 1.2);
                // By halving: the curve has no need of its inverse elsewhere.
                let (mut low, mut high) = (0.0, 1.0);
                for _ in 0..40 {
                    let middle = (low + high) / 2.0;
                    if hlg_scene(middle) < scene {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                grey("arib-std-b67", low)
            };
            let pq = grey("smpte2084", pq_coded(light));
            assert!(
                hlg.iter().zip(pq).all(|(a, b)| a.abs_diff(b) <= 1),
                "{light}: {hlg:?} {pq:?}"
            );
        }
    }

    #[test]
    fn a_colour_of_bt709_comes_back_as_itself() {
        // Red of BT.709 at 60 cd/m² in the primaries of BT.2020.
        let red = [0.627_4, 0.069_1, 0.016_4].map(|share| pq_coded(share * 60.0));
        let words: Vec<u8> = red
            .iter()
            .flat_map(|coded| ((coded * 65535.0).round() as u16).to_be_bytes())
            .collect();
        let shown = shown(&words, &color("smpte2084"));
        let wanted = (srgb(60.0 / WHITE) * 255.0).round() as u8;
        assert!(shown[0].abs_diff(wanted) <= 1, "{shown:?}");
        assert!(shown[1] <= 4 && shown[2] <= 4, "{shown:?}");
    }
}
