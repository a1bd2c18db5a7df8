//! Frames, pools, conversion, and formats that are not planar.

use crate::support::{paint, reader};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_media::{Converter, Frame, FramePool, MediaError, convert};
use tempfile::tempdir;

const GBR8: PixelFormat = PixelFormat {
    planes: Planes::Gbr,
    bits: 8,
    alpha: false,
};

fn samples(frame: &Frame, plane: usize) -> Vec<u16> {
    match frame.plane(plane) {
        AnyPlane::U8(p) => (0..p.height)
            .flat_map(|y| p.row(y).iter().map(|s| u16::from(*s)))
            .collect(),
        AnyPlane::U16(p) => (0..p.height).flat_map(|y| p.row(y).to_vec()).collect(),
    }
}

#[test]
fn writing_to_a_shared_frame_leaves_the_other_one_alone() {
    let mut frame = Frame::new(PixelFormat::YUV420P8, 33, 17).unwrap();
    paint(&mut frame, 1);
    frame.set_timing(77, 3);
    let mut other = frame.share().unwrap();
    let before = frame.content_hash();
    assert_eq!(other.content_hash(), before);
    if let AnyPlaneMut::U8(mut plane) = other.plane_mut(0).unwrap() {
        plane.row_mut(0)[0] ^= 0xff;
    }
    assert_eq!(frame.content_hash(), before);
    assert_ne!(other.content_hash(), before);
    assert_eq!((other.pts(), other.duration()), (77, 3));
}

#[test]
fn a_pool_gives_the_same_memory_again() {
    let pool = FramePool::new(PixelFormat::YUV420P8, 640, 360).unwrap();
    let address = |frame: &Frame| match frame.plane(0) {
        AnyPlane::U8(p) => p.data.as_ptr() as usize,
        AnyPlane::U16(_) => 0,
    };
    let first = pool.get().unwrap();
    let second = pool.get().unwrap();
    let (a, b) = (address(&first), address(&second));
    assert_ne!(a, b);
    drop(first);
    let third = pool.clone().get().unwrap();
    assert_eq!(address(&third), a);
    drop(pool);
    assert_eq!(address(&second), b);
}

#[test]
fn impossible_sizes_are_refused() {
    for (width, height) in [(0, 10), (10, 0), (70_000, 10), (65_000, 65_000)] {
        let sixteen = PixelFormat {
            bits: 16,
            ..PixelFormat::YUV420P8
        };
        let error = FramePool::new(sixteen, width, height).unwrap_err();
        assert!(matches!(error, MediaError::BadDimensions { .. }));
    }
    let gray_alpha = PixelFormat {
        planes: Planes::Gray,
        bits: 8,
        alpha: true,
    };
    assert!(FramePool::new(gray_alpha, 8, 8).is_err());
}

#[test]
fn the_tagged_matrix_and_range_decide_what_a_colour_becomes() {
    // Saturated blue-ish YUV, the same samples under four readings.
    let shade = |matrix: Matrix, range: Range| {
        let full = PixelFormat {
            planes: Planes::Yuv {
                shift_x: 0,
                shift_y: 0,
            },
            ..PixelFormat::YUV420P8
        };
        let mut frame = Frame::new(full, 64, 64).unwrap();
        for (plane, value) in [(0, 100u8), (1, 170), (2, 90)] {
            if let AnyPlaneMut::U8(mut p) = frame.plane_mut(plane).unwrap() {
                for y in 0..p.height {
                    p.row_mut(y).fill(value);
                }
            }
        }
        frame.set_color(&ColorInfo {
            matrix,
            range,
            ..ColorInfo::default()
        });
        let rgb = convert(&frame, GBR8).unwrap();
        [2, 0, 1].map(|plane| f64::from(samples(&rgb, plane)[64 * 32 + 32]))
    };
    for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
        for range in [Range::Limited, Range::Full] {
            let (kr, kb) = matrix.kr_kb().unwrap();
            let kg = 1.0 - kr - kb;
            let (y, c) = match range {
                Range::Full => (100.0, 1.0),
                _ => ((100.0 - 16.0) * 255.0 / 219.0, 255.0 / 224.0),
            };
            let (cb, cr) = ((170.0 - 128.0) * c, (90.0 - 128.0) * c);
            let red = y + 2.0 * (1.0 - kr) * cr;
            let blue = y + 2.0 * (1.0 - kb) * cb;
            let green = (y - kr * red - kb * blue) / kg;
            let found = shade(matrix, range);
            for (found, wanted) in found.iter().zip([red, green, blue]) {
                let wanted = wanted.clamp(0.0, 255.0);
                assert!(
                    (found - wanted).abs() <= 1.5,
                    "{matrix:?} {range:?}: {found} instead of {wanted}"
                );
            }
        }
    }
}

