//! The table of operations.

use super::{Kind, OpShape, Param};
use crate::graph::{Anchor, InterpolateParams, ReframeShape};

impl Param {
    const fn unit(self, unit: &'static str) -> Param {
        Param {
            unit: Some(unit),
            ..self
        }
    }

    const fn or(self, json: &'static str) -> Param {
        Param {
            default: Some(json),
            ..self
        }
    }
}

const SIDE: Kind = Kind::Int {
    min: 1,
    max: 65_535,
};
const PLACE: Kind = Kind::Int {
    min: 0,
    max: 65_535,
};
/// Eleven days: no clip is longer.
const SECONDS: Kind = Kind::Fraction {
    min: 0,
    max: 1_000_000,
};

/// Pixels; a picture is not larger.
const OFFSET: Kind = Kind::Signed {
    min: -65_535,
    max: 65_535,
};
/// Of a file that is not the source of a wire.
const STREAM: Kind = Kind::Int { min: 0, max: 9_999 };
const CHARSET: &str =
    "Character set of a file of subtitles, such as windows-1252; UTF-8 if left out.";
const SHIFT: Kind = Kind::Fraction {
    min: -172_800,
    max: 172_800,
};
const SHIFTED: &str = "Seconds by which all of it comes later; earlier where negative.";
const STRETCH: Kind = Kind::Fraction { min: 0, max: 100 };
const STRETCHED: &str = "What all times are multiplied by, before they are shifted, 1/100 to 100.";
const PART: Kind = Kind::Number { min: 0.0, max: 1.0 };
const PERCENT: Kind = Kind::Number {
    min: 0.0,
    max: 50.0,
};

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param {
        name,
        about,
        required: true,
        kind,
        unit: None,
        default: None,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param {
        name,
        about,
        required: false,
        kind,
        unit: None,
        default: None,
    }
}

