//! ONNX Runtime itself, its execution providers and the devices that it sees.

use crate::error::InferError;
use frameloom_core::job::Device;
use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider};
use ort::memory::DeviceType;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;
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
    pub usable: Result<(), String>,
}

/// The one runtime of this process. It is never unloaded: a library with threads of its own
/// cannot be.
static LOADED: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

impl Runtime {
    /// Loads ONNX Runtime from its shared library. The same file again gives the same runtime.
    ///
    /// Microsoft's builds send telemetry on Windows; it is turned off here.
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
        let environment = ort::init_from(&path)
            .map_err(|e| load_error(e, &path))?
            .with_name("frameloom")
            .with_telemetry(false)
            .build()
            .map_err(|e| InferError::RuntimeStart(e.into()))?;
        let runtime = Arc::new(Self {
            environment,
            version: version(ort::info(), &path),
            library: path,
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

    /// The devices that ONNX Runtime found.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        self.environment
            .devices()
            .map(|device| {
                let hardware = device.hardware_device();
                let kind = match hardware.ty() {
                    DeviceType::CPU => DeviceKind::Cpu,
                    DeviceType::GPU => DeviceKind::Gpu,
                    DeviceType::NPU => DeviceKind::Npu,
                    _ => DeviceKind::Other,
                };
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
        preferred_devices()
            .iter()
            .chain([&Device::Cpu])
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
        if is_built_in(device) {
            return Ok(());
        }
        Err(InferError::DeviceUnavailable {
            device: provider_name(device).to_owned(),
            reason: "this ONNX Runtime was built without this provider".to_owned(),
        })
    }

    fn try_provider(&self, device: &Device) -> Result<(), String> {
        let mut builder = self.builder(device, 1).map_err(|e| e.to_string())?;
        let mut session = builder
            .commit_from_memory(ONE_NODE)
            .map_err(|e| e.to_string())?;
        let input = [-1.0f32, 0.0, 1.0, 2.0];
        let tensor =
            TensorRef::from_array_view(([1usize, 4], &input[..])).map_err(|e| e.to_string())?;
        let outputs = session
            .run(ort::inputs!["x" => tensor])
            .map_err(|e| e.to_string())?;
        let output = outputs.get("y").ok_or("the graph gave no output")?;
        let (_, values) = output
            .try_extract_tensor::<f32>()
            .map_err(|e| e.to_string())?;
        if values == [0.0, 0.0, 1.0, 2.0] {
            Ok(())
        } else {
            Err(format!("a graph of one node gave {values:?}"))
        }
    }

    /// A builder that is pinned to one provider.
    ///
    /// Asking for nothing, or for the CPU by the older call, lets ONNX Runtime choose among the
    /// plug-in providers (and Core ML on macOS), so the device is named even for the CPU.
    pub(crate) fn builder(&self, device: &Device, threads: usize) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&self.environment)?
            .with_no_environment_execution_providers()?
            // Threads that spin between runs take the cores from the encoder.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_intra_threads(threads)?;
        let builder = match device {
            Device::Auto | Device::Cpu => {
                let cpus = self
                    .environment
                    .devices()
                    .filter(|device| device.ep().ok() == Some(CPU_PROVIDER));
                builder.with_devices(cpus, None)?
            }
            Device::Cuda => {
                listed::<ep::CUDA>()?;
                builder
                    .with_execution_providers([ep::CUDA::default().build().error_on_failure()])?
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
                builder
                    .with_execution_providers([ep::CoreML::default().build().error_on_failure()])?
            }
        };
        Ok(builder)
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

/// True if the loaded library contains the provider of this device at all. One that it does not
/// contain is no candidate that could be passed over; `doctor` lists it.
pub(crate) fn is_built_in(device: &Device) -> bool {
    match device {
        Device::Auto | Device::Cpu => true,
        Device::Cuda => listed::<ep::CUDA>().is_ok(),
        Device::Directml => listed::<ep::DirectML>().is_ok(),
        Device::Coreml => listed::<ep::CoreML>().is_ok(),
    }
}

/// The accelerators of this platform, best first.
pub(crate) fn preferred_devices() -> &'static [Device] {
    if cfg!(target_os = "windows") {
        &[Device::Cuda, Device::Directml]
    } else if cfg!(target_os = "macos") {
        &[Device::Coreml]
    } else {
        &[Device::Cuda]
    }
}

/// ONNX Runtime's name for the provider behind a device.
pub(crate) fn provider_name(device: &Device) -> &'static str {
    match device {
        Device::Auto | Device::Cpu => CPU_PROVIDER,
        Device::Cuda => ep::CUDA::NAME,
        Device::Directml => ep::DirectML::NAME,
        Device::Coreml => ep::CoreML::NAME,
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
        E::Dlopen { error, .. } => InferError::RuntimeInvalid {
            reason: error.to_string(),
            path,
        },
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
