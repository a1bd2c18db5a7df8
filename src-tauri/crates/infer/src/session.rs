//! One graph on one provider.

use crate::error::{InferError, tells_of_memory};
use crate::model::Model;
use crate::provider::Runtime;
use crate::setting::{Setting, devices, provider_name};
use crate::tile::CutRule;
use frameloom_core::job::{Arithmetic, Device, Precision, ProviderChoice};
use frameloom_core::model::{
    Activation, Layout, ModelManifest, Moment, Packing, TensorRange, TensorType,
};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How to open a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOptions {
    /// Where to compute. A device asked for by name is used or refused, never replaced.
    pub device: Device,
    /// The numbers to compute in.
    pub arithmetic: Arithmetic,
    /// How near to the CPU's answer in 32-bit floats a provider must come on a small tile, in dB.
    pub least_db: f64,
    /// Let ONNX Runtime use no kernel whose result may differ from run to run.
    pub deterministic: bool,
    /// Threads within one operator; 0 leaves it to ONNX Runtime.
    pub threads: usize,
    /// Compare a device asked for by name with the CPU as well. `auto` always compares.
    pub check_against_cpu: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            device: Device::Auto,
            arithmetic: Arithmetic::F32,
            least_db: Precision::Exact.least_db(),
            deterministic: false,
            threads: 0,
            check_against_cpu: true,
        }
    }
}

/// Stops a session's runs from another thread.
#[derive(Clone)]
pub struct CancelHandle(Arc<Stop>);

struct Stop {
    requested: AtomicBool,
    options: RunOptions,
}

impl CancelHandle {
    /// A handle of a session that has not run yet.
    pub(crate) fn new() -> Result<Self, InferError> {
        let options = RunOptions::new().map_err(InferError::start)?;
        Ok(Self(Arc::new(Stop {
            requested: AtomicBool::new(false),
            options,
        })))
    }

    /// What a run is started with, so that it can be stopped.
    pub(crate) fn options(&self) -> &RunOptions {
        &self.0.options
    }

    /// Ends the running tile at its next node and refuses further ones with
    /// [`InferError::Cancelled`].
    pub fn cancel(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        if let Err(e) = self.0.options.terminate() {
            // The flag above still stops the session in front of its next tile.
            tracing::warn!(error = %e, "ONNX Runtime could not be told to stop");
        }
    }

    /// Lets the session run again.
    pub fn reset(&self) {
        self.0.requested.store(false, Ordering::SeqCst);
        if let Err(e) = self.0.options.unterminate() {
            tracing::warn!(error = %e, "ONNX Runtime could not be told to go on");
        }
    }

    /// Was [`CancelHandle::cancel`] called since the last reset?
    pub fn is_cancelled(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }
}

impl std::fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CancelHandle")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// A model that is ready to run on one provider.
///
/// Runs of one session do not overlap. On the processor every thread that computes has a session of
/// its own, with its own threads; a card is one device, which several take in turns by
/// [`InferenceSession::share`].
pub struct InferenceSession {
    session: Arc<Mutex<Session>>,
    manifest: ModelManifest,
    rules: (CutRule, CutRule),
    setting: Setting,
    on_processor: bool,
    stop: CancelHandle,
    trim: Arc<RunOptions>,
}

/// The inputs of a graph with their shapes, in the order in which the numbers of a run are given.
pub(crate) fn inputs_of(
    manifest: &ModelManifest,
    width: usize,
    height: usize,
) -> Vec<(&str, Vec<usize>)> {
    let own = manifest.input.name.as_str();
    let picture = |channels: usize| match manifest.input.layout {
        Layout::Nchw => vec![1, channels, height, width],
        Layout::Nhwc => vec![1, height, width, channels],
    };
    let channels = manifest.input.color.channels();
    let Some(between) = &manifest.between else {
        return vec![(own, picture(channels))];
    };
    let Some(second) = &between.second else {
        let behind = match &between.moment {
            Some(Moment::Channels { planes }) => planes.count(),
            _ => 0,
        };
        return vec![(own, picture(2 * channels + behind))];
    };
    let mut inputs = vec![(own, picture(channels)), (second, picture(channels))];
    match &between.moment {
        Some(Moment::Number { input, dimensions }) => {
            inputs.push((input, vec![1; *dimensions as usize]));
        }
        Some(Moment::Plane { input }) => inputs.push((input, vec![1, 1, height, width])),
        Some(Moment::Channels { .. }) | None => {}
    }
    inputs
}

