//! `frameloom models`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Commands about models.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// List the installed models.
    List,
    /// Show a model and its card.
    Show {
        /// Model id.
        id: String,
    },
    /// Find out how an ONNX file wants to be fed, for the node `onnx`, or why it cannot be one.
    Inspect {
        /// The file.
        file: PathBuf,
    },
    /// Install an ONNX file of yours under a name, for `upscale --model`, graphs and the window.
    Import(Box<ModelImport>),
    /// List the models that can be fetched, with their licences.
    Available,
    /// Fetch models of the catalogue. Each licence is shown first.
    Get(ModelGet),
    /// Write installed models into one file, for `models get --from` on a computer without internet.
    Bundle {
        /// Model ids.
        #[arg(required = true)]
        ids: Vec<String>,
        /// The file to write.
        #[arg(long, short = 'o', value_name = "FILE")]
        to: PathBuf,
    },
    /// Take a newer catalogue, from an address or a file with its signature (`.minisig`) beside it.
    Renew {
        /// The address or the file.
        from: String,
    },
    /// Remove a model that was imported or fetched, with its weights.
    Remove {
        /// Model id.
        id: String,
    },
    /// Measure a model on this machine: speed, memory, and for every precision speed and distance from
    /// the exact result, on a real picture.
    Measure {
        /// Model id.
        id: String,
    },
    /// Check the weights of every model against its manifest.
    Verify {
        /// Put the models that come with the program back first.
        #[arg(long)]
        repair: bool,
    },
}

/// Models to fetch.
#[derive(Debug, Args)]
pub struct ModelGet {
    /// Model ids; `models available` lists them.
    #[arg(required = true)]
    pub ids: Vec<String>,
    /// Take them from a folder, a bundle or a file instead of the network.
    #[arg(long, value_name = "PATH", conflicts_with = "mirror")]
    pub from: Option<PathBuf>,
    /// Take them from this server, as ID/FILE below the address.
    #[arg(long, value_name = "ADDRESS")]
    pub mirror: Option<String>,
    /// The licences are known and agreed to; nothing is asked.
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// A file that becomes a model. What is not said is found out by trying it on a picture.
#[derive(Debug, Args)]
pub struct ModelImport {
    /// The file; it is copied.
    pub file: PathBuf,
    /// Name to call it by: lower-case letters, digits, `-`, `_`, `.`.
    #[arg(long)]
    pub id: Option<String>,
    /// Name for people.
    #[arg(long)]
    pub name: Option<String>,
    /// Its licence: an SPDX expression or a name; every receipt says it.
    #[arg(long, value_name = "SPDX")]
    pub licence: Option<String>,
    /// The credit that its licence asks for.
    #[arg(long)]
    pub credit: Option<String>,
    /// It keeps brightness and colours: results that do not are refused.
    #[arg(long)]
    pub faithful: bool,
    /// How many times larger its result is.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub scale: Option<u32>,
    /// Order of its dimensions.
    #[arg(long, value_parser = word(&["nchw", "nhwc"]))]
    pub layout: Option<String>,
    /// Which numbers mean black and white.
    #[arg(long, value_parser = word(&["unit", "byte", "symmetric", "studio_255"]))]
    pub range: Option<String>,
    /// What its channels mean.
    #[arg(long, value_parser = word(&["luma", "rgb", "bgr"]))]
    pub color: Option<String>,
    /// Longest side of a tile in pixels, or of the picture that a model gets which sees it whole.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub tile: Option<u32>,
    /// What it does: makes pictures, tells a foreground from its background, finds faces or text,
    /// hears whether somebody speaks, takes noise out of speech, makes pictures lighter, paints them
    /// in a style, says how near everything in them is, or makes those between two.
    #[arg(
        long,
        value_parser = word(&[
            "upscale", "matte", "faces", "text", "voice_activity", "speech_cleaning", "light", "style",
            "depth", "between",
        ])
    )]
    pub task: Option<String>,
    /// Of a matting model: the channel of the foreground, counted from 0.
    #[arg(long, value_name = "CHANNEL", value_parser = clap::value_parser!(u32).range(0..=255))]
    pub foreground: Option<u32>,
    /// Of a matting model: what makes probabilities of its numbers.
    #[arg(long, value_parser = word(&["none", "sigmoid", "softmax"]))]
    pub activation: Option<String>,
    /// Of a model that gives mattes, finds something or says how near it is: it was trained on pictures with the mean and the deviation of ImageNet.
    #[arg(long)]
    pub imagenet: bool,
}

/// One of the words that a graph document has for it.
fn word(words: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}
