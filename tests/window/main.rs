//! The main job in the real window: WebKitGTK on a virtual screen, the real program behind it.

mod around;
#[cfg(target_os = "linux")]
mod places;
mod webdriver;

use anyhow::{Context, ensure};
use e2e::{Cli, demo_clip, frames, probe, program, test_data, walk, write_png};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use webdriver::{Window, key};

/// One window at a time: a run must not fail because another one has the processor.
static SCREEN: Mutex<()> = Mutex::new(());

const SOON: Duration = Duration::from_secs(60);
/// For a job on a machine that does other things as well.
const JOB: Duration = Duration::from_secs(600);

/// A data folder, a folder with media, and what the window is opened on.
struct Stage {
    folder: TempDir,
}

impl Stage {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("phim của tôi 🎬"))?;
        Ok(Self { folder })
    }

    fn media(&self) -> PathBuf {
        self.folder.path().join("phim của tôi 🎬")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn open(&self, files: &[&Path]) -> anyhow::Result<Window> {
        let list = std::env::join_paths(files)?;
        let window = Window::open(
            &program("frameloom-studio", "frameloom-studio"),
            (1280, 860),
            &[
                ("FRAMELOOM_DATA_DIR", self.data().as_os_str()),
                ("FRAMELOOM_OPEN", &list),
                ("LANGUAGE", OsStr::new("en")),
            ],
        )?;
        window.wait("the window", "document.querySelector('main')", SOON)?;
        // Whatever the machine speaks, this test reads English.
        window.press(&[key::CONTROL, ","])?;
        window.click("label:has(input[name=language][value=en])")?;
        window.click("label:has(input[name=theme][value=dark])")?;
        window.press(&[key::CONTROL, "1"])?;
        window.wait(
            "the first place",
            "document.querySelector('nav button').matches('[aria-current=page]')",
            SOON,
        )?;
        Ok(window)
    }
}

/// Saves a picture of the window beside the built tests, for a person to look at.
fn shot(window: &Window, name: &str) -> anyhow::Result<()> {
    // The page is ahead of what was painted.
    std::thread::sleep(Duration::from_millis(800));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window");
    std::fs::create_dir_all(&folder)?;
    window.screenshot(&folder.join(name))
}

fn option(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('[role=option]')].find(e => e.innerText.includes({}))",
        json!(name)
    )
}

fn select(window: &Window, name: &str) -> anyhow::Result<()> {
    window.wait(name, &option(name), SOON)?;
    window.script(&format!("{}.click()", option(name)))?;
    window.wait(
        "the file's name in the panel",
        &format!(
            "document.querySelector('aside h1')?.innerText === {}",
            json!(name)
        ),
        SOON,
    )
}

fn results(folder: &Path, sources: &[&Path]) -> Vec<PathBuf> {
    walk(folder)
        .into_iter()
        .filter(|path| !sources.contains(&path.as_path()))
        .collect()
}

