//! Text in the pictures, drawn by libass; subtitles are drawn in the same way, see
//! [`super::captions`].
//!
//! It draws on a transparent canvas of RGB that is then laid over the picture: so colours are right
//! whatever matrix, range, depth or transfer the picture has.

use super::layer::{Alpha, Layer, LayerMaker};
use super::overlay::{Shown, check_shown, copied, since};
use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_core::color::ColorInfo;
use frameloom_core::graph::{Anchor, TextParams, parse_color};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{Rational, TimeBase};
use frameloom_media::{FilterGraph, FilterInput, FilterSpec, Frame, FramePool};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const CANVAS: PixelFormat = PixelFormat {
    planes: Planes::Gbr,
    bits: 8,
    alpha: true,
};

/// The family where nobody names one.
pub(super) const USUAL_FONT: &str = "sans-serif";

/// Refuses what cannot be written.
pub(super) fn check(params: &TextParams) -> Result<(), Said> {
    check_shown(params.start, params.end)?;
    check_color("color", &params.color)?;
    check_color("outline_color", &params.outline_color)?;
    check_font(params.font.as_deref())?;
    match (&params.text, &params.file) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => Err(said!(
            "node.text_or_file",
            "it needs either `text` or `file`"
        )),
    }
}

pub(super) fn check_color(name: &'static str, color: &str) -> Result<(), Said> {
    match parse_color(color) {
        Some(_) => Ok(()),
        None => Err(said!(
            "node.colour",
            "`{name}` must be a colour like \"#ff8000\"",
            name = name
        )),
    }
}

pub(super) fn check_font(font: Option<&str>) -> Result<(), Said> {
    let is_unfit = |c: char| matches!(c, ',' | '=' | '\'' | '\\') || c.is_control();
    match font.is_some_and(|font| font.chars().any(is_unfit)) {
        true => Err(said!(
            "node.font",
            "the name of a font has no commas, equal signs or quotes"
        )),
        false => Ok(()),
    }
}

/// The node `text` with a text, which is drawn once and stays.
pub(super) struct Text {
    shown: Shown,
    /// `None` if there is nothing to see.
    still: Option<Drawn>,
    zero: i64,
    output: PictureFormat,
    pool: FramePool,
}

/// A layer and where it lies.
pub(super) struct Drawn {
    pub layer: Layer,
    pub at: (i64, i64),
}

/// Size of the canvas for pictures: letters keep their shape where pixels are not square.
pub(super) fn canvas_size(output: &PictureFormat) -> (u32, u32) {
    let aspect = output.sample_aspect_ratio;
    let wide = if aspect.num > 0 && aspect.num != aspect.den {
        (f64::from(output.width) * aspect.to_f64()).round() as u32
    } else {
        output.width
    };
    (wide.clamp(1, super::MAX_SIDE), output.height)
}

impl Text {
    pub(super) fn open(
        params: &TextParams,
        zero: i64,
        scratch: &Path,
        output: PictureFormat,
    ) -> Result<Self, EngineError> {
        let size = canvas_size(&output);
        let text = params.text.as_deref().unwrap_or_default();
        let mut canvas = Canvas::open(&script(params, text, size), None, size, scratch)?;
        let mut maker = LayerMaker::new(output.clone(), params.opacity);
        Ok(Self {
            shown: Shown::new(params.start, params.end),
            still: canvas.layer(0, &mut maker, &output)?,
            zero,
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            output,
        })
    }
}

impl Filter for Text {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn covers(&self) -> Option<super::Rect> {
        let Some(Drawn { layer, at: (x, y) }) = &self.still else {
            return Some(super::Rect::of(0, 0));
        };
        let (width, height) = layer.size();
        Some(super::Rect::of(width, height).moved(*x as f64, *y as f64))
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let micros = since(&self.output, self.zero, frame);
        if self.shown.since(micros).is_none() {
            return Ok(frame.share()?);
        }
        let Some(Drawn { layer, at }) = &self.still else {
            return Ok(frame.share()?);
        };
        let mut out = copied(frame, &self.pool)?;
        layer.lay_over(&mut out, *at)?;
        Ok(out)
    }
}

/// What is not transparent: left, top, right, bottom.
fn drawn_area(canvas: &Frame) -> Option<(usize, usize, usize, usize)> {
    let AnyPlane::U8(alpha) = canvas.plane(3) else {
        return None;
    };
    let mut area: Option<(usize, usize, usize, usize)> = None;
    for y in 0..alpha.height {
        let row = alpha.row(y);
        let Some(first) = row.iter().position(|&a| a > 0) else {
            continue;
        };
        let last = row.iter().rposition(|&a| a > 0).unwrap_or(first);
        area = Some(match area {
            None => (first, y, last + 1, y + 1),
            Some((left, top, right, _)) => (left.min(first), top, right.max(last + 1), y + 1),
        });
    }
    area
}

/// What libass draws on.
pub(super) struct Canvas {
    graph: FilterGraph,
    empty: Frame,
}

