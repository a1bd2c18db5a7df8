//! Pictures that only ffmpeg reads go through nodes as people see them.
#![expect(clippy::unwrap_used, reason = "tests")]

use frameloom_core::graph::{CropParams, Graph, Op};
use frameloom_core::job::{
    Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, PictureSizes, ProviderChoice, Step,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_engine::execute::Threads;
use frameloom_engine::{
    Cancel, Context, EngineError, Journal, Models, Progress, SegmentRecord, execute, plan,
};
use frameloom_infer::{InferError, Model};
use frameloom_media::frame_at;
use frameloom_still::{Limits, Samples};
use std::path::Path;

struct Nothing;

impl Models for Nothing {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
}

impl Progress for Nothing {
    fn step(&self, _: Step, _: Option<u64>) {}
    fn done(&self, _: u64) {}
    fn warning(&self, _: Warning) {}
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

impl Journal for Nothing {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        Ok(Vec::new())
    }
    fn record(&self, _: &SegmentRecord) -> Result<(), EngineError> {
        Ok(())
    }
    fn forget_from(&self, _: u64) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Sends a picture through a graph: what was planned, and the rows of red, green and blue.
fn through(input: &Path, ops: Vec<Op>) -> ((u32, u32), Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.png");
    let spec = JobSpec {
        version: JOB_SPEC_VERSION,
        input: input.to_owned(),
        pictures: None,
        output: output.clone(),
        overwrite: false,
        graph: Graph::chain(ops),
        encode: EncodeSpec::default(),
        device: Device::Cpu,
        inputs: Default::default(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: true,
        sample: false,
    };
    let info = frameloom_media::probe(input).unwrap();
    let plan = plan(&spec, &info, &Nothing).unwrap();
    let context = Context {
        runtime: &|| panic!("no model takes part"),
        models: &Nothing,
        work_dir: folder.path(),
        threads: Threads::for_cores(2),
        journal: &Nothing,
        progress: &Nothing,
        cancel: &Cancel::new(),
        caution: Caution::default(),
        pool: None,
        compute: Default::default(),
        chosen: Default::default(),
    };
    execute(&spec, &plan, &context).unwrap();
    let picture = frameloom_still::read(&output, &Limits::default()).unwrap();
    let Samples::U8(rows) = picture.samples else {
        panic!("made of 8 bits")
    };
    assert_eq!(rows.len(), (picture.width * picture.height * 3) as usize);
    assert_eq!(plan.sizes.unwrap().output, (picture.width, picture.height));
    (plan.sizes.unwrap().output, rows)
}

#[test]
fn an_avif_stands_upright_before_anything_is_done_to_it() {
    let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        std::path::PathBuf::from,
    );
    for name in ["rot0mir1.avif", "rot1mir0.avif", "hopper.avif"] {
        let path = root.join("images/avif").join(name);
        if !path.exists() {
            println!("skipped: no test data (images/avif/{name})");
            continue;
        }
        let shown = frame_at(&path, 0).unwrap();
        // Odd, so that it begins between two samples of colour as they are coded.
        let (x, y) = (21, 13);
        let (width, height) = (shown.width / 2, shown.height / 3);
        let rect = CropParams {
            x,
            y,
            width,
            height,
        };
        let (size, rows) = through(&path, vec![Op::Crop(rect)]);
        assert_eq!(size, (width, height), "{name}");
        let mut sum = 0.0;
        for row in 0..height as usize {
            let from = ((y as usize + row) * shown.width as usize + x as usize) * 3;
            let wanted = &shown.data[from..from + width as usize * 3];
            let found = &rows[row * width as usize * 3..][..width as usize * 3];
            for (a, b) in wanted.iter().zip(found) {
                sum += (f64::from(*a) - f64::from(*b)).powi(2);
            }
        }
        let mean = sum / f64::from(width * height * 3);
        let psnr = 10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10();
        // Two ways of making a colour for each pixel; a picture in another place has less than 20.
        assert!(psnr > 35.0, "{name}: {psnr:.1} dB");
    }
}
