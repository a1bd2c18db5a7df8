//! What can be typed.

mod looks;
mod models;
mod motion;
mod pictures;
mod presets;
mod redact;
mod reframe;
mod scenes;
mod sound;
mod subtitles;

pub use looks::{Depth, Light, Style};
pub use models::{ModelGet, ModelImport, Models};
pub use motion::{Interpolate, Stabilise};
pub use pictures::{Convert, Sheet};
pub use presets::{Presets, Watch};
pub use redact::Redact;
pub use reframe::Reframe;
pub use scenes::Scenes;
pub use sound::{Silence, Voice};
pub use subtitles::Subtitles;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use frameloom_app::inventory::Rule;
use frameloom_app::{
    BackgroundWish, ComputeWish, ConvertWish, DeinterlaceChoice, LookWish, MotionWish,
    PicturesRequest, PresetId, RedactWish, ReframeWish, SceneWish, SilenceWish, SubtitleWish,
    VoiceWish,
};
use frameloom_core::job::{Device, Precision, Priority, Quality, TrackChoice, VideoCodec};
use frameloom_core::time::FrameRate;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done; `diff` found no difference
  1  `diff` found differences
  2  the command line makes no sense, or asks for what is not there: a job, a model,
     a device, an encoder, a place that can be written
  3  the input was refused
  4  the job failed
  5  the job was interrupted and can be resumed";

const DIFF_HELP: &str = "\
Streams are paired by kind, then by language and title, then by their order. Times are compared as
exact fractions whatever the time bases are; packets by the hash of their bytes.

Exit codes:
  0  nothing differs
  1  something differs
  2  the command line makes no sense
  3  a file was refused";

/// Makes videos and pictures better, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "frameloom", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    /// Folder for jobs, models and settings.
    #[arg(long, global = true, value_name = "DIR", env = "FRAMELOOM_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Result as one JSON document on standard output, progress as JSON lines on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a file holds.
    Probe {
        /// Video, picture or sound, or a pattern of numbered pictures (shot_%05d.png).
        file: PathBuf,
        /// How numbered pictures are read.
        #[command(flatten)]
        pictures: Pictures,
    },
    /// Show in what two files differ: streams, times, packets, tags, chapters, colour, side data.
    Diff(Diff),
    /// Enlarge videos and pictures.
    Upscale(Upscale),
    /// Do to videos, pictures and sound what a word says: enlarge, clean, share, voice, ...
    Do(Do),
    /// Convert pictures, many at once: another format or size, a watermark, sRGB, without what they
    /// tell.
    Convert(Convert),
    /// Leave the background of videos and pictures away, blur it, or put another in its place.
    Background(Background),
    /// Make faces, text or areas of videos and pictures unrecognisable.
    Redact(Redact),
    /// Cut videos to another shape, around faces or what moves in them.
    Reframe(Reframe),
    /// Make dark videos and pictures lighter.
    Light(Light),
    /// Paint videos and pictures anew in a style.
    Style(Style),
    /// Show how near everything is, or put some of it out of focus by that.
    Depth(Depth),
    /// Calm the camera of shaky videos.
    Stabilise(Stabilise),
    /// Make new frames between those of videos, for smoother or slow motion.
    Interpolate(Interpolate),
    /// Cut the pauses out of clips where nobody speaks, or list what would be kept for an editing
    /// program.
    Silence(Silence),
    /// Take noise out of speech, and bring it to a loudness under a limit of true peaks.
    Voice(Voice),
    /// Find the shots of videos, and write them as a list, as files, as chapters of a copy or as a sheet
    /// of pictures.
    Scenes(Scenes),
    /// Show many pictures and clips on one, each with its name: a contact sheet.
    Sheet(Sheet),
    /// Convert, shift and stretch subtitles, burn them into videos, or add them as a track.
    Subtitles(Subtitles),
    /// Show presets, and keep, share and remove your own.
    #[command(subcommand)]
    Presets(Presets),
    /// Do the same to every file that comes into a folder.
    ///
    /// A file is taken once it does not change any more. Its source goes into the folder `done` beside
    /// it, or into `failed` with the reason. Nothing is done twice; what was cut short is gone on with.
    Watch(Watch),
    /// Run a graph of nodes, or a project, on a video or a picture.
    Run(Run),
    /// Make and handle projects: a graph with its files and settings in one file.
    #[command(subcommand)]
    Project(Project),
    /// Show and check the installed models.
    #[command(subcommand)]
    Models(Models),
    /// Show what left this computer: every request to another machine.
    Outgoing {
        /// At most so many, the newest first.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// The hosts that may be spoken to, instead.
        #[arg(long)]
        hosts: bool,
    },
    /// Show and handle jobs.
    #[command(subcommand)]
    Jobs(Jobs),
    /// Check whether a file is still what a job made, by the job's receipt; or whether a locked
    /// project still makes what it made, by rendering a few of its frames again.
    ///
    /// Ends with 0 if it is, and with 4 if something differs.
    Verify {
        /// The result, or a project (.frameloom).
        file: PathBuf,
        /// A receipt to hold it against; that of the job which made it if left out.
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// Show what this machine has and can do.
    Doctor,
    /// Show which encoders this machine really has, and what each quality hands to them.
    ///
    /// Each is tried with a few frames: hardware may be listed and not be there.
    Encoders,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page (roff).
    Man,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = DIFF_HELP)]
