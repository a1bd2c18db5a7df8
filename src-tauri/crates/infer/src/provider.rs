//! ONNX Runtime itself, its execution providers and the devices that it sees.

use crate::error::{InferError, tells_of_memory};
use crate::setting::{Setting, devices, openvino_options, plugin_stem, provider_name};
use crate::silence::is_silent;
use frameloom_core::job::{Arithmetic, Device};
use frameloom_core::said;
use frameloom_core::said::Said;
use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider};
use ort::memory::DeviceType;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// ONNX Runtime's name for its own kernels on the processor.
pub const CPU_PROVIDER: &str = "CPUExecutionProvider";

/// ONNX Runtime, loaded into this process.
///
/// A process loads it once, at its start, and keeps it to its end; nothing in this crate loads it
/// by itself.
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    version: String,
    /// Plug-in libraries that were registered, or why that failed.
    plugins: Mutex<BTreeMap<&'static str, Result<(), Said>>>,
}

/// A device that ONNX Runtime found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Execution provider that drives it.
    pub provider: String,
    /// Maker of the hardware, as the system names it.
    pub vendor: String,
    /// Kind of hardware.
    pub kind: DeviceKind,
}

/// Kind of hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Processor.
    Cpu,
    /// Graphics card.
    Gpu,
    /// Neural accelerator.
    Npu,
    /// Something that this program does not know.
    Other,
}

/// An execution provider, and whether it runs a graph on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderInfo {
    /// ONNX Runtime's name.
    pub name: &'static str,
    /// The device that stands for it in a job.
    pub device: Device,
    /// It ran a graph of one node, or why it did not.
    pub usable: Result<(), Said>,
}

/// The one runtime of this process. It is never unloaded: a library with threads of its own
/// cannot be.
static LOADED: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

