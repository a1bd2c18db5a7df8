//! A few seconds to judge the settings by, through the door that the window uses.

use e2e::*;
use frameloom_app::{App, Lane, Places, Side, Span, UpscaleRequest};
use frameloom_core::job::{JobState, Quality};

#[test]
fn a_sample_shows_its_stretch_beside_the_same_stretch_of_the_source_and_goes_with_its_job() {
    let cli = Cli::new();
    let places = Places {
        data: cli.data(),
        worker: program("frameloom", "frameloom-cli"),
        extra_models: vec![root().join("models")],
    };
    let app = App::open(places).expect("the data folder opens");
    let clip = root().join("assets/demo.mp4");
    let span = Span {
        from_micros: 2_000_000,
        to_micros: 3_000_000,
    };
    let request = UpscaleRequest {
        input: clip.clone(),
        quality: Quality::Lossless,
        span: Some(span),
        sample: true,
        ..UpscaleRequest::default()
    };
    let id = app
        .submit_upscale(&request, Lane::Direct)
        .expect("the job is taken")
        .id;
    let job = app.run_job(&id).expect("the job runs");
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_eq!(job.progress.done, 25);
    let output = job.spec.output;
    assert!(
        output.starts_with(cli.data()),
        "not beside the source: {}",
        output.display()
    );
    // The whole needs as much memory as its sample did.
    let receipt = app.receipt(&id).expect("it has a receipt");
    let memory = receipt.memory_bytes.expect("this system tells");
    assert!((20 << 20..16 << 30).contains(&memory), "{memory}");
    // The same moment on both sides: enlarging changes little of what is seen in small.
    for at_micros in [0, 400_000, 960_000] {
        let likeness = app.job_likeness(&id, at_micros).unwrap();
        let picture = likeness.picture.expect("both have one shape");
        assert!(
            picture.psnr_db.unwrap() > 33.0,
            "at {at_micros}: {picture:?}"
        );
    }
    let before = app.job_frame(&id, Side::Before, 0).unwrap();
    let first = app.clip_frame(&clip, 0, 4096, true).unwrap();
    let there = app.clip_frame(&clip, 2_000_000, 4096, true).unwrap();
    assert_ne!(first, there, "the clip moves");
    assert!(!before.bytes.is_empty());
    app.remove(&id).unwrap();
    assert!(!output.exists(), "it goes with its job");
    assert!(clip.exists());
}
