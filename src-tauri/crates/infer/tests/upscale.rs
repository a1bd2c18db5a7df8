//! Pictures through real and hand-made networks.

mod common;

use common::onnx::pictures;
use common::{
    loom, luma8, max_difference, model, options, picture, picture8, plane, plane_mut, rgb_f32,
    rgb_picture, runtime, test_data, upscaler,
};
use frameloom_core::error::ErrorCode;
use frameloom_core::job::Device;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneRef};
use frameloom_infer::{InferError, InferenceSession, TilePlan, Upscaler, measure};
use std::time::{Duration, Instant};

#[test]
fn tiles_of_the_bundled_model_meet_without_a_trace() {
    let model = loom();
    let mut whole = upscaler(&model).with_tiles(TilePlan::Whole);
    let mut tiled = upscaler(&model).with_tiles(TilePlan::Side(64));
    for (width, height) in [(161, 121), (200, 40), (40, 200), (65, 64), (301, 77)] {
        let src = picture8(width, height);
        assert!(tiled.tile_count(width, height) > 1 && whole.tile_count(width, height) == 1);
        let a = luma8(&mut whole, &src, width, height);
        let b = luma8(&mut tiled, &src, width, height);
        let differing = a.iter().zip(&b).filter(|(a, b)| a != b).count();
        assert_eq!(differing, 0, "{width}x{height}");
    }
}

#[test]
fn the_smallest_pictures_come_out_whole() {
    let mut upscaler = upscaler(&loom());
    for (width, height) in [(1, 1), (17, 3), (3, 17), (1, 300), (15, 16)] {
        let out = luma8(&mut upscaler, &vec![180u8; width * height], width, height);
        assert_eq!(out.len(), width * height * 4);
        // A flat picture stays flat up to what the network's own padding does at its border.
        assert!(
            out.iter().all(|&v| v.abs_diff(180) < 60),
            "{width}x{height}: {out:?}"
        );
    }
}

#[test]
fn sixteen_bits_agree_with_eight() {
    let model = loom();
    let (width, height) = (90, 50);
    let eight = picture8(width, height);
    let expected = luma8(&mut upscaler(&model), &eight, width, height);
    for bits in [10u8, 12, 16] {
        let src: Vec<u16> = eight.iter().map(|&v| u16::from(v) << (bits - 8)).collect();
        let mut out = vec![0u16; expected.len()];
        upscaler(&model)
            .upscale_luma(
                AnyPlane::U16(plane(&src, width, height)),
                bits,
                false,
                AnyPlaneMut::U16(plane_mut(&mut out, width * 2, height * 2)),
            )
            .unwrap();
        for (e, o) in expected.iter().zip(&out) {
            let back = (f32::from(*o) / f32::from(1u16 << (bits - 8))).min(255.0);
            assert!(
                (back - f32::from(*e)).abs() <= 0.51,
                "{bits} bits: {e} and {back}"
            );
        }
    }
}

#[test]
fn a_network_that_changes_nothing_gives_every_value_of_the_luma_back() {
    let same = model(&pictures("Identity", 1), |m| {
        m["input"]["color"] = "luma".into();
    });
    for bits in [8u8, 10, 12, 16] {
        let values = 1usize << bits;
        let (width, height) = (256, values / 256);
        for full_range in [false, true] {
            let src: Vec<u16> = (0..values).map(|v| v as u16).collect();
            let mut out = vec![0u16; values];
            let mut upscaler = upscaler(&same);
            if bits == 8 {
                let src: Vec<u8> = src.iter().map(|v| *v as u8).collect();
                let mut eight = vec![0u8; values];
                let from = AnyPlane::U8(plane(&src, width, height));
                let to = AnyPlaneMut::U8(plane_mut(&mut eight, width, height));
                upscaler.upscale_luma(from, bits, full_range, to).unwrap();
                out = eight.into_iter().map(u16::from).collect();
            } else {
                let from = AnyPlane::U16(plane(&src, width, height));
                let to = AnyPlaneMut::U16(plane_mut(&mut out, width, height));
                upscaler.upscale_luma(from, bits, full_range, to).unwrap();
            }
            // Blacker than black and whiter than white included.
            assert!(src == out, "{bits} bits, full range: {full_range}");
        }
    }
}

