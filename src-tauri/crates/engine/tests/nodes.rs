//! Nodes through the engine's public face, on frames made here.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::graph::{
    ColorParams, CropParams, DenoiseParams, FlipAxis, FlipParams, Op, PadParams, ResizeParams,
    RotateParams,
};
use frameloom_core::job::Device;
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_core::time::Rational;
use frameloom_engine::nodes::{Node, Opening, Pace, open, output_format};
use frameloom_engine::{EngineError, Models, PictureFormat};
use frameloom_infer::{InferError, Model};
use frameloom_media::Frame;

/// These nodes need no model.
struct NoModels;

impl Models for NoModels {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
}

const SIZE: (u32, u32) = (64, 48);

fn format() -> PictureFormat {
    PictureFormat {
        width: SIZE.0,
        height: SIZE.1,
        pixels: PixelFormat::YUV420P8,
        color: ColorInfo {
            matrix: Matrix::Bt709,
            matrix_name: Some("bt709".into()),
            range: Range::Limited,
            ..ColorInfo::default()
        },
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        pace: Pace::STILL,
    }
}

/// A frame whose samples tell where they are.
fn frame() -> Frame {
    let mut frame = Frame::new(PixelFormat::YUV420P8, SIZE.0, SIZE.1).unwrap();
    frame.set_timing(1234, 40);
    frame.set_color(&format().color);
    for index in 0..3 {
        let AnyPlaneMut::U8(mut plane) = frame.plane_mut(index).unwrap() else {
            panic!("8 bits were asked for");
        };
        for y in 0..plane.height {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                *sample = (40 + index * 30 + x * 2 + y) as u8;
            }
        }
    }
    frame
}

fn sample(frame: &Frame, plane: usize, x: usize, y: usize) -> u16 {
    match frame.plane(plane) {
        AnyPlane::U8(p) => u16::from(p.row(y)[x]),
        AnyPlane::U16(p) => p.row(y)[x],
    }
}

fn apply(op: &Op, frame: &Frame) -> Frame {
    let input = PictureFormat {
        pixels: frame.format(),
        width: frame.width(),
        height: frame.height(),
        color: frame.color(),
        ..format()
    };
    let runtime = || -> Result<_, EngineError> { panic!("no model takes part") };
    let scratch = std::env::temp_dir();
    let opening = Opening::new(&runtime, &NoModels, &Device::Cpu, &scratch);
    let (Node::Filter(mut filter), choice) = open("n", op, &input, &opening).unwrap().unwrap()
    else {
        panic!("one frame of one frame");
    };
    assert_eq!(choice, None);
    let out = filter.process(frame).unwrap();
    assert_eq!(
        (out.width(), out.height(), out.format()),
        (
            filter.output().width,
            filter.output().height,
            filter.output().pixels
        ),
        "a node makes what it promised"
    );
    assert_eq!((out.pts(), out.duration()), (1234, 40), "timing goes along");
    assert_eq!(
        (out.color().matrix, out.color().range),
        (filter.output().color.matrix, filter.output().color.range),
        "the tags are those that were promised"
    );
    out
}

#[test]
fn crop_takes_every_plane_from_the_same_place() {
    let source = frame();
    let out = apply(
        &Op::Crop(CropParams {
            x: 10,
            y: 6,
            width: 33,
            height: 21,
        }),
        &source,
    );
    for (plane, dx, dy) in [(0, 10, 6), (1, 5, 3), (2, 5, 3)] {
        for (x, y) in [(0, 0), (16, 10), (7, 3)] {
            assert_eq!(
                sample(&out, plane, x, y),
                sample(&source, plane, x + dx, y + dy),
                "plane {plane} at ({x}, {y})"
            );
        }
    }
}

