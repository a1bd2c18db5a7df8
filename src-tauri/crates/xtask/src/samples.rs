//! `preset-samples`: the pictures on the cards of presets, before and after, and those in the presets
//! of the shelf, made by the program itself of the clip that it ships; where people, speech or cuts
//! are needed, of pictures of the Kodak set and of sounds that are free for any use, with models whose
//! licences allow everything. Those are test data.

mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::exec::{self, say};
use crate::place::Place;
use crate::setup::{Purpose, SetUp};
use table::{CARDS, Drawn, From, How, Model, SHELF, Sample};

/// A card shows 16:9; twice the pixels of its usual size.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
/// Most bytes of a picture in a preset: all presets of the shelf are part of the program.
const MOST: usize = 6 << 10;

const USAGE: &str = "preset-samples [--debug | --program FILE] [ID..]";

/// Makes the pictures of `assets/presets` and `assets/shelf` anew, or those of the presets that are
/// named. `--debug` takes the program of the debug build, `--program` one that is built already.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let (mut profile, mut built, mut ids) = ("release", None, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--debug" => profile = "debug",
            "--program" => built = Some(std::path::absolute(arguments.next().context(USAGE)?)?),
            id if CARDS.iter().chain(SHELF).any(|one| one.preset == id) => ids.push(id),
            other => bail!("`{other}` is neither an option nor has it a sample: {USAGE}"),
        }
    }
    if exec::which("ffmpeg").is_none() {
        bail!("the ffmpeg command is not in PATH; it prepares the sources");
    }
    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Run)?;
    let program = match built {
        Some(program) => program,
        None => build(&place, &set_up, profile)?,
    };
    let work = std::env::temp_dir().join(format!("frameloom-samples-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let maker = Maker {
        root: place.root.clone(),
        frameloom: &|| {
            let mut command = set_up.command(&program);
            command.arg("--data-dir").arg(work.join("data"));
            command
        },
        work: work.clone(),
    };
    let result = maker.make_all(&ids);
    let _ = std::fs::remove_dir_all(&work);
    result
}

fn build(place: &Place, set_up: &SetUp, profile: &str) -> anyhow::Result<PathBuf> {
    exec::run(
        set_up
            .cargo()
            .args(match profile {
                "release" => &["build", "--package", "frameloom-cli", "--release"][..],
                // As the tests build it.
                _ => &["build", "--workspace", "--bins"],
            })
            .current_dir(&place.root),
    )?;
    Ok(place.program(profile, "frameloom"))
}

struct Maker<'a> {
    root: PathBuf,
    frameloom: &'a dyn Fn() -> Command,
    work: PathBuf,
}

