//! Measures the bundled models through the product's own engine, by the field's protocol, and
//! writes the table into the model cards.
//!
//! `frameloom-eval --data DIR [--sets Set5,BSD100] [--models loom-x2,loom-x2-web] [--write]`
//!
//! DIR holds `Set5/HR`, `Set5/LR_bicubic/X2` and `BSD100/HR`. Every picture goes through a real
//! job: a file in, a worker process, a file out. The H.264 rows need the `ffmpeg` command to make
//! their input; without it they are left out, and the table says so.

#![expect(
    clippy::print_stdout,
    reason = "its result is a table on standard output"
)]

use anyhow::{Context, bail, ensure};
use frameloom_app::{App, Places, UpscaleRequest};
use frameloom_core::job::{JobState, Quality, VideoCodec};
use frameloom_core::pixel::AnyPlane;
use frameloom_core::quality::{Luma, Rgb, psnr, ssim};
use image::codecs::jpeg::JpegEncoder;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const SCALE: usize = 2;

/// Figures of others at x2: method, Set5, BSD100. From the tables beside the benchmark data.
const PUBLISHED: &[(&str, &str, &str)] = &[
    ("Bicubic (published)", "33.66 / 0.9299", "29.56 / 0.8431"),
    ("ESPCN (published)", "36.83 / 0.9564", "31.29 / 0.8917"),
    ("FSRCNN (published)", "37.00 / 0.9558", "31.53 / 0.8920"),
];

/// Per input and method, the mean PSNR and SSIM of each set.
type Results = BTreeMap<(Source, String), BTreeMap<String, (f64, f64)>>;

/// How the low-resolution picture reaches the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Clean,
    Jpeg40,
    H264Crf28,
}

impl Source {
    const ALL: [Source; 3] = [Source::Clean, Source::Jpeg40, Source::H264Crf28];

    fn name(self) -> &'static str {
        match self {
            Source::Clean => "clean",
            Source::Jpeg40 => "JPEG, quality 40",
            Source::H264Crf28 => "H.264, CRF 28",
        }
    }
}

struct Options {
    data: PathBuf,
    sets: Vec<String>,
    models: Vec<String>,
    write: bool,
    limit: usize,
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let scratch = tempfile::tempdir()?;
    let app = App::open(Places {
        data: scratch.path().join("data"),
        worker: e2e::program("frameloom", "frameloom-cli"),
        extra_models: Vec::new(),
    })
    .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let has_ffmpeg = Command::new("ffmpeg").arg("-version").output().is_ok();
    let mut results = Results::new();
    for set in &options.sets {
        let pictures = load_set(&options.data, set, options.limit)?;
        for source in Source::ALL {
            if source == Source::H264Crf28 && !has_ffmpeg {
                eprintln!("left out: {} needs the ffmpeg command", source.name());
                continue;
            }
            let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
            for (number, (low, high)) in pictures.iter().enumerate() {
                let folder = scratch
                    .path()
                    .join(format!("{set}-{number}-{}", source as u8));
                fs::create_dir_all(&folder)?;
                let input = make_input(source, low, &folder)?;
                let truth = high.luma();
                let mut add = |method: &str, luma: &Luma| -> anyhow::Result<()> {
                    ensure!(
                        (luma.width, luma.height) == (truth.width, truth.height),
                        "{method} gave another size"
                    );
                    let (a, b) = (luma.shaved(SCALE), truth.shaved(SCALE));
                    let sum = sums.entry(method.to_owned()).or_default();
                    sum.0 += psnr(&a, &b);
                    sum.1 += ssim(&a, &b).context("a picture is smaller than the window")?;
                    Ok(())
                };
                add("bicubic", &bicubic(source, &input, high)?)?;
                for model in &options.models {
                    add(model, &enlarge(&app, source, &input, model, &folder)?)?;
                }
                fs::remove_dir_all(&folder)?;
            }
            let count = pictures.len() as f64;
            for (method, (p, s)) in sums {
                println!(
                    "{set:8} {:18} {method:14} {:.2} dB  {:.4}",
                    source.name(),
                    p / count,
                    s / count
                );
                results
                    .entry((source, method))
                    .or_default()
                    .insert(set.clone(), (p / count, s / count));
            }
        }
    }
    let table = table(&options.sets, &results);
    println!("\n{table}");
    if options.write {
        for model in &options.models {
            write_card(model, &table)?;
        }
    }
    Ok(())
}

