//! The things in which two files can differ, by the names that people type.

use frameloom_core::media::{StreamInfo, StreamKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a difference belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The file as a whole.
    File,
    /// Moving pictures.
    Video,
    /// A picture that stands for the file.
    Cover,
    /// Sound.
    Audio,
    /// Text or bitmap subtitles.
    Subtitle,
    /// A file in the file (a font).
    Attachment,
    /// Timed metadata and everything else.
    Data,
}

impl Scope {
    const ALL: [Scope; 7] = [
        Scope::File,
        Scope::Video,
        Scope::Cover,
        Scope::Audio,
        Scope::Subtitle,
        Scope::Attachment,
        Scope::Data,
    ];

    /// What a stream counts as.
    pub fn of(stream: &StreamInfo) -> Self {
        match stream.kind {
            StreamKind::Video if stream.dispositions.iter().any(|d| d == "attached_pic") => {
                Scope::Cover
            }
            StreamKind::Video => Scope::Video,
            StreamKind::Audio => Scope::Audio,
            StreamKind::Subtitle => Scope::Subtitle,
            StreamKind::Attachment => Scope::Attachment,
            StreamKind::Data => Scope::Data,
        }
    }

    /// The name as people type it.
    pub fn name(self) -> &'static str {
        match self {
            Scope::File => "file",
            Scope::Video => "video",
            Scope::Cover => "cover",
            Scope::Audio => "audio",
            Scope::Subtitle => "subtitle",
            Scope::Attachment => "attachment",
            Scope::Data => "data",
        }
    }
}

macro_rules! aspects {
    ($($variant:ident $name:literal $meaning:literal,)*) => {
        /// One thing in which two files can differ.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Aspect {
            $(#[doc = $meaning] $variant,)*
        }

        impl Aspect {
            /// Every aspect, in the order in which differences are told.
            pub const ALL: &'static [Aspect] = &[$(Aspect::$variant,)*];

            /// The name as people type it.
            pub fn name(self) -> &'static str {
                match self { $(Aspect::$variant => $name,)* }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Aspect::$variant => $meaning,)* }
            }
        }
    };
}

aspects! {
    Container "container" "Kind of the file",
    Duration "duration" "Length that the file states",
    Chapters "chapters" "Times and tags of the chapters",
    Stream "stream" "The stream is in one of the files only",
    Order "order" "The streams come in another order",
    Codec "codec" "Codec",
    Profile "profile" "Profile of the codec",
    Setup "setup" "Global headers of the codec, byte for byte",
    TimeBase "time_base" "Length of a tick",
    Packets "packets" "Number of packets that are shown",
    Preroll "preroll" "Number of packets that are decoded and not shown",
    Pts "pts" "Presentation time of every packet",
    Dts "dts" "Decoding time of every packet",
    PacketDurations "packet_durations" "Length of every packet",
    End "end" "End of the last packet",
    Content "content" "Bytes of every packet, attachment or cover",
    Trim "trim" "Samples left out at the start and the end of sound",
    Tags "tags" "Tags",
    Dispositions "dispositions" "Default, forced, commentary, ...",
    Size "size" "Width and height",
    PixelFormat "pixel_format" "Layout and depth of the samples",
    FrameRate "frame_rate" "Average frames per second",
    SampleAspect "sample_aspect" "Width of a pixel by its height",
    DisplayMatrix "display_matrix" "Rotation and flips",
    Primaries "primaries" "Colour primaries",
    Transfer "transfer" "Transfer curve",
    Matrix "matrix" "Matrix of luma and chroma",
    Range "range" "Range of the samples",
    ChromaLocation "chroma_location" "Where chroma samples lie",
    Hdr "hdr" "Mastering display and content light",
    DynamicHdr "dynamic_hdr" "Dolby Vision and HDR10+",
    FieldOrder "field_order" "Interlacing",
    Alpha "alpha" "Transparency",
    Sound "sound" "Sample rate and channels",
    SideData "side_data" "Other data about the stream as a whole",
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which differences do not count: `aspect`, `scope:aspect`, `tags.name` or `scope:tags.name`.
/// `scope:*` stands for everything of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    scope: Option<Scope>,
    aspect: Option<Aspect>,
    name: Option<String>,
}

impl Rule {
    /// True if a difference of this kind does not count.
    pub fn covers(&self, scope: Scope, aspect: Aspect, name: Option<&str>) -> bool {
        self.scope.is_none_or(|s| s == scope)
            && self.aspect.is_none_or(|a| a == aspect)
            && self
                .name
                .as_deref()
                .is_none_or(|wanted| name.is_some_and(|n| n.eq_ignore_ascii_case(wanted)))
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scope, rest) = match text.split_once(':') {
            Some((scope, rest)) => {
                let found = Scope::ALL.into_iter().find(|s| s.name() == scope);
                let Some(scope) = found else {
                    let names: Vec<_> = Scope::ALL.iter().map(|s| s.name()).collect();
                    return Err(format!(
                        "`{scope}` is no kind of stream; choose one of {}",
                        names.join(", ")
                    ));
                };
                (Some(scope), rest)
            }
            None => (None, text),
        };
        if rest == "*" && scope.is_some() {
            return Ok(Self {
                scope,
                aspect: None,
                name: None,
            });
        }
        let (aspect, name) = match rest.split_once('.') {
            Some((aspect, name)) => (aspect, Some(name.to_owned())),
            None => (rest, None),
        };
        let Some(aspect) = Aspect::ALL.iter().copied().find(|a| a.name() == aspect) else {
            let names: Vec<_> = Aspect::ALL.iter().map(|a| a.name()).collect();
            return Err(format!(
                "nothing is compared under the name `{aspect}`; choose one of {}",
                names.join(", ")
            ));
        };
        Ok(Self {
            scope,
            aspect: Some(aspect),
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_what_it_names_and_nothing_else() {
        let rule = |text: &str| text.parse::<Rule>().unwrap();
        assert!(rule("codec").covers(Scope::Audio, Aspect::Codec, None));
        assert!(!rule("video:codec").covers(Scope::Audio, Aspect::Codec, None));
        assert!(rule("tags").covers(Scope::File, Aspect::Tags, Some("title")));
        assert!(rule("file:tags.Title").covers(Scope::File, Aspect::Tags, Some("title")));
        assert!(!rule("tags.title").covers(Scope::File, Aspect::Tags, Some("date")));
        assert!(rule("data:*").covers(Scope::Data, Aspect::Stream, None));
        for wrong in ["colour", "films:codec", "*", ""] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
    }
}
