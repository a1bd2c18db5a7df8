//! Enlarges whole pictures tile by tile.

use crate::error::InferError;
use crate::session::{CancelHandle, InferenceSession, TensorData};
use crate::simd::{Affine, blend, store};
use crate::tensor::{FillRow, Source, TensorShape};
use crate::tile::{Cut, CutRule, Span, TilePlan};
use frameloom_core::model::{ModelManifest, TensorColor, TensorRange, TensorType};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Sample};
use half::f16;
use half::slice::HalfFloatSliceExt;
use std::time::Instant;

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

/// What the numbers of a picture mean.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    black_white: (f64, f64),
    max: f32,
}

impl Numbers {
    const UNIT: Numbers = Numbers {
        black_white: (0.0, 1.0),
        max: 1.0,
    };

    fn of_bits(bits: u8, full_range: bool) -> Self {
        let max = ((1u32 << bits) - 1) as f32;
        let black_white = if full_range {
            (0.0, f64::from(max))
        } else {
            let step = 2f64.powi(i32::from(bits) - 8);
            (16.0 * step, 235.0 * step)
        };
        Self { black_white, max }
    }
}

/// Where finished rows go.
trait Target<T, E> {
    /// Row `y` of the enlarged picture, all of its columns.
    fn row(&mut self, channel: usize, y: usize) -> &mut [T];
    /// Rows `start..end` are about to be written.
    fn begin(&mut self, start: usize, end: usize);
    /// They are complete.
    fn finish(&mut self) -> Result<(), E>;
}

/// The caller's planes.
struct IntoPlanes<'a, 'p, T>(&'a mut [PlaneMut<'p, T>]);

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
struct IntoBands<'a, T, E> {
    samples: Vec<T>,
    width: usize,
    channels: usize,
    start: usize,
    rows: usize,
    sink: &'a mut BandSink<'a, T, E>,
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

    fn bands<'s, T: Sample, E>(
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

    fn check_channels(&self, count: usize) -> Result<(), InferError> {
        if count == self.shape.channels {
            return Ok(());
        }
        Err(InferError::Picture(format!(
            "model `{}` works on {} planes, not on {count}",
            self.model, self.shape.channels
        )))
    }

    fn check_source(&self, src: &[AnyPlane<'_>], bits: u8) -> Result<(usize, usize), InferError> {
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

    fn check_target<T>(
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

/// The sum of cross-faded tiles: one row of tiles, and what the row before left for it.
struct Fade {
    weights: Vec<Vec<f32>>,
    width: usize,
    shape: TensorShape,
    /// Most rows of input that a row of tiles contributes to.
    capacity: usize,
    /// Rows of input that the previous row of tiles has already contributed to.
    carried: usize,
}

impl Fade {
    fn new(across: &[Cut], down: &[Cut], width: usize, shape: TensorShape) -> Self {
        Self {
            weights: across.iter().map(|cut| weights(cut, shape.scale)).collect(),
            width: width * shape.scale,
            shape,
            capacity: down.iter().map(|cut| cut.reach().len()).max().unwrap_or(0),
            carried: 0,
        }
    }

    /// The rows that no later row of tiles contributes to.
    fn complete(line: &Cut) -> Span {
        let reach = line.reach();
        Span {
            start: reach.start,
            end: line.fade_out.map_or(reach.end, |fade| fade.start),
        }
    }

    /// Samples of one channel in the sum.
    fn plane(&self) -> usize {
        self.capacity * self.shape.scale * self.width
    }

    /// Makes room behind the rows that the previous row of tiles left.
    fn begin(&self, sum: &mut Vec<f32>) {
        let plane = self.plane();
        if self.carried == 0 {
            sum.clear();
        }
        sum.resize(plane * self.shape.channels, 0.0);
        let kept = self.carried * self.shape.scale * self.width;
        for channel in sum.chunks_exact_mut(plane) {
            channel[kept..].fill(0.0);
        }
    }

    fn add(&self, scaler: &mut Upscaler, values: &[f32], i: usize, tile: (&Cut, &Cut)) -> bool {
        let (column, line) = tile;
        let scale = self.shape.scale;
        let (reach_x, reach_y) = (column.reach(), line.reach());
        let down = weights(line, scale);
        let same = Affine {
            gain: 1.0,
            offset: 0.0,
        };
        scaler.line.resize(reach_x.len() * scale, 0.0);
        let mut finite = true;
        for channel in 0..self.shape.channels {
            for (j, factor) in down.iter().enumerate() {
                let x = reach_x.start - column.read.start;
                let y = (reach_y.start - line.read.start) * scale + j;
                finite &= self.shape.unpack(
                    values,
                    (column.read.len(), line.read.len()),
                    channel,
                    (x, y),
                    same,
                    0.0,
                    &mut scaler.row,
                    &mut scaler.line,
                );
                let start = channel * self.plane() + j * self.width + reach_x.start * scale;
                let sum = &mut scaler.faded[start..][..reach_x.len() * scale];
                blend(&self.weights[i], *factor, &scaler.line, sum);
            }
        }
        finite
    }

    /// Writes the complete rows and moves the others to the front.
    fn give<T: Sample, E>(
        &mut self,
        sum: &mut [f32],
        line: &Cut,
        map: Affine,
        max: f32,
        target: &mut dyn Target<T, E>,
    ) {
        let scale = self.shape.scale;
        let complete = Self::complete(line);
        let (count, first) = (complete.len() * scale, complete.start * scale);
        self.carried = line.reach().end - complete.end;
        let plane = self.plane();
        for (channel, sum) in sum.chunks_exact_mut(plane).enumerate() {
            for (j, row) in sum.chunks_exact(self.width).take(count).enumerate() {
                // The tiles were finite, and so is a weighted mean of them.
                store::<T, 1>([row], map, max, target.row(channel, first + j));
            }
            let rest = count * self.width;
            sum.copy_within(rest..rest + self.carried * scale * self.width, 0);
        }
    }
}

/// A tile's share at each output pixel of its reach along one axis. Neighbours add up to one.
fn weights(cut: &Cut, scale: usize) -> Vec<f32> {
    let reach = cut.reach();
    let mut weights = vec![1.0f32; reach.len() * scale];
    let ramp = |length: usize, i: usize| (i as f32 + 0.5) / length as f32;
    if let Some(fade) = cut.fade_in {
        let length = fade.len() * scale;
        for (i, w) in weights[..length].iter_mut().enumerate() {
            *w = ramp(length, i);
        }
    }
    if let Some(fade) = cut.fade_out {
        let length = fade.len() * scale;
        let start = weights.len() - length;
        for (i, w) in weights[start..].iter_mut().enumerate() {
            *w = 1.0 - ramp(length, i);
        }
    }
    weights
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn depth_error(bits: u8, which: &str) -> InferError {
    InferError::Picture(format!(
        "the {which}'s words do not fit {bits} bits per sample"
    ))
}

fn common_size(sizes: impl Iterator<Item = (usize, usize)>) -> Result<(usize, usize), InferError> {
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

fn check_plane<T>(plane: &PlaneRef<'_, T>, which: &str) -> Result<(), InferError> {
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