pub struct Diff {
    /// A file.
    pub a: PathBuf,
    /// The file to compare it with.
    pub b: PathBuf,
    /// Differences that do not count, separated by commas: `pts`, `video:codec`, `tags.encoder`,
    /// `data:*`.
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub ignore: Vec<Rule>,
    /// Times that are no further apart than this are equal. Matroska and WebM count whole
    /// milliseconds: 0.5 allows for that. Without it, times must be exactly equal.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0.0)]
    pub tolerance: f64,
}

/// How a result is made; the same for every command that makes one.
#[derive(Debug, Clone, Args)]
pub struct Making {
    /// Codec for videos; the best of this machine if left out.
    #[arg(long)]
    pub codec: Option<Codec>,
    /// How much to keep.
    #[arg(short, long, default_value = "good")]
    pub quality: QualityName,
    /// Where to compute.
    #[arg(short, long, default_value = "auto")]
    pub device: DeviceName,
    /// How it is computed.
    #[command(flatten)]
    pub computing: Computing,
    /// Leave something of the source out: a stream by its index (see `frameloom probe`), or
    /// `subtitles`, `audio`, `attachments`, `covers`, `data`, `video` (streams beside the main one),
    /// `rotation`. Can be given several times. Without it, a container that cannot hold everything is
    /// refused.
    #[arg(long, value_name = "TRACK")]
    pub drop: Vec<TrackChoice>,
    /// Replace existing files, but never an input or a result of the same command. Without it a
    /// number is added to the name.
    #[arg(long)]
    pub overwrite: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// How a result is computed; the same for every command that makes one.
#[derive(Debug, Clone, Args)]
pub struct Computing {
    /// How near the result must be to the exact one. What is allowed is used only where it was
    /// measured to be faster; `frameloom models measure ID` shows by how much. As the settings
    /// have it if left out.
    #[arg(long)]
    pub precision: Option<PrecisionName>,
    /// The same bytes in every run, whatever the number of threads. Only the processor can.
    #[arg(long)]
    pub deterministic: bool,
    /// What of the machine it may use.
    #[command(flatten)]
    pub limits: Limits,
}

/// What of the machine a job may use.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// About how many cores the whole job may keep busy.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
    /// `low` stands behind other programs, so that the machine stays usable.
    #[arg(long)]
    pub priority: Option<PriorityName>,
}

impl Computing {
    /// As the application takes it.
    pub fn wish(&self) -> ComputeWish {
        ComputeWish {
            precision: self.precision.map(Into::into),
            deterministic: self.deterministic,
            threads: self.limits.threads,
            priority: self.limits.priority.map(Into::into),
        }
    }
}

