//! Networks that say of each pixel how far it belongs to the foreground.
//!
//! Such a network sees the whole picture in its own small size: whoever calls brings the picture
//! to [`MatteSession::size_for`] and the matte back to the picture's.

use crate::error::InferError;
use crate::session::{CancelHandle, InferenceSession};
use crate::voice::NO_PICTURES;
use crate::whole::{Feed, pack, size_for};
use frameloom_core::model::{Activation, Layout, MatteSpec, Task};

/// A matting model on one session.
pub struct MatteSession {
    session: InferenceSession,
    spec: MatteSpec,
    tensor: Vec<f32>,
    feed: Feed,
    wide: Vec<f32>,
}

impl MatteSession {
    /// Over the session of a model of the task `matte`.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for a model of another task.
    pub fn new(session: InferenceSession) -> Result<Self, InferError> {
        let manifest = session.manifest();
        let Some(spec) = manifest.matte.filter(|_| manifest.task == Task::Matte) else {
            return Err(InferError::GraphMismatch {
                model: manifest.id.clone(),
                reason: match manifest.task {
                    task if task.is_of_sound() => NO_PICTURES.to_owned(),
                    _ => "it makes pictures, and tells no foreground from a background".to_owned(),
                },
            });
        };
        Ok(Self {
            session,
            spec,
            tensor: Vec::new(),
            feed: Feed::default(),
            wide: Vec::new(),
        })
    }

    /// Stops this session from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.session.cancel_handle()
    }

    /// Width and height that a picture of `width` x `height` pixels is brought to: the only size
    /// that the model takes, or one of the picture's proportion with the side that it prefers.
    pub fn size_for(&self, width: usize, height: usize) -> (usize, usize) {
        size_for(&self.session.manifest().tile, (width, height), None)
    }

    /// The matte of a picture of [`MatteSession::size_for`]: `rgb` are red, green and blue from 0
    /// to 1, row by row; `matte` becomes as long, from 0 (background) to 1 (foreground).
    ///
    /// # Errors
    /// [`InferError::Picture`] where the planes have another size, [`InferError::NotFinite`], and
    /// the failure of the run.
    pub fn run(
        &mut self,
        rgb: [&[f32]; 3],
        (width, height): (usize, usize),
        matte: &mut Vec<f32>,
    ) -> Result<(), InferError> {
        let count = width * height;
        if rgb.iter().any(|plane| plane.len() != count) || count == 0 {
            return Err(InferError::Picture(format!(
                "its planes are not of {width} x {height} pixels"
            )));
        }
        pack(
            &self.session.manifest().input,
            self.spec.normal.as_ref(),
            rgb,
            &mut self.tensor,
        );
        let output = self
            .feed
            .run(&mut self.session, &self.tensor, (width, height))?;
        let manifest = self.session.manifest();
        let values = output.as_f32(&mut self.wide).map_err(|e| InferError::Run {
            model: manifest.id.clone(),
            width,
            height,
            source: e.into(),
        })?;
        let (black, white) = match self.spec.activation {
            Activation::None => manifest
                .output
                .range
                .unwrap_or(frameloom_core::model::TensorRange::Unit)
                .black_white(),
            _ => (0.0, 1.0),
        };
        matte.clear();
        matte.extend(probabilities(
            values,
            count,
            self.spec,
            manifest.output.layout,
        ));
        if !matte.iter().all(|v| v.is_finite()) {
            return Err(InferError::NotFinite {
                model: manifest.id.clone(),
            });
        }
        for v in matte {
            *v = ((*v - black) / (white - black)).clamp(0.0, 1.0);
        }
        Ok(())
    }
}

impl std::fmt::Debug for MatteSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MatteSession")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// The foreground's channel of `values`, `count` pixels, after its function.
pub(crate) fn probabilities(
    values: &[f32],
    count: usize,
    spec: MatteSpec,
    layout: Layout,
) -> impl Iterator<Item = f32> + '_ {
    let channels = spec.channels as usize;
    let foreground = spec.foreground as usize;
    let at = move |pixel: usize, channel: usize| match layout {
        Layout::Nchw => values[channel * count + pixel],
        Layout::Nhwc => values[pixel * channels + channel],
    };
    (0..count).map(move |pixel| {
        let own = at(pixel, foreground);
        match spec.activation {
            Activation::None => own,
            Activation::Sigmoid => 1.0 / (1.0 + (-own).exp()),
            // A share among exponentials of differences: those that are far larger make it 0.
            Activation::Softmax => {
                let sum: f32 = (0..channels).map(|c| (at(pixel, c) - own).exp()).sum();
                1.0 / sum
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_come_of_the_foreground_whatever_the_layout() {
        let spec = MatteSpec {
            channels: 2,
            foreground: 1,
            activation: Activation::Softmax,
            normal: None,
        };
        // Two pixels: sure of the background, and sure of the foreground.
        let first: Vec<f32> =
            probabilities(&[90.0, -90.0, -90.0, 90.0], 2, spec, Layout::Nchw).collect();
        let last: Vec<f32> =
            probabilities(&[90.0, -90.0, -90.0, 90.0], 2, spec, Layout::Nhwc).collect();
        assert_eq!((first[0], first[1]), (0.0, 1.0));
        assert_eq!((last[0], last[1]), (0.0, 1.0));
        let even = probabilities(&[3.0, 3.0], 1, spec, Layout::Nhwc).next();
        assert_eq!(even, Some(0.5));
        let one = MatteSpec {
            channels: 1,
            foreground: 0,
            activation: Activation::Sigmoid,
            normal: None,
        };
        let halfway = probabilities(&[0.0], 1, one, Layout::Nchw).next();
        assert_eq!(halfway, Some(0.5));
    }
}
