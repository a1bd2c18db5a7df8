//! Networks that make the picture between two pictures, such as those of RIFE.
//!
//! They come in three families, by how they are exported: two pictures and a moment as inputs of their
//! own; both pictures and planes behind them in one tensor, as plug-ins of VapourSynth feed them; and
//! two pictures alone, for the middle. Whoever calls gives pictures of any size: they are continued at
//! their right and lower edges as far as the network wants it.

use crate::error::InferError;
use crate::session::{CancelHandle, InferenceSession};
use crate::whole::{Feed, place_of};
use frameloom_core::model::{BetweenSpec, Layout, ModelManifest, Moment, MomentPlanes, Task};

/// A model of the task `between` on one session.
pub struct BetweenSession {
    session: InferenceSession,
    spec: BetweenSpec,
    tensor: Vec<f32>,
    feed: Feed,
    wide: Vec<f32>,
}

impl BetweenSession {
    /// Over the session of a model of this task.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for a model of another task.
    pub fn new(session: InferenceSession) -> Result<Self, InferError> {
        let manifest = session.manifest();
        let Some(spec) = manifest
            .between
            .clone()
            .filter(|_| manifest.task == Task::Between)
        else {
            return Err(InferError::GraphMismatch {
                model: manifest.id.clone(),
                reason: "it makes no picture between two".to_owned(),
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

    /// True if it makes the picture of any moment; only that of the middle otherwise.
    pub fn knows_moments(&self) -> bool {
        self.spec.moment.is_some()
    }

    /// Width and height that pictures of `width` x `height` pixels are continued to; `None` where the
    /// network takes none so large.
    pub fn size_for(&self, size: (usize, usize)) -> Option<(usize, usize)> {
        size_for(self.session.manifest(), size)
    }

    /// The picture at `moment`, 0 for the first and 1 for the second, of two pictures of `width` x
    /// `height` pixels: red, green and blue from 0 to 1, row by row. A network that knows the middle
    /// alone is not told the moment. The planes of `out` become as long.
    ///
    /// # Errors
    /// [`InferError::Picture`] where planes have another size or the network takes none so large,
    /// [`InferError::NotFinite`], and the failure of the run.
    pub fn run(
        &mut self,
        pictures: [[&[f32]; 3]; 2],
        (width, height): (usize, usize),
        moment: f32,
        out: &mut [Vec<f32>; 3],
    ) -> Result<(), InferError> {
        let count = width * height;
        let is_whole = |plane: &&[f32]| plane.len() == count;
        if count == 0 || !pictures.iter().flatten().all(is_whole) {
            return Err(InferError::Picture(format!(
                "its planes are not of {width} x {height} pixels"
            )));
        }
        let manifest = self.session.manifest();
        let (wide, high) = size_for(manifest, (width, height)).ok_or_else(|| {
            InferError::Picture(format!(
                "the model `{}` takes no pictures of {width} x {height} pixels",
                manifest.id
            ))
        })?;
        self.tensor.clear();
        // Channels first, pictures in one tensor stand behind each other as those in two.
        for picture in pictures {
            pack(
                manifest,
                picture,
                (width, height),
                (wide, high),
                &mut self.tensor,
            );
        }
        moments(&self.spec, moment, (wide, high), &mut self.tensor);
        let output = self
            .feed
            .run(&mut self.session, &self.tensor, (wide, high))?;
        let manifest = self.session.manifest();
        let values = output.as_f32(&mut self.wide).map_err(|e| InferError::Run {
            model: manifest.id.clone(),
            width: wide,
            height: high,
            source: e.into(),
        })?;
        if !values.iter().all(|v| v.is_finite()) {
            return Err(InferError::NotFinite {
                model: manifest.id.clone(),
            });
        }
        let range = manifest.output.range.unwrap_or(manifest.input.range);
        let (black, white) = range.black_white();
        let unit = |v: f32| ((v - black) / (white - black)).clamp(0.0, 1.0);
        for (channel, plane) in out.iter_mut().enumerate() {
            let place = place_of(channel, manifest.input.color);
            plane.clear();
            for y in 0..height {
                let row = y * wide..y * wide + width;
                match manifest.output.layout {
                    Layout::Nchw => {
                        let from = place * wide * high;
                        let row = &values[from + row.start..from + row.end];
                        plane.extend(row.iter().map(|v| unit(*v)));
                    }
                    Layout::Nhwc => {
                        let row = &values[3 * row.start..3 * row.end];
                        plane.extend(row.iter().skip(place).step_by(3).map(|v| unit(*v)));
                    }
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for BetweenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BetweenSession")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

fn size_for(manifest: &ModelManifest, (width, height): (usize, usize)) -> Option<(usize, usize)> {
    let tile = &manifest.tile;
    if let Some((wide, high)) = tile.only_size() {
        let (wide, high) = (wide as usize, high as usize);
        return (width <= wide && height <= high).then_some((wide, high));
    }
    let multiple = (tile.multiple as usize).max(1);
    let side = |side: usize| side.max(tile.min as usize).next_multiple_of(multiple);
    let size = (side(width), side(height));
    let most = tile.max.map_or(usize::MAX, |max| max as usize);
    (size.0 <= most && size.1 <= most).then_some(size)
}

/// One picture as an input of its own, continued by its last column and row.
fn pack(
    manifest: &ModelManifest,
    picture: [&[f32]; 3],
    (width, height): (usize, usize),
    (wide, high): (usize, usize),
    tensor: &mut Vec<f32>,
) {
    let (black, white) = manifest.input.range.black_white();
    let coded = |v: f32| black + (white - black) * v;
    let start = tensor.len();
    tensor.resize(start + 3 * wide * high, 0.0);
    let tensor = &mut tensor[start..];
    for (channel, plane) in picture.into_iter().enumerate() {
        let place = place_of(channel, manifest.input.color);
        for y in 0..high {
            let from = y.min(height - 1) * width;
            let row = &plane[from..from + width];
            let last = row[width - 1];
            let values = row.iter().chain(std::iter::repeat(&last)).take(wide);
            match manifest.input.layout {
                Layout::Nchw => {
                    let at = (place * high + y) * wide;
                    for (out, v) in tensor[at..at + wide].iter_mut().zip(values) {
                        *out = coded(*v);
                    }
                }
                Layout::Nhwc => {
                    let at = 3 * y * wide;
                    let pixels = tensor[at..at + 3 * wide].chunks_exact_mut(3);
                    for (pixel, v) in pixels.zip(values) {
                        pixel[place] = coded(*v);
                    }
                }
            }
        }
    }
}

/// What says the moment, behind the pictures.
fn moments(spec: &BetweenSpec, moment: f32, (wide, high): (usize, usize), tensor: &mut Vec<f32>) {
    let mut plane = |value: &dyn Fn(usize, usize) -> f32| {
        for y in 0..high {
            tensor.extend((0..wide).map(|x| value(x, y)));
        }
    };
    match &spec.moment {
        None => {}
        Some(Moment::Number { .. }) => tensor.push(moment),
        Some(
            Moment::Plane { .. }
            | Moment::Channels {
                planes: MomentPlanes::Moment,
            },
        ) => {
            plane(&|_, _| moment);
        }
        Some(Moment::Channels {
            planes: MomentPlanes::MomentAndScale,
        }) => {
            plane(&|_, _| moment);
            plane(&|_, _| 1.0);
        }
        Some(Moment::Channels {
            planes: MomentPlanes::MomentAndGrid,
        }) => {
            let step = |side: usize| 2.0 / (side.max(2) - 1) as f32;
            let (across, down) = (step(wide), step(high));
            plane(&|_, _| moment);
            plane(&|x, _| x as f32 * across - 1.0);
            plane(&|_, y| y as f32 * down - 1.0);
            plane(&|_, _| across);
            plane(&|_, _| down);
        }
    }
}