impl Maker<'_> {
    /// Makes those of `ids`, or all where it is empty.
    fn make_all(&self, ids: &[&str]) -> anyhow::Result<()> {
        let wanted = |one: &&Sample| ids.is_empty() || ids.contains(&one.preset);
        let mut installed = Vec::new();
        let models = CARDS
            .iter()
            .chain(SHELF)
            .filter(wanted)
            .flat_map(|one| one.models);
        for Model(id, file) in models {
            if !installed.contains(&id) {
                installed.push(id);
                let mut import = (self.frameloom)();
                import.args(["models", "import"]).arg(data()?.join(file));
                exec::run(import.args(["--id", id]))?;
            }
        }
        let facts_file = self.root.join("assets/presets/samples.json");
        let mut facts = match ids {
            [] => serde_json::Map::new(),
            _ => serde_json::from_str(&std::fs::read_to_string(&facts_file)?)?,
        };
        for sample in CARDS.iter().filter(wanted) {
            let sizes = self.make(sample, Self::card)?;
            if sample.weighed {
                facts.insert(sample.preset.to_owned(), sizes);
            }
        }
        std::fs::write(facts_file, serde_json::to_string_pretty(&facts)? + "\n")?;
        for sample in SHELF.iter().filter(wanted) {
            self.make(sample, Self::shelf)?;
        }
        Ok(())
    }

    /// Makes a sample, shows it by `show`, and tells the sizes of its files.
    fn make(
        &self,
        sample: &Sample,
        show: fn(&Self, &Sample, &Path, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<serde_json::Value> {
        say(&format!("--- {}", sample.preset));
        let made = || {
            let (source, made) = self.do_it(sample)?;
            show(self, sample, &source, &made)?;
            let bytes = |path: &Path| Ok::<_, anyhow::Error>(path.metadata()?.len());
            Ok::<_, anyhow::Error>(serde_json::json!({
                "before_bytes": bytes(&source)?,
                "after_bytes": bytes(&made)?,
            }))
        };
        made().with_context(|| format!("the sample of {}", sample.preset))
    }

    /// Makes the source of a sample, does to it what the sample is of, and tells where both are.
    fn do_it(&self, sample: &Sample) -> anyhow::Result<(PathBuf, PathBuf)> {
        let preset = sample.preset;
        let source = self.work.join(format!("{preset}.{}", sample.ending));
        let from = match sample.from {
            From::Demo => self.root.join("assets/demo.mp4"),
            From::Data(file) => data()?.join(file),
        };
        exec::run(
            ffmpeg()
                .args(sample.input.split_whitespace())
                .arg("-i")
                .arg(from)
                .args(sample.source.split_whitespace())
                .arg(&source),
        )?;
        if !sample.tags.is_empty() {
            let plain = std::fs::read(&source)?;
            std::fs::write(&source, with_tags(&plain, sample.tags)?)?;
        }
        let folder = self.work.join(format!("{preset}-out"));
        std::fs::create_dir_all(&folder)?;
        let mut command = (self.frameloom)();
        match sample.how {
            How::Do(more) => command.args(["do", preset]).arg(&source).args(more),
            How::Convert(more) => {
                let icon = self.root.join("src-tauri/icons/128x128.png");
                command.arg("convert").arg(&source).args(more);
                command.arg("--mark").arg(icon)
            }
            How::Shots => command
                .arg("scenes")
                .arg(&source)
                .args(["--export", "sheet"]),
            How::Burn { line, more } => {
                let lines = self.work.join(format!("{preset}.srt"));
                std::fs::write(
                    &lines,
                    format!("1\n00:00:00,000 --> 00:01:00,000\n{line}\n"),
                )?;
                command.arg("subtitles").arg(&source).args(more);
                command.arg("--burn").arg(lines)
            }
        };
        exec::run(command.arg("--output").arg(folder.join("")))?;
        let mut entries = std::fs::read_dir(&folder)?;
        let made = entries.next().context("nothing was made")??.path();
        Ok((source, made))
    }

    /// The pictures of a card.
    fn card(&self, sample: &Sample, source: &Path, made: &Path) -> anyhow::Result<()> {
        let file = |side: &str| {
            let name = format!("assets/presets/{}-{side}.webp", sample.preset);
            self.root.join(name)
        };
        self.draw(&sample.drawn, source, made, &file("before"), &file("after"))?;
        if let Drawn::Moving { .. } = sample.drawn {
            std::fs::copy(made, file("moving"))?;
        }
        Ok(())
    }

    /// The picture of a preset of the shelf: half of each side by side, as a card shows them at rest.
    fn shelf(&self, sample: &Sample, source: &Path, made: &Path) -> anyhow::Result<()> {
        let file = |side: &str| self.work.join(format!("{}-{side}.png", sample.preset));
        let (before, after) = (file("before"), file("after"));
        self.draw(&sample.drawn, source, made, &before, &after)?;
        let joined = self.work.join(format!("{}.webp", sample.preset));
        let half = WIDTH / 2;
        let filter = format!(
            "[0]format=rgb24,crop={half}:{HEIGHT}:0:0[left];[1]format=rgb24,crop={half}:{HEIGHT}:{half}:0[right];\
             [left][right]hstack,drawbox=x={half}-1:y=0:w=2:h={HEIGHT}:color=white@0.85:t=fill"
        );
        let mut bytes = Vec::new();
        // As good as fits: cards are small.
        let mut qualities = ["80", "70", "60", "50", "40", "30", "20"].into_iter();
        while bytes.is_empty() || bytes.len() > MOST {
            let quality = qualities
                .next()
                .with_context(|| format!("a picture of {} bytes is too large", bytes.len()))?;
            let mut join = ffmpeg();
            join.arg("-i").arg(&before).arg("-i").arg(&after);
            join.args(["-filter_complex", &filter]);
            exec::run(as_webp(&mut join, quality).arg(&joined))?;
            bytes = std::fs::read(&joined)?;
        }
        let preset = self
            .root
            .join(format!("assets/shelf/{}.json", sample.preset));
        let text = std::fs::read_to_string(&preset)?;
        let address = format!("data:image/webp;base64,{}", BASE64_STANDARD.encode(&bytes));
        let text = with_picture(&text, &address)
            .with_context(|| format!("{} has no words", preset.display()))?;
        std::fs::write(&preset, text)?;
        Ok(())
    }

    /// Draws a source and what was made of it.
    fn draw(
        &self,
        drawn: &Drawn,
        source: &Path,
        made: &Path,
        before_file: &Path,
        after_file: &Path,
    ) -> anyhow::Result<()> {
        match drawn {
            Drawn::Seen { before, after } => {
                picture(source, before, before_file)?;
                picture(made, after, after_file)
            }
            Drawn::Numbered { before, after } => {
                picture(source, before, before_file)?;
                picture(&made.join("frames_%05d.jpg"), after, after_file)
            }
            Drawn::Moving { before, after } => {
                picture(source, before, before_file)?;
                // ffmpeg 5 reads no animated WebP; the source has the same frames.
                picture(source, after, after_file)
            }
            Drawn::Told => {
                self.told(source, before_file)?;
                self.told(made, after_file)
            }
            Drawn::Waves => {
                wave(source, Wave::default(), before_file)?;
                wave(made, Wave::default(), after_file)
            }
            Drawn::Lasting => {
                let (long, short) = (seconds(source)?, seconds(made)?);
                let part = |seconds: f64| Wave {
                    band: Some(seconds / long.max(short)),
                    ..Wave::default()
                };
                wave(source, part(long), before_file)?;
                wave(made, part(short), after_file)
            }
            Drawn::Heard { before, louder } => {
                picture(source, before, before_file)?;
                let louder = *louder;
                wave(made, Wave { louder, band: None }, after_file)
            }
        }
    }

    /// A picture with what its file tells of it, as the program reads it.
    fn told(&self, file: &Path, to: &Path) -> anyhow::Result<()> {
        let probe = exec::stdout_of((self.frameloom)().args(["probe", "--json"]).arg(file))?;
        let probe: serde_json::Value = serde_json::from_str(&probe)?;
        let tags = ["date", "make", "model"].map(|tag| probe["tags"][tag].as_str());
        let lines: Vec<&str> = tags.into_iter().flatten().collect();
        let text = self.work.join("told.txt");
        std::fs::write(&text, lines.join("\n"))?;
        let words = match lines.is_empty() {
            true => String::new(),
            false => format!(
                ",drawtext=textfile='{}':fontsize=22:fontcolor=white:line_spacing=6:x=12:y=h-th-14:box=1:boxcolor=0x0f0f0f@0.72:boxborderw=8",
                text.display()
            ),
        };
        picture(
            file,
            &format!("scale={WIDTH}:{HEIGHT}:flags=area{words}"),
            to,
        )
    }
}

/// Where the test data is.
fn data() -> anyhow::Result<PathBuf> {
    let data = std::env::var_os("FRAMELOOM_TEST_DATA").map(PathBuf::from);
    data.context("FRAMELOOM_TEST_DATA does not say where the test data is")
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin"]);
    command
}

fn as_webp<'a>(command: &'a mut Command, quality: &str) -> &'a mut Command {
    command.args(["-frames:v", "1", "-c:v", "libwebp"]);
    command.args(["-quality", quality, "-compression_level", "6"])
}