impl Canvas {
    /// A canvas for a document of ASS, which is written into the folder `scratch`; `fonts` is a folder
    /// of further fonts. Both are read here, and never again.
    pub(super) fn open(
        document: &str,
        fonts: Option<&Path>,
        size: (u32, u32),
        scratch: &Path,
    ) -> Result<Self, EngineError> {
        let input = FilterInput {
            format: CANVAS,
            width: size.0,
            height: size.1,
            time_base: TimeBase::MICROS,
            frame_rate: None,
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            color: ColorInfo::default(),
        };
        let failed = || EngineError::io("the text cannot be laid out", scratch);
        let mut file = tempfile::Builder::new()
            .prefix("text-")
            .suffix(".ass")
            .tempfile_in(scratch)
            .map_err(failed())?;
        file.write_all(document.as_bytes())
            .and_then(|()| file.flush())
            .map_err(failed())?;
        let mut options = vec![
            ("filename", file.path().to_string_lossy().into_owned()),
            ("alpha", "1".to_owned()),
        ];
        options.extend(fonts.map(|folder| ("fontsdir", folder.to_string_lossy().into_owned())));
        let filter = FilterSpec {
            name: "ass",
            options,
        };
        Ok(Self {
            graph: FilterGraph::open(&[filter], &input, 1)?,
            empty: Frame::new(CANVAS, size.0, size.1)?,
        })
    }

    /// The canvas as it is `micros` after the start: colours multiplied by alpha.
    pub(super) fn draw(&mut self, micros: i64) -> Result<Frame, EngineError> {
        let mut frame = self.empty.share()?;
        frame.set_timing(micros, 0);
        self.graph.send(&frame)?;
        drop(frame);
        self.graph.receive()?.ok_or_else(|| EngineError::Node {
            node: "text".to_owned(),
            reason: said!("node.kept_back", "the filter kept a frame back"),
        })
    }

    /// What is seen of it, as a layer for pictures of `output`; `None` if there is nothing.
    pub(super) fn layer(
        &mut self,
        micros: i64,
        maker: &mut LayerMaker,
        output: &PictureFormat,
    ) -> Result<Option<Drawn>, EngineError> {
        let canvas = self.draw(micros)?;
        let Some((left, top, right, bottom)) = drawn_area(&canvas) else {
            return Ok(None);
        };
        if canvas.width() != output.width {
            let size = (output.width, output.height);
            let layer = maker.make(&canvas, Alpha::Multiplied, size)?;
            return Ok(Some(Drawn { layer, at: (0, 0) }));
        }
        let size = ((right - left) as u32, (bottom - top) as u32);
        let mut cut = Frame::new(CANVAS, size.0, size.1)?;
        for index in 0..CANVAS.plane_count() {
            if let (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) =
                (canvas.plane(index), cut.plane_mut(index)?)
            {
                for y in 0..to.height {
                    to.row_mut(y)
                        .copy_from_slice(&from.row(top + y)[left..right]);
                }
            }
        }
        Ok(Some(Drawn {
            layer: maker.make(&cut, Alpha::Multiplied, size)?,
            at: (left as i64, top as i64),
        }))
    }
}

/// A colour as ASS writes it.
pub(super) fn ass_color(color: &str) -> String {
    let [r, g, b] = parse_color(color).unwrap_or_default();
    format!("&H00{b:02X}{g:02X}{r:02X}")
}

/// Where ASS puts it: as on a number pad.
pub(super) fn alignment(anchor: Anchor) -> i64 {
    let (across, down) = anchor.halves();
    (2 - down) * 3 + across + 1
}

/// An ASS document with one line that is always shown.
fn script(params: &TextParams, text: &str, (width, height): (u32, u32)) -> String {
    let of_height = |percent: f64| percent / 100.0 * f64::from(height);
    let size = of_height(params.size);
    let margin = of_height(params.margin);
    let mut out = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\n\
         ScaledBorderAndShadow: yes\nWrapStyle: 0\n\n[V4+ Styles]\n\
         Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, \
         Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    );
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "Style: Text,{},{size:.2},{},{},&HFF000000,1,{:.2},0,{},{margin:.0},{margin:.0},\
         {margin:.0},1\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n\
         Dialogue: 0,0:00:00.00,9:59:59.99,Text,{}",
        params.font.as_deref().unwrap_or(USUAL_FONT),
        ass_color(&params.color),
        ass_color(&params.outline_color),
        params.outline / 100.0 * size,
        alignment(params.anchor),
        escaped(text),
    );
    out
}

/// Text that ASS shows as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.replace("\r\n", "\n").chars() {
        match sign {
            '\n' | '\r' => out.push_str("\\N"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            // A word joiner behind it: no letter that follows makes a command of it.
            '\\' => out.push_str("\\\u{2060}"),
            sign if sign.is_control() => {}
            sign => out.push(sign),
        }
    }
    out
}