/// Precisions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PrecisionName {
    /// 32-bit floats.
    Exact,
    /// No visible difference: at least 55 dB from the exact result.
    Balanced,
    /// Hardly visible differences: at least 45 dB.
    Fast,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::Exact => Precision::Exact,
            PrecisionName::Balanced => Precision::Balanced,
            PrecisionName::Fast => Precision::Fast,
        }
    }
}

/// Priorities.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PriorityName {
    /// As any program.
    Normal,
    /// Behind all others.
    Low,
}

impl From<PriorityName> for Priority {
    fn from(name: PriorityName) -> Self {
        match name {
            PriorityName::Normal => Priority::Normal,
            PriorityName::Low => Priority::Low,
        }
    }
}

/// How numbered pictures are read.
#[derive(Debug, Clone, Copy, Args)]
pub struct Pictures {
    /// Numbered pictures (shot_%05d.png) per second: 24, 23.976 or 24000/1001.
    #[arg(long, value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// The input is the first of numbered pictures; those that follow it belong to it.
    #[arg(long)]
    pub sequence: bool,
}

impl From<Pictures> for PicturesRequest {
    fn from(pictures: Pictures) -> Self {
        Self {
            rate: pictures.rate,
            sequence: pictures.sequence,
        }
    }
}

/// Arguments of `upscale`.
#[derive(Debug, Clone, Args)]
pub struct Upscale {
    /// Files, folders, or patterns of numbered pictures (shot_%05d.png). Folders are searched at any
    /// depth; links to other folders are not followed.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Where to write: a file, or a folder (with a / at the end, or without a dot in its name).
    /// Beside the source if left out. A clip becomes an animation where the name ends in .gif, .apng
    /// or .webp, and numbered pictures where it has a place for a number: shot_%05d.png.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Model; chosen by the source if left out. See `frameloom models list`.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// How many times larger; the model's own scale if left out.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub scale: Option<u32>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {scale}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif).
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
    /// What is done.
    #[arg(skip)]
    pub preset: PresetId,
    /// The preset of the shelf that says it.
    #[arg(skip)]
    pub saved: Option<String>,
    /// What the commands for one thing ask of it.
    #[arg(skip)]
    pub wishes: Wishes,
    /// Ending of the result.
    #[arg(skip)]
    pub format: Option<String>,
    /// Make it as large as fits into a size, whatever the scale: hd, 4k, 8k, or WIDTHxHEIGHT.
    #[arg(long, value_name = "SIZE", value_parser = pictures::size, conflicts_with = "scale")]
    pub size: Option<(u32, u32)>,
    /// Mix in so much of the source, enlarged without a model, 0 to 1: softer, and nearer to what was
    /// there.
    #[arg(long, value_name = "PART")]
    pub source: Option<f64>,
}

impl Upscale {
    /// To `inputs` as `preset` has it; everything else is left open.
    fn new(preset: PresetId, inputs: &[PathBuf], making: &Making) -> Self {
        Self {
            inputs: inputs.to_vec(),
            pictures: Pictures {
                rate: None,
                sequence: false,
            },
            output: None,
            model: None,
            scale: None,
            making: making.clone(),
            name: None,
            deinterlace: DeinterlaceName::Auto,
            preset,
            saved: None,
            wishes: Wishes::default(),
            format: None,
            size: None,
            source: None,
        }
    }
}

/// What the commands for one thing ask of it.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// What comes in the place of a background.
    pub background: Option<BackgroundWish>,
    /// What is made unrecognisable.
    pub redact: Option<RedactWish>,
    /// The shape that it is cut to.
    pub reframe: Option<ReframeWish>,
    /// How motion is treated.
    pub motion: Option<MotionWish>,
    /// How silence is cut.
    pub silence: Option<SilenceWish>,
    /// How a voice is cleaned.
    pub voice: Option<VoiceWish>,
    /// How pictures are converted.
    pub convert: Option<ConvertWish>,
    /// How scenes are told from each other.
    pub scenes: Option<SceneWish>,
    /// How light, style or depth are treated.
    pub look: Option<LookWish>,
    /// Which subtitles are burned in.
    pub subtitles: Option<SubtitleWish>,
}