/// One picture of a file.
fn picture(file: &Path, filter: &str, to: &Path) -> anyhow::Result<()> {
    still(ffmpeg().arg("-i").arg(file).args(["-vf", filter]), to)
}

/// How a sound is drawn.
#[derive(Default)]
struct Wave {
    /// How many decibels larger than it is.
    louder: u32,
    /// Which part of the width it takes, on a band that shows it.
    band: Option<f64>,
}

/// The sound of a file as a shape.
fn wave(file: &Path, how: Wave, to: &Path) -> anyhow::Result<()> {
    let width = (f64::from(WIDTH) * how.band.unwrap_or(1.0)).round() as u32;
    let (top, height, band) = match how.band {
        Some(_) => (16, HEIGHT - 32, "0x3a2f1e"),
        None => (0, HEIGHT, "0x1e1e1e"),
    };
    let louder = how.louder;
    let filter = format!(
        "[0:a]volume={louder}dB,aformat=sample_fmts=s16:channel_layouts=mono,showwavespic=s={width}x{height}:colors=0xefb14a:scale=lin:filter=peak[wave];\
         color=0x1e1e1e:s={WIDTH}x{HEIGHT}[ground];color={band}:s={width}x{height}[band];\
         [ground][band]overlay=0:{top}:format=rgb[both];[both][wave]overlay=0:{top}:format=rgb"
    );
    still(
        ffmpeg()
            .arg("-i")
            .arg(file)
            .args(["-filter_complex", &filter]),
        to,
    )
}