#[test]
fn full_and_limited_range_give_the_same_picture() {
    let model = loom();
    let (width, height) = (64, 48);
    let unit: Vec<f32> = picture(width, height, 4095)
        .iter()
        .map(|&v| f32::from(v) / 4095.0)
        .collect();
    let mut float = vec![0f32; width * height * 4];
    upscaler(&model)
        .upscale_luma_f32(
            plane(&unit, width, height),
            plane_mut(&mut float, width * 2, height * 2),
        )
        .unwrap();
    for (full_range, black, white) in [(true, 0.0, 65535.0), (false, 4096.0, 60160.0)] {
        let src: Vec<u16> = unit
            .iter()
            .map(|v| (v * (white - black) + black).round() as u16)
            .collect();
        let mut out = vec![0u16; float.len()];
        upscaler(&model)
            .upscale_luma(
                AnyPlane::U16(plane(&src, width, height)),
                16,
                full_range,
                AnyPlaneMut::U16(plane_mut(&mut out, width * 2, height * 2)),
            )
            .unwrap();
        let back: Vec<f32> = out
            .iter()
            .map(|&v| (f32::from(v) - black) / (white - black))
            .collect();
        let clamped: Vec<f32> = float
            .iter()
            .map(|v| {
                v.clamp(
                    -black / (white - black),
                    (65535.0 - black) / (white - black),
                )
            })
            .collect();
        assert!(
            max_difference(&clamped, &back) < 1e-4,
            "full range: {full_range}"
        );
    }
}

#[test]
fn strides_and_neighbouring_bytes_are_respected() {
    let (width, height) = (70, 30);
    let src = picture8(width, height);
    let mut upscaler = upscaler(&loom());
    let expected = luma8(&mut upscaler, &src, width, height);
    let stride = 96;
    let mut wide = vec![7u8; stride * height];
    for (y, row) in src.chunks(width).enumerate() {
        wide[y * stride..][..width].copy_from_slice(row);
    }
    let mut out = vec![9u8; 200 * height * 2];
    upscaler
        .upscale_luma(
            AnyPlane::U8(PlaneRef {
                data: &wide,
                stride,
                width,
                height,
            }),
            8,
            false,
            AnyPlaneMut::U8(frameloom_core::pixel::PlaneMut {
                data: &mut out,
                stride: 200,
                width: width * 2,
                height: height * 2,
            }),
        )
        .unwrap();
    for (y, row) in out.chunks(200).enumerate() {
        assert_eq!(
            row[..width * 2],
            expected[y * width * 2..][..width * 2],
            "row {y}"
        );
        assert!(row[width * 2..].iter().all(|&v| v == 9));
    }
}

#[test]
fn bands_are_the_picture_in_order() {
    let (width, height) = (150, 170);
    let src = picture8(width, height);
    let mut upscaler = upscaler(&loom()).with_tiles(TilePlan::Side(64));
    let expected = luma8(&mut upscaler, &src, width, height);
    let mut streamed = Vec::new();
    upscaler
        .upscale_plane_bands(
            &[AnyPlane::U8(plane(&src, width, height))],
            8,
            false,
            &mut |y, planes| {
                let [AnyPlane::U8(rows)] = planes else {
                    panic!("one plane of bytes")
                };
                assert_eq!(y * width * 2, streamed.len());
                assert!(rows.height < height, "a band is smaller than the picture");
                for row in 0..rows.height {
                    streamed.extend_from_slice(rows.row(row));
                }
                Ok::<(), InferError>(())
            },
        )
        .unwrap();
    assert!(streamed == expected);

    let mut float = Vec::new();
    upscaler
        .upscale_bands(
            width,
            height,
            &mut |channel, y, x, out| {
                assert_eq!(channel, 0);
                for (o, v) in out.iter_mut().zip(&src[y * width + x..]) {
                    *o = (f32::from(*v) - 16.0) / 219.0;
                }
            },
            &mut |y, planes| {
                assert_eq!(y * width * 2, float.len());
                float.extend_from_slice(planes[0].data);
                Ok::<(), InferError>(())
            },
        )
        .unwrap();
    for (e, f) in expected.iter().zip(&float) {
        let value = (f * 219.0 + 16.0).clamp(0.0, 255.0);
        assert!((f32::from(*e) - value).abs() < 0.51);
    }
}

