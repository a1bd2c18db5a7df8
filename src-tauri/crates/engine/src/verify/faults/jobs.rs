//! Faults in the line of a whole job: it fails, and leaves no result.

use super::*;

/// Runs a whole job on the demo clip without a model.
fn execute_with(fault: Option<Fault>) -> (Result<Finished, EngineError>, PathBuf, TempDir) {
    let small = Op::Resize(ResizeParams {
        width: 320,
        height: 180,
    });
    execute_on(root().join("assets/demo.mp4"), "out.mp4", small, fault)
}

/// Runs a whole job.
pub(super) fn execute_on(
    input: PathBuf,
    output: &str,
    op: Op,
    fault: Option<Fault>,
) -> (Result<Finished, EngineError>, PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let info = crate::plan::probe(&input).unwrap();
    let output = folder.path().join(output);
    let spec = JobSpec {
        version: frameloom_core::job::JOB_SPEC_VERSION,
        input,
        pictures: None,
        output: output.clone(),
        overwrite: false,
        graph: Graph::chain([op]),
        encode: EncodeSpec {
            codec: None,
            quality: Quality::Draft,
            ..EncodeSpec::default()
        },
        device: Device::Cpu,
        inputs: Default::default(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: false,
        sample: false,
    };
    let plan = match crate::plan(&spec, &info, &Bundled) {
        Ok(plan) => plan,
        Err(error) => return (Err(error), output, folder),
    };
    let work_dir = folder.path().join("work");
    std::fs::create_dir(&work_dir).unwrap();
    let context = Context {
        runtime: &|| runtime().ok_or(EngineError::Stopped),
        models: &Bundled,
        work_dir: &work_dir,
        threads: Threads::for_cores(2),
        journal: &MemoryJournal::default(),
        progress: &Unwatched,
        cancel: &Cancel::new(),
        caution: Caution::Usual,
        pool: None,
        compute: Default::default(),
        chosen: Default::default(),
        fault,
    };
    (execute(&spec, &plan, &context), output, folder)
}

#[test]
fn a_fault_in_the_line_fails_the_job_and_leaves_no_result() {
    let (finished, output, _folder) = execute_with(None);
    let checks = finished.unwrap().checks;
    assert!(output.exists());
    assert_eq!(checks.pictures.unwrap().compared, checks.frames);
    for fault in [
        Fault::Zero,
        Fault::SwapChannels,
        Fault::StretchRange,
        Fault::Lose,
    ] {
        let (finished, output, folder) = execute_with(Some(fault));
        let error = finished.expect_err("a spoiled run must fail");
        assert!(
            matches!(error, EngineError::SegmentCheck { position: 0, .. }),
            "{fault:?}: {error}"
        );
        assert!(!output.exists(), "{fault:?}");
        let left = std::fs::read_dir(folder.path().join("work")).unwrap();
        assert_eq!(left.count(), 0, "{fault:?} leaves parts behind");
    }
}
