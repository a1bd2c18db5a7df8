//! Joining without an encoder: the packets of a real clip go through a part and come back.

use super::{MuxSpec, mux};
use crate::container::{Container, plan_mux};
use crate::encode::encoder::EncodedPacket;
use crate::ffi::input::{Input, Look};
use crate::ffi::packet::Packet;
use crate::ffi::params::{VideoParameters, codec_name};
use crate::part::{PartHeader, PartWriter};
use crate::probe::probe;
use frameloom_core::time::{Rational, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn open(path: &Path) -> Input {
    Input::open(path, Look::Packets, &Arc::default()).unwrap()
}

/// Every packet as (stream, microseconds, bytes).
fn packets(path: &Path) -> Vec<(usize, i64, Vec<u8>)> {
    let mut input = open(path);
    let bases: Vec<_> = input
        .streams()
        .map(|s| crate::ffi::util::time_base(s.time_base()).unwrap())
        .collect();
    let mut list = Vec::new();
    let mut packet = Packet::new().unwrap();
    while input.read(&mut packet).unwrap() {
        let at = Timestamp::new(packet.pts().unwrap(), bases[packet.stream()]).micros();
        list.push((packet.stream(), at, packet.data().to_vec()));
    }
    list
}

/// The video of a clip as one part.
fn part_of(source: &Path, video: usize, part: &Path) {
    let mut input = open(source);
    let stream = input.stream(video).unwrap();
    let p = stream.parameters().0;
    let header = PartHeader {
        encoder: "copy".into(),
        settings_hash: 0,
        time_base: crate::ffi::util::time_base(stream.time_base()).unwrap(),
        parameters: VideoParameters {
            codec: codec_name(p.codec_id),
            width: p.width as u32,
            height: p.height as u32,
            format: p.format,
            profile: p.profile,
            level: p.level,
            bit_rate: p.bit_rate,
            bits_per_coded_sample: p.bits_per_coded_sample,
            bits_per_raw_sample: p.bits_per_raw_sample,
            sample_aspect_ratio: Rational { num: 0, den: 1 },
            color: [2, 2, 2, 0, 0],
            video_delay: p.video_delay,
            codec_tag: 0,
        },
        extradata: stream.extradata().to_vec(),
        hdr: None,
        depth: None,
    };
    let mut writer = PartWriter::create(part, &header).unwrap();
    input.keep_streams(|index| index == video);
    let mut packet = Packet::new().unwrap();
    while input.read(&mut packet).unwrap() {
        // Packets read while the streams were looked at come whatever is kept.
        if packet.stream() != video {
            continue;
        }
        let stored = EncodedPacket {
            pts: packet.pts().unwrap(),
            dts: packet.dts().unwrap(),
            duration: packet.duration(),
            key: packet.is_key(),
            data: packet.data().to_vec(),
            side_data: packet.side_data(),
        };
        writer.write(&stored).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn every_packet_of_a_clip_comes_back_bit_for_bit_at_its_time() {
    let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let clips = [
        "h264_aac_face_1s.mp4",
        "rotate90_5.1.mp4",
        "hundred_subtitle_tracks.mp4",
    ];
    for name in clips {
        let source = root.join("media/video").join(name);
        if !source.exists() {
            eprintln!("skipped: no test data ({name})");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let info = probe(&source).unwrap();
        let video = info.main_video().unwrap().0.index;
        let parts = [folder.path().join("a.part")];
        part_of(&source, video as usize, &parts[0]);
        let output = folder.path().join("out.mp4");
        let spec = MuxSpec {
            source: &source,
            video_stream: video,
            parts: &parts,
            output_tmp: &output,
            plan: &plan_mux(&info, Container::Mp4, &[]).unwrap(),
            hdr: None,
            cut: None,
            holes: &[],
            slow: None,
            upright: false,
            added: &[],
        };
        let report = mux(&spec, &Arc::default(), &mut |_| {}).unwrap();
        assert!(report.warnings.is_empty(), "{name}: {:?}", report.warnings);
        let sorted = |path: &Path| {
            let mut list = packets(path);
            list.sort();
            list
        };
        let (before, after) = (sorted(&source), sorted(&output));
        let times = |list: &[(usize, i64, Vec<u8>)]| -> Vec<_> {
            list.iter().map(|p| (p.0, p.1, p.2.len())).collect()
        };
        assert_eq!(times(&before), times(&after), "{name}");
        for (a, b) in before.iter().zip(&after) {
            assert_eq!((a.0, a.2.len()), (b.0, b.2.len()), "{name}");
            assert!(a.2 == b.2, "{name}: other bytes at {} µs", a.1);
            assert!(
                (a.1 - b.1).abs() <= 23,
                "{name}: {} µs became {} µs",
                a.1,
                b.1
            );
        }
    }
}