#[test]
fn a_trip_through_rgb_keeps_the_picture() {
    let mut frame = Frame::new(
        PixelFormat {
            planes: Planes::Yuv {
                shift_x: 0,
                shift_y: 0,
            },
            bits: 10,
            alpha: false,
        },
        64,
        48,
    )
    .unwrap();
    for plane in 0..3 {
        if let AnyPlaneMut::U16(mut p) = frame.plane_mut(plane).unwrap() {
            for y in 0..p.height {
                for (x, s) in p.row_mut(y).iter_mut().enumerate() {
                    *s = 400 + (x + y + plane * 9) as u16;
                }
            }
        }
    }
    let tags = ColorInfo {
        matrix: Matrix::Bt709,
        range: Range::Limited,
        ..ColorInfo::default()
    };
    frame.set_color(&tags);
    frame.set_timing(5, 2);
    let deep = PixelFormat { bits: 16, ..GBR8 };
    let rgb = convert(&frame, deep).unwrap();
    assert_eq!(rgb.color().matrix, Matrix::Identity);
    let mut back = rgb;
    back.set_color(&tags);
    let back = convert(&back, frame.format()).unwrap();
    assert_eq!((back.pts(), back.duration()), (5, 2));
    for plane in 0..3 {
        for (a, b) in samples(&frame, plane).iter().zip(samples(&back, plane)) {
            assert!(a.abs_diff(b) <= 2, "plane {plane}: {a} became {b}");
        }
    }
}

#[test]
fn resizing_a_flat_picture_keeps_it_flat_and_tags_stay() {
    let mut frame = Frame::new(PixelFormat::YUV420P8, 61, 47).unwrap();
    for (plane, value) in [(0, 180u8), (1, 100), (2, 140)] {
        if let AnyPlaneMut::U8(mut p) = frame.plane_mut(plane).unwrap() {
            for y in 0..p.height {
                p.row_mut(y).fill(value);
            }
        }
    }
    frame.set_color(&ColorInfo {
        range: Range::Full,
        matrix: Matrix::Bt601,
        ..ColorInfo::default()
    });
    let pool = FramePool::new(PixelFormat::YUV420P8, 122, 94).unwrap();
    let large = Converter::new().convert(&frame, &pool).unwrap();
    assert_eq!(large.color().range, Range::Full);
    for (plane, value) in [(0, 180u16), (1, 100), (2, 140)] {
        assert!(
            samples(&large, plane).iter().all(|s| *s == value),
            "plane {plane}"
        );
    }
}

/// An AVI with one uncompressed picture; a positive height means that rows run upward.
fn avi(width: u32, height: i32, rows: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8; 4], body: &[u8]| {
        let mut bytes = name.to_vec();
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        if body.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes
    };
    let list = |kind: &[u8; 4], body: &[u8]| {
        let mut bytes = kind.to_vec();
        bytes.extend(body);
        chunk(b"LIST", &bytes)
    };
    let words = |list: &[u32]| {
        list.iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<_>>()
    };
    let tall = height.unsigned_abs();
    let main = words(&[40_000, 0, 0, 0, 1, 0, 1, 0, width, tall, 0, 0, 0, 0]);
    let mut header = b"vidsDIB ".to_vec();
    header.extend(words(&[0, 0, 0, 1, 25, 0, 1, 0, u32::MAX, 0, 0, 0]));
    let mut format = words(&[40, width, height as u32]);
    format.extend([1, 0, 24, 0]);
    format.extend(words(&[0, 0, 0, 0, 0, 0]));
    let mut stream = chunk(b"strh", &header);
    stream.extend(chunk(b"strf", &format));
    let mut headers = chunk(b"avih", &main);
    headers.extend(list(b"strl", &stream));
    let mut body = b"AVI ".to_vec();
    body.extend(list(b"hdrl", &headers));
    body.extend(list(b"movi", &chunk(b"00db", rows)));
    chunk(b"RIFF", &body)
}

#[test]
fn a_bottom_up_picture_is_turned_and_unpacked() {
    // Two rows of four pixels; the file holds the lower one first, as blue, green, red.
    let (width, height) = (4, 2);
    let mut rows = Vec::new();
    for row in [1u8, 0] {
        for x in 0..width as u8 {
            rows.extend([10 * row + x, 100 + 10 * row + x, 200 + 10 * row + x]);
        }
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("up.avi");
    std::fs::write(&path, avi(width, height, &rows)).unwrap();
    let frame = reader(&path).next_frame().unwrap().unwrap();
    assert_eq!(frame.format(), GBR8);
    let expect = |base: u16| {
        vec![
            base,
            base + 1,
            base + 2,
            base + 3,
            base + 10,
            base + 11,
            base + 12,
            base + 13,
        ]
    };
    assert_eq!(samples(&frame, 0), expect(100), "green");
    assert_eq!(samples(&frame, 1), expect(0), "blue");
    assert_eq!(samples(&frame, 2), expect(200), "red");
    assert_eq!(frame.color().range, Range::Full);
}
