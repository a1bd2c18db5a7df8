//! Subtitles of a file in the pictures.
//!
//! Whatever the file is, it becomes one document of ASS, with its times as the node wants them; libass
//! draws that as it draws a text.
//!
//! libass remembers where it put a line, so that the line stays there when another one below it ends.
//! What is drawn would depend on where a segment begins; so whoever begins anew first draws the
//! beginnings of all lines that led to what is shown then.

use super::layer::LayerMaker;
use super::overlay::{Shown, copied, since};
use super::text::{
    Canvas, Drawn, USUAL_FONT, alignment, ass_color, canvas_size, check_color, check_font,
};
use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_core::graph::{SubtitlesParams, TextParams};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::subtitles::Retime;
use frameloom_media::{
    Cue, Frame, FramePool, MediaError, ReadSubtitles, Subtitles, read_subtitles,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// The size that ffmpeg gives to subtitles without one of their own.
const SCRIPT_SIZE: (f64, f64) = (384.0, 288.0);
/// ASS counts hundredths of a second.
const HUNDREDTH_MICROS: i64 = 10_000;
/// How far behind its first moment a line is looked at, so that rounding cannot miss it.
const JUST_BEHIND_MICROS: i64 = 1_500;
/// What a time loses at most on its way through the filter, which counts milliseconds as floating point.
const ROUNDING_MICROS: i64 = 20;
/// What can be seen through a box, of 255.
const BOX_TRANSPARENCY: u8 = 64;

/// Refuses what cannot be drawn.
pub(super) fn check(params: &SubtitlesParams) -> Result<(), Said> {
    check_color("color", &params.color)?;
    check_color("outline_color", &params.outline_color)?;
    if let Some(back) = &params.back {
        check_color("box", back)?;
    }
    check_font(params.font.as_deref())?;
    params.retime().map(drop).ok_or_else(out_of_bounds)
}

fn out_of_bounds() -> Said {
    said!(
        "subtitles.retime",
        "subtitles are shifted by two days at most, and stretched to a hundredth or a hundred times"
    )
}

/// Reads the file, with the times that are wanted.
pub(super) fn read(params: &SubtitlesParams) -> Result<Subtitles, MediaError> {
    let wish = ReadSubtitles {
        track: params.track,
        charset: params.charset.as_deref(),
    };
    let mut subtitles = read_subtitles(Path::new(&params.file), wish, &Default::default())?;
    subtitles.retime(params.retime().unwrap_or_default());
    Ok(subtitles)
}

/// Reads the file of a node once, to refuse it before anything runs.
pub(crate) fn check_subtitles(node: &str, params: &SubtitlesParams) -> Result<(), EngineError> {
    let wish = ReadSubtitles {
        track: params.track,
        charset: params.charset.as_deref(),
    };
    let file = Path::new(&params.file);
    read_lines(node, file, wish, params.retime(), &Default::default()).map(drop)
}

/// Reads the subtitles of a file for a node, with the times that are wanted, `None` for those that are
/// not possible. Gives also how many lines would be over before the first picture.
///
/// # Errors
/// There is no text that can be read; nothing is left of it.
pub(crate) fn read_lines(
    node: &str,
    file: &Path,
    wish: ReadSubtitles<'_>,
    retime: Option<Retime>,
    cancel: &Arc<AtomicBool>,
) -> Result<(Subtitles, usize), EngineError> {
    let refused = |reason: Said| EngineError::Node {
        node: node.to_owned(),
        reason,
    };
    let retime = retime.ok_or_else(|| refused(out_of_bounds()))?;
    let mut subtitles = read_subtitles(file, wish, cancel).map_err(|error| match error {
        MediaError::Subtitles { what, .. } => refused(said!(
            "node.subtitles",
            "the subtitles cannot be read: {error}",
            error = what
        )),
        other => EngineError::Media(other),
    })?;
    let before_zero = subtitles.retime(retime);
    match subtitles.cues.is_empty() {
        true => Err(refused(said!(
            "subtitles.all_before",
            "all of its lines would be over before the first picture; shift them less"
        ))),
        false => Ok((subtitles, before_zero)),
    }
}

/// The node.
pub(super) struct Captions {
    script: Script,
    size: (u32, u32),
    scratch: PathBuf,
    canvas: Option<Canvas>,
    shown: Shown,
    maker: LayerMaker,
    zero: i64,
    output: PictureFormat,
    pool: FramePool,
    /// Up to where the beginnings of lines were drawn.
    drawn_to: i64,
}

/// What is drawn, and what is known of it.
struct Script {
    document: String,
    /// A folder with the fonts that the file brings along.
    fonts: Option<TempDir>,
    /// When there is anything to see, in order, without gaps of less than a moment.
    seen: Vec<(i64, i64)>,
    /// Of each layer, in order.
    clusters: Vec<Vec<Cluster>>,
}

/// Lines that hang together because they overlap.
struct Cluster {
    from: i64,
    to: i64,
    /// Where each of them begins, in order.
    begins: Vec<i64>,
}

impl Captions {
    /// Opens the node, or the file of a node `text`, which says how opaque it is, and when.
    pub(super) fn open(
        params: &SubtitlesParams,
        text: Option<&TextParams>,
        zero: i64,
        scratch: &Path,
        output: PictureFormat,
    ) -> Result<Self, EngineError> {
        let subtitles = read(params)?;
        let fonts = fonts_in(&subtitles, scratch)
            .map_err(EngineError::io("the fonts cannot be written", scratch))?;
        Ok(Self {
            script: Script {
                document: document(params, &subtitles),
                fonts,
                seen: seen(&subtitles.cues),
                clusters: clusters(&subtitles.cues),
            },
            size: canvas_size(&output),
            scratch: scratch.to_path_buf(),
            canvas: None,
            shown: Shown::new(text.and_then(|t| t.start), text.and_then(|t| t.end)),
            maker: LayerMaker::new(output.clone(), text.map_or(1.0, |t| t.opacity)),
            zero,
            pool: FramePool::new(output.pixels, output.width, output.height)?,
            output,
            drawn_to: i64::MIN,
        })
    }

    fn draw(&mut self, micros: i64) -> Result<Option<Drawn>, EngineError> {
        // Who goes back begins anew: libass would remember what is to come.
        if micros < self.drawn_to {
            self.canvas = None;
        }
        let canvas = match &mut self.canvas {
            Some(canvas) => canvas,
            None => {
                self.drawn_to = i64::MIN;
                let fonts = self.script.fonts.as_ref().map(TempDir::path);
                let document = &self.script.document;
                let canvas = Canvas::open(document, fonts, self.size, &self.scratch)?;
                self.canvas.insert(canvas)
            }
        };
        for begin in self.script.begun(self.drawn_to, micros) {
            canvas.draw(begin + JUST_BEHIND_MICROS)?;
        }
        self.drawn_to = micros;
        canvas.layer(micros + ROUNDING_MICROS, &mut self.maker, &self.output)
    }
}

impl Filter for Captions {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let micros = since(&self.output, self.zero, frame);
        if self.shown.since(micros).is_none() || !self.script.is_seen(micros) {
            return Ok(frame.share()?);
        }
        let Some(Drawn { layer, at }) = self.draw(micros)? else {
            return Ok(frame.share()?);
        };
        let mut out = copied(frame, &self.pool)?;
        layer.lay_over(&mut out, at)?;
        Ok(out)
    }
}

