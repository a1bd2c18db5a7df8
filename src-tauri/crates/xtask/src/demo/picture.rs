//! What is woven: a lake at sunset in a border with letters, one colour per stitch.

use super::color::{Rgb, fractal, gradient, hash, mix, noise, smooth, srgb};

/// Stitches across the cloth.
pub const COLUMNS: usize = 216;
/// Stitches down the cloth.
pub const ROWS: usize = 122;

/// Width of the border at the sides and the top; the bottom one holds the letters.
const BORDER: usize = 12;
const BOTTOM: usize = 19;

/// Height of the horizon in the picture, 0 at its top and 1 at its bottom.
const HORIZON: f32 = 0.64;

/// All stitches of the cloth at `time` seconds, row by row.
pub fn stitches(time: f32) -> Vec<Rgb> {
    let mut cloth = Vec::with_capacity(COLUMNS * ROWS);
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            cloth.push(stitch(column, row, time));
        }
    }
    cloth
}

fn stitch(column: usize, row: usize, time: f32) -> Rgb {
    let is_inside =
        (BORDER..COLUMNS - BORDER).contains(&column) && (BORDER..ROWS - BOTTOM).contains(&row);
    if !is_inside {
        return border(column, row);
    }
    let width = (COLUMNS - 2 * BORDER) as f32;
    let height = (ROWS - BORDER - BOTTOM) as f32;
    let x = ((column - BORDER) as f32 + 0.5) / width;
    let y = ((row - BORDER) as f32 + 0.5) / height;
    landscape(x, y, width / height, time)
}

/// `x` and `y` run over the picture from 0 to 1.
fn landscape(x: f32, y: f32, aspect: f32, time: f32) -> Rgb {
    // Trees first: they stand in front of everything.
    if is_tree(x * aspect, y, aspect) {
        return mix(srgb(0x071a22), srgb(0x12343a), noise(x * 90.0, y * 60.0));
    }
    if y < HORIZON {
        return above_water(x, y, aspect, time);
    }
    let depth = (y - HORIZON) / (1.0 - HORIZON);
    // Waves get longer towards the viewer.
    let wave = (y * 190.0 / (0.35 + depth) + time * 2.2).sin()
        + 0.7 * (x * 31.0 + y * 120.0 - time * 1.7).sin();
    let swing = 0.004 + 0.012 * depth;
    let mirrored = HORIZON - (y - HORIZON) * 1.25 + wave * swing * 0.6;
    let seen = above_water(x + wave * swing, mirrored, aspect, time);
    let water = mix(seen * 0.72, srgb(0x1d2f5c), 0.15 + 0.45 * depth);
    // The path of the sun.
    let off_path = (x - 0.5).abs() / (0.035 + 0.06 * depth);
    let glitter = (1.0 - smooth(0.4, 1.0, off_path))
        * smooth(
            0.2,
            1.1,
            wave + noise(x * 80.0, y * 70.0 + time * 3.0) - 0.4,
        );
    water + srgb(0xffb866) * (1.3 * glitter)
}

