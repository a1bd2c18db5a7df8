//! Rows of a picture on their way: taken apart into channels, resized as they come, interleaved.

use super::still::{BAND_ROWS, Shape, Sink};
use crate::EngineError;
use crate::control::Cancel;
use crate::resample::{Axis, Resampler};
use crate::rgb::float_plane;
use frameloom_core::graph::ResizeParams;
use frameloom_core::pixel::Sample;
use frameloom_still::{Channels, Metadata, Picture, RowsRef, Samples};
use std::ops::Range;

/// A resize that takes rows as they come and holds only those that it still needs.
pub(super) struct Resizing {
    /// Rows from `top` on.
    window: Picture,
    top: usize,
    input_height: usize,
    output: (usize, usize),
    resampler: Resampler,
    packer: Packer,
    band: Vec<f32>,
    done: usize,
}

impl Resizing {
    pub(super) fn new(input: Shape, size: ResizeParams) -> Self {
        let (width, height) = (input.width as usize, input.height as usize);
        let (out_width, out_height) = (size.width as usize, size.height as usize);
        let axis = |from: usize, to: usize| {
            let step = from as f64 / to as f64;
            Axis::new(from, to, step, 0.5 * step - 0.5)
        };
        Self {
            window: Picture {
                width: input.width,
                height: 0,
                samples: match input.bits {
                    8 => Samples::U8(Vec::new()),
                    _ => Samples::U16(Vec::new()),
                },
                layout: input.layout,
                metadata: Metadata::default(),
                warnings: Vec::new(),
            },
            top: 0,
            input_height: height,
            output: (out_width, out_height),
            resampler: Resampler::new(axis(width, out_width), axis(height, out_height)),
            packer: Packer::new(input.layout, input.bits, out_width),
            band: vec![0.0; out_width * BAND_ROWS],
            done: 0,
        }
    }

    /// The input rows that the output rows `start..end` are made of.
    fn needed(&self, start: usize, end: usize) -> Range<usize> {
        let step = self.input_height as f64 / self.output.1 as f64;
        let reach = (2.0 * step.max(1.0)).ceil() as usize + 2;
        let top = ((start as f64 * step) as usize).saturating_sub(reach);
        let bottom = ((end as f64 * step).ceil() as usize + reach).min(self.input_height);
        top..bottom
    }

    pub(super) fn take(
        &mut self,
        rows: RowsRef<'_>,
        cancel: &Cancel,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        let width = self.window.width as usize;
        let row_samples = width * self.window.layout.count();
        match (&mut self.window.samples, rows) {
            (Samples::U8(held), RowsRef::U8(rows)) => held.extend_from_slice(rows),
            (Samples::U16(held), RowsRef::U16(rows)) => held.extend_from_slice(rows),
            _ => unreachable!("rows have the depth of their shape"),
        }
        loop {
            let held = self.top..self.top + self.window.samples.len() / row_samples;
            let (start, out_width) = (self.done, self.output.0);
            let end = (start + BAND_ROWS).min(self.output.1);
            let needed = self.needed(start, end);
            if start == end || held.end < needed.end {
                return Ok(());
            }
            cancel.check()?;
            for channel in 0..self.window.layout.count() {
                let mut rows = vec![0.0; width * needed.len()];
                for (y, row) in needed.clone().zip(rows.chunks_exact_mut(width)) {
                    read_row(&self.window, channel, y - self.top, 0, row);
                }
                let band = &mut self.band;
                self.resampler.run_rows(
                    float_plane(&mut rows, width, needed.len()).as_ref(),
                    needed.start,
                    start..end,
                    |y, row| band[(y - start) * out_width..][..out_width].copy_from_slice(row),
                );
                self.packer
                    .put_rows(channel, &band[..out_width * (end - start)]);
            }
            self.packer.flush(end - start, sink)?;
            self.done = end;
            let keep = self.needed(end, self.output.1).start.min(held.end);
            let spent = keep.saturating_sub(self.top) * row_samples;
            match &mut self.window.samples {
                Samples::U8(held) => drop(held.drain(..spent)),
                Samples::U16(held) => drop(held.drain(..spent)),
            }
            self.top = self.top.max(keep);
        }
    }
}

/// `out.len()` samples of a channel from column `x` on, 0 to 1.
pub(super) fn read_row(picture: &Picture, channel: usize, y: usize, x: usize, out: &mut [f32]) {
    let count = picture.layout.count();
    let start = (y * picture.width as usize + x) * count;
    match &picture.samples {
        Samples::U8(data) => {
            pick(&data[start..], count, channel, out, |v| {
                f32::from(v) * (1.0 / 255.0)
            });
        }
        Samples::U16(data) => {
            pick(&data[start..], count, channel, out, |v| {
                f32::from(v) * (1.0 / 65535.0)
            });
        }
    }
}

