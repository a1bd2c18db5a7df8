//! The demo scene: a woven cloth on a wooden table, seen by a camera that starts near enough to
//! see the fibres and rises until the whole picture is in view.
//!
//! Lengths are in stitches; the cloth lies in the plane z = 0 with y pointing down the picture.

use super::color::{Rgb, fractal, hash, mix, noise, pixel, smooth, srgb};
use super::picture::{self, COLUMNS, ROWS};

/// Width of the clip in pixels.
pub const WIDTH: usize = 640;
/// Height of the clip in pixels.
pub const HEIGHT: usize = 360;
/// Pictures per second.
pub const RATE: usize = 25;
/// Length of the clip in pictures.
pub const FRAMES: usize = 6 * RATE;

/// Samples per pixel and axis: stitches are three pixels wide at the end, fibres a third of that.
const GRID: usize = 4;

/// Interleaved 8-bit sRGB of one picture.
pub fn render(time: f32) -> Vec<u8> {
    let scene = Scene::at(time);
    let mut pixels = vec![0; WIDTH * HEIGHT * 3];
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let rows_each = HEIGHT.div_ceil(workers);
    std::thread::scope(|scope| {
        for (index, part) in pixels.chunks_mut(rows_each * WIDTH * 3).enumerate() {
            let scene = &scene;
            scope.spawn(move || {
                for (row, line) in part.chunks_mut(WIDTH * 3).enumerate() {
                    scene.render_row(index * rows_each + row, line);
                }
            });
        }
    });
    pixels
}

type Vec3 = [f32; 3];

fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(v: Vec3) -> Vec3 {
    let length = dot(v, v).sqrt();
    v.map(|value| value / length)
}

fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

struct Scene {
    time: f32,
    stitches: Vec<Rgb>,
    eye: Vec3,
    right: Vec3,
    down: Vec3,
    forward: Vec3,
    light: Vec3,
}

impl Scene {
    fn at(time: f32) -> Self {
        // One long move, slow at both ends, with a breath of drift left at the end.
        let along = (time / 5.4).clamp(0.0, 1.0);
        let eased = along * along * along * (along * (along * 6.0 - 15.0) + 10.0);
        let drift = time * 0.35;
        let blend = |from: f32, to: f32| from + (to - from) * eased;
        // Rising looks even when the distance grows by a constant factor.
        let distance = 62.0 * (342.0f32 / 62.0).powf(eased) - drift;
        let target = [
            blend(91.0 + 5.0 * time, COLUMNS as f32 / 2.0),
            blend(108.0, ROWS as f32 / 2.0 + 1.0),
            0.0,
        ];
        let tilt = blend(0.62, 0.10);
        let turn = blend(-0.20, 0.0);
        let eye = [
            target[0] + distance * tilt.sin() * turn.sin(),
            target[1] + distance * tilt.sin() * turn.cos(),
            distance * tilt.cos(),
        ];
        let forward = unit(std::array::from_fn(|axis| target[axis] - eye[axis]));
        let up = [-turn.sin(), -turn.cos(), 0.0];
        // The plane's y points down while z points at the camera: a left-handed frame.
        let right = unit(cross(up, forward));
        let down = cross(right, forward);
        let swing = 0.25 * (time * 0.55).sin();
        Self {
            time,
            stitches: picture::stitches(time),
            eye,
            right,
            down,
            forward,
            light: unit([-0.55 + swing, -0.62, 0.72]),
        }
    }

    fn render_row(&self, row: usize, line: &mut [u8]) {
        for (column, out) in line.chunks_exact_mut(3).enumerate() {
            let mut sum = Rgb::default();
            for sub in 0..GRID * GRID {
                let dx = ((sub % GRID) as f32 + 0.5) / GRID as f32;
                let dy = ((sub / GRID) as f32 + 0.5) / GRID as f32;
                // Rows of samples shifted against each other break up the grid's own pattern.
                let dx = (dx + (sub / GRID) as f32 * 0.0625).fract();
                sum = sum + self.sample(column as f32 + dx, row as f32 + dy);
            }
            let x = (column as f32 + 0.5) / WIDTH as f32 - 0.5;
            let y = (row as f32 + 0.5) / HEIGHT as f32 - 0.5;
            let vignette = 1.0 - 0.55 * (x * x + y * y);
            out.copy_from_slice(&pixel(sum * (vignette / (GRID * GRID) as f32)));
        }
    }

    /// Light that arrives from the direction of a place on the picture, in pixels.
    fn sample(&self, column: f32, row: f32) -> Rgb {
        let x = (column / WIDTH as f32 - 0.5) * 0.72;
        let y = (row - HEIGHT as f32 / 2.0) / WIDTH as f32 * 0.72;
        let ray: Vec3 = std::array::from_fn(|axis| {
            self.forward[axis] + x * self.right[axis] + y * self.down[axis]
        });
        let far = -self.eye[2] / ray[2];
        let (mut u, mut v) = (self.eye[0] + far * ray[0], self.eye[1] + far * ray[1]);
        // The cloth is not flat: where it is higher, the ray meets it a little earlier.
        let (height, slope) = self.folds(u, v);
        u -= ray[0] / -ray[2] * height;
        v -= ray[1] / -ray[2] * height;
        let eye = unit(ray.map(|value| -value));
        let cloth = self.cloth(u, v, slope, eye);
        match cloth {
            Some(color) => color,
            None => self.table(u, v),
        }
    }