fn options() -> anyhow::Result<Options> {
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    let mut options = Options {
        data: PathBuf::new(),
        sets: list("Set5,BSD100"),
        models: list("loom-x2,loom-x2-web"),
        write: false,
        limit: usize::MAX,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("{word} needs a value"))
        };
        match word.as_str() {
            "--data" => options.data = value()?.into(),
            "--sets" => options.sets = list(&value()?),
            "--models" => options.models = list(&value()?),
            "--limit" => options.limit = value()?.parse()?,
            "--write" => options.write = true,
            other => bail!("`{other}` is not known; see the head of tests/eval/main.rs"),
        }
    }
    ensure!(
        options.data.join("Set5/HR").is_dir(),
        "--data DIR must hold Set5/HR, Set5/LR_bicubic/X2 and BSD100/HR"
    );
    Ok(options)
}

/// Pairs of low and high resolution. The low-resolution files of Set5 prove our own shrinking.
fn load_set(data: &Path, set: &str, limit: usize) -> anyhow::Result<Vec<(Rgb, Rgb)>> {
    let folder = data.join(set).join("HR");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut pictures = Vec::new();
    for file in files.into_iter().take(limit) {
        let high = read_rgb(&file)?.modcrop(SCALE);
        let low = high.imresize(high.width / SCALE, high.height / SCALE);
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let given = data.join(set).join(format!("LR_bicubic/X2/{stem}x2.png"));
        if given.exists() {
            ensure!(
                read_rgb(&given)? == low,
                "{stem}: the shrunk picture differs from the published one"
            );
        }
        pictures.push((low, high));
    }
    Ok(pictures)
}

fn read_rgb(path: &Path) -> anyhow::Result<Rgb> {
    let picture = image::open(path)
        .with_context(|| path.display().to_string())?
        .to_rgb8();
    Ok(Rgb {
        width: picture.width() as usize,
        height: picture.height() as usize,
        data: picture.into_raw(),
    })
}

fn write_rgb(path: &Path, picture: &Rgb) -> anyhow::Result<()> {
    let (width, height) = (picture.width as u32, picture.height as u32);
    image::RgbImage::from_raw(width, height, picture.data.clone())
        .context("the samples fill the picture")?
        .save(path)?;
    Ok(())
}

