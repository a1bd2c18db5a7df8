//! Memory of the size of a frame is taken when a segment begins, and not for every frame.
//!
//! A job of two segments is compared with one of two segments twice as long: what the longer one
//! takes more of is taken for each frame. What Rust takes is counted by the allocator of this
//! program; what the C libraries take is told by the page faults of the process, for `malloc` is
//! set as in a worker: whatever is as large as a frame gets fresh pages each time.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    reason = "an allocator can only be written in unsafe code; this one counts and passes on"
)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frameloom_core::graph::{Graph, Op, ResizeParams};
use frameloom_core::job::{Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, Quality, VideoCodec};
use frameloom_core::media::Caution;
use frameloom_core::model::ModelManifest;
use frameloom_engine::execute::Threads;
use frameloom_engine::{
    Cancel, Context, EngineError, MemoryJournal, Models, Plan, Unwatched, execute, plan,
};
use frameloom_infer::{Model, Runtime, load_model};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Size of the clips. A plane of luma is larger than what `malloc` keeps for later in a worker.
const SIZE: (u32, u32) = (768, 432);
const PLANE_BYTES: usize = SIZE.0 as usize * SIZE.1 as usize;
/// As the runner sets it for a worker.
const MALLOC: [(&str, &str); 1] = [("MALLOC_MMAP_THRESHOLD_", "262144")];
const PAGE_BYTES: f64 = 4096.0;

/// Counts what is at least as large as a plane of luma.
struct Counting;

static LARGE: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    if bytes >= PLANE_BYTES {
        LARGE.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(bytes);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(old, layout, bytes) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bundled model.
struct Bundled;

fn model() -> Result<Model, EngineError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/loom-x2");
    Ok(load_model(&folder)?)
}

impl Models for Bundled {
    fn manifest(&self, _: &str) -> Result<ModelManifest, EngineError> {
        Ok(model()?.manifest)
    }
    fn load(&self, _: &str) -> Result<Model, EngineError> {
        model()
    }
}

/// What a job took.
#[derive(Debug, Clone, Copy)]
struct Took {
    /// Pieces of memory of the size of a plane or larger, by Rust.
    large: u64,
    /// Pages that were touched for the first time, by whomever.
    pages: u64,
}

/// Minor faults of this process, those of threads that ended included (`proc_pid_stat(5)`).
fn pages() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    let field = behind_name.split_whitespace().nth(7);
    field.unwrap().parse().unwrap()
}

fn clip(folder: &Path, frames: u64) -> Option<PathBuf> {
    let path = folder.join(format!("{frames}.mp4"));
    if path.exists() {
        return Some(path);
    }
    let (width, height) = SIZE;
    let source = format!("testsrc2=size={width}x{height}:rate=24");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i"])
        .arg(source)
        .args(["-frames:v", &frames.to_string()])
        .args(["-pix_fmt", "yuv420p", "-colorspace", "bt709"])
        .args(["-c:v", "libx264", "-preset", "ultrafast"])
        .arg(&path)
        .status();
    match status {
        Ok(status) if status.success() => Some(path),
        other => {
            println!("skipped: no ffmpeg ({other:?})");
            None
        }
    }
}