/// Arguments of `do`.
#[derive(Debug, Args)]
pub struct Do {
    /// What to do: one of these words, a preset of `frameloom presets list` by its id, or a preset
    /// file.
    #[arg(value_parser = presets::words())]
    pub preset: String,
    /// Ending of the results, of those that the preset can make: mp4, mkv, gif, png, ...
    #[arg(short, long, value_name = "ENDING")]
    pub format: Option<String>,
    /// To what, and how.
    #[command(flatten)]
    pub what: Upscale,
}

/// Arguments of `background`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("instead"))]
pub struct Background {
    /// Files, folders, or patterns of numbered pictures (shot_%05d.png).
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Where to write: a file, or a folder. Without a background, a clip needs a format that holds
    /// transparency: .mov (ProRes 4444), .webm or .mkv (VP9); a picture .png, .webp or .tiff.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// A model that tells a foreground from its background; the first of those that are installed if
    /// left out. `frameloom models import FILE.onnx` installs one.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// Leave the background away: transparent. This is done where nothing else is asked for.
    #[arg(long, group = "instead")]
    pub remove: bool,
    /// Blur it, so strongly, in percent of the picture's height; 2.5 if no number is given.
    #[arg(
        long,
        value_name = "PERCENT",
        group = "instead",
        num_args = 0..=1,
        default_missing_value = "2.5",
        require_equals = true
    )]
    pub blur: Option<f64>,
    /// Put a colour there, such as '#ffffff'.
    #[arg(long, value_name = "COLOR", group = "instead")]
    pub color: Option<String>,
    /// Put a picture there.
    #[arg(long, value_name = "FILE", group = "instead")]
    pub picture: Option<PathBuf>,
    /// Put a clip there; it begins again where it ends earlier.
    #[arg(long, value_name = "FILE", group = "instead")]
    pub video: Option<PathBuf>,
    /// How much of the old background's light is taken off edges, 0 to 1.
    #[arg(long, value_name = "PART")]
    pub spill: Option<f64>,
    /// How much the mattes of neighbouring pictures of a clip count, 0 to 1: 0 takes each picture by
    /// itself.
    #[arg(long, value_name = "PART")]
    pub smooth: Option<f64>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif).
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
}

impl Background {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let behind = self.picture.as_ref().or(self.video.as_ref());
        let preset = match (self.blur, &self.color, behind) {
            (Some(_), ..) => PresetId::Defocus,
            (_, Some(_), _) | (_, _, Some(_)) => PresetId::Backdrop,
            _ => PresetId::Cutout,
        };
        Upscale {
            pictures: self.pictures,
            output: self.output.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            wishes: Wishes {
                background: Some(BackgroundWish {
                    mode: None,
                    blur: self.blur,
                    color: self.color.clone(),
                    behind: behind.cloned(),
                    spill: self.spill,
                    smooth: self.smooth,
                }),
                ..Wishes::default()
            },
            ..Upscale::new(preset, &self.inputs, &self.making)
        }
    }
}

impl Do {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let word = self.preset.parse::<PresetId>().ok();
        Upscale {
            preset: word.unwrap_or(PresetId::Steps),
            saved: word.is_none().then(|| self.preset.clone()),
            format: self.format.clone(),
            ..self.what.clone()
        }
    }
}

/// When to deinterlace.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeinterlaceName {
    /// If the source is interlaced, by its flags or its lines.
    Auto,
    /// Never.
    Off,
    /// Always.
    On,
}

impl From<DeinterlaceName> for DeinterlaceChoice {
    fn from(choice: DeinterlaceName) -> Self {
        match choice {
            DeinterlaceName::Auto => DeinterlaceChoice::Auto,
            DeinterlaceName::Off => DeinterlaceChoice::Off,
            DeinterlaceName::On => DeinterlaceChoice::On,
        }
    }
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The graph, a JSON document; or a project (.frameloom), which names its files and how its result
    /// is made. Of the options below only --in, --out, --overwrite, --dry-run, --threads and --priority
    /// go before what a project says.
    #[arg(required_unless_present = "schema")]
    pub graph: Option<PathBuf>,
    /// The source, a file or a pattern of numbered pictures; `NAME=FILE` for a graph with several.
    #[arg(short, long = "in", value_name = "[NAME=]FILE")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read, whichever inputs they are.
    #[command(flatten)]
    pub pictures: Pictures,
    /// The result; its extension names the format.
    #[arg(short, long = "out", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// The result is for commercial work: models whose licence forbids that are refused by name.
    #[arg(long)]
    pub commercial: bool,
    /// Print the JSON Schema of graphs, and do nothing.
    #[arg(long)]
    pub schema: bool,
}

