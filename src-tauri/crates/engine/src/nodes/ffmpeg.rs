//! Filters of ffmpeg that make one frame of one frame.

use super::{Filter, PictureFormat, filter_input};
use crate::EngineError;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat};
use frameloom_core::said;
use frameloom_media::{FilterGraph, FilterSpec, Frame, FramePool};

/// Takes noise out by non-local means: of ffmpeg's filters the one that restored noised clips
/// best by far.
///
/// The filter counts in 8 bit. Of deeper pictures it sees the upper 8 bits, and what it changes
/// there is added to the picture: what it leaves alone keeps every bit, and no step of 8 bits
/// becomes visible. Alpha is left as it is.
pub(super) struct Denoise {
    graph: FilterGraph,
    shallow: FramePool,
    output: PictureFormat,
    pool: FramePool,
}

pub(super) fn denoise(
    sigma: f64,
    output: PictureFormat,
    threads: usize,
) -> Result<Denoise, EngineError> {
    let shallow = PictureFormat {
        pixels: PixelFormat {
            bits: 8,
            alpha: false,
            ..output.pixels
        },
        ..output.clone()
    };
    let filter = FilterSpec {
        name: "nlmeans",
        options: vec![("s", format!("{sigma:.3}"))],
    };
    Ok(Denoise {
        graph: FilterGraph::open(&[filter], &filter_input(&shallow), threads)?,
        shallow: FramePool::new(shallow.pixels, shallow.width, shallow.height)?,
        pool: FramePool::new(output.pixels, output.width, output.height)?,
        output,
    })
}

impl Denoise {
    fn run(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        self.graph.send(frame)?;
        self.graph.receive()?.ok_or_else(|| EngineError::Node {
            node: "denoise".to_owned(),
            reason: said!("node.kept_back", "the filter kept a frame back"),
        })
    }
}

impl Filter for Denoise {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        if frame.format() == self.shallow.format() {
            return self.run(frame);
        }
        let pixels = self.output.pixels;
        let shift = u32::from(pixels.bits - 8);
        let mut seen = self.shallow.get()?;
        seen.copy_props_from(frame)?;
        let colors = self.shallow.format().plane_count();
        for index in 0..colors {
            if let AnyPlaneMut::U8(mut to) = seen.plane_mut(index)? {
                for y in 0..to.height {
                    let row = to.row_mut(y);
                    match frame.plane(index) {
                        AnyPlane::U8(from) => row.copy_from_slice(from.row(y)),
                        AnyPlane::U16(from) => {
                            for (out, value) in row.iter_mut().zip(from.row(y)) {
                                *out = (value >> shift) as u8;
                            }
                        }
                    }
                }
            }
        }
        let clean = self.run(&seen)?;
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        let max = i32::from(pixels.max_value());
        for index in 0..pixels.plane_count() {
            match (frame.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
                    let clean = match clean_plane(&clean, index, colors) {
                        Some(plane) => plane,
                        None => from,
                    };
                    for y in 0..to.height {
                        to.row_mut(y).copy_from_slice(clean.row(y));
                    }
                }
                (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
                    for y in 0..to.height {
                        let (row, source) = (to.row_mut(y), from.row(y));
                        let Some(clean) = clean_plane(&clean, index, colors) else {
                            row.copy_from_slice(source);
                            continue;
                        };
                        for ((out, value), clean) in row.iter_mut().zip(source).zip(clean.row(y)) {
                            let before = i32::from(value >> shift);
                            let change = (i32::from(*clean) - before) << shift;
                            *out = (i32::from(*value) + change).clamp(0, max) as u16;
                        }
                    }
                }
                // The pool was made for this very format.
                _ => unreachable!("denoising does not change the depth"),
            }
        }
        Ok(out)
    }
}

/// A plane of the denoised picture; `None` for alpha, which it does not have.
fn clean_plane(
    clean: &Frame,
    index: usize,
    colors: usize,
) -> Option<frameloom_core::pixel::PlaneRef<'_, u8>> {
    if index >= colors {
        return None;
    }
    match clean.plane(index) {
        AnyPlane::U8(plane) => Some(plane),
        AnyPlane::U16(_) => None,
    }
}