/// Does a job on a clip of so many segments of so many frames.
fn took(ops: &[Op], segments: u64, segment_frames: u64) -> Option<Took> {
    let folder = tempfile::tempdir().unwrap();
    let input = clip(folder.path(), segments * segment_frames)?;
    let spec = JobSpec {
        version: JOB_SPEC_VERSION,
        input,
        pictures: None,
        output: folder.path().join("out.mkv"),
        overwrite: false,
        graph: Graph::chain(ops.iter().cloned()),
        encode: EncodeSpec {
            codec: Some(VideoCodec::H264),
            quality: Quality::Draft,
            drop: Vec::new(),
            srgb: false,
        },
        device: Device::Cpu,
        inputs: Default::default(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: false,
        sample: false,
    };
    let info = frameloom_media::probe(&spec.input).unwrap();
    let plan = with_segments(&plan(&spec, &info, &Bundled).unwrap(), segment_frames);
    let runtime = || -> Result<Arc<Runtime>, EngineError> { Ok(Runtime::load(&library())?) };
    let notes = MemoryJournal::default();
    let cancel = Cancel::new();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let context = Context {
        runtime: &runtime,
        models: &Bundled,
        work_dir: &work,
        threads: Threads::for_cores(2),
        journal: &notes,
        progress: &Unwatched,
        cancel: &cancel,
        caution: Caution::default(),
        pool: None,
        compute: Default::default(),
        chosen: Default::default(),
    };
    let before = (LARGE.load(Ordering::Relaxed), pages());
    let finished = execute(&spec, &plan, &context).unwrap();
    let took = Took {
        large: LARGE.load(Ordering::Relaxed) - before.0,
        pages: pages() - before.1,
    };
    assert_eq!(finished.checks.frames, segments * segment_frames);
    assert_eq!(notes.segments().len() as u64, segments);
    Some(took)
}

fn with_segments(plan: &Plan, segment_frames: u64) -> Plan {
    let mut json = serde_json::to_value(plan).unwrap();
    json["medium"]["video"]["segment_length"] = segment_frames.into();
    serde_json::from_value(json).unwrap()
}

/// The pinned ONNX Runtime, where the set-up puts it.
fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("FRAMELOOM_ONNXRUNTIME") {
        return path.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    );
    cache.join("frameloom/onnxruntime/1.31.1/libonnxruntime.so.1.31.1")
}

#[test]
fn no_frame_takes_memory_of_the_size_of_a_frame_from_the_system() {
    const NAME: &str = "no_frame_takes_memory_of_the_size_of_a_frame_from_the_system";
    const CHILD: &str = "FRAMELOOM_TEST_CHILD";
    if std::env::var_os(CHILD).is_none() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(CHILD, "1")
            .envs(MALLOC)
            .output()
            .unwrap();
        println!("{}", String::from_utf8_lossy(&child.stdout));
        assert!(child.status.success(), "{child:?}");
        return;
    }
    let double = ResizeParams {
        width: SIZE.0 * 2,
        height: SIZE.1 * 2,
    };
    let model = Op::Upscale {
        model: "loom-x2".to_owned(),
    };
    check_the_counters();
    for (name, ops) in [
        ("nothing", vec![]),
        ("resize", vec![Op::Resize(double)]),
        ("model", vec![model]),
    ] {
        let (short, long) = (24, 56);
        // What is taken once in the life of a process is not what this is about.
        let (Some(_), Some(first), Some(second)) = (
            took(&ops, 1, short),
            took(&ops, 2, short),
            took(&ops, 2, long),
        ) else {
            return;
        };
        let more = 2 * (long - short);
        let pages = second.pages.saturating_sub(first.pages) as f64 / more as f64;
        println!("{name}: {pages:.1} pages a frame; {first:?}, then {second:?}");
        assert_eq!(
            second.large, first.large,
            "{name}: Rust took memory for frames"
        );
        // One buffer for each frame would be at least one frame of the source; which buffers of a
        // pool are in use at once differs from run to run.
        let frame = PLANE_BYTES as f64 * 1.5 / PAGE_BYTES;
        assert!(
            pages < frame / 2.0,
            "{name}: {pages} pages, {frame} make a frame"
        );
    }
    // A segment opens an encoder of its own, which is all that it takes; and that is libx264's.
    if let (Some(two), Some(four)) = (took(&[], 2, 24), took(&[], 4, 24)) {
        let pages = four.pages.saturating_sub(two.pages) / 2;
        println!("{pages} pages a segment");
        assert_eq!(four.large, two.large, "Rust took memory for segments");
    }
}

/// Both counters see a frame that is taken and touched.
fn check_the_counters() {
    let before = (LARGE.load(Ordering::Relaxed), pages());
    let frame = std::hint::black_box(vec![1u8; PLANE_BYTES]);
    assert_eq!(LARGE.load(Ordering::Relaxed) - before.0, 1);
    let touched = (pages() - before.1) as f64;
    assert!(touched >= frame.len() as f64 / PAGE_BYTES, "{touched}");
}