/// The table.
pub(in crate::graph) const OPS: &[OpShape] = &[
    OpShape {
        name: "source",
        about: "An input. Ports: `video`, `audio` and `subtitles`.",
        params: &[optional(
            "name",
            Kind::Text,
            "Name by which its file is given (`--in name=file`); `main` if left out.",
        )
        .or("\"main\"")],
    },
    OpShape {
        name: "sink",
        about: "The output. Ports: `video`, `audio` and `subtitles`; without a wire, sound and \
                subtitles of the first clip are copied as they are.",
        params: &[],
    },
    OpShape {
        name: "upscale",
        about: "Enlarge with a model, by the scale that the model has.",
        params: &[required("model", Kind::Model, "Model id.")],
    },
    OpShape {
        name: "onnx",
        about: "Run any model that makes a picture of a picture, from its file. How it wants to be \
                fed is found out of the graph and by trying it on a picture; `frameloom models \
                inspect FILE` shows it. Nobody says what it was made for, so its results are only \
                looked at for being blank.",
        params: &[
            required(
                "path",
                Kind::File(&["onnx"]),
                "Absolute path of the ONNX file.",
            ),
            optional(
                "scale",
                Kind::Int { min: 1, max: 8 },
                "Output size by input size; a file that does otherwise is refused.",
            )
            .unit("times"),
            optional(
                "layout",
                Kind::Choice(&["nchw", "nhwc"]),
                "Order of the dimensions of the input.",
            ),
            optional(
                "range",
                Kind::Choice(&["unit", "byte", "symmetric", "studio_255"]),
                "Black and white: 0 and 1, 0 and 255, -1 and 1, or 16/255 and 235/255.",
            ),
            optional(
                "color",
                Kind::Choice(&["luma", "rgb", "bgr"]),
                "What the channels mean; a file does not say whether red or blue comes first.",
            ),
            optional(
                "tile",
                Kind::Int { min: 32, max: 8192 },
                "Longest side of a tile in pixels, where the file takes any.",
            )
            .unit("px"),
        ],
    },
    OpShape {
        name: "resize",
        about: "Resize with a cubic kernel.",
        params: &[
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "crop",
        about: "Cut out a rectangle.",
        params: &[
            required("x", PLACE, "Left edge in pixels.").unit("px"),
            required("y", PLACE, "Upper edge in pixels.").unit("px"),
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "pad",
        about: "Put the picture on a larger ground.",
        params: &[
            required("width", SIDE, "Width of the result in pixels.").unit("px"),
            required("height", SIDE, "Height of the result in pixels.").unit("px"),
            required("x", PLACE, "Where the picture's left edge comes.").unit("px"),
            required("y", PLACE, "Where its upper edge comes.").unit("px"),
            optional(
                "color",
                Kind::Color,
                "Colour of the ground; black if left out.",
            )
            .or("\"#000000\""),
        ],
    },
    OpShape {
        name: "rotate",
        about: "Turn clockwise.",
        params: &[
            required("degrees", Kind::OneOf(&[90, 180, 270]), "90, 180 or 270.").unit("degrees"),
        ],
    },
    OpShape {
        name: "flip",
        about: "Mirror.",
        params: &[required(
            "axis",
            Kind::Choice(&["horizontal", "vertical"]),
            "What changes places: left and right, or top and bottom.",
        )],
    },
    OpShape {
        name: "convert",
        about: "Change the pixel format.",
        params: &[required("format", Kind::PixelFormat, "Wanted format.")],
    },
    OpShape {
        name: "deinterlace",
        about: "Make whole pictures of fields (bwdif).",
        params: &[
            optional(
                "rate",
                Kind::Choice(&["frame", "field"]),
                "One picture per frame (default) or per field.",
            )
            .or("\"frame\""),
            optional(
                "parity",
                Kind::Choice(&["auto", "top", "bottom"]),
                "Field that comes first; `auto` (default): as each frame says.",
            )
            .or("\"auto\""),
            optional(
                "frames",
                Kind::Choice(&["all", "flagged"]),
                "All frames (default), or those that say that they are interlaced.",
            )
            .or("\"all\""),
        ],
    },
    OpShape {
        name: "fps",
        about: "Show the clip at a constant frame rate by repeating and leaving out frames; \
                `interpolate` makes new ones in between.",
        params: &[required(
            "rate",
            Kind::Fraction { min: 1, max: 1_000 },
            "Frames per second.",
        )
        .unit("fps")],
    },
    OpShape {
        name: "stabilise",
        about: "Calm a shaky camera: every picture is moved, turned and sized to where a camera \
                that moves smoothly would show it, by parts of a pixel. Cuts are respected.",
        params: &[
            optional(
                "smooth",
                Kind::Number { min: 0.1, max: 2.0 },
                "Seconds before and after a picture whose motion counts; 0.8 if left out.",
            )
            .unit("seconds")
            .or("0.8"),
            optional(
                "border",
                Kind::Choice(&["crop", "mirror"]),
                "Pictures are shown larger, so that no border is seen (default), or the border is \
                 filled with the mirrored picture.",
            )
            .or("\"crop\""),
            optional(
                "zoom",
                Kind::Number {
                    min: 1.02,
                    max: 1.5,
                },
                "How many times as large pictures are shown: the room in which they may be moved; \
                 1.1 if left out. For `crop`.",
            )
            .unit("times")
            .or("1.1"),
        ],
    },
    OpShape {
        name: "interpolate",
        about: "Show the clip at a constant frame rate by new frames in between: what moves is \
                followed from frame to frame and shown on its way. Nothing is made across a cut. \
                Twice as many frames if neither a rate nor a number is given; in slow motion, as \
                many to a second as before.",
        params: &[
            optional(
                "rate",
                Kind::Fraction { min: 1, max: 1_000 },
                "Frames per second.",
            )
            .unit("fps"),
            optional(
                "times",
                Kind::Int { min: 2, max: 8 },
                "Times the frame rate that the clip has.",
            )
            .unit("times"),
            optional(
                "model",
                Kind::Model,
                "Id of a model that makes the frames in between; what moves is followed without one.",
            ),
            optional(
                "slow",
                Kind::Fraction {
                    min: 1,
                    max: InterpolateParams::SLOWEST,
                },
                "Slow motion: how many times as long the result lasts, with its sound, subtitles and \
                 chapters.",
            )
            .unit("times"),
            optional(
                "sound",
                Kind::Choice(&["stretch", "drop"]),
                "In slow motion, the sound of the clip: as long as the pictures and as high as \
                 before, or left out.",
            )
            .or("\"stretch\""),
        ],
    },
    OpShape {
        name: "trim",
        about: "Keep a stretch of the clip, with its sound and subtitles. Comes right after the \
                source.",
        params: &[
            optional("start", SECONDS, "Seconds from the first frame.").unit("seconds"),
            optional(
                "end",
                SECONDS,
                "Seconds from the first frame, not included.",
            )
            .unit("seconds"),
        ],
    },
    OpShape {
        name: "cut",
        about: "Keep several stretches of the clip and show them one right after another, with their \
                sound, subtitles and chapters. Comes right after the source.",
        params: &[
            required(
                "keep",
                Kind::Stretches,
                "What is kept: start-end in seconds or h:mm:ss, one in a line, in order.",
            ),
            optional(
                "fade",
                Kind::Number {
                    min: 0.0,
                    max: 100.0,
                },
                "How long the sound of two stretches is mixed where they meet; 20 if left out.",
            )
            .unit("milliseconds")
            .or("20.0"),
            optional(
                "heard_by",
                Kind::Text,
                "Id of the model that decided what is kept; receipts name it.",
            ),
        ],
    },
    OpShape {
        name: "denoise",
        about: "Take noise out, with ffmpeg's filter or with a model.",
        params: &[
            optional(
                "sigma",
                Kind::Number {
                    min: 0.5,
                    max: 30.0,
                },
                "About the standard deviation of the noise in 8-bit steps; 4 if left out.",
            )
            .or("4.0"),
            optional(
                "model",
                Kind::Model,
                "Id of a model of scale 1 that does it instead.",
            ),
        ],
    },
    OpShape {
        name: "color",
        about: "Correct colours: exposure, then white balance, then a lookup table.",
        params: &[
            optional(
                "exposure",
                Kind::Number {
                    min: -10.0,
                    max: 10.0,
                },
                "Stops; 1 doubles the light.",
            )
            .unit("stops")
            .or("0.0"),
            optional(
                "temperature",
                Kind::Number {
                    min: 2_000.0,
                    max: 15_000.0,
                },
                "Kelvin of the light that the scene was lit by; white under it becomes neutral.",
            )
            .unit("kelvin"),
            optional(
                "tint",
                Kind::Number {
                    min: -100.0,
                    max: 100.0,
                },
                "From magenta to green.",
            )
            .or("0.0"),
            optional(
                "lut",
                Kind::File(&["cube"]),
                "Absolute path of a `.cube` file.",
            ),
        ],
    },
    OpShape {
        name: "overlay",
        about: "Lay the pictures of the port `over` over those of `in`: a watermark, a picture in \
                the picture. Transparency counts.",
        params: &[
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `top_left` if left out.",
            )
            .or("\"top_left\""),
            optional("x", OFFSET, "Pixels from the anchor, inwards.")
                .unit("px")
                .or("0"),
            optional("y", OFFSET, "Pixels from the anchor, inwards.")
                .unit("px")
                .or("0"),
            optional(
                "width",
                Kind::Number {
                    min: 0.01,
                    max: 1.0,
                },
                "Width as a part of the width below; its own if left out.",
            )
            .unit("part"),
            optional("opacity", PART, "0 to 1; 1 if left out.")
                .unit("part")
                .or("1.0"),
            optional("start", SECONDS, "Seconds from the first frame below.").unit("seconds"),
            optional("end", SECONDS, "Seconds from the first frame below.").unit("seconds"),
            optional(
                "after",
                Kind::Choice(&["hold", "hide", "repeat"]),
                "What follows a clip that ends earlier: its last picture (default), nothing, or it \
                 again.",
            )
            .or("\"hold\""),
        ],
    },
    OpShape {
        name: "background",
        about: "Tell a foreground from its background with a matting model, and leave the \
                background away, blur it, or put a colour or the pictures of the port `behind` in \
                its place. Edges follow the brightness of the picture; in a clip they do not \
                flicker.",
        params: &[
            required("model", Kind::Model, "Id of a matting model."),
            optional(
                "mode",
                Kind::Choice(&["remove", "blur", "color", "picture"]),
                "What comes in the place of the background: nothing (default), itself out of \
                 focus, a colour, or the pictures of the port `behind`.",
            )
            .or("\"remove\""),
            optional(
                "blur",
                Kind::Number {
                    min: 0.2,
                    max: 20.0,
                },
                "Standard deviation of the blur in percent of the picture's height; 2.5 if left \
                 out.",
            )
            .unit("percent")
            .or("2.5"),
            optional("color", Kind::Color, "White if left out.").or("\"#ffffff\""),
            optional(
                "spill",
                PART,
                "How much of the light of the old background is taken off the edges; all if left \
                 out.",
            )
            .unit("part")
            .or("1.0"),
            optional(
                "smooth",
                PART,
                "How much the mattes of neighbouring pictures count; 0 takes each by itself.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "light",
        about: "Make dark pictures lighter: the light of each place is estimated, with or without a \
                model, and evened out; edges follow the picture, and what is bright stays so.",
        params: &[
            optional(
                "model",
                Kind::Model,
                "Id of a model that makes pictures lighter; without one, the light is estimated \
                 from the pictures themselves.",
            ),
            optional("strength", PART, "How much lighter; 0.7 if left out.")
                .unit("part")
                .or("0.7"),
            optional(
                "highlights",
                PART,
                "How far what is bright already keeps its shades; all if left out.",
            )
            .unit("part")
            .or("1.0"),
            optional(
                "smooth",
                PART,
                "How much the light of neighbouring pictures counts; 0 takes each by itself.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "style",
        about: "Paint pictures anew in a style, with a model for it; in a clip, strokes go with what \
                moves.",
        params: &[
            required("model", Kind::Model, "Id of a model of a style."),
            optional(
                "strength",
                PART,
                "How much of the style is seen; all if left out.",
            )
            .unit("part")
            .or("1.0"),
            optional(
                "size",
                Kind::Int {
                    min: 256,
                    max: 2048,
                },
                "Longest side of the picture that is painted: small ones have large strokes.",
            )
            .unit("px")
            .or("720"),
            optional(
                "colors",
                Kind::Choice(&["style", "source"]),
                "Whose colours it has: those of the style (default), or its own.",
            )
            .or("\"style\""),
            optional(
                "smooth",
                PART,
                "How much neighbouring pictures count; 0 takes each by itself.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "depth",
        about: "Find with a model how near everything is, and show that, or put out of focus what \
                is far from where the picture is to be sharp.",
        params: &[
            required(
                "model",
                Kind::Model,
                "Id of a model that says how near everything is.",
            ),
            optional(
                "show",
                Kind::Choice(&["map", "blur"]),
                "A picture of distances (default), or the picture with some of it out of focus.",
            )
            .or("\"map\""),
            optional(
                "colors",
                Kind::Choice(&["gray", "heat"]),
                "For `map`: near is white (default), or yellow.",
            )
            .or("\"gray\""),
            optional(
                "focus",
                PART,
                "For `blur`: where it is sharp, from the farthest thing (0) to the nearest (1); \
                 what is in front near the middle if left out.",
            )
            .unit("part"),
            optional(
                "blur",
                Kind::Number {
                    min: 0.2,
                    max: 20.0,
                },
                "Standard deviation of the strongest blur in percent of the picture's height; 2 if \
                 left out.",
            )
            .unit("percent")
            .or("2.0"),
            optional(
                "side",
                Kind::Choice(&["background", "foreground", "both"]),
                "What goes out of focus: what is farther away than the subject (default), what is \
                 nearer, or both.",
            )
            .or("\"background\""),
            optional(
                "smooth",
                PART,
                "How much the distances of neighbouring pictures count; 0 takes each by itself.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "reframe",
        about: "Cut clips to another shape, around faces or what moves in them; the crop glides, and \
                jumps where the clip is cut.",
        params: &[
            optional(
                "shape",
                Kind::Choice(&ReframeShape::WORDS),
                "Width by height of the result; 9:16 if left out.",
            )
            .or("\"9:16\""),
            optional(
                "model",
                Kind::Model,
                "Id of a model that finds faces; without one, the crop follows what moves.",
            ),
            optional(
                "smooth",
                Kind::Number { min: 0.1, max: 2.0 },
                "Seconds before and after a picture that say where it is cut; 1 if left out.",
            )
            .unit("seconds")
            .or("1.0"),
            optional(
                "keys",
                Kind::Keys,
                "Where the middle of the crop is at which time, instead of finding its way.",
            ),
        ],
    },
    OpShape {
        name: "redact",
        about: "Make faces, text or areas unrecognisable. What a model finds is followed from \
                picture to picture, so that a face that it misses for a moment stays covered.",
        params: &[
            optional(
                "model",
                Kind::Model,
                "Id of a model that finds faces or text; without one, only `areas` are covered.",
            ),
            optional(
                "cover",
                Kind::Choice(&["blur", "pixelate", "fill"]),
                "Colours that run into each other (default), squares, or one colour.",
            )
            .or("\"blur\""),
            optional("color", Kind::Color, "For `fill`; black if left out.").or("\"#000000\""),
            optional(
                "threshold",
                Kind::Number {
                    min: 0.05,
                    max: 0.95,
                },
                "How sure the model must be; less finds more, and more that is none.",
            )
            .unit("part")
            .or("0.5"),
            optional(
                "grow",
                PART,
                "How far beyond what was found is covered on each side; a quarter of it if left \
                 out.",
            )
            .unit("part")
            .or("0.25"),
            optional(
                "search",
                Kind::Choice(&["quick", "usual", "thorough"]),
                "How closely pictures are searched: as a whole, in parts too (default), in smaller \
                 parts too, for small faces.",
            )
            .or("\"usual\""),
            optional(
                "areas",
                Kind::Areas,
                "Areas that are covered whatever is in them.",
            ),
            optional(
                "spare",
                Kind::Areas,
                "Areas in which what is found stays as it is.",
            ),
            optional(
                "keep",
                Kind::Paths,
                "Ways of single faces that stay as they are, as `frameloom redact --list` finds them.",
            ),
        ],
    },
    OpShape {
        name: "text",
        about: "Write into the pictures: either `text`, or a subtitle `file` whose lines appear at \
                their times.",
        params: &[
            optional("text", Kind::Lines, "What is written."),
            optional(
                "file",
                Kind::File(&["ass", "ssa", "srt", "vtt"]),
                "Absolute path of an ASS, SRT or WebVTT file.",
            ),
            optional("font", Kind::Text, "Family of the font."),
            optional(
                "size",
                Kind::Number {
                    min: 0.5,
                    max: 50.0,
                },
                "Height of a line in percent of the picture's height; 5 if left out.",
            )
            .unit("percent")
            .or("5.0"),
            optional("color", Kind::Color, "White if left out.").or("\"#ffffff\""),
            optional("outline_color", Kind::Color, "Black if left out.").or("\"#000000\""),
            optional(
                "outline",
                PERCENT,
                "Width of the outline in percent of the size; 6 if left out.",
            )
            .unit("percent")
            .or("6.0"),
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `bottom` if left out.",
            )
            .or("\"bottom\""),
            optional(
                "margin",
                PERCENT,
                "Distance from the edges in percent of the picture's height; 4 if left out.",
            )
            .unit("percent")
            .or("4.0"),
            optional("opacity", PART, "0 to 1; 1 if left out.")
                .unit("part")
                .or("1.0"),
            optional("start", SECONDS, "Seconds from the first frame.").unit("seconds"),
            optional("end", SECONDS, "Seconds from the first frame.").unit("seconds"),
        ],
    },
    OpShape {
        name: "subtitles",
        about: "Burn subtitles of a file into the pictures. ASS keeps the look that it has itself.",
        params: &[
            required(
                "file",
                Kind::File(&["srt", "vtt", "ass", "ssa", "mkv", "mp4", "mov", "webm"]),
                "Absolute path of an SRT, WebVTT or ASS file, or of a clip with a track of text.",
            ),
            optional("track", STREAM, "Index of the stream in that file; the first one with text if left out."),
            optional("charset", Kind::Text, CHARSET),
            optional("shift", SHIFT, SHIFTED).unit("seconds"),
            optional("stretch", STRETCH, STRETCHED),
            optional("font", Kind::Text, "Family of the font."),
            optional(
                "size",
                Kind::Number {
                    min: 0.5,
                    max: 50.0,
                },
                "Height of a line in percent of the picture's height; 5 if left out.",
            )
            .unit("percent")
            .or("5.0"),
            optional("color", Kind::Color, "White if left out.").or("\"#ffffff\""),
            optional("outline_color", Kind::Color, "Black if left out.").or("\"#000000\""),
            optional(
                "outline",
                PERCENT,
                "Width of the outline in percent of the size; 6 if left out.",
            )
            .unit("percent")
            .or("6.0"),
            optional(
                "box",
                Kind::Color,
                "Colour of a box behind the text; none if left out.",
            ),
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `bottom` if left out.",
            )
            .or("\"bottom\""),
            optional(
                "margin",
                PERCENT,
                "Distance from the edges in percent of the picture's height; 4 if left out.",
            )
            .unit("percent")
            .or("4.0"),
        ],
    },
    OpShape {
        name: "subtitle_track",
        about: "Read a track of text (SRT, WebVTT, ASS, or of a clip) and write it anew in what the \
                result can hold. Comes right after a source; its way into the result is `mux` or the \
                sink's `subtitles`.",
        params: &[
            optional("track", STREAM, "Index of the stream in its file; the first one with text if left out."),
            optional("charset", Kind::Text, CHARSET),
            optional("shift", SHIFT, SHIFTED).unit("seconds"),
            optional("stretch", STRETCH, STRETCHED),
            optional(
                "language",
                Kind::Text,
                "Two or three letters of ISO 639, such as vi or eng; that of the source if left out.",
            ),
            optional("title", Kind::Text, "Its name in a player's menu."),
            optional(
                "show",
                Kind::Choice(&["chosen", "always"]),
                "When players show it: where somebody chooses it (default), or always unless told otherwise.",
            )
            .or("\"chosen\""),
        ],
    },
    OpShape {
        name: "concat",
        about: "Show clips one after another. Ports: `in` and `audio` take several wires, in order; \
                `out` and `audio` give them. Other sizes are fitted into that of the first.",
        params: &[],
    },
    OpShape {
        name: "mux",
        about: "Bring tracks of several inputs into one file. Ports: `audio` and `subtitles`, which \
                take several wires, in order.",
        params: &[optional(
            "ends",
            Kind::Choice(&["pictures", "longest"]),
            "When tracks of other inputs end: with the pictures (default), or where they end \
             themselves.",
        )
        .or("\"pictures\"")],
    },
    OpShape {
        name: "loudness",
        about: "Bring sound to a loudness: measured first, then adjusted (EBU R128).",
        params: &[
            optional(
                "target",
                Kind::Number {
                    min: -70.0,
                    max: -5.0,
                },
                "Integrated loudness in LUFS: -23 (default) for broadcasting, -14 for most sites.",
            )
            .unit("lufs")
            .or("-23.0"),
            optional(
                "peak",
                Kind::Number {
                    min: -9.0,
                    max: 0.0,
                },
                "Highest true peak in dBTP; -1 if left out.",
            )
            .unit("dbtp")
            .or("-1.0"),
        ],
    },
    OpShape {
        name: "audio_denoise",
        about: "Take noise out of sound, with ffmpeg's filter or with a model for speech.",
        params: &[
            optional(
                "reduction",
                Kind::Number {
                    min: 0.01,
                    max: 97.0,
                },
                "By how many dB noise is lowered; 12 if left out.",
            )
            .unit("db")
            .or("12.0"),
            optional(
                "model",
                Kind::File(&["onnx"]),
                "Absolute path of an ONNX model for speech that does it instead.",
            ),
            optional(
                "strength",
                PART,
                "How much of the result counts; the rest is the sound as it was.",
            )
            .unit("part")
            .or("1.0"),
        ],
    },
    OpShape {
        name: "audio_redact",
        about: "Cover stretches of sound, such as names, with silence or a tone.",
        params: &[
            required(
                "ranges",
                Kind::Stretches,
                "What is covered: `start-end` in seconds or h:mm:ss from the first picture, one in a line.",
            ),
            optional(
                "cover",
                Kind::Choice(&["mute", "beep"]),
                "What is heard instead: mute, or beep, a tone of 1 kHz. Mute if left out.",
            )
            .or("\"mute\""),
        ],
    },
    OpShape {
        name: "split_channels",
        about: "Make a track of each channel.",
        params: &[optional(
            "channels",
            Kind::Text,
            "Names with commas between them, such as FL,FR; all if left out.",
        )],
    },
];
