//! Enlarges whole pictures tile by tile.

mod check;
mod fade;
mod numbers;
mod target;

use crate::error::InferError;
use crate::session::{CancelHandle, InferenceSession, TensorData};
use crate::simd::{Affine, store};
use crate::tensor::{FillRow, Source, TensorShape};
use crate::tile::{Cut, CutRule, TilePlan};
use crate::voice::NO_PICTURES;
use check::{check_plane, common_size, depth_error};
use fade::Fade;
use frameloom_core::model::{ModelManifest, Task, TensorColor, TensorRange, TensorType};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Sample};
use half::f16;
use half::slice::HalfFloatSliceExt;
use numbers::Numbers;
use std::time::Instant;
use target::{IntoPlanes, Target};

/// Time spent on the last picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunStats {
    /// Tiles run.
    pub tiles: u32,
    /// From samples to the tensor.
    pub pack_micros: u64,
    /// In ONNX Runtime.
    pub run_micros: u64,
    /// From the tensor to samples, cross-fades included.
    pub unpack_micros: u64,
}

/// Enlarges whole pictures by tiles, on one session.
///
/// Memory beyond the caller's planes is bounded by the tile, not by the picture; with a
/// cross-fade it is bounded by one row of tiles.
pub struct Upscaler {
    session: InferenceSession,
    shape: TensorShape,
    rules: (CutRule, CutRule),
    color: TensorColor,
    element: TensorType,
    tensor_black_white: (f64, f64),
    result_black_white: (f64, f64),
    model: String,
    last_size: Option<(usize, usize)>,
    tensor: Vec<f32>,
    halves: Vec<f16>,
    bytes: Vec<u8>,
    wide: Vec<f32>,
    row: Vec<f32>,
    line: Vec<f32>,
    faded: Vec<f32>,
    stats: RunStats,
}

/// Receives a band of complete rows: number of the first one, one plane per channel.
pub type BandSink<'a, T, E> = dyn FnMut(usize, &[PlaneRef<'_, T>]) -> Result<(), E> + 'a;

/// As [`BandSink`], for samples of either depth.
pub type PlaneBandSink<'a, E> = dyn FnMut(usize, &[AnyPlane<'_>]) -> Result<(), E> + 'a;

impl Upscaler {
    /// An upscaler over `session`, with the tile size that the manifest prefers. `manifest` is the
    /// one of the session's model.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for the manifest of another model.
    pub fn new(session: InferenceSession, manifest: &ModelManifest) -> Result<Self, InferError> {
        if manifest != session.manifest() {
            return Err(InferError::GraphMismatch {
                model: session.manifest().id.clone(),
                reason: format!("this is the manifest of `{}`", manifest.id),
            });
        }
        if manifest.task != Task::Upscale {
            return Err(InferError::GraphMismatch {
                model: manifest.id.clone(),
                reason: match manifest.task {
                    task if task.is_of_sound() => NO_PICTURES.to_owned(),
                    _ => "it gives a matte, not a picture".to_owned(),
                },
            });
        }
        let numbers = |range: TensorRange| {
            let (black, white) = range.black_white();
            (f64::from(black), f64::from(white))
        };
        Ok(Self {
            shape: TensorShape::new(manifest),
            rules: session.rules(),
            color: manifest.input.color,
            element: manifest.input.element,
            tensor_black_white: numbers(manifest.input.range),
            result_black_white: numbers(manifest.output.range.unwrap_or(manifest.input.range)),
            model: manifest.id.clone(),
            session,
            last_size: None,
            tensor: Vec::new(),
            halves: Vec::new(),
            bytes: Vec::new(),
            wide: Vec::new(),
            row: Vec::new(),
            line: Vec::new(),
            faded: Vec::new(),
            stats: RunStats::default(),
        })
    }

    /// The same with tiles of another size.
    #[must_use]
    pub fn with_tiles(mut self, plan: TilePlan) -> Self {
        let (across, down) = self.session.rules();
        self.rules = (across.planned(plan), down.planned(plan));
        self
    }

    /// Output size by input size.
    pub fn scale(&self) -> u32 {
        self.shape.scale as u32
    }