#[test]
fn a_clip_and_a_picture_go_from_the_start_button_to_a_result_beside_the_source()
-> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let clip = stage.media().join("ngõ nhỏ Hà Nội.mp4");
    let picture = stage.media().join("tấm ảnh.png");
    std::fs::copy(demo_clip(), &clip)?;
    write_png(&picture, 61, 43, e2e::pattern)?;
    let window = stage.open(&[&clip, &picture])?;

    // What the files are.
    select(&window, "ngõ nhỏ Hà Nội.mp4")?;
    window.wait(
        "the facts",
        "/640 × 360/.test(document.querySelector('aside').innerText)",
        SOON,
    )?;
    window.wait(
        "the plan",
        "/1280 × 720/.test(document.querySelector('aside').innerText)",
        SOON,
    )?;
    window.wait(
        "the thumbnails",
        "[...document.querySelectorAll('[role=option] img')].filter(i => i.naturalWidth > 0).length === 2",
        SOON,
    )?;
    let font = window.script("return document.fonts.check('14px \"Hanken Grotesk\"', 'ữ')")?;
    assert_eq!(font, Value::Bool(true), "the bundled font is in use");
    shot(&window, "1-ready.png")?;

    // Started, paused and resumed with the keyboard alone.
    window.tab_to("#start")?;
    window.press(&[key::ENTER])?;
    window.wait(
        "progress",
        "Number(document.querySelector('aside [role=progressbar]')?.getAttribute('aria-valuenow')) > 0",
        JOB,
    )?;
    shot(&window, "2-running.png")?;
    window.tab_to("#pause")?;
    window.press(&[key::ENTER])?;
    window.wait("the pause", "document.querySelector('#resume')", JOB)?;
    let percent = "return Number(document.querySelector('aside [role=progressbar]').getAttribute('aria-valuenow'))";
    let paused_at = window.script(percent)?;
    window.tab_to("#resume")?;
    window.press(&[key::ENTER])?;

    // Before and after.
    window.wait(
        "the comparison",
        "document.querySelectorAll('.layer img').length === 2",
        JOB,
    )?;
    let widths = "[...document.querySelectorAll('.layer img')].map(i => i.naturalWidth).sort((a, b) => a - b).join()";
    window.wait("both frames", &format!("{widths} === '640,1280'"), SOON)?;
    let value = "return Number(document.querySelector('.divider').getAttribute('aria-valuenow'))";
    window.wait(
        "the divider in the middle",
        "document.querySelector('.divider').getAttribute('aria-valuenow') === '50'",
        SOON,
    )?;
    shot(&window, "3-compare.png")?;
    window.tab_to(".divider")?;
    window.press(&[key::RIGHT])?;
    assert_eq!(window.script(value)?, json!(51));
    window.press(&[key::HOME])?;
    assert_eq!(window.script(value)?, json!(0));
    window.press(&["2"])?;
    let shown = window.script(
        "return document.querySelector('.layer img').getBoundingClientRect().width * devicePixelRatio",
    )?;
    assert_eq!(
        shown,
        json!(2560),
        "200 % shows a result pixel on two by two"
    );
    shot(&window, "4-zoomed.png")?;

    // The picture was next in the queue.
    select(&window, "tấm ảnh.png")?;
    window.wait(
        "the picture's result",
        "document.querySelectorAll('.layer img').length === 2",
        JOB,
    )?;

    drop(window);
    let results = results(&stage.media(), &[&clip, &picture]);
    assert_eq!(results.len(), 2, "nothing else is left: {results:?}");
    let with = |extension: &str| {
        results
            .iter()
            .find(|path| path.extension() == Some(OsStr::new(extension)))
            .with_context(|| format!("no {extension} in {results:?}"))
    };
    let larger = probe(with("mp4")?);
    let (_, video) = larger.main_video().context("no video")?;
    assert_eq!((video.width, video.height), (1280, 720));
    let times = |path: &Path| -> anyhow::Result<Vec<i64>> {
        Ok(frames(path)?.into_iter().map(|(time, _)| time).collect())
    };
    assert_eq!(
        times(with("mp4")?)?,
        times(&clip)?,
        "every frame at its time"
    );
    let still = probe(with("png")?);
    let (_, video) = still.main_video().context("no picture")?;
    assert_eq!((video.width, video.height), (122, 86));
    assert!(
        paused_at.as_f64().unwrap_or(100.0) < 100.0,
        "paused at {paused_at}"
    );
    Ok(())
}