    /// Height of the cloth's soft folds and their slopes along both axes.
    fn folds(&self, u: f32, v: f32) -> (f32, [f32; 2]) {
        let mut height = 0.0;
        let mut slope = [0.0, 0.0];
        for (kx, ky, amplitude, speed) in [
            (0.035, 0.021, 2.2, 0.5),
            (-0.022, 0.048, 1.5, -0.4),
            (0.071, -0.060, 0.5, 0.8),
        ] {
            let phase = u * kx + v * ky + self.time * speed;
            height += amplitude * phase.sin();
            slope[0] += amplitude * kx * phase.cos();
            slope[1] += amplitude * ky * phase.cos();
        }
        (height, slope)
    }

    /// One place on the cloth or its fringe; nothing beside them.
    fn cloth(&self, u: f32, v: f32, slope: [f32; 2], eye: Vec3) -> Option<Rgb> {
        if !(0.0..ROWS as f32).contains(&v) {
            return None;
        }
        if !(0.0..COLUMNS as f32).contains(&u) {
            return self.fringe(u, v);
        }
        let (column, row) = (u as usize, v as usize);
        let color = *self.stitches.get(row * COLUMNS + column)?;
        let (fu, fv) = (u.fract() - 0.5, v.fract() - 0.5);
        let is_weft = (column + row).is_multiple_of(2);
        // Along and across the thread that lies on top here.
        let (along, across) = if is_weft { (fu, fv) } else { (fv, fu) };
        let bow = along * std::f32::consts::PI;
        let round = across / 0.5;
        // Two-ply yarn: the twist shows as slanted ridges.
        let twist = (std::f32::consts::TAU * (along * 3.0 + across * 1.4)).sin();
        let fibre = hash((u * 9.0) as i32, (v * 9.0) as i32) - 0.5;
        let slant = 0.55 * bow.sin() + 0.16 * twist;
        let side = 0.85 * round + 0.20 * twist;
        let (nu, nv) = if is_weft {
            (slant, side)
        } else {
            (side, slant)
        };
        let normal = unit([nu - slope[0] * 2.4, nv - slope[1] * 2.4, 1.0]);
        let thread = if is_weft {
            unit([1.0, 0.0, -slant])
        } else {
            unit([0.0, 1.0, -slant])
        };
        // Light does not reach down between the threads.
        let open = (1.0 - round * round).max(0.0).sqrt() * (0.4 + 0.6 * bow.cos().max(0.0).sqrt());
        let open = 0.22 + 0.78 * open;
        let diffuse = dot(normal, self.light).max(0.0);
        // Sheen of a fibre: J. Kajiya and T. Kay, "Rendering fur with three dimensional
        // textures" (1989).
        let half = unit(std::array::from_fn(|axis| self.light[axis] + eye[axis]));
        let on_thread = dot(thread, half);
        let sheen = (1.0 - on_thread * on_thread).max(0.0).sqrt().powi(40);
        let key = srgb(0xffe9cf);
        let sky = srgb(0x9db4e8);
        // No two threads took the dye alike.
        let dye = 0.90
            + 0.16
                * hash(
                    if is_weft {
                        row as i32
                    } else {
                        column as i32 + 5000
                    },
                    9,
                )
            + 0.05 * twist
            + 0.10 * fibre;
        let albedo = color * (dye * if is_weft { 1.0 } else { 0.88 });
        let lit = albedo * (key * (1.75 * diffuse) + sky * (0.32 * (0.5 + 0.5 * normal[1].abs())));
        Some((lit + (mix(key, color, 0.4) * (0.16 * sheen * diffuse))) * open)
    }

    /// Loose ends of the weft, left and right of the cloth.
    fn fringe(&self, u: f32, v: f32) -> Option<Rgb> {
        let out = if u < 0.0 { -u } else { u - COLUMNS as f32 };
        if out > 9.0 {
            return None;
        }
        let side = if u < 0.0 { 1 } else { 2 };
        let bundle = (v / 2.0).floor() as i32;
        // Neighbours are looked at too: a strand leaves its own row.
        for index in bundle - 1..=bundle + 1 {
            let seed = hash(index, 400 + side);
            let length = 5.5 + 3.0 * seed;
            let sway = 0.09 * out * (seed * 9.0 + out * 0.35 + self.time * 0.6).sin();
            let middle = index as f32 * 2.0 + 1.0 + sway * out * 0.35;
            let across = (v - middle) / (0.62 - 0.035 * out);
            if out < length && across.abs() < 1.0 {
                let round = (1.0 - across * across).sqrt();
                let twist = 0.8 + 0.2 * (out * 5.0 + across * 2.0).sin();
                let lit = (0.35 + 0.75 * (round - 0.25 * across)).max(0.1);
                return Some(srgb(0xd2bd96) * (0.8 * lit * twist));
            }
        }
        None
    }

    /// Dark oiled wood with the cloth's shadow on it.
    fn table(&self, u: f32, v: f32) -> Rgb {
        let plank = (v / 46.0).floor();
        let inside = (v / 46.0).fract();
        let seed = plank * 31.7;
        let warp = fractal(u * 0.012 + seed, v * 0.06, 3);
        let rings = (v * 0.55 + warp * 26.0 + seed).sin() * 0.5 + 0.5;
        let pores = noise(u * 0.22 + seed, v * 3.1);
        let tone = 0.55 * rings + 0.35 * pores;
        let mut color = mix(srgb(0x2a1a14), srgb(0x5d3a26), tone);
        let gap = inside.min(1.0 - inside) * 46.0;
        color = color * (0.25 + 0.75 * smooth(0.0, 0.7, gap));
        // The light comes from the upper left, so the shadow falls to the lower right.
        let (dx, dy) = (
            (-(u - 3.0)).max(u - 3.0 - COLUMNS as f32).max(0.0),
            (-(v - 3.5)).max(v - 3.5 - ROWS as f32).max(0.0),
        );
        let shadow = 0.75 * (1.0 - smooth(0.0, 9.0, (dx * dx + dy * dy).sqrt()));
        color * (0.95 * (1.0 - shadow))
    }
}