impl Runtime {
    /// Loads ONNX Runtime from its shared library. The same file again gives the same runtime.
    ///
    /// Official builds report their use to their maker; see [`silence`](crate::silence), without
    /// which the library is not loaded. On Windows the system also records events for it, which are
    /// turned off here.
    ///
    /// # Errors
    /// The `Runtime*` variants of [`InferError`]: missing, not a library of ONNX Runtime, too old
    /// (with both versions), or another file than the one already loaded.
    pub fn load(library: &Path) -> Result<Arc<Self>, InferError> {
        // Relative paths would be looked up beside the executable. The path is not made canonical
        // for loading: Windows would not find the library's neighbours from such a path.
        let path = std::path::absolute(library).unwrap_or_else(|_| library.to_path_buf());
        let same_file = |other: &Path| match (path.canonicalize(), other.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => path == other,
        };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            if same_file(&runtime.library) {
                return Ok(Arc::clone(runtime));
            }
            return Err(InferError::RuntimeAlreadyLoaded {
                loaded: runtime.library.clone(),
                asked: path,
            });
        }
        if !path.is_file() {
            return Err(InferError::RuntimeMissing { path });
        }
        if !is_silent() {
            return Err(InferError::RuntimeNotSilent);
        }
        let environment = ort::init_from(&path)
            .map_err(|e| load_error(e, &path))?
            .with_name("frameloom")
            .with_telemetry(false)
            .build()
            .map_err(InferError::start)?;
        let runtime = Arc::new(Self {
            environment,
            version: version(ort::info(), &path),
            library: path,
            plugins: Mutex::default(),
        });
        tracing::info!(version = %runtime.version, library = %runtime.library.display(), "ONNX Runtime loaded");
        *loaded = Some(Arc::clone(&runtime));
        Ok(runtime)
    }

    /// Version, e.g. `1.31.1`.
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// The shared library.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The devices that ONNX Runtime found, with those of its plug-ins.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        for device in devices() {
            // Why one cannot be had is told by `providers`.
            let _ = self.ensure_plugin(device);
        }
        self.environment
            .devices()
            .map(|device| {
                let hardware = device.hardware_device();
                let kind = kind_of(hardware.ty());
                DeviceInfo {
                    provider: device.ep().unwrap_or_default().to_owned(),
                    vendor: hardware.vendor().unwrap_or_default().to_owned(),
                    kind,
                }
            })
            .collect()
    }

    /// The providers that this platform can have, best first, each tried on a graph of one node.
    ///
    /// A driver may need seconds to start, and a broken one can end the process: call this where
    /// that is bearable.
    pub fn providers(&self) -> Vec<ProviderInfo> {
        devices()
            .iter()
            .map(|device| ProviderInfo {
                name: provider_name(device),
                device: device.clone(),
                usable: self.try_provider(device),
            })
            .collect()
    }

    /// Refuses a device whose provider this library was built without. That it is built in does
    /// not mean that this machine has the card: only opening a session tells.
    ///
    /// # Errors
    /// [`InferError::DeviceUnavailable`].
    pub fn check_contains(&self, device: &Device) -> Result<(), InferError> {
        self.presence(device)
            .map_err(|reason| InferError::DeviceUnavailable {
                device: provider_name(device).to_owned(),
                reason,
            })
    }

    /// Why this installation has no provider for a device. One that it does not contain is no
    /// candidate that could be passed over; `doctor` lists it.
    pub(crate) fn presence(&self, device: &Device) -> Result<(), Said> {
        let built_in = |there: ort::Result<()>| {
            there.map_err(|e| Said {
                text: e.to_string(),
                ..said!(
                    "device.not_built_in",
                    "this ONNX Runtime was built without this provider"
                )
            })
        };
        match device {
            Device::Auto | Device::Cpu => Ok(()),
            Device::Cuda => built_in(listed::<ep::CUDA>()),
            Device::Tensorrt => built_in(listed::<ep::TensorRT>()),
            Device::Directml => built_in(listed::<ep::DirectML>()),
            Device::Coreml => built_in(listed::<ep::CoreML>()),
            Device::Openvino | Device::Webgpu => self.find_plugin(device).map(drop),
        }
    }

    /// The plug-in library of a device: beside ONNX Runtime, in `plugins` there, or in a folder of
    /// its own in that.
    fn find_plugin(&self, device: &Device) -> Result<PathBuf, Said> {
        let stem = plugin_stem(device).unwrap_or_default();
        let file = format!(
            "{}{stem}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        let beside = self
            .library
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let plugins = beside.join("plugins");
        let mut folders = vec![beside, plugins.clone()];
        if let Ok(entries) = std::fs::read_dir(&plugins) {
            let mut own: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            own.sort();
            folders.extend(own);
        }
        folders
            .into_iter()
            .map(|folder| folder.join(&file))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                said!(
                    "device.no_plugin",
                    "its plug-in library {file} is not there; put it into {folder}",
                    file = file,
                    folder = plugins.display()
                )
            })
    }

    /// Registers the plug-in library of a device with ONNX Runtime, once.
    fn ensure_plugin(&self, device: &Device) -> Result<(), Said> {
        if plugin_stem(device).is_none() {
            return Ok(());
        }
        let name = provider_name(device);
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plugins.get(name) {
            return known.clone();
        }
        let result = self.find_plugin(device).and_then(|path| {
            self.environment
                .register_ep_library(name, &path)
                .map_err(|e| {
                    said!(
                        "device.plugin_refused",
                        "its plug-in library cannot be loaded ({error})",
                        error = Said::from(e.to_string())
                    )
                })
        });
        plugins.insert(name, result.clone());
        result
    }

    /// What decides how fast a device is, as far as this process can know: the version of ONNX
    /// Runtime, and the plug-in libraries with their sizes.
    pub fn fingerprint(&self) -> String {
        let mut text = self.version.clone();
        for device in devices() {
            if let Ok(path) = self.find_plugin(device) {
                let size = path.metadata().map_or(0, |facts| facts.len());
                text.push_str(&format!(" {}:{size}", device.as_str()));
            }
        }
        text
    }

    /// The hardware behind a device of a plug-in, the one that is used: a card before an
    /// accelerator before the processor.
    fn plugin_hardware(&self, device: &Device) -> Result<DeviceKind, Said> {
        self.ensure_plugin(device)?;
        let name = provider_name(device);
        let found: Vec<DeviceKind> = self
            .environment
            .devices()
            .filter(|d| d.ep().ok() == Some(name))
            .map(|d| kind_of(d.hardware_device().ty()))
            .collect();
        [DeviceKind::Gpu, DeviceKind::Npu, DeviceKind::Cpu]
            .into_iter()
            .find(|kind| found.contains(kind))
            .ok_or_else(|| {
                said!(
                    "device.no_hardware",
                    "it found no hardware that it can use on this machine"
                )
            })
    }

    /// Why a plug-in has nothing to compute on; `None` for other devices too.
    pub(crate) fn without_hardware(&self, device: &Device) -> Option<Said> {
        plugin_stem(device)?;
        self.plugin_hardware(device).err()
    }

    /// True if the device is the processor itself, by whichever provider.
    pub fn is_processor(&self, device: &Device) -> bool {
        match device {
            Device::Auto | Device::Cpu => true,
            Device::Openvino => self.plugin_hardware(device) == Ok(DeviceKind::Cpu),
            _ => false,
        }
    }

    fn try_provider(&self, device: &Device) -> Result<(), Said> {
        self.presence(device)?;
        let theirs = |error: ort::Error| Said::from(error.to_string());
        let setting = Setting {
            device: device.clone(),
            arithmetic: Arithmetic::F32,
        };
        if let Some(why) = self.without_hardware(device) {
            return Err(why);
        }
        let mut builder = self.builder(&setting, 1, false).map_err(theirs)?;
        let mut session = builder.commit_from_memory(ONE_NODE).map_err(theirs)?;
        let input = [-1.0f32, 0.0, 1.0, 2.0];
        let tensor = TensorRef::from_array_view(([1usize, 4], &input[..])).map_err(theirs)?;
        let outputs = session.run(ort::inputs!["x" => tensor]).map_err(theirs)?;
        let wrong = |gave: String| {
            said!(
                "device.wrong_answer",
                "a graph of one node gave {gave}",
                gave = gave
            )
        };
        let output = outputs.get("y").ok_or_else(|| wrong("[]".to_owned()))?;
        let (_, values) = output.try_extract_tensor::<f32>().map_err(theirs)?;
        if values == [0.0, 0.0, 1.0, 2.0] {
            Ok(())
        } else {
            Err(wrong(format!("{values:?}")))
        }
    }

    /// A builder that is pinned to one provider.
    ///
    /// Asking for nothing, or for the CPU by the older call, lets ONNX Runtime choose among the
    /// plug-in providers (and Core ML on macOS), so the device is named even for the CPU.
    pub(crate) fn builder(
        &self,
        setting: &Setting,
        threads: usize,
        deterministic: bool,
    ) -> ort::Result<SessionBuilder> {
        let exact = setting.arithmetic == Arithmetic::F32;
        let builder = Session::builder(&self.environment)?
            .with_no_environment_execution_providers()?
            // Threads that spin between runs take the cores from the encoder.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_deterministic_compute(deterministic)?
            .with_intra_threads(threads)?;
        let builder = match &setting.device {
            Device::Auto | Device::Cpu => {
                let cpus = self
                    .environment
                    .devices()
                    .filter(|device| device.ep().ok() == Some(CPU_PROVIDER));
                builder.with_devices(cpus, None)?
            }
            Device::Cuda => {
                listed::<ep::CUDA>()?;
                let cuda = ep::CUDA::default().with_tf32(!exact);
                builder.with_execution_providers([cuda.build().error_on_failure()])?
            }
            Device::Tensorrt => {
                listed::<ep::TensorRT>()?;
                let tensorrt = ep::TensorRT::default().with_fp16(!exact);
                // What TensorRT does not take stays on the card.
                let cuda = ep::CUDA::default().with_tf32(!exact);
                builder.with_execution_providers([
                    tensorrt.build().error_on_failure(),
                    cuda.build().error_on_failure(),
                ])?
            }
            Device::Directml => {
                // DirectML works with neither memory patterns nor parallel execution.
                builder
                    .with_memory_pattern(false)?
                    .with_parallel_execution(false)?
                    .with_execution_providers([ep::DirectML::default()
                        .build()
                        .error_on_failure()])?
            }
            Device::Coreml => {
                listed::<ep::CoreML>()?;
                // The neural engine knows no 32-bit floats.
                let units = match exact {
                    true => ep::coreml::ComputeUnits::CPUAndGPU,
                    false => ep::coreml::ComputeUnits::All,
                };
                let coreml = ep::CoreML::default()
                    .with_model_format(ep::coreml::ModelFormat::MLProgram)
                    .with_compute_units(units)
                    .with_low_precision_accumulation_on_gpu(!exact);
                builder.with_execution_providers([coreml.build().error_on_failure()])?
            }
            device @ (Device::Openvino | Device::Webgpu) => {
                let kind = self
                    .plugin_hardware(device)
                    .map_err(|why| ort::Error::new(why.text))?;
                let name = provider_name(device);
                let hardware = self
                    .environment
                    .devices()
                    .filter(|d| d.ep().ok() == Some(name))
                    .filter(|d| kind_of(d.hardware_device().ty()) == kind)
                    .take(1);
                let options = match (device, kind) {
                    (Device::Openvino, DeviceKind::Gpu) => {
                        openvino_options(setting.arithmetic, "GPU", threads)
                    }
                    (Device::Openvino, DeviceKind::Npu) => {
                        openvino_options(setting.arithmetic, "NPU", threads)
                    }
                    (Device::Openvino, _) => openvino_options(setting.arithmetic, "CPU", threads),
                    _ => Vec::new(),
                };
                builder.with_devices(hardware, Some(&options))?
            }
        };
        Ok(builder)
    }
}

