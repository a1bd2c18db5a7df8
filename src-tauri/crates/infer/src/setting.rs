//! Which provider computes in which numbers, and how ONNX Runtime is told so.

use crate::provider::CPU_PROVIDER;
use frameloom_core::job::{Arithmetic, Device};
use ort::ep::{self, ExecutionProvider};
use serde_json::json;

/// A device and the numbers that it computes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Never [`Device::Auto`] once a session is open.
    pub device: Device,
    /// Numbers.
    pub arithmetic: Arithmetic,
}

impl Setting {
    /// The reference: ONNX Runtime's own kernels in 32-bit floats.
    pub const CPU: Setting = Setting {
        device: Device::Cpu,
        arithmetic: Arithmetic::F32,
    };
}

/// ONNX Runtime's name for OpenVINO, which its plug-in library registers.
const OPENVINO: &str = "OpenVINOExecutionProvider";
/// ONNX Runtime's name for WebGPU, which its plug-in library registers.
const WEBGPU: &str = "WebGpuExecutionProvider";

/// The devices that this platform can have, best first; the processor's own kernels last.
pub(crate) fn devices() -> &'static [Device] {
    if cfg!(target_os = "windows") {
        &[
            Device::Tensorrt,
            Device::Cuda,
            Device::Directml,
            Device::Openvino,
            Device::Webgpu,
            Device::Cpu,
        ]
    } else if cfg!(target_os = "macos") {
        &[Device::Coreml, Device::Webgpu, Device::Cpu]
    } else {
        &[
            Device::Tensorrt,
            Device::Cuda,
            Device::Openvino,
            Device::Webgpu,
            Device::Cpu,
        ]
    }
}

/// ONNX Runtime's name for the provider behind a device.
pub(crate) fn provider_name(device: &Device) -> &'static str {
    match device {
        Device::Auto | Device::Cpu => CPU_PROVIDER,
        Device::Cuda => ep::CUDA::NAME,
        Device::Tensorrt => ep::TensorRT::NAME,
        Device::Directml => ep::DirectML::NAME,
        Device::Coreml => ep::CoreML::NAME,
        Device::Openvino => OPENVINO,
        Device::Webgpu => WEBGPU,
    }
}

/// Beginning of the name of the plug-in library of a device; `None` where the provider is part of
/// ONNX Runtime's own build.
pub(crate) fn plugin_stem(device: &Device) -> Option<&'static str> {
    match device {
        Device::Openvino => Some("onnxruntime_providers_openvino_plugin"),
        Device::Webgpu => Some("onnxruntime_providers_webgpu"),
        _ => None,
    }
}

/// The numbers shorter than 32-bit floats that a device can be told to compute in, the finest
/// first. Whether they are faster, and how near the result stays, is measured.
pub fn shorter_numbers(device: &Device) -> &'static [Arithmetic] {
    match device {
        Device::Openvino => &[Arithmetic::F16, Arithmetic::Bf16],
        Device::Cuda => &[Arithmetic::Tf32],
        Device::Tensorrt | Device::Coreml => &[Arithmetic::F16],
        Device::Auto | Device::Cpu | Device::Directml | Device::Webgpu => &[],
    }
}

/// The options of OpenVINO for one kind of its hardware (`CPU`, `GPU`, `NPU`), as its plug-in
/// takes them: JSON by hardware, in OpenVINO's own words.
///
/// Left to itself, OpenVINO computes in the shortest numbers that are fast, so 32-bit floats are
/// asked for as well. Its threads are not nailed to cores: several sessions would be nailed to the
/// same ones.
pub(crate) fn openvino_options(
    arithmetic: Arithmetic,
    hardware: &str,
    threads: usize,
) -> Vec<(String, String)> {
    let mut properties = json!({ "INFERENCE_PRECISION_HINT": arithmetic.as_str() });
    if hardware == "CPU" {
        properties["ENABLE_CPU_PINNING"] = json!(false);
        properties["NUM_STREAMS"] = json!("1");
        if threads > 0 {
            properties["INFERENCE_NUM_THREADS"] = json!(threads);
        }
    }
    let config = json!({ hardware: properties }).to_string();
    vec![(format!("{OPENVINO}.load_config"), config)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openvino_is_always_told_its_numbers() {
        for arithmetic in [Arithmetic::F32, Arithmetic::F16, Arithmetic::Bf16] {
            let options = openvino_options(arithmetic, "CPU", 3);
            let config: serde_json::Value = serde_json::from_str(&options[0].1).unwrap();
            assert_eq!(
                config["CPU"]["INFERENCE_PRECISION_HINT"],
                arithmetic.as_str()
            );
            assert_eq!(config["CPU"]["INFERENCE_NUM_THREADS"], 3);
        }
        let card = openvino_options(Arithmetic::F16, "GPU", 3);
        assert!(!card[0].1.contains("THREADS"), "{card:?}");
    }

    #[test]
    fn the_processor_comes_last_and_has_no_shorter_numbers() {
        assert_eq!(devices().last(), Some(&Device::Cpu));
        assert!(shorter_numbers(&Device::Cpu).is_empty());
    }
}