#[test]
fn a_sink_that_fails_ends_the_work() {
    #[derive(Debug)]
    enum Failure {
        Full,
        Infer(InferError),
    }
    impl From<InferError> for Failure {
        fn from(e: InferError) -> Self {
            Failure::Infer(e)
        }
    }
    let mut upscaler = upscaler(&loom()).with_tiles(TilePlan::Side(64));
    let mut calls = 0;
    let result = upscaler.upscale_bands(60, 300, &mut |_, _, _, out| out.fill(0.5), &mut |_, _| {
        calls += 1;
        Err(Failure::Full)
    });
    assert!(matches!(result, Err(Failure::Full)), "{result:?}");
    assert_eq!(calls, 1);
    let result = upscaler.upscale_bands(0, 3, &mut |_, _, _, _| {}, &mut |_, _| Err(Failure::Full));
    assert!(
        matches!(result, Err(Failure::Infer(InferError::Picture(_)))),
        "{result:?}"
    );
}

#[test]
fn channels_arrive_where_they_belong_in_every_layout() {
    let src = rgb_picture(37, 21);
    for color in ["rgb", "bgr"] {
        for layout in ["nchw", "nhwc"] {
            for range in ["unit", "byte", "symmetric"] {
                let weights = if layout == "nchw" {
                    pictures("Identity", 3)
                } else {
                    use common::onnx::{Dim, unary};
                    let dims = || [Dim::Fixed(1), Dim::Open("h"), Dim::Open("w"), Dim::Fixed(3)];
                    unary("Identity", &dims(), &dims())
                };
                let model = model(&weights, |m| {
                    m["input"]["color"] = color.into();
                    m["input"]["layout"] = layout.into();
                    m["output"]["layout"] = layout.into();
                    m["input"]["range"] = range.into();
                    m["tile"]["preferred"] = 20.into();
                    m["tile"]["multiple"] = 4.into();
                    m["tile"]["overlap"] = 4.into();
                    m["tile"]["feather"] = 3.into();
                });
                let out = rgb_f32(&mut upscaler(&model), &src, 37, 21);
                for c in 0..3 {
                    let worst = max_difference(&src[c], &out[c]);
                    assert!(
                        worst < 1e-5,
                        "{color} {layout} {range} channel {c}: {worst}"
                    );
                }
            }
        }
    }
}

/// A network that reads channels in another order than it writes them would pass the test above,
/// so the order itself is checked: the Relu of symmetric numbers cuts what is dark.
#[test]
fn the_numbers_of_the_tensor_are_those_of_the_manifest() {
    let model = model(&pictures("Relu", 3), |m| {
        m["input"]["range"] = "symmetric".into()
    });
    let src = [vec![0.25f32; 9], vec![0.5; 9], vec![1.0; 9]];
    let out = rgb_f32(&mut upscaler(&model), &src, 3, 3);
    assert!(max_difference(&out[0], &[0.5; 9]) < 1e-6, "{:?}", out[0]);
    assert!(max_difference(&out[2], &[1.0; 9]) < 1e-6);
}