/// Frames are worked on by a process of their own: killed with the window's, it must not live on,
/// and the next window must go on where the part at hand began.
#[test]
#[cfg(target_os = "linux")]
fn a_killed_window_takes_its_worker_along_and_the_next_one_resumes_to_the_very_same_file()
-> anyhow::Result<()> {
    use e2e::torture::{processes, send_kill, workers_in};
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let clip = stage.media().join("đêm dài.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i"])
        .args(["testsrc2=s=320x180:r=25:d=20", "-f", "lavfi", "-i"])
        .args(["sine=d=20", "-c:v", "libx264", "-bf", "2", "-c:a", "aac"])
        .arg(&clip)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        std::fs::copy(demo_clip(), &clip)?;
    }
    let parts = || {
        let files = walk(&stage.data().join("jobs"));
        let is_part = |path: &&PathBuf| path.extension() == Some(OsStr::new("part"));
        files.iter().filter(is_part).count()
    };
    let until = |what: &str, patience: Duration, happened: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !happened() {
            ensure!(begun.elapsed() < patience, "{what} did not happen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    };
    let window = stage.open(&[&clip])?;
    select(&window, "đêm dài.mp4")?;
    window.click("#start")?;
    until("a finished part", JOB, &|| parts() > 0)?;
    let studio = program("frameloom-studio", "frameloom-studio");
    let data = stage.data().display().to_string();
    // Workers are the same program with another first word; other tests have other folders.
    let windows = processes(|line| {
        let mut words = line.split('\0');
        words.next() == studio.to_str() && words.next() != Some("worker")
    });
    let mine: Vec<u32> = windows
        .into_iter()
        .filter(|pid| {
            std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|all| String::from_utf8_lossy(&all).contains(&data))
        })
        .collect();
    assert_eq!(mine.len(), 1, "the process of the window");
    assert!(!workers_in(&stage.data()).is_empty(), "the job is running");
    for pid in mine {
        assert!(send_kill(pid)?);
    }
    let ended = || workers_in(&stage.data()).is_empty();
    until("the end of the worker", Duration::from_secs(20), &ended)?;
    assert_eq!(results(&stage.media(), &[&clip]), Vec::<PathBuf>::new());
    assert!(parts() > 0, "what is done is kept");
    drop(window);

    let window = Window::open(
        &studio,
        (1280, 860),
        &[
            ("FRAMELOOM_DATA_DIR", stage.data().as_os_str()),
            ("LANGUAGE", OsStr::new("en")),
        ],
    )?;
    window.wait(
        "the question",
        "document.querySelector('dialog[open]')?.innerText.includes('đêm dài.mp4')",
        SOON,
    )?;
    shot(&window, "8-resume.png")?;
    window.click("dialog[open] .row .primary")?;
    window.wait(
        "the comparison",
        "document.querySelectorAll('.layer img').length === 2",
        JOB,
    )?;
    drop(window);
    let found = results(&stage.media(), &[&clip]);
    assert_eq!(found.len(), 1, "nothing else is left: {found:?}");
    assert_eq!(walk(&stage.data().join("jobs")), Vec::<PathBuf>::new());

    // The same on the command line, undisturbed.
    let told = |words: &[&str]| -> anyhow::Result<Value> {
        let told = Command::new(program("frameloom", "frameloom-cli"))
            .args(words)
            .env("FRAMELOOM_DATA_DIR", stage.data())
            .output()?;
        Ok(serde_json::from_slice(&told.stdout)?)
    };
    let jobs = told(&["jobs", "list", "--json"])?;
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
    let id = jobs[0]["id"].as_str().context("no id")?;
    let receipt = told(&["jobs", "show", id, "--receipt", "--json"])?;
    let nodes = receipt["graph"]["nodes"].as_array().context("no nodes")?;
    let model = nodes
        .iter()
        .find_map(|node| node["params"]["model"].as_str())
        .context("no model")?;
    let quality = receipt["encode"]["quality"]
        .as_str()
        .context("no quality")?;
    let cli = Cli::new();
    let expected = cli.folder().join("expected.mp4");
    cli.run([
        OsStr::new("upscale"),
        clip.as_os_str(),
        OsStr::new("-o"),
        expected.as_os_str(),
        OsStr::new("--model"),
        OsStr::new(model),
        OsStr::new("--quality"),
        OsStr::new(quality),
    ])
    .expect_code(0);
    assert!(
        std::fs::read(&found[0])? == std::fs::read(expected)?,
        "a resumed result must equal an undisturbed one, byte for byte"
    );
    Ok(())
}