fn make_input(source: Source, low: &Rgb, folder: &Path) -> anyhow::Result<PathBuf> {
    let png = folder.join("low.png");
    write_rgb(&png, low)?;
    match source {
        Source::Clean => Ok(png),
        Source::Jpeg40 => {
            let path = folder.join("low.jpg");
            let file = fs::File::create(&path)?;
            JpegEncoder::new_with_quality(file, 40).encode(
                &low.data,
                low.width as u32,
                low.height as u32,
                image::ExtendedColorType::Rgb8,
            )?;
            Ok(path)
        }
        Source::H264Crf28 => {
            let path = folder.join("low.mp4");
            let output = Command::new("ffmpeg")
                .args(["-v", "error", "-y", "-i"])
                .arg(&png)
                .args([
                    "-vf",
                    "scale=out_color_matrix=bt601:out_range=tv",
                    "-pix_fmt",
                    "yuv420p",
                ])
                .args(["-c:v", "libx264", "-preset", "medium", "-crf", "28"])
                .arg(&path)
                .output()?;
            ensure!(
                output.status.success(),
                "ffmpeg: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Ok(path)
        }
    }
}

/// What a bicubic kernel makes of the same input.
fn bicubic(source: Source, input: &Path, high: &Rgb) -> anyhow::Result<Luma> {
    if source != Source::H264Crf28 {
        return Ok(read_rgb(input)?.imresize(high.width, high.height).luma());
    }
    // The luma of the clip, enlarged as a grey picture.
    let low = video_luma(input)?;
    let gray = Rgb {
        width: low.width,
        height: low.height,
        data: low.data.iter().flat_map(|&v| [v as u8; 3]).collect(),
    };
    let large = gray.imresize(high.width, high.height);
    Ok(Luma {
        width: large.width,
        height: large.height,
        data: large
            .data
            .chunks_exact(3)
            .map(|p| f64::from(p[0]))
            .collect(),
    })
}

/// Sends a file through a job and reads the luma of its result.
fn enlarge(
    app: &Arc<App>,
    source: Source,
    input: &Path,
    model: &str,
    folder: &Path,
) -> anyhow::Result<Luma> {
    let video = source == Source::H264Crf28;
    let request = UpscaleRequest {
        input: input.to_owned(),
        output: Some(folder.join(if video { "out.mkv" } else { "out.png" })),
        model: Some(model.to_owned()),
        codec: video.then_some(VideoCodec::Ffv1),
        quality: if video {
            Quality::Lossless
        } else {
            Quality::Good
        },
        overwrite: true,
        ..UpscaleRequest::default()
    };
    let explain = |error| anyhow::anyhow!("{error:?}");
    let job = app.submit_upscale_directly(&request).map_err(explain)?;
    let job = app.run_job(&job.id).map_err(explain)?;
    ensure!(job.state == JobState::Succeeded, "{:?}", job.error);
    app.remove(&job.id).map_err(explain)?;
    if video {
        video_luma(&job.spec.output)
    } else {
        Ok(read_rgb(&job.spec.output)?.luma())
    }
}

fn video_luma(path: &Path) -> anyhow::Result<Luma> {
    let mut reader = frameloom_media::Reader::open(path, &Default::default())?;
    let frame = reader.next_frame()?.context("the clip has no frame")?;
    let AnyPlane::U8(plane) = frame.plane(0) else {
        bail!("8 bits are expected");
    };
    Ok(Luma {
        width: plane.width,
        height: plane.height,
        data: (0..plane.height)
            .flat_map(|y| plane.row(y))
            .map(|&v| f64::from(v))
            .collect(),
    })
}

fn table(sets: &[String], results: &Results) -> String {
    let mut text = format!("| input | method | {} |\n", sets.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(sets.len()));
    for (method, set5, bsd100) in PUBLISHED {
        let _ = write!(text, "| clean | {method} |");
        for set in sets {
            let figure = match set.as_str() {
                "Set5" => set5,
                "BSD100" => bsd100,
                _ => "",
            };
            let _ = write!(text, " {figure} |");
        }
        text.push('\n');
    }
    for ((source, method), figures) in results {
        let _ = write!(text, "| {} | {method} |", source.name());
        for set in sets {
            match figures.get(set) {
                Some((p, s)) => {
                    let _ = write!(text, " {p:.2} / {s:.4} |");
                }
                None => text.push_str("  |"),
            }
        }
        text.push('\n');
    }
    text
}

fn write_card(model: &str, table: &str) -> anyhow::Result<()> {
    const BEGIN: &str = "<!-- eval:begin -->";
    const END: &str = "<!-- eval:end -->";
    let path = e2e::root().join("models").join(model).join("README.md");
    let card = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (Some(begin), Some(end)) = (card.find(BEGIN), card.find(END)) else {
        bail!("{} has no place for the table", path.display());
    };
    let text = format!(
        "{}{BEGIN}\nPSNR (dB) and SSIM of the luma at x2, through the program's own engine \
         (`cargo xtask eval-models --data DIR --write`):\n\n{table}{}",
        &card[..begin],
        &card[end..]
    );
    fs::write(&path, text)?;
    Ok(())
}