impl Script {
    fn is_seen(&self, micros: i64) -> bool {
        let behind = self.seen.partition_point(|(from, _)| *from <= micros);
        let last = behind.checked_sub(1).and_then(|at| self.seen.get(at));
        last.is_some_and(|(_, to)| micros < *to)
    }

    /// Where lines begin that led to what is shown at a moment, behind `after`.
    fn begun(&self, after: i64, micros: i64) -> Vec<i64> {
        let mut begun: Vec<i64> = Vec::new();
        for layer in &self.clusters {
            let behind = layer.partition_point(|cluster| cluster.from <= micros);
            let last = behind.checked_sub(1).and_then(|at| layer.get(at));
            if let Some(Cluster { begins, .. }) = last.filter(|cluster| micros < cluster.to) {
                begun.extend(begins.iter().filter(|at| **at > after && **at <= micros));
            }
        }
        begun.sort_unstable();
        begun.dedup();
        begun
    }
}

/// A time as ASS holds it.
fn held(micros: i64) -> i64 {
    (micros.saturating_add(HUNDREDTH_MICROS / 2)).div_euclid(HUNDREDTH_MICROS) * HUNDREDTH_MICROS
}

/// When there is anything to see, a hundredth wider on both sides.
fn seen(cues: &[Cue]) -> Vec<(i64, i64)> {
    let mut seen: Vec<(i64, i64)> = Vec::new();
    for cue in cues {
        let from = held(cue.from_micros) - HUNDREDTH_MICROS;
        let to =
            held(cue.to_micros).max(held(cue.from_micros) + HUNDREDTH_MICROS) + HUNDREDTH_MICROS;
        match seen.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => seen.push((from, to)),
        }
    }
    seen
}

/// Lines that hang together; one that says itself where it lies moves no other.
fn clusters(cues: &[Cue]) -> Vec<Vec<Cluster>> {
    let mut layers: BTreeMap<&str, Vec<Cluster>> = BTreeMap::new();
    for cue in cues {
        if cue.text().contains("\\pos(") || cue.text().contains("\\move(") {
            continue;
        }
        let layer = cue.event.split(',').nth(1).unwrap_or_default();
        let clusters = layers.entry(layer.trim()).or_default();
        let from = held(cue.from_micros);
        let to = held(cue.to_micros).max(from + HUNDREDTH_MICROS);
        match clusters.last_mut() {
            Some(last) if from < last.to => {
                last.to = last.to.max(to);
                if last.begins.last() != Some(&from) {
                    last.begins.push(from);
                }
            }
            _ => clusters.push(Cluster {
                from,
                to,
                begins: vec![from],
            }),
        }
    }
    layers.into_values().collect()
}

