//! Loading ONNX Runtime and choosing where to compute.

mod common;

use common::{loom, options, runtime};
use frameloom_core::error::ErrorCode;
use frameloom_core::job::Device;
use frameloom_infer::{CPU_PROVIDER, InferError, InferenceSession, SessionOptions};

#[test]
fn the_processor_is_a_device_and_a_provider_that_runs() {
    let runtime = runtime();
    assert!(runtime.devices().iter().any(|d| d.provider == CPU_PROVIDER));
    let providers = runtime.providers();
    println!("{providers:#?}");
    let cpu = providers.iter().find(|p| p.name == CPU_PROVIDER).unwrap();
    assert_eq!(cpu.usable, Ok(()));
}

#[test]
fn a_device_asked_for_by_name_is_used_or_refused_and_auto_keeps_its_reason() {
    let (runtime, model) = (runtime(), loom());
    let accelerator = if cfg!(target_os = "macos") {
        Device::Coreml
    } else {
        Device::Cuda
    };
    let named = SessionOptions {
        device: accelerator,
        ..SessionOptions::default()
    };
    let mut is_built_in = true;
    let works = match InferenceSession::open(&runtime, &model, &named) {
        Ok((session, choice)) => {
            assert_eq!(session.device(), &named.device);
            assert_eq!(choice.fallback_reason, None);
            true
        }
        Err(e) => {
            assert!(matches!(e, InferError::DeviceUnavailable { .. }), "{e}");
            assert_eq!(e.code(), ErrorCode::DeviceUnavailable);
            is_built_in = !format!("{e:?}").contains("built without");
            false
        }
    };
    let (session, choice) =
        InferenceSession::open(&runtime, &model, &SessionOptions::default()).unwrap();
    if !works {
        assert_eq!(session.device(), &Device::Cpu);
        assert_eq!(choice.provider, CPU_PROVIDER);
        println!("{choice:?}");
        // What the library does not contain was never a candidate; a plug-in that finds no
        // hardware of its maker was one.
        let is_idle = runtime.providers().iter().any(|provider| {
            provider.name != CPU_PROVIDER
                && format!("{:?}", provider.usable).contains("no hardware")
        });
        assert_eq!(choice.fallback_reason.is_some(), is_built_in || is_idle);
    }
    let (_, choice) = InferenceSession::open(&runtime, &model, &options(1)).unwrap();
    assert_eq!(choice.fallback_reason, None);
}
