//! What the tests share: the real clips, made-up clips, and the way from frames to a file.

use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::pixel::{AnyPlaneMut, PixelFormat};
use frameloom_core::time::Rational;
use frameloom_media::{
    Container, EncoderSpec, Frame, MuxReport, MuxSpec, PartWriter, Reader, ReaderOptions,
    VideoEncoder, mux, plan_encoder, plan_mux, probe,
};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The folder with real media, or `None` with a line that says so.
pub fn data(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no test data ({below})");
    None
}

pub fn reader(path: &Path) -> Reader {
    Reader::open(path, &ReaderOptions::default()).unwrap()
}

/// Every frame as (time, hash).
pub fn frames(path: &Path) -> Vec<(i64, u64)> {
    let mut reader = reader(path);
    let mut list = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        list.push((frame.pts(), frame.content_hash()));
    }
    list
}

/// A raw YUV 4:2:0 clip with moving shades, in a container that is text and planes.
pub fn y4m(path: &Path, width: u32, height: u32, count: u32, rate: &str) {
    let mut file = File::create(path).unwrap();
    writeln!(
        file,
        "YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg"
    )
    .unwrap();
    for n in 0..count {
        writeln!(file, "FRAME").unwrap();
        let mut bytes = Vec::new();
        for plane in 0..3 {
            let (w, h) = PixelFormat::YUV420P8.plane_size(plane, width, height);
            for y in 0..h {
                for x in 0..w {
                    let shade = (x * 3 + y * 2 + n * 7 + plane as u32 * 50) % 200;
                    bytes.push(shade as u8 + 20);
                }
            }
        }
        file.write_all(&bytes).unwrap();
    }
}

/// Fills a frame with shades that differ from frame to frame.
pub fn paint(frame: &mut Frame, n: u32) {
    for index in 0..frame.format().plane_count() {
        let top = u32::from(frame.format().max_value());
        match frame.plane_mut(index).unwrap() {
            AnyPlaneMut::U8(mut plane) => {
                for y in 0..plane.height {
                    for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                        *sample = (20 + (x as u32 * 3 + y as u32 * 2 + n * 7) % 200) as u8;
                    }
                }
            }
            AnyPlaneMut::U16(mut plane) => {
                for y in 0..plane.height {
                    for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                        let shade = (x as u32 * 37 + y as u32 * 29 + n * 91) % (top * 3 / 4);
                        *sample = (shade + top / 8) as u16;
                    }
                }
            }
        }
    }
}

/// The encoder's orders for frames as they come from a reader.
pub fn spec_for(reader: &Reader, first: &Frame, container: Container) -> EncoderSpec {
    let (_, video) = reader.info().main_video().unwrap();
    EncoderSpec {
        codec: None,
        quality: Quality::Draft,
        container,
        width: first.width(),
        height: first.height(),
        format: first.format(),
        time_base: reader.time_base(),
        frame_rate: video.frame_rate,
        color: first.color(),
        // As the engine has it: what the container says goes before what the stream says.
        sample_aspect_ratio: video.sample_aspect_ratio,
        threads: 2,
        hdr: first.hdr(),
    }
}

/// How a clip is sent through.
pub struct Pass<'a> {
    pub source: &'a Path,
    pub output: &'a Path,
    pub container: Container,
    pub codec: Option<VideoCodec>,
    pub quality: Quality,
    /// Frames per part, the last one for all that follow.
    pub cuts: &'a [usize],
    /// At most this many frames.
    pub limit: usize,
    /// The time of frame `n`, instead of the source's.
    pub times: Option<&'a [i64]>,
}

impl<'a> Pass<'a> {
    pub fn new(source: &'a Path, output: &'a Path) -> Self {
        Self {
            source,
            output,
            container: Container::from_path(output).unwrap(),
            codec: None,
            quality: Quality::Draft,
            cuts: &[usize::MAX],
            limit: usize::MAX,
            times: None,
        }
    }

    /// Decodes, encodes into parts, joins. Gives the times that were encoded and the report.
    pub fn run(&self, folder: &Path) -> (Vec<i64>, MuxReport) {
        let mut reader = reader(self.source);
        let first = reader.next_frame().unwrap().unwrap();
        let mut spec = spec_for(&reader, &first, self.container);
        spec.codec = self.codec;
        spec.quality = self.quality;
        let plan = plan_encoder(&spec).unwrap();
        let pool = frameloom_media::FramePool::new(plan.input_format, spec.width, spec.height);
        let pool = pool.unwrap();
        let mut converter = frameloom_media::Converter::new();
        let (mut parts, mut times) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        let mut part = 0;
        while next.is_some() && times.len() < self.limit {
            let path = folder.join(format!("{part:04}.part"));
            let length = self.cuts[part.min(self.cuts.len() - 1)];
            let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
            let mut writer = PartWriter::create(&path, &encoder.part_header()).unwrap();
            let mut sink = |packet: frameloom_media::EncodedPacket| writer.write(&packet);
            for _ in 0..length {
                if times.len() >= self.limit {
                    break;
                }
                let Some(frame) = next.take() else { break };
                let mut frame = converter.convert(&frame, &pool).unwrap();
                if let Some(list) = self.times {
                    frame.set_timing(list[times.len()], 0);
                }
                times.push(frame.pts());
                encoder.send(&frame, &mut sink).unwrap();
                next = reader.next_frame().unwrap();
            }
            encoder.finish(&mut sink).unwrap();
            writer.finish().unwrap();
            parts.push(path);
            part += 1;
        }
        let report = join(self.source, &parts, self.output, self.container, &spec);
        (times, report)
    }
}

pub fn join(
    source: &Path,
    parts: &[PathBuf],
    output: &Path,
    container: Container,
    spec: &EncoderSpec,
) -> MuxReport {
    let info = probe(source).unwrap();
    let plan = plan_mux(&info, container, &[]).unwrap();
    mux(
        &MuxSpec {
            source,
            video_stream: info.main_video().unwrap().0.index,
            parts,
            output_tmp: output,
            plan: &plan,
            hdr: spec.hdr.as_ref(),
            cut: None,
            holes: &[],
            slow: None,
            upright: false,
            added: &[],
        },
        &Arc::new(AtomicBool::new(false)),
        &mut |_| {},
    )
    .unwrap()
}

pub fn one() -> Rational {
    Rational { num: 1, den: 1 }
}

/// Runs the system's ffmpeg in `folder` on arguments that are separated by spaces. False, with a
/// line that says so, where there is none or it refuses.
pub fn ffmpeg(folder: &Path, arguments: &str) -> bool {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin"])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output();
    match output {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            println!("skipped: ffmpeg refuses {arguments}: {words}");
            false
        }
        Err(error) => {
            println!("skipped: no ffmpeg ({error})");
            false
        }
    }
}

/// In what two files differ, by [`frameloom_media::Difference::key`].
pub fn keys(a: &Path, b: &Path, ignore: &[&str], tolerance_micros: i64) -> Vec<String> {
    let take = |path: &Path| frameloom_media::Inventory::take(path, &Default::default()).unwrap();
    let options = frameloom_media::DiffOptions {
        ignore: ignore.iter().map(|rule| rule.parse().unwrap()).collect(),
        tolerance_micros,
    };
    let found = take(a).compare(&take(b), &options);
    for difference in &found.differences {
        println!(
            "  {}: {} | {} {:?}",
            difference.key(),
            difference.a,
            difference.b,
            difference.largest_micros
        );
    }
    found.keys()
}