/// How many numbers go into so many tensors.
fn numbers(inputs: &[(&str, Vec<usize>)]) -> usize {
    let each = inputs
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>());
    each.sum()
}

/// The inputs of a run, one behind another, in the type and layout of the manifest.
pub(crate) enum TensorData<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
    U8(&'a [u8]),
}

/// The output of a run: checked for its type and shape.
pub(crate) struct TensorOutput {
    value: DynValue,
}

impl TensorOutput {
    /// The elements as they are, where they are floats; `wide` holds them after the conversion
    /// where they are half floats.
    pub(crate) fn as_f32<'a>(&'a self, wide: &'a mut Vec<f32>) -> ort::Result<&'a [f32]> {
        match self.value.dtype().tensor_type() {
            Some(TensorElementType::Uint8) => {
                let (_, bytes) = self.value.try_extract_tensor::<u8>()?;
                wide.clear();
                wide.extend(bytes.iter().map(|&v| f32::from(v)));
                Ok(wide)
            }
            Some(TensorElementType::Float16) => {
                let (_, halves) = self.value.try_extract_tensor::<f16>()?;
                wide.resize(halves.len(), 0.0);
                halves.convert_to_f32_slice(wide);
                Ok(wide)
            }
            _ => Ok(self.value.try_extract_tensor::<f32>()?.1),
        }
    }
}

impl InferenceSession {
    /// Opens `model` on the device of `options`.
    ///
    /// `auto` takes the first of the platform's accelerators that opens and matches the CPU on a
    /// small tile, else the CPU with the reasons; [`choose`](crate::choose) asks for their speed.
    ///
    /// # Errors
    /// [`InferError::GraphRefused`] and [`InferError::GraphMismatch`] for the model,
    /// [`InferError::DeviceUnavailable`] for a device asked for by name.
    pub fn open(
        runtime: &Arc<Runtime>,
        model: &Model,
        options: &SessionOptions,
    ) -> Result<(Self, ProviderChoice), InferError> {
        if options.device != Device::Auto {
            let mut session = Self::open_on(runtime, model, options)?;
            if options.device != Device::Cpu {
                if options.check_against_cpu {
                    session.match_cpu(runtime, model, options)?;
                } else {
                    session.smoke()?;
                }
            }
            let choice = session.choice();
            return Ok((session, choice));
        }
        let mut reasons = Vec::new();
        let accelerators = devices()
            .iter()
            .filter(|d| **d != Device::Cpu && runtime.presence(d).is_ok())
            .filter(|d| !runtime.is_processor(d));
        for device in accelerators {
            let named = SessionOptions {
                device: device.clone(),
                ..options.clone()
            };
            match Self::open(runtime, model, &named) {
                Ok(opened) => return Ok(opened),
                Err(e) => {
                    tracing::info!(provider = provider_name(device), reason = %chain(&e), "provider passed over");
                    reasons.push(all_of(&e));
                }
            }
        }
        let cpu = SessionOptions {
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            ..options.clone()
        };
        let (session, choice) = Self::open(runtime, model, &cpu)?;
        Ok((session, choice.instead_of(Said::several(reasons))))
    }

    /// Refuses a provider whose answer is not the CPU's, as far as the precision asks for it.
    fn match_cpu(
        &mut self,
        runtime: &Arc<Runtime>,
        model: &Model,
        options: &SessionOptions,
    ) -> Result<(), InferError> {
        let cpu = SessionOptions {
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            ..options.clone()
        };
        let mut cpu = Self::open_on(runtime, model, &cpu)?;
        self.compare(&mut cpu, options.least_db)
    }

    /// What computes.
    pub(crate) fn choice(&self) -> ProviderChoice {
        ProviderChoice {
            provider: provider_name(&self.setting.device).to_owned(),
            fallback_reason: None,
            device: self.setting.device.clone(),
            arithmetic: self.setting.arithmetic,
            on_processor: self.on_processor,
            reason: None,
            fallback_said: None,
            said: None,
        }
    }

