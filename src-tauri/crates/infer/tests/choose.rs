//! Providers and numbers are chosen by what they do on this machine.

mod common;

use common::{loom, picture, runtime};
use frameloom_core::error::ErrorCode;
use frameloom_core::job::{Arithmetic, Device, Precision};
use frameloom_infer::{
    CPU_PROVIDER, InferenceSession, SessionOptions, Specimen, Watch, Wish, choose,
};

fn specimen() -> Specimen {
    let plane: Vec<f32> = picture(320, 256, 1023)
        .iter()
        .map(|&v| f32::from(v) / 1023.0)
        .collect();
    Specimen {
        width: 320,
        height: 256,
        rgb: [plane.clone(), plane.iter().rev().copied().collect(), plane],
    }
}

fn wish(device: Device, precision: Precision) -> Wish {
    Wish {
        device,
        precision,
        deterministic: false,
        threads: 2,
        lanes: 2,
        avoid: Vec::new(),
    }
}

/// False after a line that says so.
fn has_openvino() -> bool {
    let runtime = runtime();
    let plug_in = runtime
        .providers()
        .into_iter()
        .find(|provider| provider.name == "OpenVINOExecutionProvider");
    match plug_in.map(|provider| provider.usable) {
        Some(Ok(())) => true,
        // It works on processors of its maker only.
        other => {
            eprintln!("skipped: no OpenVINO that works here ({other:?})");
            false
        }
    }
}

#[test]
fn exact_results_stay_with_the_processors_own_kernels_unless_there_is_a_card() {
    let decision = choose(
        &runtime(),
        &loom(),
        &specimen(),
        &wish(Device::Auto, Precision::Exact),
        &Watch::NOBODY,
    )
    .unwrap();
    println!("{decision:?}");
    assert_ne!(decision.choice.device, Device::Openvino);
    assert_eq!(decision.choice.arithmetic, Arithmetic::F32);
    assert_eq!(decision.precision_unused, None);
}

#[test]
fn shorter_numbers_are_measured_and_an_answer_too_far_away_is_refused() {
    if !has_openvino() {
        return;
    }
    let (runtime, model) = (runtime(), loom());
    let fast = wish(Device::Openvino, Precision::Fast);
    let decision = choose(&runtime, &model, &specimen(), &fast, &Watch::NOBODY).unwrap();
    for trial in &decision.trials {
        println!("{trial:?} ratio {:?}", decision.speed_ratio(trial));
    }
    assert_eq!(decision.choice.device, Device::Openvino);
    assert!(decision.choice.reason.is_some());
    // The reference and three kinds of numbers, each with its answer.
    assert_eq!(decision.trials.len(), 4);
    for trial in &decision.trials {
        let db = trial.psnr_db.unwrap();
        if trial.refused.is_none() {
            assert!(db >= Precision::Fast.least_db(), "{trial:?}");
            assert!(trial.call_micros.is_some_and(|micros| micros > 0.0));
        }
        if trial.arithmetic == Arithmetic::F32 && trial.device == Device::Openvino {
            assert!(db >= Precision::Exact.least_db(), "{trial:?}");
        }
    }
    // Shorter numbers do not pass for exact ones.
    let shorter = SessionOptions {
        device: Device::Openvino,
        arithmetic: Arithmetic::Bf16,
        ..SessionOptions::default()
    };
    let told = decision
        .trials
        .iter()
        .find(|t| t.arithmetic == Arithmetic::Bf16);
    if told.and_then(|t| t.psnr_db).is_some_and(|db| db < 80.0) {
        let error = InferenceSession::open(&runtime, &model, &shorter).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeviceUnavailable);
        assert!(error.to_string().contains("at least 80 dB"), "{error}");
    }
}

#[test]
fn a_registered_plug_in_takes_no_session_that_did_not_ask_for_it() {
    if !has_openvino() {
        return;
    }
    let (runtime, model) = (runtime(), loom());
    let by_plug_in = SessionOptions {
        device: Device::Openvino,
        ..SessionOptions::default()
    };
    let (session, choice) = InferenceSession::open(&runtime, &model, &by_plug_in).unwrap();
    assert_eq!(choice.provider, "OpenVINOExecutionProvider");
    assert_eq!(session.device(), &Device::Openvino);
    for device in [Device::Cpu, Device::Auto] {
        let options = SessionOptions {
            device,
            ..SessionOptions::default()
        };
        let (_, choice) = InferenceSession::open(&runtime, &model, &options).unwrap();
        assert_ne!(choice.provider, "OpenVINOExecutionProvider");
    }
    // Not only by name: the processor's kernels give the same bits as without the plug-in's help.
    let bits = |device: Device| {
        let options = SessionOptions {
            device,
            ..common::options(1)
        };
        let (session, _) = InferenceSession::open(&runtime, &model, &options).unwrap();
        let mut upscaler = frameloom_infer::Upscaler::new(session, &model.manifest).unwrap();
        let (w, h) = (64, 64);
        let source: Vec<f32> = specimen().rgb[0][..w * h].to_vec();
        let mut out = vec![0f32; 4 * w * h];
        upscaler
            .upscale_luma_f32(
                common::plane(&source, w, h),
                common::plane_mut(&mut out, 2 * w, 2 * h),
            )
            .unwrap();
        out
    };
    assert_eq!(bits(Device::Cpu), bits(Device::Cpu));
    assert_ne!(bits(Device::Cpu), bits(Device::Openvino));
}

#[test]
fn what_cannot_be_promised_is_refused_by_name() {
    let (runtime, model) = (runtime(), loom());
    let deterministic = Wish {
        deterministic: true,
        ..wish(Device::Cuda, Precision::Exact)
    };
    let error = choose(
        &runtime,
        &model,
        &specimen(),
        &deterministic,
        &Watch::NOBODY,
    )
    .unwrap_err();
    assert!(error.to_string().contains("same bits"), "{error}");
    let on_cpu = Wish {
        deterministic: true,
        ..wish(Device::Auto, Precision::Fast)
    };
    let decision = choose(&runtime, &model, &specimen(), &on_cpu, &Watch::NOBODY).unwrap();
    assert_eq!(decision.choice.provider, CPU_PROVIDER);
    assert!(decision.precision_unused.is_some());
    for device in [Device::Cuda, Device::Tensorrt, Device::Webgpu] {
        if runtime.check_contains(&device).is_ok() {
            continue;
        }
        let asked = wish(device.clone(), Precision::Exact);
        let error = choose(&runtime, &model, &specimen(), &asked, &Watch::NOBODY).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeviceUnavailable, "{device:?}");
    }
}

#[test]
fn a_device_that_ended_an_earlier_process_is_not_touched_again() {
    if !has_openvino() {
        return;
    }
    let avoiding = Wish {
        avoid: vec![(Device::Openvino, "it ended the process".into())],
        ..wish(Device::Auto, Precision::Fast)
    };
    let touched = std::cell::RefCell::new(Vec::new());
    let decision = choose(
        &runtime(),
        &loom(),
        &specimen(),
        &avoiding,
        &Watch {
            about_to_try: &|device| touched.borrow_mut().push(device.clone()),
            ..Watch::NOBODY
        },
    )
    .unwrap();
    assert!(!touched.borrow().contains(&Device::Openvino));
    let reason = decision.choice.fallback_reason.unwrap();
    assert!(reason.contains("it ended the process"), "{reason}");
}
