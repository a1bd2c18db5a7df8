//! Whether planes are what a model can be given, before any of them is read.

use super::Upscaler;
use crate::error::InferError;
use frameloom_core::pixel::{AnyPlane, PlaneMut, PlaneRef};

impl Upscaler {
    pub(super) fn check_channels(&self, count: usize) -> Result<(), InferError> {
        if count == self.shape.channels {
            return Ok(());
        }
        Err(InferError::Picture(format!(
            "model `{}` works on {} planes, not on {count}",
            self.model, self.shape.channels
        )))
    }

    pub(super) fn check_source(
        &self,
        src: &[AnyPlane<'_>],
        bits: u8,
    ) -> Result<(usize, usize), InferError> {
        self.check_channels(src.len())?;
        if !(8..=16).contains(&bits) {
            return Err(InferError::Picture(format!("{bits} bits per sample")));
        }
        for plane in src {
            match plane {
                AnyPlane::U8(plane) if bits == 8 => check_plane(plane, "input")?,
                AnyPlane::U16(plane) if bits > 8 => check_plane(plane, "input")?,
                _ => return Err(depth_error(bits, "input")),
            }
        }
        common_size(src.iter().map(|plane| match plane {
            AnyPlane::U8(plane) => (plane.width, plane.height),
            AnyPlane::U16(plane) => (plane.width, plane.height),
        }))
    }

    pub(super) fn check_target<T>(
        &self,
        dst: &[PlaneMut<'_, T>],
        (width, height): (usize, usize),
    ) -> Result<(), InferError> {
        let wanted = (width * self.shape.scale, height * self.shape.scale);
        for plane in dst {
            let plane = plane.as_ref();
            check_plane(&plane, "output")?;
            if (plane.width, plane.height) != wanted {
                return Err(InferError::Picture(format!(
                    "the output is {}x{}, {}x{} is needed",
                    plane.width, plane.height, wanted.0, wanted.1
                )));
            }
        }
        Ok(())
    }
}

pub(super) fn depth_error(bits: u8, which: &str) -> InferError {
    InferError::Picture(format!(
        "the {which}'s words do not fit {bits} bits per sample"
    ))
}

pub(super) fn common_size(
    sizes: impl Iterator<Item = (usize, usize)>,
) -> Result<(usize, usize), InferError> {
    let mut common = None;
    for size in sizes {
        if *common.get_or_insert(size) != size {
            return Err(InferError::Picture(
                "its planes are of different sizes".to_owned(),
            ));
        }
    }
    match common {
        Some((width, height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err(InferError::Picture("it has no pixels".to_owned())),
    }
}

pub(super) fn check_plane<T>(plane: &PlaneRef<'_, T>, which: &str) -> Result<(), InferError> {
    let needed = plane
        .height
        .checked_sub(1)
        .and_then(|rows| rows.checked_mul(plane.stride))
        .and_then(|samples| samples.checked_add(plane.width));
    match needed {
        Some(needed) if plane.stride >= plane.width && needed <= plane.data.len() => Ok(()),
        _ => Err(InferError::Picture(format!(
            "the {which} has {} samples for {}x{} with a stride of {}",
            plane.data.len(),
            plane.width,
            plane.height,
            plane.stride
        ))),
    }
}