    /// What the model's channels mean; says which of the methods fits.
    pub fn color(&self) -> TensorColor {
        self.color
    }

    /// Stops this upscaler from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.session.cancel_handle()
    }

    /// Time spent on the last picture.
    pub fn stats(&self) -> RunStats {
        self.stats
    }

    /// Where tiles meet in a picture of this size: the first column and the first row of each tile
    /// but the first, in pixels of the input.
    pub fn seams(&self, width: usize, height: usize) -> (Vec<usize>, Vec<usize>) {
        let starts = |cuts: Vec<Cut>| cuts.iter().skip(1).map(|cut| cut.core.start).collect();
        (
            starts(self.rules.0.cut(width)),
            starts(self.rules.1.cut(height)),
        )
    }

    /// The number of tiles that a picture of this size is cut into.
    pub fn tile_count(&self, width: usize, height: usize) -> usize {
        if width == 0 || height == 0 {
            return 0;
        }
        self.rules.0.cut(width).len() * self.rules.1.cut(height).len()
    }

    /// Gives the session back.
    pub fn into_session(self) -> InferenceSession {
        self.session
    }

    /// Enlarges a plane of luma with a luma model.
    ///
    /// `src` is w x h, `dst` w * scale x h * scale, both with samples of `bits` bits, full or
    /// limited range. The result is rounded to the nearest sample and clamped to the depth; values
    /// outside of limited range are kept as far as the depth has them.
    ///
    /// # Errors
    /// [`InferError::Picture`] where the planes do not fit, else the failure of a run. On an error
    /// `dst` holds no usable picture.
    pub fn upscale_luma(
        &mut self,
        src: AnyPlane<'_>,
        bits: u8,
        full_range: bool,
        dst: AnyPlaneMut<'_>,
    ) -> Result<(), InferError> {
        self.upscale_planes(&[src], bits, full_range, [dst])
    }

    /// Enlarges red, green and blue planes of full range with an RGB model; the model's own channel
    /// order is handled.
    ///
    /// # Errors
    /// As [`Upscaler::upscale_luma`].
    pub fn upscale_rgb(
        &mut self,
        src: [AnyPlane<'_>; 3],
        bits: u8,
        dst: [AnyPlaneMut<'_>; 3],
    ) -> Result<(), InferError> {
        self.upscale_planes(&src, bits, true, dst)
    }

    /// Enlarges luma from 0 (black) to 1 (white) with a luma model. The result is not clamped.
    ///
    /// # Errors
    /// As [`Upscaler::upscale_luma`].
    pub fn upscale_luma_f32(
        &mut self,
        src: PlaneRef<'_, f32>,
        dst: PlaneMut<'_, f32>,
    ) -> Result<(), InferError> {
        self.upscale_planes_f32(&[src], [dst])
    }

    /// Enlarges red, green and blue from 0 to 1 with an RGB model. The result is not clamped.
    ///
    /// # Errors
    /// As [`Upscaler::upscale_luma`].
    pub fn upscale_rgb_f32(
        &mut self,
        src: [PlaneRef<'_, f32>; 3],
        dst: [PlaneMut<'_, f32>; 3],
    ) -> Result<(), InferError> {
        self.upscale_planes_f32(&src, dst)
    }

    /// Enlarges a picture of any height with memory for one row of tiles.
    ///
    /// `source` is called with channel (luma, or 0 to 2 for red, green, blue), row, first column
    /// and the stretch to fill with numbers from 0 to 1; a row may be asked for several times.
    /// `sink` receives the enlarged picture from top to bottom: number of the first row, and one
    /// plane of complete rows per channel, not clamped.
    ///
    /// # Errors
    /// Those of the sink, and as [`Upscaler::upscale_luma`].
    pub fn upscale_bands<E: From<InferError>>(
        &mut self,
        width: usize,
        height: usize,
        source: &mut FillRow<'_>,
        sink: &mut BandSink<'_, f32, E>,
    ) -> Result<(), E> {
        let size = (width, height);
        let mut target = self.bands(size, sink)?;
        self.process(&mut Source::Rows(source), size, Numbers::UNIT, &mut target)
    }

    /// As [`Upscaler::upscale_bands`], from integer planes in memory to integer rows of the same
    /// depth. `full_range` counts for luma models only.
    ///
    /// # Errors
    /// Those of the sink, and as [`Upscaler::upscale_luma`].
    pub fn upscale_plane_bands<E: From<InferError>>(
        &mut self,
        src: &[AnyPlane<'_>],
        bits: u8,
        full_range: bool,
        sink: &mut PlaneBandSink<'_, E>,
    ) -> Result<(), E> {
        let size = self.check_source(src, bits)?;
        let numbers = self.numbers(bits, full_range);
        let source = &mut Source::Any(src);
        if bits > 8 {
            let mut wrapped = |y: usize, planes: &[PlaneRef<'_, u16>]| {
                let planes: Vec<_> = planes.iter().map(|&p| AnyPlane::U16(p)).collect();
                sink(y, &planes)
            };
            let mut target = self.bands(size, &mut wrapped)?;
            self.process(source, size, numbers, &mut target)
        } else {
            let mut wrapped = |y: usize, planes: &[PlaneRef<'_, u8>]| {
                let planes: Vec<_> = planes.iter().map(|&p| AnyPlane::U8(p)).collect();
                sink(y, &planes)
            };
            let mut target = self.bands(size, &mut wrapped)?;
            self.process(source, size, numbers, &mut target)
        }
    }

    fn numbers(&self, bits: u8, full_range: bool) -> Numbers {
        Numbers::of_bits(bits, full_range || self.color != TensorColor::Luma)
    }

    fn upscale_planes<const N: usize>(
        &mut self,
        src: &[AnyPlane<'_>; N],
        bits: u8,
        full_range: bool,
        dst: [AnyPlaneMut<'_>; N],
    ) -> Result<(), InferError> {
        let size = self.check_source(src, bits)?;
        let numbers = self.numbers(bits, full_range);
        let source = &mut Source::Any(src);
        if bits > 8 {
            let mut planes = dst
                .into_iter()
                .map(|plane| match plane {
                    AnyPlaneMut::U16(plane) => Ok(plane),
                    AnyPlaneMut::U8(_) => Err(depth_error(bits, "output")),
                })
                .collect::<Result<Vec<_>, _>>()?;
            self.check_target(&planes, size)?;
            self.process(source, size, numbers, &mut IntoPlanes(&mut planes))
        } else {
            let mut planes = dst
                .into_iter()
                .map(|plane| match plane {
                    AnyPlaneMut::U8(plane) => Ok(plane),
                    AnyPlaneMut::U16(_) => Err(depth_error(bits, "output")),
                })
                .collect::<Result<Vec<_>, _>>()?;
            self.check_target(&planes, size)?;
            self.process(source, size, numbers, &mut IntoPlanes(&mut planes))
        }
    }

    fn upscale_planes_f32<const N: usize>(
        &mut self,
        src: &[PlaneRef<'_, f32>; N],
        mut dst: [PlaneMut<'_, f32>; N],
    ) -> Result<(), InferError> {
        self.check_channels(N)?;
        let size = common_size(src.iter().map(|plane| (plane.width, plane.height)))?;
        for plane in src {
            check_plane(plane, "input")?;
        }
        self.check_target(&dst, size)?;
        self.process(
            &mut Source::F32(src),
            size,
            Numbers::UNIT,
            &mut IntoPlanes(&mut dst),
        )
    }

    fn process<T: Sample, E: From<InferError>>(
        &mut self,
        source: &mut Source<'_, '_>,
        size: (usize, usize),
        numbers: Numbers,
        target: &mut dyn Target<T, E>,
    ) -> Result<(), E> {
        self.stats = RunStats::default();
        if !self.rules.0.takes(size.0) || !self.rules.1.takes(size.1) {
            return Err(E::from(InferError::Picture(format!(
                "the model `{}` looks at the whole picture at once and takes only one size, not {} x {}",
                self.model, size.0, size.1
            ))));
        }
        if self.last_size.is_some_and(|last| last != size) {
            self.session.trim()?;
        }
        self.last_size = Some(size);
        let pack = Affine::between(numbers.black_white, self.tensor_black_white);
        let unpack = Affine::between(self.result_black_white, numbers.black_white);
        let across = self.rules.0.cut(size.0);
        let down = self.rules.1.cut(size.1);
        let fades = across
            .iter()
            .chain(&down)
            .any(|cut| cut.fade_in.is_some() || cut.fade_out.is_some());
        let mut fade = fades.then(|| Fade::new(&across, &down, size.0, self.shape));
        for line in &down {
            let rows = fade.as_ref().map_or(line.core, |_| Fade::complete(line));
            let scale = self.shape.scale;
            target.begin(rows.start * scale, rows.end * scale);
            if let Some(fade) = &fade {
                fade.begin(&mut self.faded);
            }
            for (i, column) in across.iter().enumerate() {
                self.tile(
                    source,
                    size,
                    (column, line),
                    pack,
                    |this, values| match &fade {
                        Some(fade) => fade.add(this, values, i, (column, line)),
                        None => this.give(values, (column, line), unpack, numbers.max, target),
                    },
                )?;
            }
            if let Some(fade) = &mut fade {
                let started = Instant::now();
                fade.give(&mut self.faded, line, unpack, numbers.max, target);
                self.stats.unpack_micros += micros(started);
            }
            target.finish()?;
        }
        Ok(())
    }

    /// Runs one tile and hands its values to `take`, which says whether they are finite.
    fn tile(
        &mut self,
        source: &mut Source<'_, '_>,
        size: (usize, usize),
        (column, line): (&Cut, &Cut),
        map: Affine,
        take: impl FnOnce(&mut Self, &[f32]) -> bool,
    ) -> Result<(), InferError> {
        let (width, height) = (column.read.len(), line.read.len());
        let started = Instant::now();
        self.shape.pack(
            source,
            size,
            (column, line),
            map,
            &mut self.row,
            &mut self.tensor,
        );
        let data = match self.element {
            TensorType::Float32 => TensorData::F32(&self.tensor),
            TensorType::Float16 => {
                self.halves.resize(self.tensor.len(), f16::ZERO);
                self.halves.convert_from_f32_slice(&self.tensor);
                TensorData::F16(&self.halves)
            }
            TensorType::Uint8 => {
                self.bytes.resize(self.tensor.len(), 0);
                let map = Affine {
                    gain: 1.0,
                    offset: 0.0,
                };
                store::<u8, 1>([&self.tensor], map, 255.0, &mut self.bytes);
                TensorData::U8(&self.bytes)
            }
        };
        self.stats.pack_micros += micros(started);

        let started = Instant::now();
        let output = self.session.run(data, width, height)?;
        self.stats.run_micros += micros(started);

        let started = Instant::now();
        let mut wide = std::mem::take(&mut self.wide);
        let finite = match output.as_f32(&mut wide) {
            Ok(values) => take(self, values),
            Err(e) => {
                return Err(InferError::Run {
                    model: self.model.clone(),
                    width,
                    height,
                    source: e.into(),
                });
            }
        };
        self.wide = wide;
        self.stats.unpack_micros += micros(started);
        self.stats.tiles += 1;
        if finite {
            Ok(())
        } else {
            Err(InferError::NotFinite {
                model: self.model.clone(),
            })
        }
    }

    /// Writes a tile's core into its place.
    fn give<T: Sample, E>(
        &mut self,
        values: &[f32],
        (column, line): (&Cut, &Cut),
        map: Affine,
        max: f32,
        target: &mut dyn Target<T, E>,
    ) -> bool {
        let scale = self.shape.scale;
        let tile = (column.read.len(), line.read.len());
        let x = column.core.start - column.read.start;
        let columns = column.core.start * scale..column.core.end * scale;
        let mut finite = true;
        for channel in 0..self.shape.channels {
            for y in line.core.start * scale..line.core.end * scale {
                finite &= self.shape.unpack(
                    values,
                    tile,
                    channel,
                    (x, y - line.read.start * scale),
                    map,
                    max,
                    &mut self.row,
                    &mut target.row(channel, y)[columns.clone()],
                );
            }
        }
        finite
    }
}

impl std::fmt::Debug for Upscaler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upscaler")
            .field("session", &self.session)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
