//! What can be typed about presets and watched folders.

use super::QualityName;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use frameloom_app::presets::offered;
use std::ffi::OsStr;
use std::path::PathBuf;

/// Commands about presets.
#[derive(Debug, Subcommand)]
pub enum Presets {
    /// List the presets that came with the program, and your own.
    List,
    /// Print a preset as its file holds it.
    Show {
        /// Its id, or a preset file.
        preset: String,
    },
    /// Keep a preset file as one of your own.
    Add {
        /// The file.
        file: PathBuf,
    },
    /// Write a preset as a file to share.
    Export {
        /// Its id.
        preset: String,
        /// The file; ID.frameloom-preset.json here if left out.
        file: Option<PathBuf>,
    },
    /// Take one of your own off the list.
    Remove {
        /// Its id.
        preset: String,
    },
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// The folder that files come into. Folders in it are looked into as well.
    pub folder: PathBuf,
    /// What is done: a word of `frameloom do`, a preset by its id, or a preset file.
    #[arg(short, long)]
    pub preset: String,
    /// The folder for the results.
    #[arg(short, long = "to", value_name = "DIR")]
    pub output: PathBuf,
    /// Model, where the preset leaves it open.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// How much to keep, where the preset leaves it open.
    #[arg(short, long, default_value = "good")]
    pub quality: QualityName,
    /// Seconds that a file must not change before it is taken.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub settle: f64,
    /// Do what is there, and end.
    #[arg(long)]
    pub once: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "a number of seconds is needed")?;
    match (0.5..=3600.0).contains(&value) {
        true => Ok(value),
        false => Err("0.5 to 3600 is possible".to_owned()),
    }
}

/// Any text; the words of the table are told in the help and to the shell.
pub fn words() -> impl TypedValueParser<Value = String> {
    Words
}

#[derive(Debug, Clone)]
struct Words;

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let words = offered().map(|preset| PossibleValue::new(preset.word).help(preset.summary));
        Some(Box::new(words))
    }
}