    /// The same open model for another thread: its runs wait for those of this one, and are stopped
    /// by a handle of their own. It takes no further memory of the device.
    ///
    /// # Errors
    /// [`InferError::RuntimeStart`].
    pub fn share(&self) -> Result<Self, InferError> {
        Ok(Self {
            session: Arc::clone(&self.session),
            manifest: self.manifest.clone(),
            rules: self.rules,
            setting: self.setting.clone(),
            on_processor: self.on_processor,
            stop: CancelHandle::new()?,
            trim: Arc::clone(&self.trim),
        })
    }

    /// The model's manifest.
    pub fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    /// The device that computes; never [`Device::Auto`].
    pub fn device(&self) -> &Device {
        &self.setting.device
    }

    /// How this session's tiles are cut, across and down.
    pub(crate) fn rules(&self) -> (CutRule, CutRule) {
        self.rules
    }

    /// Stops this session's runs from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.stop.clone()
    }

    fn open_on(
        runtime: &Runtime,
        model: &Model,
        options: &SessionOptions,
    ) -> Result<Self, InferError> {
        let setting = Setting {
            device: options.device.clone(),
            arithmetic: options.arithmetic,
        };
        if let Err(reason) = runtime.presence(&setting.device) {
            return Err(InferError::DeviceUnavailable {
                device: provider_name(&setting.device).to_owned(),
                reason,
            });
        }
        let manifest = &model.manifest;
        let refused = |e: ort::Error| InferError::graph(&manifest.id, e);
        let Some((across, down)) = CutRule::for_axes(&manifest.tile) else {
            return Err(InferError::GraphMismatch {
                model: manifest.id.clone(),
                reason: "its tile limits leave no room between the overlaps".to_owned(),
            });
        };
        let weights = crate::relax::loaded(manifest, model.weights());
        // A first look without optimisation is cheap. It tells a damaged model from a provider
        // that cannot be used, and the names of the dimensions, which must be known in advance.
        let look = runtime
            .builder(&Setting::CPU, 1, false)
            .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Disable)?))
            .and_then(|mut b| b.commit_from_memory(&weights))
            .map_err(refused)?;
        let batch = check_graph(manifest, &look)?;
        drop(look);
        let session = runtime
            .builder(&setting, options.threads, options.deterministic)
            .and_then(|b| match &batch {
                Some(name) => Ok(b.with_dimension_override(name, 1)?),
                None => Ok(b),
            })
            .and_then(|mut b| b.commit_from_memory(&weights))
            .map_err(|e| match setting.device {
                Device::Auto | Device::Cpu => refused(e),
                _ => InferError::DeviceUnavailable {
                    device: provider_name(&setting.device).to_owned(),
                    reason: runtime
                        .without_hardware(&setting.device)
                        .unwrap_or_else(|| e.to_string().into()),
                },
            })?;
        let start = InferError::start;
        let mut trim = RunOptions::new().map_err(start)?;
        trim.set("memory.enable_memory_arena_shrinkage", "cpu:0")
            .map_err(start)?;
        Ok(Self {
            session: Arc::new(Mutex::new(session)),
            manifest: manifest.clone(),
            // Every provider but the CPU compiles or tunes the graph for each shape.
            rules: (
                across.one_shape(setting.device != Device::Cpu),
                down.one_shape(setting.device != Device::Cpu),
            ),
            on_processor: runtime.is_processor(&setting.device),
            setting,
            stop: CancelHandle::new()?,
            trim: Arc::new(trim),
        })
    }

    /// Runs one tile of `width` x `height` pixels.
    pub(crate) fn run(
        &mut self,
        data: TensorData<'_>,
        width: usize,
        height: usize,
    ) -> Result<TensorOutput, InferError> {
        let stop = Arc::clone(&self.stop.0);
        self.run_with(data, width, height, &stop.options)
    }

    /// Gives back the memory that the arena keeps for shapes which will not come again: it never
    /// shrinks by itself. Costs one run of the smallest tile.
    pub(crate) fn trim(&mut self) -> Result<(), InferError> {
        if self.setting.device != Device::Cpu {
            return Ok(());
        }
        let (width, height) = self.small_size();
        let count = numbers(&inputs_of(&self.manifest, width, height));
        let options = Arc::clone(&self.trim);
        match self.manifest.input.element {
            TensorType::Float32 => {
                let zeros = vec![0.0; count];
                self.run_with(TensorData::F32(&zeros), width, height, &options)?;
            }
            TensorType::Float16 => {
                let zeros = vec![f16::ZERO; count];
                self.run_with(TensorData::F16(&zeros), width, height, &options)?;
            }
            TensorType::Uint8 => {
                let zeros = vec![0; count];
                self.run_with(TensorData::U8(&zeros), width, height, &options)?;
            }
        }
        Ok(())
    }

    fn run_with(
        &mut self,
        data: TensorData<'_>,
        width: usize,
        height: usize,
        options: &RunOptions,
    ) -> Result<TensorOutput, InferError> {
        if self.stop.is_cancelled() {
            return Err(InferError::Cancelled);
        }
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::new();
        let mut from = 0;
        let fed = inputs_of(&self.manifest, width, height);
        let fed: ort::Result<()> = fed.into_iter().try_for_each(|(name, shape)| {
            let part = from..from + shape.iter().product::<usize>();
            from = part.end;
            let short = || ort::Error::new("fewer numbers were given than the model takes");
            let input: ort::Result<SessionInputValue<'_>> = match &data {
                TensorData::F32(data) => {
                    let part = data.get(part).ok_or_else(short)?;
                    TensorRef::from_array_view((shape, part)).map(Into::into)
                }
                TensorData::F16(data) => {
                    let part = data.get(part).ok_or_else(short)?;
                    TensorRef::from_array_view((shape, part)).map(Into::into)
                }
                TensorData::U8(data) => {
                    let part = data.get(part).ok_or_else(short)?;
                    TensorRef::from_array_view((shape, part)).map(Into::into)
                }
            };
            inputs.push((name, input?));
            Ok(())
        });
        let result = fed.and_then(|()| {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            // Its turn may have come long after it was told to stop.
            if self.stop.is_cancelled() {
                return Err(ort::Error::new("cancelled"));
            }
            let mut outputs = session.run_with_options(inputs, options)?;
            outputs
                .remove(&self.manifest.output.name)
                .ok_or_else(|| ort::Error::new("the graph gave no output of that name"))
        });
        let value = match result {
            Ok(value) => value,
            Err(_) if self.stop.is_cancelled() => return Err(InferError::Cancelled),
            Err(e) => return Err(self.run_error(e, width, height)),
        };
        let expected = output_shape(&self.manifest, width, height);
        let found = value.dtype().tensor_shape().map(|shape| shape.to_vec());
        // One plane may have no dimension of its own.
        let flat = [1, height as i64, width as i64];
        let is_flat = self.manifest.depth.is_some() && found.as_deref() == Some(&flat[..]);
        if found.as_deref() != Some(&expected[..]) && !is_flat {
            return Err(InferError::GraphMismatch {
                model: self.manifest.id.clone(),
                reason: format!(
                    "{width}x{height} pixels gave the shape {:?}, {expected:?} was expected",
                    found.unwrap_or_default()
                ),
            });
        }
        Ok(TensorOutput { value })
    }

    fn run_error(&self, e: ort::Error, width: usize, height: usize) -> InferError {
        let model = self.manifest.id.clone();
        let out_of_memory = tells_of_memory(e.message());
        let source = e.into();
        if out_of_memory {
            InferError::OutOfMemory {
                model,
                width,
                height,
                source,
            }
        } else {
            InferError::Run {
                model,
                width,
                height,
                source,
            }
        }
    }

    /// Width and height of a tile that the model takes and that costs little.
    fn small_size(&self) -> (usize, usize) {
        let tile = &self.manifest.tile;
        if let Some((width, height)) = tile.fixed {
            return (width as usize, height as usize);
        }
        let multiple = (tile.multiple as usize).max(1);
        let side = (tile.min as usize).max(32).next_multiple_of(multiple);
        let side = match tile.max {
            Some(max) => side.min((max as usize / multiple * multiple).max(1)),
            None => side,
        };
        (side, side)
    }

    /// Runs a small tile with structure in it; gives the output.
    fn smoke(&mut self) -> Result<Vec<f32>, InferError> {
        let (width, height) = self.small_size();
        let count = numbers(&inputs_of(&self.manifest, width, height));
        let (black, white) = self.manifest.input.range.black_white();
        let input: Vec<f32> = (0..count as u32)
            .map(|i| {
                // Waves with a little noise: flat or random input hides a wrong kernel.
                let wave = 0.5 + 0.4 * (i as f32 * 0.11).sin();
                let noise = (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 2550.0;
                black + (white - black) * (wave + noise).clamp(0.0, 1.0)
            })
            .collect();
        let output = match self.manifest.input.element {
            TensorType::Float32 => self.run(TensorData::F32(&input), width, height)?,
            TensorType::Float16 => {
                let halves: Vec<f16> = input.iter().map(|&v| f16::from_f32(v)).collect();
                self.run(TensorData::F16(&halves), width, height)?
            }
            TensorType::Uint8 => {
                let bytes: Vec<u8> = input.iter().map(|&v| v as u8).collect();
                self.run(TensorData::U8(&bytes), width, height)?
            }
        };
        let mut wide = Vec::new();
        let values = output
            .as_f32(&mut wide)
            .map_err(|e| self.run_error(e, width, height))?;
        if values.iter().all(|v| v.is_finite()) {
            Ok(values.to_vec())
        } else {
            Err(InferError::NotFinite {
                model: self.manifest.id.clone(),
            })
        }
    }

    /// What full scale is in the numbers of the output.
    fn full_scale(&self, values: &[f32]) -> f64 {
        let manifest = &self.manifest;
        // Numbers that are not probabilities yet have no black and white, and distances never have.
        if manifest.depth.is_some()
            || manifest
                .matte
                .is_some_and(|matte| matte.activation != Activation::None)
        {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            return f64::from(high - low).max(1.0);
        }
        let range = match manifest.matte {
            Some(_) => manifest.output.range.unwrap_or(TensorRange::Unit),
            None => manifest.output.range.unwrap_or(manifest.input.range),
        };
        let (black, white) = range.black_white();
        f64::from(white - black)
    }

    fn compare(&mut self, cpu: &mut Self, least_db: f64) -> Result<(), InferError> {
        let expected = cpu.smoke()?;
        let device = provider_name(&self.setting.device);
        let unusable = |reason| InferError::DeviceUnavailable {
            device: device.to_owned(),
            reason,
        };
        let found = self.smoke().map_err(|e| unusable(all_of(&e)))?;
        let db = psnr(&expected, &found, self.full_scale(&expected));
        if db < least_db {
            return Err(unusable(too_far(db, least_db)));
        }
        Ok(())
    }
}