#[test]
fn values_that_are_no_numbers_are_an_error_and_not_black() {
    let model = model(&pictures("Log", 3), |_| {});
    let mut upscaler = upscaler(&model);
    let fine = rgb_f32(
        &mut upscaler,
        &[vec![0.5; 12], vec![0.5; 12], vec![0.5; 12]],
        4,
        3,
    );
    assert!(fine[0][0] < 0.0);
    for feather in [0, 4] {
        let model = common::model(&pictures("Log", 3), |m| {
            m["tile"]["feather"] = feather.into()
        });
        let mut upscaler = common::upscaler(&model).with_tiles(TilePlan::Side(20));
        let mut planes = [vec![128u8; 900], vec![128; 900], vec![128; 900]];
        planes[1][899] = 0;
        let mut out = [(); 3].map(|()| vec![0u8; 900]);
        let [r, g, b] = &mut out;
        let e = upscaler
            .upscale_rgb(
                [0, 1, 2].map(|c: usize| AnyPlane::U8(plane(&planes[c], 30, 30))),
                8,
                [r, g, b].map(|p| AnyPlaneMut::U8(plane_mut(p, 30, 30))),
            )
            .unwrap_err();
        assert!(matches!(e, InferError::NotFinite { .. }), "{e}");
        assert_eq!(e.code(), ErrorCode::ModelInvalid);
    }
}

#[test]
fn planes_that_do_not_fit_are_an_error() {
    let mut upscaler = upscaler(&loom());
    let src = vec![0u8; 64];
    let mut out = vec![0u8; 256];
    let mut run = |width, height, stride, bits| {
        upscaler
            .upscale_luma(
                AnyPlane::U8(PlaneRef {
                    data: &src,
                    stride,
                    width,
                    height,
                }),
                bits,
                false,
                AnyPlaneMut::U8(plane_mut(&mut out, 16, 16)),
            )
            .unwrap_err()
    };
    for e in [
        run(8, 9, 8, 8),
        run(8, 7, 8, 8),
        run(8, 8, 7, 8),
        run(8, 8, 8, 10),
        run(0, 8, 8, 8),
        run(8, 8, usize::MAX, 8),
    ] {
        assert!(matches!(e, InferError::Picture(_)), "{e}");
    }
}

#[test]
fn cancel_ends_a_run_and_reset_allows_the_next() {
    let (width, height) = (900, 600);
    let src = picture8(width, height);
    let mut upscaler = upscaler(&loom()).with_tiles(TilePlan::Whole);
    let handle = upscaler.cancel_handle();
    let started = Instant::now();
    let other = handle.clone();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        other.cancel();
    });
    let mut out = vec![0u8; src.len() * 4];
    let mut result = Ok(());
    // One picture may be done before the signal comes; endless work may not.
    while result.is_ok() && started.elapsed() < Duration::from_secs(30) {
        result = upscaler.upscale_luma(
            AnyPlane::U8(plane(&src, width, height)),
            8,
            false,
            AnyPlaneMut::U8(plane_mut(&mut out, width * 2, height * 2)),
        );
    }
    killer.join().unwrap();
    assert!(matches!(result, Err(InferError::Cancelled)), "{result:?}");
    assert!(handle.is_cancelled());
    handle.reset();
    assert_eq!(
        luma8(&mut upscaler, &src[..64 * 64], 64, 64).len(),
        128 * 128
    );
}

#[test]
fn one_thread_and_two_give_the_same_picture() {
    let model = loom();
    let src = picture8(333, 222);
    let [one, two] = [1, 2].map(|threads| {
        let (session, _) = InferenceSession::open(&runtime(), &model, &options(threads)).unwrap();
        let mut upscaler = Upscaler::new(session, &model.manifest).unwrap();
        luma8(&mut upscaler, &src, 333, 222)
    });
    assert!(one == two);
}

#[test]
fn a_measurement_gives_a_speed() {
    let result = measure(&runtime(), &loom(), Device::Cpu, 160, 90, 3).unwrap();
    assert_eq!((result.output, result.runs), ((320, 180), 3));
    assert!(result.fps() > 0.0 && result.best_micros <= result.median_micros);
}

