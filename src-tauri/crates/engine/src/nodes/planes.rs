//! Rows of planes as numbers, and work on them by several threads.

use frameloom_core::pixel::{AnyPlane, Planes, Sample};
use frameloom_media::Frame;
use std::ops::Range;

/// A plane is worked on in bands of at least so many rows.
const LEAST_ROWS: usize = 64;

/// Row `y` of the luma of a picture, 0 to 1; `line` is memory for a row.
pub(crate) fn luma_of(frame: &Frame, y: usize, out: &mut [f32], line: &mut [f32]) {
    let gain = 1.0 / f32::from(frame.format().max_value());
    if frame.format().planes != Planes::Gbr {
        load(frame.plane(0), y, out);
        out.iter_mut().for_each(|v| *v *= gain);
        return;
    }
    // Any weights do for edges; these are the ones of all other pictures.
    let [red, green, blue] = super::RGB_LUMA.map(|weight| weight * gain);
    load(frame.plane(0), y, out);
    out.iter_mut().for_each(|v| *v *= green);
    for (index, weight) in [(1, blue), (2, red)] {
        load(frame.plane(index), y, line);
        for (v, more) in out.iter_mut().zip(&*line) {
            *v += weight * more;
        }
    }
}

/// Width and height in samples.
pub(crate) fn size_of(plane: AnyPlane<'_>) -> (usize, usize) {
    match plane {
        AnyPlane::U8(plane) => (plane.width, plane.height),
        AnyPlane::U16(plane) => (plane.width, plane.height),
    }
}

/// Row `y` of a plane as it is.
pub(crate) fn load(plane: AnyPlane<'_>, y: usize, out: &mut [f32]) {
    fn copy<S: Sample>(row: &[S], out: &mut [f32]) {
        for (out, v) in out.iter_mut().zip(row) {
            *out = v.to_f32();
        }
    }
    match plane {
        AnyPlane::U8(plane) => copy(plane.row(y), out),
        AnyPlane::U16(plane) => copy(plane.row(y), out),
    }
}

/// Calls `work` for bands of rows, on as many threads as there are at most.
pub(crate) fn bands<T: Send>(
    threads: usize,
    rows: usize,
    data: &mut [T],
    stride: usize,
    work: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let each = rows.div_ceil(threads.max(1)).max(LEAST_ROWS);
    if each >= rows {
        work(0..rows, data);
        return;
    }
    std::thread::scope(|scope| {
        for (number, band) in data.chunks_mut(each * stride).enumerate() {
            let first = number * each;
            let last = (first + each).min(rows);
            if first < last {
                let work = &work;
                scope.spawn(move || work(first..last, band));
            }
        }
    });
}

/// The means of values of every pixel over the samples of subsampled chroma: `1 << shift` of them
/// in each direction, as many as there are at the edges.
pub(crate) fn chroma_means(
    threads: usize,
    values: &[f32],
    (width, height): (usize, usize),
    (shift_x, shift_y): (u8, u8),
    (wide, high): (usize, usize),
    out: &mut Vec<f32>,
) {
    out.resize(wide * high, 0.0);
    bands(threads, high, out, wide, |rows, band| {
        for (y, row) in rows.zip(band.chunks_exact_mut(wide)) {
            let top = (y << shift_y).min(height - 1);
            let bottom = (top + (1 << shift_y) - 1).min(height - 1);
            let (top, bottom) = (&values[top * width..], &values[bottom * width..]);
            for (x, v) in row.iter_mut().enumerate() {
                let left = (x << shift_x).min(width - 1);
                let right = (left + (1 << shift_x) - 1).min(width - 1);
                *v = 0.25 * (top[left] + top[right] + bottom[left] + bottom[right]);
            }
        }
    });
}