/// Why an answer is not near enough.
pub(crate) fn too_far(db: f64, least_db: f64) -> Said {
    said!(
        "device.too_far",
        "its result differs from the processor's ({db} dB; at least {least} dB is needed)",
        db = SaidValue::decimal(db, 1),
        least = SaidValue::decimal(least_db, 0)
    )
}

impl std::fmt::Debug for InferenceSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InferenceSession")
            .field("model", &self.manifest.id)
            .field("setting", &self.setting)
            .finish_non_exhaustive()
    }
}

/// A sentence with all its causes.
pub(crate) fn chain(error: &InferError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// [`chain`] for the window: the words of the error where it has none of its own.
pub(crate) fn all_of(error: &InferError) -> Said {
    Said {
        text: chain(error),
        ..error.said()
    }
}

pub(crate) fn psnr(a: &[f32], b: &[f32], peak: f64) -> f64 {
    if a.len() != b.len() || a.is_empty() {
        return f64::NEG_INFINITY;
    }
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    let mse = sum / a.len() as f64;
    if mse == 0.0 {
        f64::INFINITY
    } else {
        10.0 * (peak * peak / mse).log10()
    }
}

fn output_shape(manifest: &ModelManifest, width: usize, height: usize) -> [i64; 4] {
    let scale = manifest.scale as usize;
    let channels = match (&manifest.matte, &manifest.depth) {
        (Some(matte), _) => matte.channels as usize,
        (None, Some(_)) => 1,
        (None, None) => manifest.input.color.channels(),
    };
    let (channels, width, height) = match manifest.output.packing {
        Packing::Pixels => (channels, width * scale, height * scale),
        Packing::Subpixel => (channels * scale * scale, width, height),
    };
    match manifest.output.layout {
        Layout::Nchw => [1, channels as i64, height as i64, width as i64],
        Layout::Nhwc => [1, height as i64, width as i64, channels as i64],
    }
}

/// Compares the graph's input and output with the manifest. Gives the name of the batch
/// dimension, where the graph leaves it open.
fn check_graph(manifest: &ModelManifest, session: &Session) -> Result<Option<String>, InferError> {
    let mismatch = |reason: String| InferError::GraphMismatch {
        model: manifest.id.clone(),
        reason,
    };
    let names = |outlets: &[Outlet]| {
        outlets
            .iter()
            .map(|o| format!("`{}`", o.name()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let fed = inputs_of(manifest, 1, 1);
    let is_fed = |input: &Outlet| fed.iter().any(|(name, _)| *name == input.name());
    if session.inputs().len() != fed.len() || !session.inputs().iter().all(is_fed) {
        let wanted: Vec<String> = fed.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(mismatch(format!(
            "it has the inputs {}, not {}",
            names(session.inputs()),
            wanted.join(", ")
        )));
    }
    let mut inputs = session.inputs().iter();
    let Some(input) = inputs.find(|input| input.name() == manifest.input.name) else {
        return Err(mismatch(format!(
            "it has no input `{}`",
            manifest.input.name
        )));
    };
    let Some(output) = session
        .outputs()
        .iter()
        .find(|output| output.name() == manifest.output.name)
    else {
        return Err(mismatch(format!(
            "it has no output `{}`, but {}",
            manifest.output.name,
            names(session.outputs())
        )));
    };
    let wanted = match manifest.input.element {
        TensorType::Float32 => TensorElementType::Float32,
        TensorType::Float16 => TensorElementType::Float16,
        TensorType::Uint8 => TensorElementType::Uint8,
    };
    let is_other = |input: &&Outlet| input.dtype().tensor_type() != Some(wanted);
    if let Some(other) = session.inputs().iter().find(is_other) {
        return Err(mismatch(format!(
            "`{}` is {}, not a tensor of {wanted}",
            other.name(),
            other.dtype()
        )));
    }
    if !output.dtype().tensor_type().is_some_and(|found| {
        [
            TensorElementType::Float32,
            TensorElementType::Float16,
            TensorElementType::Uint8,
        ]
        .contains(&found)
    }) {
        return Err(mismatch(format!(
            "`{}` is {}, not a tensor of floats or bytes",
            output.name(),
            output.dtype()
        )));
    }
    let ValueType::Tensor {
        shape,
        dimension_symbols,
        ..
    } = input.dtype()
    else {
        return Err(mismatch(format!("`{}` is no tensor", input.name())));
    };
    let channels = match (&fed[..], manifest.input.layout) {
        ([(_, shape), ..], Layout::Nchw) => shape[1],
        ([(_, shape), ..], Layout::Nhwc) => shape[3],
        ([], _) => 0,
    } as i64;
    let [batch, declared_channels, height, width] = match (&shape[..], manifest.input.layout) {
        (&[n, c, h, w], Layout::Nchw) => [n, c, h, w],
        (&[n, h, w, c], Layout::Nhwc) => [n, c, h, w],
        _ => {
            return Err(mismatch(format!(
                "`{}` has {} dimensions, not 4",
                input.name(),
                shape.len()
            )));
        }
    };
    let open_or = |declared: i64, wanted: i64| declared < 0 || declared == wanted;
    if !open_or(batch, 1) || !open_or(declared_channels, channels) {
        return Err(mismatch(format!(
            "`{}` is {}, not 1 picture of {channels} channels",
            input.name(),
            input.dtype()
        )));
    }
    let tile = &manifest.tile;
    let (fixed_width, fixed_height) = tile.only_size().unzip();
    for (side, name, fixed) in [
        (height, "height", fixed_height),
        (width, "width", fixed_width),
    ] {
        if side >= 0 && Some(side) != fixed.map(i64::from) {
            return Err(mismatch(format!(
                "its input has the fixed {name} {side}, and `tile.min` and `tile.max` are not both {side}"
            )));
        }
    }
    let batch_name = dimension_symbols.first().filter(|name| {
        // Only a name of its own: overriding a shared one would fix another dimension too.
        batch < 0 && !name.is_empty() && dimension_symbols.iter().filter(|n| n == name).count() == 1
    });
    Ok(batch_name.cloned())
}