fn kind_of(hardware: DeviceType) -> DeviceKind {
    match hardware {
        DeviceType::CPU => DeviceKind::Cpu,
        DeviceType::GPU => DeviceKind::Gpu,
        DeviceType::NPU => DeviceKind::Npu,
        _ => DeviceKind::Other,
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("version", &self.version)
            .field("library", &self.library)
            .finish()
    }
}

/// Refuses a provider that the library was built without, in words that a person understands.
fn listed<E: ExecutionProvider>() -> ort::Result<()> {
    if E::is_available()? {
        Ok(())
    } else {
        Err(ort::Error::new(
            "this ONNX Runtime was built without this provider",
        ))
    }
}

fn load_error(error: ort::LoadDynamicError, path: &Path) -> InferError {
    use ort::LoadDynamicError as E;
    let path = path.to_path_buf();
    match error {
        E::BadVersion { version_str, .. } => InferError::RuntimeTooOld {
            found: version_str,
            needed: format!("1.{}", ort::MINOR_VERSION),
            path,
        },
        E::MissingApi { .. } => InferError::RuntimeInvalid {
            reason: "it does not export OrtGetApiBase".to_owned(),
            path,
        },
        E::InvalidVersionString => InferError::RuntimeInvalid {
            reason: "it does not tell its version".to_owned(),
            path,
        },
        E::Dlopen { error, .. } => {
            // The loader's own words are the cause of what the error says of itself.
            let words = std::error::Error::source(&error).map(ToString::to_string);
            let reason = words.unwrap_or_else(|| error.to_string());
            match tells_of_memory(&reason) {
                true => InferError::NoMemory {
                    what: "ONNX Runtime was loaded",
                    source: reason.into(),
                },
                false => InferError::RuntimeInvalid { reason, path },
            }
        }
    }
}