fn above_water(x: f32, y: f32, aspect: f32, time: f32) -> Rgb {
    let sky = gradient(
        &[
            (0.00, srgb(0x151b45)),
            (0.18, srgb(0x3a2a72)),
            (0.34, srgb(0x8c3a7c)),
            (0.47, srgb(0xdb5a6b)),
            (0.57, srgb(0xf8975a)),
            (0.64, srgb(0xffd488)),
        ],
        y,
    );
    let mut color = sky;
    // Bars of cloud, lit from below.
    let cloud = fractal(x * 5.0 + time * 0.05, y * 26.0, 4);
    let lit = smooth(0.50, 0.66, cloud) * smooth(0.08, 0.3, y) * (1.0 - smooth(0.5, 0.62, y));
    color = mix(color, srgb(0xff9f7a), 0.6 * lit);
    // Stars, only where the sky is dark.
    let (column, row) = ((x * 192.0) as i32, (y * 91.0) as i32);
    if hash(column, row) > 0.985 {
        let twinkle = 0.6 + 0.4 * (time * 3.0 + 40.0 * hash(row, column)).sin();
        color = mix(
            color,
            srgb(0xfff6dd),
            twinkle * (1.0 - smooth(0.12, 0.3, y)),
        );
    }
    // The sun, cut by bands that widen downwards.
    let (dx, dy) = ((x - 0.5) * aspect, y - 0.37);
    let distance = (dx * dx + dy * dy).sqrt();
    color = color + srgb(0xff8a50) * (0.5 * (-distance * 7.0).exp());
    if distance < 0.155 {
        let down = dy / 0.155;
        let is_band = down > -0.1 && ((down + 0.1) * 5.2).fract() < 0.10 + 0.36 * down.max(0.0);
        if !is_band {
            color = mix(srgb(0xffcf70), srgb(0xff5048), smooth(-1.0, 0.8, down));
        }
    }
    color = birds(color, x * aspect, y, time);
    // Ranges from far to near: hazy and warm, then dark and cool.
    let ranges = [
        (0.50, 0.16, 3.1, 11.0, srgb(0xb5607f)),
        (0.56, 0.14, 4.7, 23.0, srgb(0x6b3a70)),
        (0.61, 0.09, 7.9, 37.0, srgb(0x2b2b5a)),
    ];
    for (level, relief, detail, seed, tone) in ranges {
        let ridge = level + relief * (0.62 - 1.25 * fractal(x * detail + seed, seed, 4));
        if y > ridge {
            let below = y - ridge;
            let snow = (1.0 - smooth(0.0, 0.035, below + 0.02 * noise(x * 70.0, y * 70.0)))
                * smooth(0.56, 0.44, ridge);
            let mist = smooth(0.0, 0.13, below);
            color = mix(tone, srgb(0xf0a58a), 0.38 * mist);
            color = mix(color, srgb(0xffd9c0), 0.8 * snow);
        }
    }
    color
}

fn birds(color: Rgb, x: f32, y: f32, time: f32) -> Rgb {
    let flock = [
        (0.42, 0.25, 0.0),
        (0.52, 0.21, 0.7),
        (0.61, 0.27, 1.3),
        (0.70, 0.22, 2.1),
    ];
    for (left, height, phase) in flock {
        let (dx, dy) = (
            x - left - 0.06 * time,
            y - height - 0.008 * (time + phase).sin(),
        );
        let wing = 0.45 + 0.35 * (time * 7.0 + phase).sin();
        let span = 0.034;
        if dx.abs() < span && (dy + dx.abs() * wing).abs() < 0.0075 {
            return srgb(0x20163a);
        }
    }
    color
}

fn is_tree(x: f32, y: f32, aspect: f32) -> bool {
    let bank = 0.97 - 0.11 * smooth(0.45, 0.0, x.min(aspect - x)) - 0.02 * noise(x * 9.0, 3.0);
    if y > bank {
        return true;
    }
    (0..9).any(|index| {
        let seed = hash(index, 77);
        let side = 0.02 + 0.055 * (index / 2) as f32 + 0.03 * seed;
        let stem = if index % 2 == 0 { side } else { aspect - side };
        let top = 0.34 + 0.085 * (index / 2) as f32 + 0.09 * seed;
        if y < top {
            return false;
        }
        // Branches: a saw whose teeth grow downwards.
        let below = y - top;
        let tooth = (below * 21.0 + seed).fract();
        let half_width = 0.006 + below * 0.16 * (0.45 + 0.55 * tooth);
        (x - stem).abs() < half_width.min(0.075)
    })
}