#[test]
fn a_file_that_is_no_media_is_refused_in_a_sentence_with_a_remedy_in_the_chosen_language()
-> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let broken = stage.media().join("không phải phim.mp4");
    std::fs::write(&broken, "This is a letter, not a film.\n".repeat(50))?;
    let window = stage.open(&[&broken])?;
    select(&window, "không phải phim.mp4")?;
    window.wait(
        "the error",
        "document.querySelector('aside [role=alert]')",
        SOON,
    )?;
    let text = window.text("aside [role=alert]")?;
    let sentences = text
        .split('.')
        .filter(|part| !part.trim().is_empty())
        .count();
    assert!(sentences >= 2, "cause and remedy: {text}");
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(
        window.script("return document.querySelector('#start')")?,
        Value::Null
    );
    shot(&window, "5-refused.png")?;

    window.press(&[key::CONTROL, ","])?;
    window.click("label:has(input[name=language][value=vi])")?;
    window.click("label:has(input[name=theme][value=light])")?;
    window.wait("Vietnamese", "document.documentElement.lang === 'vi'", SOON)?;
    window.wait(
        "the light theme",
        "document.documentElement.dataset.theme === 'light'",
        SOON,
    )?;
    shot(&window, "6-settings.png")?;
    window.press(&[key::CONTROL, "1"])?;
    let remedy = window.text("aside [role=alert]")?;
    assert!(
        remedy.contains("Không đọc được") || remedy.contains("Không có gì"),
        "{remedy}"
    );
    drop(window);

    // Both are kept.
    let window = Window::open(
        &program("frameloom-studio", "frameloom-studio"),
        (1280, 860),
        &[("FRAMELOOM_DATA_DIR", stage.data().as_os_str())],
    )?;
    window.wait(
        "Vietnamese again",
        "document.documentElement.lang === 'vi'",
        SOON,
    )?;
    window.wait(
        "the light theme again",
        "document.documentElement.dataset.theme === 'light'",
        SOON,
    )?;
    shot(&window, "7-kept.png")?;
    Ok(())
}

#[test]
fn a_job_that_is_cancelled_asks_first_and_leaves_nothing_behind() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let source = test_data("media/video/h264_aac_17s_640x360.mp4").unwrap_or_else(demo_clip);
    let clip = stage.media().join("clip.mp4");
    std::fs::copy(source, &clip)?;
    let window = stage.open(&[&clip])?;
    select(&window, "clip.mp4")?;
    window.click("#start")?;
    window.click("#cancel")?;
    window.wait(
        "the question",
        "document.querySelector('[role=alertdialog]')",
        SOON,
    )?;
    let focus = window.script("return document.activeElement.innerText")?;
    assert_eq!(
        focus,
        json!("Keep going"),
        "the harmless answer has the focus"
    );
    window.press(&[key::ENTER])?;
    window.wait(
        "no question",
        "!document.querySelector('[role=alertdialog]')",
        SOON,
    )?;
    window.click("#cancel")?;
    window.click("[role=alertdialog] .danger")?;
    window.wait(
        "the cancelled job",
        &format!("{}?.innerText.includes('Cancelled')", option("clip.mp4")),
        SOON,
    )?;
    drop(window);
    assert_eq!(results(&stage.media(), &[&clip]), Vec::<PathBuf>::new());
    assert_eq!(walk(&stage.data().join("jobs")), Vec::<PathBuf>::new());
    Ok(())
}

/// Sets a field as a person does who leaves it behind.
fn set(window: &Window, field: &str, value: &str) -> anyhow::Result<()> {
    window.wait(
        field,
        &format!("document.querySelector({})", json!(field)),
        SOON,
    )?;
    window.script(&format!(
        "const field = document.querySelector({});
         field.value = {};
         field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         field.dispatchEvent(new Event('change', {{ bubbles: true }}));",
        json!(field),
        json!(value)
    ))?;
    Ok(())
}

/// Chooses the entry of a list by the beginning of its text.
fn choose(window: &Window, list: &str, text: &str) -> anyhow::Result<()> {
    let entry = format!(
        "[...document.querySelector({}).options].find(o => o.text.startsWith({}))",
        json!(list),
        json!(text)
    );
    window.wait(
        text,
        &format!("document.querySelector({}) && {entry}", json!(list)),
        SOON,
    )?;
    let value = window.script(&format!("return {entry}.value"))?;
    set(
        window,
        list,
        value.as_str().context("an entry has a value")?,
    )
}

fn type_in(window: &Window, text: &str) -> anyhow::Result<()> {
    for letter in text.chars() {
        window.press(&[&letter.to_string()])?;
    }
    Ok(())
}

