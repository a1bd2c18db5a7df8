//! Where finished rows go: into the planes of the caller, or into a band that is handed out when it is
//! full.

use super::{BandSink, Upscaler};
use crate::error::InferError;
use frameloom_core::pixel::{PlaneMut, PlaneRef, Sample};

/// Where finished rows go.
pub(super) trait Target<T, E> {
    /// Row `y` of the enlarged picture, all of its columns.
    fn row(&mut self, channel: usize, y: usize) -> &mut [T];
    /// Rows `start..end` are about to be written.
    fn begin(&mut self, start: usize, end: usize);
    /// They are complete.
    fn finish(&mut self) -> Result<(), E>;
}

/// The caller's planes.
pub(super) struct IntoPlanes<'a, 'p, T>(pub &'a mut [PlaneMut<'p, T>]);

impl<T: Sample> Target<T, InferError> for IntoPlanes<'_, '_, T> {
    fn row(&mut self, channel: usize, y: usize) -> &mut [T] {
        self.0[channel].row_mut(y)
    }
    fn begin(&mut self, _start: usize, _end: usize) {}
    fn finish(&mut self) -> Result<(), InferError> {
        Ok(())
    }
}

/// A buffer of one band, handed out when it is full.
pub(super) struct IntoBands<'a, T, E> {
    pub samples: Vec<T>,
    pub width: usize,
    pub channels: usize,
    pub start: usize,
    pub rows: usize,
    pub sink: &'a mut BandSink<'a, T, E>,
}

impl<T: Sample, E> Target<T, E> for IntoBands<'_, T, E> {
    fn row(&mut self, channel: usize, y: usize) -> &mut [T] {
        let index = channel * self.rows + y - self.start;
        &mut self.samples[index * self.width..][..self.width]
    }
    fn begin(&mut self, start: usize, end: usize) {
        (self.start, self.rows) = (start, end - start);
        self.samples
            .resize(self.channels * self.rows * self.width, T::default());
    }
    fn finish(&mut self) -> Result<(), E> {
        let planes: Vec<PlaneRef<'_, T>> = self
            .samples
            .chunks_exact(self.rows * self.width)
            .map(|data| PlaneRef {
                data,
                stride: self.width,
                width: self.width,
                height: self.rows,
            })
            .collect();
        (self.sink)(self.start, &planes)
    }
}

impl Upscaler {
    /// Bands of an enlarged picture, handed to `sink` one by one.
    pub(super) fn bands<'s, T: Sample, E>(
        &self,
        (width, height): (usize, usize),
        sink: &'s mut BandSink<'s, T, E>,
    ) -> Result<IntoBands<'s, T, E>, InferError> {
        if width == 0 || height == 0 {
            return Err(InferError::Picture("it has no pixels".to_owned()));
        }
        Ok(IntoBands {
            samples: Vec::new(),
            width: width * self.shape.scale,
            channels: self.shape.channels,
            start: 0,
            rows: 0,
            sink,
        })
    }
}