/// The fonts of a file as files; they get names of their own.
fn fonts_in(subtitles: &Subtitles, scratch: &Path) -> std::io::Result<Option<TempDir>> {
    if subtitles.fonts.is_empty() {
        return Ok(None);
    }
    let folder = tempfile::Builder::new()
        .prefix("fonts-")
        .tempdir_in(scratch)?;
    for (number, font) in subtitles.fonts.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.ttf")), &font.bytes)?;
    }
    Ok(Some(folder))
}

/// The document that libass draws: what is styled as it is, all else in the look of the node.
fn document(params: &SubtitlesParams, subtitles: &Subtitles) -> String {
    if subtitles.is_styled {
        return subtitles.document();
    }
    let (width, height) = script_size(&subtitles.header);
    let size = params.size / 100.0 * height;
    let margin = params.margin / 100.0 * height;
    let outline = params.outline / 100.0 * size;
    // With a box, the shadow is what it has around the text.
    let (border, back, shadow) = match &params.back {
        Some(color) => {
            let color = ass_color(color).replacen("&H00", &format!("&H{BOX_TRANSPARENCY:02X}"), 1);
            (4, color, size * 0.15)
        }
        None => (1, "&H00000000".to_owned(), 0.0),
    };
    let header = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\n\
         ScaledBorderAndShadow: yes\n\n[V4+ Styles]\n\
         Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
         BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n\
         Style: Default,{},{size:.2},{color},{color},{},{back},{border},{outline:.2},{shadow:.2},{},\
         {margin:.0},{margin:.0},{margin:.0},1\n\n",
        params.font.as_deref().unwrap_or(USUAL_FONT),
        ass_color(&params.outline_color),
        alignment(params.anchor),
        color = ass_color(&params.color),
    );
    let looks = Subtitles {
        header,
        ..subtitles.clone()
    };
    looks.document()
}

/// The size that places and sizes in the text count in.
fn script_size(header: &str) -> (f64, f64) {
    let side = |name: &str| {
        let line = header
            .lines()
            .find_map(|line| line.trim().strip_prefix(name))?;
        line.trim()
            .parse::<u32>()
            .ok()
            .filter(|side| (1..=16_384).contains(side))
    };
    match (side("PlayResX:"), side("PlayResY:")) {
        (Some(width), Some(height)) => (f64::from(width), f64::from(height)),
        _ => SCRIPT_SIZE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        let subtitles = Subtitles::of_text(text).unwrap();
        Script {
            document: String::new(),
            fonts: None,
            seen: seen(&subtitles.cues),
            clusters: clusters(&subtitles.cues),
        }
    }

    const MILLI: i64 = 1_000;

    #[test]
    fn who_begins_in_the_middle_draws_what_led_there_and_who_goes_on_only_what_is_new() {
        let line = |from: &str, to: &str, text: &str| {
            format!("Dialogue: 0,0:00:0{from},0:00:0{to},Default,,0,0,0,,{text}\n")
        };
        let lines = [
            line("1.00", "3.00", "a"),
            line("2.00", "5.00", "b"),
            line("4.00", "6.00", "c"),
            line("4.10", "6.50", "{\\pos(1,1)}e"),
            line("6.00", "7.00", "d"),
        ];
        let script = script(&format!("[Script Info]\n\n[Events]\n{}", lines.concat()));
        let begun = |after, at: i64| script.begun(after, at * MILLI);
        assert_eq!(begun(i64::MIN, 4_500), [1_000_000, 2_000_000, 4_000_000]);
        assert_eq!(begun(3_500 * MILLI, 4_500), [4_000_000]);
        assert_eq!(begun(i64::MIN, 500), [] as [i64; 0]);
        assert_eq!(begun(i64::MIN, 6_000), [6_000_000], "c is over");
        assert!(!script.is_seen(900 * MILLI));
        assert!(script.is_seen(1_000 * MILLI) && script.is_seen(6_999 * MILLI));
        assert!(!script.is_seen(7_100 * MILLI));
    }

    #[test]
    fn what_has_a_look_keeps_it_and_all_else_gets_that_of_the_node() {
        let params = SubtitlesParams {
            back: Some("#102030".to_owned()),
            size: 10.0,
            ..SubtitlesParams::new("/a.srt")
        };
        let plain = Subtitles::of_text("1\n00:00:01,000 --> 00:00:02,000\n<b>a</b>\n").unwrap();
        let drawn = document(&params, &plain);
        assert!(
            drawn.contains(
                "Style: Default,sans-serif,28.80,&H00FFFFFF,&H00FFFFFF,&H00000000,&H40302010,4,"
            ),
            "{drawn}"
        );
        assert!(
            drawn.contains("Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\b1}a{\\b0}\n"),
            "{drawn}"
        );
        let own = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Mine,Serif\n\n\
                   [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
                   Dialogue: 0,0:00:01.00,0:00:02.00,Mine,,0,0,0,,a\n";
        let styled = Subtitles::of_text(own).unwrap();
        assert_eq!(document(&params, &styled), own);
    }
}