/// Codecs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Codec {
    /// H.264 / AVC: plays everywhere.
    H264,
    /// H.265 / HEVC.
    Hevc,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
    /// FFV1: without loss, for archives.
    Ffv1,
    /// Apple ProRes: for editing; keeps transparency.
    Prores,
    /// Avid DNxHR: for editing.
    Dnxhr,
}

impl From<Codec> for VideoCodec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::H264 => VideoCodec::H264,
            Codec::Hevc => VideoCodec::Hevc,
            Codec::Av1 => VideoCodec::Av1,
            Codec::Vp9 => VideoCodec::Vp9,
            Codec::Ffv1 => VideoCodec::Ffv1,
            Codec::Prores => VideoCodec::Prores,
            Codec::Dnxhr => VideoCodec::Dnxhr,
        }
    }
}

/// Qualities.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum QualityName {
    /// Quick, to look at.
    Draft,
    /// No visible loss for nearly everybody.
    Good,
    /// To keep; large.
    Archive,
    /// Every bit of the processed picture.
    Lossless,
}

impl From<QualityName> for Quality {
    fn from(quality: QualityName) -> Self {
        match quality {
            QualityName::Draft => Quality::Draft,
            QualityName::Good => Quality::Good,
            QualityName::Archive => Quality::Archive,
            QualityName::Lossless => Quality::Lossless,
        }
    }
}

/// Devices.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeviceName {
    /// The fastest that works.
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA card.
    Cuda,
    /// A graphics card through Direct3D 12 (Windows).
    Directml,
    /// Apple's Core ML.
    Coreml,
    /// An NVIDIA card through TensorRT.
    Tensorrt,
    /// Intel's processors and cards through OpenVINO.
    Openvino,
    /// Any graphics card through WebGPU.
    Webgpu,
}

impl From<DeviceName> for Device {
    fn from(device: DeviceName) -> Self {
        match device {
            DeviceName::Auto => Device::Auto,
            DeviceName::Cpu => Device::Cpu,
            DeviceName::Cuda => Device::Cuda,
            DeviceName::Directml => Device::Directml,
            DeviceName::Coreml => Device::Coreml,
            DeviceName::Tensorrt => Device::Tensorrt,
            DeviceName::Openvino => Device::Openvino,
            DeviceName::Webgpu => Device::Webgpu,
        }
    }
}