/// The version in the library's description of its build (`git-branch=rel-1.31.1, ...`), else in
/// the name of its file (`libonnxruntime.so.1.31.1`), else what is certain: the lowest that works.
fn version(build: &str, library: &Path) -> String {
    let name = library
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let from_build = build
        .split([',', ' '])
        .find_map(|word| word.strip_prefix("git-branch=rel-"));
    [from_build, Some(name.as_str())]
        .into_iter()
        .flatten()
        .find_map(dotted_number)
        .unwrap_or_else(|| format!("1.{} or newer", ort::MINOR_VERSION))
}

/// The first `a.b.c` in a text.
fn dotted_number(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.split('.').filter(|part| !part.is_empty()).count() == 3)
        .map(str::to_owned)
}

/// `y = Relu(x)` for `x: float[1, 4]`, as ONNX (IR version 8, opset 13).
const ONE_NODE: &[u8] = &[
    0x08, 8, // ir_version
    0x3a, 59, // graph
    0x0a, 12, // node
    0x0a, 1, b'x', 0x12, 1, b'y', 0x22, 4, b'R', b'e', b'l', b'u', //
    0x12, 1, b'g', // name
    0x5a, 19, // input
    0x0a, 1, b'x', 0x12, 14, 0x0a, 12, 0x08, 1, 0x12, 8, 0x0a, 2, 0x08, 1, 0x0a, 2, 0x08,
    4, //
    0x62, 19, // output
    0x0a, 1, b'y', 0x12, 14, 0x0a, 12, 0x08, 1, 0x12, 8, 0x0a, 2, 0x08, 1, 0x0a, 2, 0x08,
    4, //
    0x42, 4, // opset_import
    0x0a, 0, 0x10, 13,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_where_it_stands() {
        let build = "ORT Build Info: git-branch=rel-1.31.1, git-commit-id=abc, build type=Release";
        assert_eq!(version(build, Path::new("x.so")), "1.31.1");
        assert_eq!(
            version("no branch", Path::new("/lib/libonnxruntime.so.1.24.4")),
            "1.24.4"
        );
        assert_eq!(
            version("no branch", Path::new("libonnxruntime.1.30.0.dylib")),
            "1.30.0"
        );
        assert_eq!(
            version("no branch", Path::new("onnxruntime.dll")),
            "1.24 or newer"
        );
    }
}