#[test]
fn an_odd_corner_is_exact_where_every_pixel_has_a_colour_and_refused_where_some_share_one() {
    let whole = PixelFormat {
        planes: Planes::Yuv {
            shift_x: 0,
            shift_y: 0,
        },
        ..PixelFormat::YUV420P8
    };
    let source = apply(&Op::Convert { format: whole }, &frame());
    let crop = Op::Crop(CropParams {
        x: 7,
        y: 5,
        width: 31,
        height: 23,
    });
    let pad = Op::Pad(PadParams {
        width: 80,
        height: 60,
        x: 3,
        y: 9,
        color: "#000000".into(),
    });
    let (cut, padded) = (apply(&crop, &source), apply(&pad, &source));
    for plane in 0..3 {
        for (x, y) in [(0, 0), (30, 22), (30, 0), (15, 11)] {
            let wanted = sample(&source, plane, x + 7, y + 5);
            assert_eq!(sample(&cut, plane, x, y), wanted, "plane {plane}");
            let wanted = sample(&source, plane, x, y);
            assert_eq!(
                sample(&padded, plane, x + 3, y + 9),
                wanted,
                "plane {plane}"
            );
        }
        // The ground goes up to the very pixel.
        let ground = sample(&padded, plane, 0, 0);
        assert_eq!(sample(&padded, plane, 2, 9), ground);
        assert_eq!(sample(&padded, plane, 3, 8), ground);
    }
    for op in [crop, pad] {
        let error = output_format("n", &op, &format(), &NoModels).unwrap_err();
        assert!(error.to_string().contains("the nearest"), "{error}");
    }
}

#[test]
fn more_bits_and_back_changes_no_sample() {
    let source = frame();
    let ten = PixelFormat {
        bits: 10,
        ..PixelFormat::YUV420P8
    };
    let wide = apply(&Op::Convert { format: ten }, &source);
    assert_eq!(sample(&wide, 0, 20, 10), sample(&source, 0, 20, 10) * 4);
    let back = apply(
        &Op::Convert {
            format: PixelFormat::YUV420P8,
        },
        &wide,
    );
    for (plane, width, height) in [(0, 64, 48), (1, 32, 24), (2, 32, 24)] {
        for y in 0..height {
            for x in 0..width {
                assert_eq!(sample(&back, plane, x, y), sample(&source, plane, x, y));
            }
        }
    }
}

#[test]
fn rgb_is_full_range_and_what_comes_from_it_is_tagged_anew() {
    let source = frame();
    let rgb = apply(
        &Op::Convert {
            format: PixelFormat {
                planes: Planes::Gbr,
                bits: 16,
                alpha: false,
            },
        },
        &source,
    );
    // Studio black is 16: luma 40 is a dark grey of about 11 %, not of 16 %.
    let green = f64::from(sample(&rgb, 0, 0, 0)) / 65535.0;
    assert!(green > 0.0 && green < 0.3, "{green}");
    assert_eq!(rgb.color().matrix, Matrix::Identity);
    let back = apply(
        &Op::Convert {
            format: PixelFormat::YUV420P8,
        },
        &rgb,
    );
    assert_eq!(back.color().range, Range::Limited);
}

#[test]
fn resize_keeps_a_ramp_and_the_shape_on_the_screen() {
    let op = Op::Resize(ResizeParams {
        width: 128,
        height: 48,
    });
    let out = apply(&op, &frame());
    // The luma ramp rises by two per source pixel, so by one per pixel of the result.
    let step = i32::from(sample(&out, 0, 81, 20)) - i32::from(sample(&out, 0, 41, 20));
    assert!((step - 40).abs() <= 1, "{step}");
    let format = output_format("n", &op, &format(), &NoModels).unwrap();
    assert_eq!(
        format.sample_aspect_ratio,
        Rational { num: 1, den: 2 },
        "twice as many columns in the same width"
    );
}

#[test]
fn impossible_parameters_are_refused_with_the_name_of_the_node() {
    let crop = |x, y, width, height| {
        Op::Crop(CropParams {
            x,
            y,
            width,
            height,
        })
    };
    for op in [
        crop(0, 0, 65, 48),
        crop(0, 0, 0, 10),
        crop(u32::MAX, 0, 10, 10),
        crop(1, 0, 10, 10),
        Op::Resize(ResizeParams {
            width: 0,
            height: 10,
        }),
        Op::Resize(ResizeParams {
            width: 10,
            height: 70_000,
        }),
    ] {
        match output_format("my node", &op, &format(), &NoModels) {
            Err(EngineError::Node { node, .. }) => assert_eq!(node, "my node"),
            other => panic!("{op:?} gave {other:?}"),
        }
    }
    let upscale = Op::Upscale {
        model: "nobody".into(),
    };
    assert!(output_format("n", &upscale, &format(), &NoModels).is_err());
}

