//! `preset-samples`: the pictures on the cards of presets, before and after, made by the program
//! itself of the clip that it ships; where people must be seen, of a picture of the Kodak set, which is
//! free for any use, with models whose licences allow everything. Both are test data.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::exec::{self, say};
use crate::place::Place;
use crate::setup::{Purpose, SetUp};

/// A card shows 16:9; twice the pixels of its usual size.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;

/// How one sample is made.
struct Sample {
    preset: &'static str,
    /// A picture of the test data instead of the demo clip, and the model that sees it, both below the
    /// folder of the test data.
    people: Option<(&'static str, &'static str)>,
    /// What ffmpeg makes of the demo clip first, and the ending of that file.
    source: &'static str,
    ending: &'static str,
    /// Further words for `frameloom do`.
    more: &'static [&'static str],
    /// Filters from the source and from the result to the two pictures.
    before: &'static str,
    after: &'static str,
    /// The sizes of both files say something.
    weighed: bool,
}

const SAMPLES: &[Sample] = &[
    Sample {
        preset: "enlarge",
        people: None,
        source: "-ss 0.5 -t 0.4 -vf scale=320:180:flags=area -c:v libx264 -crf 27 -an",
        ending: "mp4",
        more: &["--scale", "4", "-q", "archive"],
        before: "crop=80:45:40:85,scale=320:180:flags=bilinear",
        after: "crop=320:180:160:340",
        weighed: false,
    },
    Sample {
        preset: "clean",
        people: None,
        source: "-ss 5.2 -t 0.4 -vf scale=320:180:flags=area,gblur=sigma=1.2,scale=640:360:flags=bicubic,noise=c0s=13:c0f=t:c1s=9:c1f=t:c2s=9:c2f=t -c:v libx264 -crf 6 -an",
        ending: "mp4",
        more: &["-q", "archive"],
        before: "crop=160:90:240:70,scale=320:180:flags=neighbor",
        after: "crop=160:90:240:70,scale=320:180:flags=neighbor",
        weighed: false,
    },
    Sample {
        // The camera pans: what moves between two fields combs.
        preset: "deinterlace",
        people: None,
        source: "-ss 0.3 -t 1 -vf crop=400:288:n*9:60,tinterlace=interleave_top,setfield=tff -c:v libx264 -crf 8 -flags +ildct+ilme -x264opts tff=1 -an",
        ending: "mp4",
        more: &["-q", "archive"],
        before: "crop=192:108:60:120,scale=320:180:flags=neighbor",
        after: "crop=192:108:60:120,scale=320:180:flags=bicubic",
        weighed: false,
    },
    Sample {
        preset: "share",
        people: None,
        source: "-vf scale=1920:1080:flags=lanczos -c:v libx264 -crf 14 -c:a copy",
        ending: "mp4",
        more: &[],
        before: "select=gte(t\\,5),scale=320:180:flags=area",
        after: "select=gte(t\\,5),scale=320:180:flags=area",
        weighed: true,
    },
    Sample {
        preset: "animate",
        people: None,
        source: "-ss 2 -t 1.5 -vf fps=7,scale=128:72:flags=area -c:v libx264 -crf 12 -an",
        ending: "mp4",
        more: &[],
        before: "scale=320:180:flags=bicubic",
        after: "select=gte(n\\,7),scale=320:180:flags=bicubic",
        weighed: false,
    },
    Sample {
        preset: "loudness",
        people: None,
        source: "-c:v copy -af volume=-20dB -c:a flac",
        ending: "mkv",
        more: &[],
        before: "",
        after: "",
        weighed: false,
    },
    Sample {
        preset: "frames",
        people: None,
        source: "-ss 1 -t 4.5 -vf fps=2 -c:v libx264 -crf 12 -an",
        ending: "mp4",
        more: &["--format", "jpg"],
        before: "scale=320:180:flags=area",
        after: "scale=104:58:flags=area,tile=3x3:padding=4:margin=0:color=0x1e1e1e,scale=320:180:flags=bicubic",
        weighed: false,
    },
    Sample {
        preset: "archive",
        people: None,
        source: "-ss 4.5 -t 1 -c:v libx264 -crf 18 -c:a copy",
        ending: "mp4",
        more: &[],
        before: "select=gte(n\\,18),scale=320:180:flags=area",
        after: "select=gte(n\\,18),scale=320:180:flags=area",
        weighed: true,
    },
    Sample {
        // Evening becomes day.
        preset: "light",
        people: None,
        source: "-ss 4.5 -t 0.4 -vf lutrgb=r=val*0.28:g=val*0.26:b=val*0.3 -pix_fmt yuv420p -c:v libx264 -crf 8 -an",
        ending: "mp4",
        more: &["-q", "archive"],
        before: "scale=320:180:flags=area",
        after: "scale=320:180:flags=area",
        weighed: false,
    },
    Sample {
        // What the crop leaves out is dark.
        preset: "reframe",
        people: None,
        source: "-ss 4.5 -t 0.4 -c:v libx264 -crf 8 -an",
        ending: "mp4",
        more: &["-q", "archive"],
        before: "scale=320:180:flags=area",
        after: "scale=-2:180:flags=area,pad=320:180:(ow-iw)/2:0:color=0x1e1e1e",
        weighed: false,
    },
    Sample {
        preset: "cutout",
        people: Some((
            "sr-bench/Kodak/kodim18.png",
            "models/matting/mediapipe_meet_144x256.onnx",
        )),
        source: "-vf crop=512:288:0:130",
        ending: "png",
        more: &[],
        before: "scale=320:180:flags=area",
        after: "format=rgba,split[a][b];[a]lutrgb=r=47:g=47:b=51:a=255[c];[c][b]overlay=format=rgb,scale=320:180:flags=area",
        weighed: false,
    },
    Sample {
        preset: "defocus",
        people: Some((
            "sr-bench/Kodak/kodim18.png",
            "models/matting/mediapipe_meet_144x256.onnx",
        )),
        source: "-vf crop=512:288:0:130",
        ending: "png",
        more: &[],
        before: "scale=320:180:flags=area",
        after: "scale=320:180:flags=area",
        weighed: false,
    },
    Sample {
        preset: "backdrop",
        people: Some((
            "sr-bench/Kodak/kodim18.png",
            "models/matting/mediapipe_meet_144x256.onnx",
        )),
        source: "-vf crop=512:288:0:130",
        ending: "png",
        more: &[],
        before: "scale=320:180:flags=area",
        after: "scale=320:180:flags=area",
        weighed: false,
    },
    Sample {
        preset: "redact",
        people: Some((
            "sr-bench/Kodak/kodim18.png",
            "models/face/ultraface-RFB-320.onnx",
        )),
        source: "-vf crop=512:288:0:130",
        ending: "png",
        more: &[],
        before: "scale=320:180:flags=area",
        after: "scale=320:180:flags=area",
        weighed: false,
    },
    Sample {
        preset: "depth",
        people: Some((
            "sr-bench/Kodak/kodim18.png",
            "models/depth/tcmonodepth_192x320.onnx",
        )),
        source: "-vf crop=512:288:0:130",
        ending: "png",
        more: &[],
        before: "scale=320:180:flags=area",
        after: "scale=320:180:flags=area",
        weighed: false,
    },
];

