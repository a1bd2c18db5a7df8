//! Nodes through the engine's public face, on frames made here.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::graph::{CropParams, Op, ResizeParams};
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
    let opening = Opening {
        runtime: &runtime,
        models: &NoModels,
        device: &Device::Cpu,
        threads: 1,
        max_tile: None,
    };
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
