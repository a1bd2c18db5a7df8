//! What is seen in the pictures.

use super::{OFFSET, PART, PERCENT, SECONDS, optional, required};
use crate::graph::shape::{Kind, OpShape};
use crate::graph::{Anchor, ReframeShape};

pub(super) const LOOKS: &[OpShape] = &[
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
];