fn weights(path: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(test_data()?.join("models").join(path)).expect("a model of the test data"))
}

#[test]
fn feathered_tiles_of_an_rgb_model_are_the_whole_picture() {
    let Some(weights) = weights("sr/2xNomosUni_compact_otf_medium.onnx") else {
        return;
    };
    let (width, height) = (150, 60);
    let src = rgb_picture(width, height);
    let open = |overlap: u32, feather: u32| {
        let model = model(&weights, |m| {
            m["scale"] = 2.into();
            m["input"]["name"] = "input".into();
            m["output"]["name"] = "output".into();
            m["tile"]["overlap"] = overlap.into();
            m["tile"]["feather"] = feather.into();
        });
        upscaler(&model)
    };
    let whole = rgb_f32(
        &mut open(8, 0).with_tiles(TilePlan::Whole),
        &src,
        width,
        height,
    );
    // Its receptive field reaches 18 pixels: an overlap of 18 leaves no trace, 16 with a cross-fade
    // a ninth of a step of 8 bits, and 4 is visible, which shows that this test can fail.
    for (overlap, feather, least, most) in
        [(18, 0, 0.0, 0.0), (16, 8, 0.0, 1.0), (4, 4, 2.0, 255.0)]
    {
        let mut tiled = open(overlap, feather).with_tiles(TilePlan::Side(96));
        assert!(tiled.tile_count(width, height) > 1);
        let out = rgb_f32(&mut tiled, &src, width, height);
        let worst = (0..3)
            .map(|c| 255.0 * max_difference(&whole[c], &out[c]))
            .fold(0.0, f32::max);
        println!("overlap {overlap}, cross-fade {feather}: {worst} of 255");
        assert!(
            (least..=most).contains(&worst),
            "overlap {overlap}, cross-fade {feather}: {worst}"
        );
    }
}

#[test]
fn a_model_of_fixed_size_does_pictures_of_any_size() {
    let Some(weights) = weights("sr/espcn-x3_y224.onnx") else {
        return;
    };
    let model = model(&weights, |m| {
        m["scale"] = 3.into();
        m["input"]["name"] = "input".into();
        m["input"]["color"] = "luma".into();
        m["output"]["name"] = "output".into();
        m["tile"]["min"] = 224.into();
        m["tile"]["max"] = 224.into();
        m["tile"]["preferred"] = 224.into();
    });
    let mut upscaler = upscaler(&model);
    for (width, height) in [(224, 224), (300, 250), (20, 500), (5, 7)] {
        let src = picture8(width, height);
        let out = luma8(&mut upscaler, &src, width, height);
        // The network is faithful: its picture's means are those of the source.
        let mean: f64 = src.iter().map(|&v| f64::from(v)).sum::<f64>() / src.len() as f64;
        let found: f64 = out.iter().map(|&v| f64::from(v)).sum::<f64>() / out.len() as f64;
        assert!(
            (mean - found).abs() < 6.0,
            "{width}x{height}: {mean} and {found}"
        );
    }
}

#[test]
fn a_model_of_half_floats_runs() {
    let Some(weights) = weights("denoise-image/1x-span-anime-pretrain-fp16.onnx") else {
        return;
    };
    let model = model(&weights, |m| {
        m["input"]["name"] = "input".into();
        m["output"]["name"] = "output".into();
        m["input"]["type"] = "float16".into();
        m["tile"]["overlap"] = 16.into();
    });
    let (width, height) = (60, 44);
    let src = rgb_picture(width, height);
    let out = rgb_f32(&mut upscaler(&model), &src, width, height);
    let db = |c: usize| {
        let sum: f32 = src[c]
            .iter()
            .zip(&out[c])
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        -10.0 * (sum / out[c].len() as f32).log10()
    };
    for c in 0..3 {
        assert!(db(c) > 15.0, "channel {c}: {} dB", db(c));
    }
}