/// PSNR in dB over every plane of two 8 or 10-bit frames.
fn psnr(a: &Frame, b: &Frame) -> f64 {
    let max = f64::from(a.format().max_value());
    let (mut sum, mut count) = (0.0, 0.0);
    for plane in 0..a.format().plane_count() {
        let (w, h) = a.format().plane_size(plane, a.width(), a.height());
        for y in 0..h as usize {
            for x in 0..w as usize {
                let d = f64::from(sample(a, plane, x, y)) - f64::from(sample(b, plane, x, y));
                sum += d * d;
                count += 1.0;
            }
        }
    }
    10.0 * (max * max / (sum / count).max(1e-9)).log10()
}

fn color(params: ColorParams) -> Op {
    Op::Color(params)
}

#[test]
fn quarter_turns_swap_sides_and_the_shape_of_pixels() {
    let source = frame();
    let op = Op::Rotate(RotateParams { degrees: 90 });
    let out = apply(&op, &source);
    assert_eq!((out.width(), out.height()), (48, 64));
    for (plane, height) in [(0, 48), (1, 24), (2, 24)] {
        for (x, y) in [(0, 0), (5, 9), (20, 3)] {
            assert_eq!(
                sample(&out, plane, x, y),
                sample(&source, plane, y, height - 1 - x)
            );
        }
    }
    let wide = PictureFormat {
        sample_aspect_ratio: Rational { num: 4, den: 3 },
        ..format()
    };
    let turned = output_format("n", &op, &wide, &NoModels).unwrap();
    assert_eq!(turned.sample_aspect_ratio, Rational { num: 3, den: 4 });
    // 4:2:2 becomes 4:4:0: no sample is lost.
    let film = PictureFormat {
        pixels: PixelFormat {
            planes: Planes::Yuv {
                shift_x: 1,
                shift_y: 0,
            },
            ..PixelFormat::YUV420P8
        },
        ..format()
    };
    let turned = output_format("n", &op, &film, &NoModels).unwrap();
    assert_eq!(turned.pixels.to_string(), "yuv440p");
    let axis = FlipAxis::Horizontal;
    let mirrored = apply(&Op::Flip(FlipParams { axis }), &source);
    assert_eq!(sample(&mirrored, 0, 0, 7), sample(&source, 0, 63, 7));
}

#[test]
fn the_ground_has_the_colour_that_was_asked_for_in_the_pictures_own_numbers() {
    let op = Op::Pad(PadParams {
        width: 80,
        height: 60,
        x: 8,
        y: 4,
        color: "#ffffff".into(),
    });
    let source = frame();
    let out = apply(&op, &source);
    // Studio white.
    assert_eq!(
        [0, 1, 2].map(|plane| sample(&out, plane, 0, 0)),
        [235, 128, 128]
    );
    assert_eq!(sample(&out, 0, 8, 4), sample(&source, 0, 0, 0));
    assert_eq!(sample(&out, 1, 4, 2), sample(&source, 1, 0, 0));
    assert_eq!(sample(&out, 0, 71, 51), sample(&source, 0, 63, 47));
    assert_eq!(sample(&out, 0, 72, 51), 235);
    for (x, y, width) in [(1, 0, 80), (0, 0, 63), (20, 0, 80)] {
        let op = Op::Pad(PadParams {
            width,
            height: 60,
            x,
            y,
            color: "#000000".into(),
        });
        assert!(output_format("n", &op, &format(), &NoModels).is_err());
    }
}