/// Makes `assets/presets` anew; `--debug` takes the program of the debug build.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let release = match arguments {
        [] => true,
        [flag] if flag == "--debug" => false,
        _ => bail!("preset-samples [--debug]"),
    };
    if exec::which("ffmpeg").is_none() {
        bail!("the ffmpeg command is not in PATH; it prepares the sources");
    }
    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Run)?;
    exec::run(
        set_up
            .cargo()
            .args(match release {
                true => &["build", "--package", "frameloom-cli", "--release"][..],
                // As the tests build it.
                false => &["build", "--workspace", "--bins"],
            })
            .current_dir(&place.root),
    )?;
    let program = place.program(if release { "release" } else { "debug" }, "frameloom");
    let work = std::env::temp_dir().join(format!("frameloom-samples-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let maker = Maker {
        demo: place.root.join("assets/demo.mp4"),
        to: place.root.join("assets/presets"),
        frameloom: &|| {
            let mut command = set_up.command(program.clone());
            command.arg("--data-dir").arg(work.join("data"));
            command
        },
        work: work.clone(),
    };
    std::fs::create_dir_all(&maker.to)?;
    let mut facts = serde_json::Map::new();
    let mut result = Ok(());
    for sample in SAMPLES {
        if result.is_ok() {
            say(&format!("--- {}", sample.preset));
            result = maker
                .make(sample, &mut facts)
                .with_context(|| format!("the sample of {}", sample.preset));
        }
    }
    let _ = std::fs::remove_dir_all(&work);
    result?;
    let text = serde_json::to_string_pretty(&facts)? + "\n";
    std::fs::write(maker.to.join("samples.json"), text)?;
    Ok(())
}