/// What comes of a command as a picture, by the ending of its name.
fn still(command: &mut Command, to: &Path) -> anyhow::Result<()> {
    exec::run(
        match to.extension().is_some_and(|ending| ending == "webp") {
            true => as_webp(command, "80").arg(to),
            false => command.args(["-frames:v", "1"]).arg(to),
        },
    )
}

fn seconds(file: &Path) -> anyhow::Result<f64> {
    let mut probe = Command::new("ffprobe");
    probe.args([
        "-v",
        "error",
        "-show_entries",
        "format=duration",
        "-of",
        "csv=p=0",
    ]);
    let text = exec::stdout_of(probe.arg(file))?;
    let seconds = text.trim().parse();
    seconds.with_context(|| format!("how long {} lasts", file.display()))
}

/// A JPEG with these words in it, as cameras write them: EXIF of one directory.
fn with_tags(jpeg: &[u8], tags: &[(u16, &str)]) -> anyhow::Result<Vec<u8>> {
    let (start, rest) = jpeg.split_at_checked(2).context("no JPEG")?;
    let mut directory = u16::try_from(tags.len())?.to_be_bytes().to_vec();
    let mut words = Vec::new();
    // The words lie behind the header, the entries and the place of a next directory.
    let behind = 8 + 2 + 12 * tags.len() + 4;
    for (tag, word) in tags {
        directory.extend(tag.to_be_bytes());
        // Letters, as many as follow and a zero.
        directory.extend(2_u16.to_be_bytes());
        directory.extend(u32::try_from(word.len() + 1)?.to_be_bytes());
        directory.extend(u32::try_from(behind + words.len())?.to_be_bytes());
        words.extend(word.bytes().chain([0]));
    }
    directory.extend([0; 4]);
    let exif = [b"Exif\0\0MM\0*\0\0\0\x08", &directory[..], &words].concat();
    let length = u16::try_from(exif.len() + 2)?.to_be_bytes();
    Ok([start, &[0xff, 0xe1], &length, &exif, rest].concat())
}

/// A preset file with this picture behind its words, and otherwise as it was.
fn with_picture(text: &str, address: &str) -> Option<String> {
    const WORDS: &str = "\n  \"words\": {\n";
    const END: &str = "\n  },\n";
    const PICTURE: &str = "  \"picture\": ";
    let words = text.find(WORDS)? + WORDS.len();
    let at = words + text.get(words..)?.find(END)? + END.len();
    let (head, tail) = text.split_at(at);
    let tail = match tail.strip_prefix(PICTURE) {
        Some(old) => old.split_once('\n')?.1,
        None => tail,
    };
    Some(format!("{head}{PICTURE}\"{address}\",\n{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_stands_behind_the_words_and_takes_the_place_of_another() {
        let plain = "{\n  \"words\": {\n    \"en\": {\n    }\n  },\n  \"do\": \"share\"\n}\n";
        let with = |address: &str| {
            plain.replace(
                "  \"do\"",
                &format!("  \"picture\": \"{address}\",\n  \"do\""),
            )
        };
        let first = with_picture(plain, "data:a").unwrap();
        assert_eq!(first, with("data:a"));
        assert_eq!(with_picture(&first, "data:b").unwrap(), with("data:b"));
    }

    #[test]
    fn every_preset_of_the_shelf_has_a_sample() {
        let shelf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/shelf");
        for entry in std::fs::read_dir(shelf).unwrap() {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(SHELF.iter().any(|one| one.preset == id), "{id}");
        }
    }
}