/// Commands about projects.
#[derive(Debug, Subcommand)]
pub enum Project {
    /// Make a project of a graph and its files, or of what a job did.
    New(Box<NewProject>),
    /// Show what a project holds, and how its files and models stand here.
    Show {
        /// The project.
        project: PathBuf,
    },
    /// Say where a file of a project is now.
    Relink {
        /// The project.
        project: PathBuf,
        /// Role of the file, as `project show` tells it, and where it is: input:main=clip.mp4.
        #[arg(value_name = "ROLE=FILE")]
        file: String,
        /// Take the file even if it holds something else than before.
        #[arg(long)]
        anyway: bool,
    },
    /// Note what makes the result, with hashes of a few rendered frames; `frameloom verify` finds out
    /// later whether this machine still makes the same.
    Lock {
        /// The project.
        project: PathBuf,
    },
    /// Copy a project and every file that it needs into one folder.
    Collect {
        /// The project.
        project: PathBuf,
        /// The folder; it is made if it is missing.
        folder: PathBuf,
        /// Show what would be copied, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Arguments of `project new`.
#[derive(Debug, Args)]
pub struct NewProject {
    /// The project; `.frameloom` is added if it is missing.
    pub project: PathBuf,
    /// The graph, a JSON document.
    #[arg(long, required_unless_present = "job", conflicts_with = "job")]
    pub graph: Option<PathBuf>,
    /// The source, a file or a pattern of numbered pictures; `NAME=FILE` for a graph with several.
    #[arg(short, long = "in", value_name = "[NAME=]FILE", conflicts_with = "job")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read, whichever inputs they are.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Name of the result; it comes beside the project or into a folder below.
    #[arg(short, long = "out", value_name = "FILE", conflicts_with = "job")]
    pub output: Option<PathBuf>,
    /// A job whose graph, files and settings the project takes.
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
    /// Name of the project for people; that of its file if left out.
    #[arg(long)]
    pub title: Option<String>,
    /// Codec for videos; the best of the machine that runs it if left out.
    #[arg(long)]
    pub codec: Option<Codec>,
    /// How much to keep.
    #[arg(short, long, default_value = "good")]
    pub quality: QualityName,
    /// Where to compute.
    #[arg(short, long, default_value = "auto")]
    pub device: DeviceName,
    /// How it is computed.
    #[command(flatten)]
    pub computing: Computing,
    /// Leave something of the source out; see `frameloom run --help`.
    #[arg(long, value_name = "TRACK")]
    pub drop: Vec<TrackChoice>,
    /// It is for commercial work: models whose licence forbids that are refused by name.
    #[arg(long)]
    pub commercial: bool,
}

/// Commands about jobs.
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// List all jobs.
    List,
    /// Show a job.
    Show {
        /// Job id.
        id: String,
        /// Print its receipt instead: what went in, what was done, what came out, how that was
        /// checked.
        #[arg(long)]
        receipt: bool,
    },
    /// Show what became of the pictures of a finished job: how alike result and source are (PSNR and
    /// SSIM of luma), and what spoils each of them, noise and edges of coded blocks.
    Compare {
        /// Job id.
        id: String,
        /// Moment of the clip in seconds; five moments, evenly apart, if left out.
        #[arg(long, value_name = "SECONDS")]
        at: Option<f64>,
    },
    /// Go on with a paused, interrupted or failed job.
    Resume {
        /// Job id.
        id: String,
        /// What of the machine it may use from now on; as before if left out.
        #[command(flatten)]
        limits: Limits,
    },
    /// Let a running job finish the segment at hand and rest, whichever command or window runs it;
    /// `jobs resume` goes on with it. A job that waits rests at once.
    Pause {
        /// Job id.
        id: String,
    },
    /// Stop a job for good and remove its parts.
    Cancel {
        /// Job id.
        id: String,
    },
    /// Take a job off the list; its result stays.
    Remove {
        /// Job id.
        id: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let help = Arguments::command().render_help().to_string();
        for code in ["0  done", "1  ", "2  ", "3  ", "4  ", "5  "] {
            assert!(help.contains(code), "{code:?} is missing in\n{help}");
        }
    }

    /// The words of a line as a shell takes them apart; single quotes are the only ones in our pages.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for (number, part) in line.split('\'').enumerate() {
            if number % 2 == 1 {
                words.last_mut().unwrap().push_str(part);
                continue;
            }
            for (place, word) in part.split(' ').enumerate() {
                if place > 0 {
                    words.push(String::new());
                }
                words.last_mut().unwrap().push_str(word);
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_of_the_pages_can_be_typed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let folder = root.join("assets/docs/operations");
        let pages = std::fs::read_dir(folder).unwrap();
        let mut pages: Vec<PathBuf> = pages.map(|page| page.unwrap().path()).collect();
        pages.push(root.join("README.md"));
        assert!(pages.len() > 15, "{pages:?}");
        for page in pages {
            let text = std::fs::read_to_string(&page).unwrap();
            let commands = text.lines().filter(|line| line.starts_with("frameloom "));
            let mut count = 0;
            for line in commands {
                let command = line.split(" # ").next().unwrap();
                if let Err(error) = Arguments::try_parse_from(words(command)) {
                    panic!("{}: {line}\n{error}", page.display());
                }
                count += 1;
            }
            assert!(count > 0, "{}", page.display());
        }
    }
}