/// Takes channel `channel` out of pixels of `count` samples.
fn pick<T: Copy>(
    row: &[T],
    count: usize,
    channel: usize,
    out: &mut [f32],
    value: impl Fn(T) -> f32,
) {
    fn of<const COUNT: usize, T: Copy>(
        row: &[T],
        channel: usize,
        out: &mut [f32],
        value: impl Fn(T) -> f32,
    ) {
        let channel = channel.min(COUNT - 1);
        for (out, pixel) in out.iter_mut().zip(row.as_chunks::<COUNT>().0) {
            *out = value(pixel[channel]);
        }
    }
    match count {
        1 => of::<1, T>(row, channel, out, value),
        2 => of::<2, T>(row, channel, out, value),
        3 => of::<3, T>(row, channel, out, value),
        _ => of::<4, T>(row, channel, out, value),
    }
}

/// Interleaves channels and rounds them to samples.
pub(super) struct Packer {
    count: usize,
    width: usize,
    pub(super) samples: Samples,
}

impl Packer {
    pub(super) fn new(layout: Channels, bits: u8, width: usize) -> Self {
        Self {
            count: layout.count(),
            width,
            samples: match bits {
                8 => Samples::U8(Vec::new()),
                _ => Samples::U16(Vec::new()),
            },
        }
    }

    /// Sets a channel of row `row` of the band.
    pub(super) fn put(&mut self, channel: usize, row: usize, values: &[f32]) {
        let row_samples = self.width * self.count;
        let (start, end) = (row * row_samples, (row + 1) * row_samples);
        match &mut self.samples {
            Samples::U8(data) => {
                if data.len() < end {
                    data.resize(end, 0);
                }
                interleave(&mut data[start..end], self.count, channel, values, 255.0);
            }
            Samples::U16(data) => {
                if data.len() < end {
                    data.resize(end, 0);
                }
                interleave(&mut data[start..end], self.count, channel, values, 65_535.0);
            }
        }
    }

    pub(super) fn put_rows(&mut self, channel: usize, values: &[f32]) {
        let width = self.width;
        for (row, values) in values.chunks_exact(width).enumerate() {
            self.put(channel, row, values);
        }
    }

    /// Hands over the first `rows` rows of the band.
    pub(super) fn flush(&mut self, rows: usize, sink: &mut Sink<'_>) -> Result<(), EngineError> {
        let samples = rows * self.width * self.count;
        match &self.samples {
            Samples::U8(data) => sink(RowsRef::U8(&data[..samples])),
            Samples::U16(data) => sink(RowsRef::U16(&data[..samples])),
        }
    }
}

/// Sets channel `channel` of pixels of `count` samples; values of 1 become `max`.
fn interleave<T: Sample>(row: &mut [T], count: usize, channel: usize, values: &[f32], max: f32) {
    // Rounding makes vectors, scattering cannot: in short stretches, one after the other.
    let mut rounded = [T::default(); 64];
    for (pixels, values) in row.chunks_mut(64 * count).zip(values.chunks(64)) {
        for (rounded, &value) in rounded.iter_mut().zip(values) {
            *rounded = T::nearest(value * max, max);
        }
        match count {
            1 => pixels.copy_from_slice(&rounded[..pixels.len()]),
            2 => scatter::<2, T>(pixels, channel, &rounded),
            3 => scatter::<3, T>(pixels, channel, &rounded),
            _ => scatter::<4, T>(pixels, channel, &rounded),
        }
    }
}

fn scatter<const COUNT: usize, T: Copy>(pixels: &mut [T], channel: usize, samples: &[T]) {
    let channel = channel.min(COUNT - 1);
    for (pixel, &sample) in pixels.as_chunks_mut::<COUNT>().0.iter_mut().zip(samples) {
        pixel[channel] = sample;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture resized from `(width, height)`, its rows handed over `at_once` at a time.
    fn resized(size: (u32, u32), to: (u32, u32), at_once: usize) -> Vec<u8> {
        let input = Shape {
            width: size.0,
            height: size.1,
            layout: Channels::Rgb,
            bits: 8,
        };
        let samples: Vec<u8> = (0..size.0 * size.1 * 3)
            .map(|i| (i * i / 7) as u8)
            .collect();
        let params = ResizeParams {
            width: to.0,
            height: to.1,
        };
        let mut resizing = Resizing::new(input, params);
        let mut out = Vec::new();
        for rows in samples.chunks(size.0 as usize * 3 * at_once) {
            let mut sink = |rows: RowsRef<'_>| {
                let RowsRef::U8(rows) = rows else {
                    panic!("8-bit rows are expected");
                };
                out.extend_from_slice(rows);
                Ok(())
            };
            resizing
                .take(RowsRef::U8(rows), &Cancel::default(), &mut sink)
                .unwrap();
        }
        out
    }

    #[test]
    fn a_resize_does_not_depend_on_how_many_rows_come_at_once() {
        for (from, to) in [
            ((40, 300), (30, 225)),
            ((9, 200), (21, 467)),
            ((8, 500), (3, 20)),
            ((5, 1), (7, 3)),
        ] {
            let whole = resized(from, to, usize::MAX / 1024);
            assert_eq!(whole.len(), (to.0 * to.1 * 3) as usize);
            for at_once in [1, 7, 64] {
                assert_eq!(resized(from, to, at_once), whole, "{from:?} to {to:?}");
            }
        }
    }
}