struct Maker<'a> {
    demo: PathBuf,
    to: PathBuf,
    frameloom: &'a dyn Fn() -> Command,
    work: PathBuf,
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin"]);
    command
}

impl Maker<'_> {
    fn make(
        &self,
        sample: &Sample,
        facts: &mut serde_json::Map<String, serde_json::Value>,
    ) -> anyhow::Result<()> {
        let preset = sample.preset;
        let source = self.work.join(format!("{preset}.{}", sample.ending));
        let data = || {
            let data = std::env::var_os("FRAMELOOM_TEST_DATA").map(PathBuf::from);
            data.context("FRAMELOOM_TEST_DATA does not say where the test data is")
        };
        let (from, model) = match sample.people {
            Some((picture, model)) => (data()?.join(picture), Some(data()?.join(model))),
            None => (self.demo.clone(), None),
        };
        if let Some(model) = model {
            exec::run(
                (self.frameloom)()
                    .args(["models", "import"])
                    .arg(model)
                    .args(["--id", preset]),
            )?;
        }
        let (seek, rest) = sample.source.split_at(match sample.source.find(" -t ") {
            // What is left out is not decoded.
            Some(at) if sample.source.starts_with("-ss") => at,
            _ => 0,
        });
        exec::run(
            ffmpeg()
                .args(seek.split_whitespace())
                .arg("-i")
                .arg(&from)
                .args(rest.split_whitespace())
                .arg(&source),
        )?;
        let folder = self.work.join(format!("{preset}-out"));
        exec::run(
            (self.frameloom)()
                .args(["do", preset])
                .arg(&source)
                .arg("-o")
                .arg(folder.join(""))
                .args(sample.people.iter().flat_map(|_| ["--model", preset]))
                .args(sample.more),
        )?;
        let made = first_in(&folder)?;
        let [before, after] = ["before", "after"].map(|side| self.card(preset, side));
        match preset {
            "loudness" => {
                self.wave(&source, &before)?;
                self.wave(&made, &after)?;
            }
            "frames" => {
                picture(&source, sample.before, &before)?;
                picture(&made.join("frames_%05d.jpg"), sample.after, &after)?;
            }
            "animate" => {
                picture(&source, sample.before, &before)?;
                // ffmpeg 5 reads no animated WebP; the source has the same frames.
                picture(&source, sample.after, &after)?;
                std::fs::copy(&made, self.card(preset, "moving"))?;
            }
            _ => {
                picture(&source, sample.before, &before)?;
                picture(&made, sample.after, &after)?;
            }
        }
        if sample.weighed {
            let bytes = |path: &Path| Ok::<_, anyhow::Error>(path.metadata()?.len());
            facts.insert(
                preset.to_owned(),
                serde_json::json!({ "before_bytes": bytes(&source)?, "after_bytes": bytes(&made)? }),
            );
        }
        Ok(())
    }

    fn card(&self, preset: &str, side: &str) -> PathBuf {
        self.to.join(format!("{preset}-{side}.webp"))
    }

    /// The sound of a file as a shape.
    fn wave(&self, file: &Path, to: &Path) -> anyhow::Result<()> {
        let filter = format!(
            "[0:a]aformat=channel_layouts=mono,showwavespic=s={WIDTH}x{HEIGHT}:colors=0xefb14a:scale=lin:filter=peak[wave];\
             color=0x1e1e1e:s={WIDTH}x{HEIGHT}[ground];[ground][wave]overlay=format=rgb"
        );
        exec::run(
            ffmpeg()
                .arg("-i")
                .arg(file)
                .args(["-filter_complex", &filter, "-frames:v", "1"])
                .args(["-c:v", "libwebp", "-quality", "80"])
                .arg(to),
        )
    }
}

/// One picture of a file.
fn picture(file: &Path, filter: &str, to: &Path) -> anyhow::Result<()> {
    exec::run(
        ffmpeg()
            .arg("-i")
            .arg(file)
            .args(["-vf", filter, "-frames:v", "1"])
            .args([
                "-c:v",
                "libwebp",
                "-quality",
                "80",
                "-compression_level",
                "6",
            ])
            .arg(to),
    )
}

fn first_in(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut entries = std::fs::read_dir(folder)?;
    let first = entries.next().context("nothing was made")??;
    Ok(first.path())
}