/// Gold and ivory on dark blue, with the name below.
fn border(column: usize, row: usize) -> Rgb {
    let ground = srgb(0x14234a);
    let (gold, ivory, red) = (srgb(0xe0a64a), srgb(0xf2e6cf), srgb(0xb8404a));
    let from_left = column.min(COLUMNS - 1 - column);
    let from_top = row.min(ROWS - 1 - row);
    let edge = from_left.min(from_top);
    if edge == 0 || edge == 2 {
        return gold;
    }
    if edge < 2 {
        return red;
    }
    let is_bottom = row >= ROWS - BOTTOM;
    let inner = if is_bottom && from_left >= BORDER {
        row - (ROWS - BOTTOM)
    } else if row < BORDER && from_left >= BORDER {
        BORDER - 1 - row
    } else if (BORDER..ROWS - BOTTOM).contains(&row) {
        BORDER - 1 - from_left
    } else {
        usize::MAX
    };
    match inner {
        0 => return gold,
        1 => return red,
        _ => {}
    }
    if is_bottom && from_left >= BORDER {
        return lettering(column, row - (ROWS - BOTTOM)).unwrap_or(ground);
    }
    // Diamonds along the sides and the top, a rosette in each corner.
    let (along, across) = if row < BORDER && from_left >= BORDER {
        (column as i32 - (COLUMNS / 2) as i32, row as i32 - 6)
    } else if from_left < BORDER && (BORDER..ROWS - BOTTOM).contains(&row) {
        (row as i32 - 57, from_left as i32 - 6)
    } else {
        let center = if is_bottom { 9 } else { 6 };
        let (dx, dy) = (from_left as i32 - 6, from_top as i32 - center);
        let reach = dx.abs() + dy.abs();
        return match reach {
            0 => red,
            1 | 2 => ivory,
            3 => red,
            4 => gold,
            _ if dx.abs() == dy.abs() && reach < 9 => gold,
            _ => ground,
        };
    };
    let reach = (along.rem_euclid(12) - 6).abs() + across.abs();
    match reach {
        0 => gold,
        1 => red,
        2 => ivory,
        4 => gold,
        9 => red,
        _ => ground,
    }
}

const NAME: &str = "FRAMELOOM";
const LEFT: &str = "WARP";
const RIGHT: &str = "WEFT";

/// The letters of the bottom border; `down` counts stitches from its upper edge.
fn lettering(column: usize, down: usize) -> Option<Rgb> {
    let line = down.checked_sub(5)?;
    let column = column as i32;
    let center = (COLUMNS / 2) as i32;
    let name_width = NAME.len() as i32 * 7 - 2;
    let name_left = center - name_width / 2;
    if is_inked(NAME, 7, column - name_left, line) {
        return Some(srgb(0xf6ead2));
    }
    let word_width = LEFT.len() as i32 * 6 - 1;
    let left = name_left - 15 - word_width;
    let right = name_left + name_width + 15;
    if is_inked(LEFT, 6, column - left, line) || is_inked(RIGHT, 6, column - right, line) {
        return Some(srgb(0xd8944a));
    }
    // Diamonds between the words and out to the corners.
    let from_center = (column - center).abs();
    let nearest = [
        name_width / 2 + 8,
        name_width / 2 + 22 + word_width,
        name_width / 2 + 34 + word_width,
    ]
    .iter()
    .map(|at| (from_center - at).abs())
    .min()?;
    match nearest + (line as i32 - 3).abs() {
        0 => Some(srgb(0xf2e6cf)),
        1 | 2 => Some(srgb(0xb8404a)),
        4 => Some(srgb(0xe0a64a)),
        _ => None,
    }
}

fn is_inked(text: &str, pitch: i32, column: i32, line: usize) -> bool {
    if column < 0 || line >= 7 {
        return false;
    }
    let (index, inside) = (column / pitch, column % pitch);
    text.as_bytes()
        .get(index as usize)
        .is_some_and(|letter| inside < 5 && glyph(*letter)[line] >> (4 - inside) & 1 == 1)
}

/// Seven rows of five stitches.
fn glyph(letter: u8) -> [u8; 7] {
    match letter {
        b'A' => [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
        b'E' => [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
        b'F' => [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
        b'L' => [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
        b'M' => [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
        b'O' => [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
        b'P' => [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
        b'R' => [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
        b'T' => [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
        b'W' => [0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_cloth_has_a_shape() {
        for letter in [NAME, LEFT, RIGHT].concat().bytes() {
            assert!(glyph(letter) != [0; 7], "{}", letter as char);
        }
    }
}