#[test]
fn an_identity_table_keeps_the_picture_above_50_db() {
    let folder = tempfile::tempdir().unwrap();
    // A name that would be read as options, were it put into a filter text.
    let path = folder.path().join("a:b,c;[d]='e.cube");
    let size = 17;
    let mut text = format!("LUT_3D_SIZE {size}\n");
    for i in 0..size * size * size {
        let step = |i: usize| i as f64 / (size - 1) as f64;
        let (r, g, b) = (i % size, i / size % size, i / size / size);
        text.push_str(&format!("{} {} {}\n", step(r), step(g), step(b)));
    }
    std::fs::write(&path, text).unwrap();
    let lut = Some(path.to_str().unwrap().to_owned());
    let params = ColorParams {
        lut,
        ..ColorParams::default()
    };
    let source = frame();
    let ten = apply(
        &Op::Convert {
            format: PixelFormat {
                bits: 10,
                ..PixelFormat::YUV420P8
            },
        },
        &source,
    );
    for picture in [source, ten] {
        let db = psnr(&picture, &apply(&color(params.clone()), &picture));
        assert!(db > 50.0, "{db:.1} dB");
    }
}

#[test]
fn exposure_brightens_and_a_warm_light_is_corrected_towards_blue() {
    let mean = |frame: &Frame, plane: usize| {
        let (w, h) = frame
            .format()
            .plane_size(plane, frame.width(), frame.height());
        let mut sum = 0.0;
        for y in 0..h as usize {
            for x in 0..w as usize {
                sum += f64::from(sample(frame, plane, x, y));
            }
        }
        sum / f64::from(w * h)
    };
    let source = frame();
    let bright = apply(
        &color(ColorParams {
            exposure: 0.5,
            ..ColorParams::default()
        }),
        &source,
    );
    assert!(mean(&bright, 0) > mean(&source, 0) + 5.0);
    let cooler = apply(
        &color(ColorParams {
            temperature: Some(3200.0),
            ..ColorParams::default()
        }),
        &source,
    );
    assert!(mean(&cooler, 1) > mean(&source, 1) + 3.0, "more blue");
    assert!(mean(&cooler, 2) < mean(&source, 2) - 3.0, "less red");
    let hdr = PictureFormat {
        color: ColorInfo {
            transfer: Some("smpte2084".into()),
            ..format().color
        },
        ..format()
    };
    let exposed = color(ColorParams {
        exposure: 1.0,
        ..ColorParams::default()
    });
    assert!(output_format("n", &exposed, &hdr, &NoModels).is_err());
}

#[test]
fn noise_goes_and_the_picture_stays_in_8_and_10_bit() {
    for bits in [8, 10] {
        let pixels = PixelFormat {
            bits,
            ..PixelFormat::YUV420P8
        };
        let clean = match bits {
            8 => frame(),
            _ => apply(&Op::Convert { format: pixels }, &frame()),
        };
        let mut noisy = clean.share().unwrap();
        let mut seed = 12_345u32;
        let unit = 1i32 << (bits - 8);
        let mut noise = || {
            // The sum of four is near to a bell: a deviation of about 5 steps.
            let mut sum = 0;
            for _ in 0..4 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum += (seed >> 24) as i32 % 9 - 4;
            }
            sum * unit
        };
        for plane in 0..3 {
            match noisy.plane_mut(plane).unwrap() {
                AnyPlaneMut::U8(mut p) => {
                    for y in 0..p.height {
                        for v in p.row_mut(y) {
                            *v = (i32::from(*v) + noise()).clamp(0, 255) as u8;
                        }
                    }
                }
                AnyPlaneMut::U16(mut p) => {
                    for y in 0..p.height {
                        for v in p.row_mut(y) {
                            *v = (i32::from(*v) + noise()).clamp(0, 1023) as u16;
                        }
                    }
                }
            }
        }
        let op = Op::Denoise(DenoiseParams {
            sigma: 5.0,
            model: None,
        });
        let (before, after) = (psnr(&clean, &noisy), psnr(&clean, &apply(&op, &noisy)));
        assert!(
            after > before + 4.0,
            "{bits} bit: {before:.1} dB, then {after:.1} dB"
        );
    }
}
