//! Networks that see a whole picture in a size of their own and give something for each pixel of
//! it: a lighter picture, one in another style, or how near everything is.
//!
//! Whoever calls brings the picture to [`WholeSession::size_for`], and what comes out back to the
//! picture's size.

use crate::error::InferError;
use crate::session::{CancelHandle, InferenceSession, TensorData, TensorOutput};
use frameloom_core::model::{
    DepthSpec, Layout, Normal, Task, TensorColor, TensorSpec, TensorType, TileSpec,
};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// A model of the tasks `light`, `style` and `depth` on one session.
pub struct WholeSession {
    session: InferenceSession,
    depth: Option<DepthSpec>,
    tensor: Vec<f32>,
    feed: Feed,
    wide: Vec<f32>,
}

impl WholeSession {
    /// Over the session of a model of one of these tasks.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for a model of another task.
    pub fn new(session: InferenceSession) -> Result<Self, InferError> {
        let manifest = session.manifest();
        if !manifest.task.sees_whole() {
            return Err(InferError::GraphMismatch {
                model: manifest.id.clone(),
                reason: "it makes no picture lighter, paints none anew and tells no distances"
                    .to_owned(),
            });
        }
        Ok(Self {
            depth: manifest.depth.filter(|_| manifest.task == Task::Depth),
            session,
            tensor: Vec::new(),
            feed: Feed::default(),
            wide: Vec::new(),
        })
    }

    /// Stops this session from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.session.cancel_handle()
    }

    /// Planes that come out: red, green and blue, or one of how near everything is.
    pub fn planes(&self) -> usize {
        match self.depth {
            Some(_) => 1,
            None => 3,
        }
    }

    /// Width and height that a picture of `width` x `height` pixels is brought to: the only size
    /// that the model takes, or one of the picture's proportion with this longest side; the one
    /// that the model prefers where `longest` is `None`.
    pub fn size_for(
        &self,
        (width, height): (usize, usize),
        longest: Option<usize>,
    ) -> (usize, usize) {
        size_for(&self.session.manifest().tile, (width, height), longest)
    }

    /// What the model makes of a picture of [`WholeSession::size_for`]: `rgb` are red, green and
    /// blue from 0 to 1, row by row. Each plane of `out` becomes as long: red, green and blue from 0
    /// to 1; or numbers in no unit of which the large ones are near.
    ///
    /// # Errors
    /// [`InferError::Picture`] where the planes have another size, [`InferError::NotFinite`], and
    /// the failure of the run.
    pub fn run(
        &mut self,
        rgb: [&[f32]; 3],
        (width, height): (usize, usize),
        out: &mut Vec<Vec<f32>>,
    ) -> Result<(), InferError> {
        let count = width * height;
        if rgb.iter().any(|plane| plane.len() != count) || count == 0 {
            return Err(InferError::Picture(format!(
                "its planes are not of {width} x {height} pixels"
            )));
        }
        let normal = self.depth.and_then(|depth| depth.normal);
        let input = &self.session.manifest().input;
        pack(input, normal.as_ref(), rgb, &mut self.tensor);
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
        if !values.iter().all(|v| v.is_finite()) {
            return Err(InferError::NotFinite {
                model: manifest.id.clone(),
            });
        }
        if let Some(depth) = self.depth {
            let sign = if depth.far_is_large { -1.0 } else { 1.0 };
            out.resize_with(1, Vec::new);
            out[0].clear();
            out[0].extend(values.iter().map(|v| v * sign));
            return Ok(());
        }
        let range = manifest.output.range.unwrap_or(manifest.input.range);
        let (black, white) = range.black_white();
        out.resize_with(3, Vec::new);
        for (channel, plane) in out.iter_mut().enumerate() {
            let place = place_of(channel, manifest.input.color);
            let unit = |v: &f32| ((v - black) / (white - black)).clamp(0.0, 1.0);
            plane.clear();
            match manifest.output.layout {
                Layout::Nchw => plane.extend(values[place * count..][..count].iter().map(unit)),
                Layout::Nhwc => plane.extend(values.iter().skip(place).step_by(3).map(unit)),
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for WholeSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeSession")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Width and height that a picture is brought to for a network that sees all of it: the only size
/// that it takes, or one of the picture's proportion with the side `longest`, or the preferred one.
pub(crate) fn size_for(
    tile: &TileSpec,
    (width, height): (usize, usize),
    longest: Option<usize>,
) -> (usize, usize) {
    if let Some((width, height)) = tile.only_size() {
        return (width as usize, height as usize);
    }
    let own = width.max(height).max(1);
    let multiple = (tile.multiple as usize).max(1);
    let most = tile.max.map_or(8192, |max| max as usize) / multiple * multiple;
    let least = (tile.min as usize).next_multiple_of(multiple);
    let wanted = longest.unwrap_or(tile.preferred as usize);
    let side = |side: usize| {
        let scaled = (side * wanted + own / 2) / own;
        let near = (scaled + multiple / 2) / multiple * multiple;
        near.clamp(least, most.max(least))
    };
    (side(width), side(height))
}

/// Which channel of a tensor red (0), green or blue is.
pub(crate) fn place_of(channel: usize, color: TensorColor) -> usize {
    match color {
        TensorColor::Bgr => 2 - channel,
        TensorColor::Rgb | TensorColor::Luma => channel,
    }
}

/// Red, green and blue from 0 to 1 as a network wants them.
pub(crate) fn pack(
    input: &TensorSpec,
    normal: Option<&Normal>,
    rgb: [&[f32]; 3],
    tensor: &mut Vec<f32>,
) {
    let count = rgb[0].len();
    let (black, white) = input.range.black_white();
    tensor.resize(3 * count, 0.0);
    for (channel, plane) in rgb.iter().enumerate() {
        // v * gain + offset, whichever way the network was trained.
        let (gain, offset) = match normal {
            Some(normal) => {
                let gain = 1.0 / normal.deviation[channel];
                (gain, -normal.mean[channel] * gain)
            }
            None => (white - black, black),
        };
        let place = place_of(channel, input.color);
        match input.layout {
            Layout::Nchw => {
                let target = &mut tensor[place * count..][..count];
                for (out, v) in target.iter_mut().zip(*plane) {
                    *out = v * gain + offset;
                }
            }
            Layout::Nhwc => {
                for (pixel, v) in tensor.chunks_exact_mut(3).zip(*plane) {
                    pixel[place] = v * gain + offset;
                }
            }
        }
    }
}

/// Numbers of the kind that a network takes, kept between calls.
#[derive(Default)]
pub(crate) struct Feed {
    halves: Vec<f16>,
    bytes: Vec<u8>,
}

impl Feed {
    /// Runs a network on a tensor of 32-bit floats.
    pub(crate) fn run(
        &mut self,
        session: &mut InferenceSession,
        tensor: &[f32],
        (width, height): (usize, usize),
    ) -> Result<TensorOutput, InferError> {
        let data = match session.manifest().input.element {
            TensorType::Float32 => TensorData::F32(tensor),
            TensorType::Float16 => {
                self.halves.resize(tensor.len(), f16::ZERO);
                self.halves.convert_from_f32_slice(tensor);
                TensorData::F16(&self.halves)
            }
            TensorType::Uint8 => {
                self.bytes.clear();
                let byte = |v: &f32| (v + 0.5).clamp(0.0, 255.0) as u8;
                self.bytes.extend(tensor.iter().map(byte));
                TensorData::U8(&self.bytes)
            }
        };
        session.run(data, width, height)
    }
}