#[test]
fn a_graph_of_three_nodes_is_built_and_run() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let clip = stage.media().join("ngõ nhỏ.mp4");
    let result = stage.media().join("lật.mp4");
    std::fs::copy(demo_clip(), &clip)?;
    let window = stage.open(&[])?;
    window.press(&[key::CONTROL, "3"])?;
    window.wait(
        "the drawing",
        "document.querySelector('.svelte-flow__node-card')",
        SOON,
    )?;
    window.press(&[key::SHIFT, "L"])?;
    window.wait(
        "the list",
        "document.querySelector('tr[data-id=source1]')",
        SOON,
    )?;

    // A mirror between the source and the output.
    window.press(&[key::SHIFT, "A"])?;
    window.wait(
        "the search",
        "document.querySelector('dialog[open] input')",
        SOON,
    )?;
    type_in(&window, "flip")?;
    window.press(&[key::ENTER])?;
    window.wait(
        "the new node",
        "document.querySelector('tr[data-id=flip1]')",
        SOON,
    )?;
    choose(&window, "[data-param=axis] select", "left")?;
    choose(&window, ".port:nth-of-type(1) select", "Source")?;
    let wired = "document.querySelector('tr[data-id=flip1]').innerText";
    window.wait(
        "the first wire",
        &format!("{wired}.includes('Source')"),
        SOON,
    )?;
    choose(&window, ".port:nth-of-type(2) select", "Output")?;
    window.wait(
        "the second wire",
        &format!("{wired}.includes('Output')"),
        SOON,
    )?;
    window.wait("no fault", "!document.querySelector('.faults')", SOON)?;

    // The source first, so that what leaves the node can be seen before it is run.
    window.press(&[key::CONTROL, key::ENTER])?;
    set(
        &window,
        "dialog[open] .field:nth-of-type(1) input",
        &clip.display().to_string(),
    )?;
    window.press(&[key::ESCAPE])?;
    window.wait("no dialog", "!document.querySelector('dialog[open]')", SOON)?;
    window.script("document.querySelector('tr[data-id=flip1] button').focus()")?;
    window.press(&[key::SHIFT, "P"])?;
    window.wait(
        "the preview",
        "document.querySelector('.side .look img')?.naturalWidth === 640",
        SOON,
    )?;
    shot(&window, "9-preview.png")?;

    window.press(&[key::CONTROL, key::ENTER])?;
    set(
        &window,
        "dialog[open] .field:nth-of-type(2) input",
        &result.display().to_string(),
    )?;
    window.wait(
        "the plan",
        "/640 × 360/.test(document.querySelector('dialog[open] .plan')?.innerText)",
        SOON,
    )?;
    window.click("dialog[open] [type=submit]")?;
    window.wait(
        "the job in the queue",
        "document.querySelector('.told').innerText.includes('in the queue')",
        SOON,
    )?;
    window.press(&[key::CONTROL, "1"])?;
    window.wait(
        "the comparison",
        "document.querySelectorAll('.layer img').length === 2",
        JOB,
    )?;
    shot(&window, "10-graph-done.png")?;
    drop(window);

    let found = results(&stage.media(), &[&clip]);
    assert_eq!(found, std::slice::from_ref(&result), "nothing else is left");
    let times = |path: &Path| -> anyhow::Result<Vec<i64>> {
        Ok(frames(path)?.into_iter().map(|(time, _)| time).collect())
    };
    assert_eq!(times(&result)?, times(&clip)?, "every frame at its time");
    let picture = |path: &Path| {
        frameloom_media::thumbnail(path, Some(1_000_000), 320, frameloom_media::Tones::Shown)
    };
    let (before, after) = (picture(&clip)?, picture(&result)?);
    let width = before.width as usize;
    let difference: i64 = (0..before.data.len() / 3)
        .map(|pixel| {
            let (row, column) = (pixel / width, pixel % width);
            let mirrored = row * width + width - 1 - column;
            (i64::from(before.data[3 * pixel]) - i64::from(after.data[3 * mirrored])).abs()
        })
        .sum();
    let mean = difference as f64 / (before.data.len() / 3) as f64;
    assert!(mean < 6.0, "it is the mirror image: {mean}");
    Ok(())
}
