//! A contact sheet: one picture with a small one of each shot and its time below.

use crate::EngineError;
use frameloom_core::color::ColorInfo;
use frameloom_core::job::Quality;
use frameloom_core::pixel::{AnyPlane, PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::time::{Rational, TimeBase};
use frameloom_media::{
    FilterGraph, FilterInput, FilterSpec, Frame, MediaError, RgbImage, Scrubber,
};
use frameloom_still::{Channels, Metadata, RowWriter, RowsRef, StillFormat};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A picture of a sheet is at most so wide and high, in pixels.
pub const SHEET_PICTURE: u32 = 320;
/// Pixels between pictures, and around them.
const GAP: u32 = 8;
/// Height of the line below a picture.
const LINE: u32 = 28;
/// No more pictures are beside each other.
const MOST_COLUMNS: u32 = 10;

/// What libass draws on: it lays letters only over pictures with alpha in this layout.
const CANVAS: PixelFormat = PixelFormat {
    planes: Planes::Gbr,
    bits: 8,
    alpha: true,
};

/// A shot on the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetShot {
    /// Which picture shows it, in microseconds from the first of the clip.
    pub at_micros: i64,
    /// What stands below it: one line.
    pub line: String,
}

/// Writes a sheet of `shots` of the clip `path` to `output`, which is replaced, as `format`. Pictures are
/// upright, with square pixels, HDR as a screen without it shows it. `progress` is told the part that is
/// done, 0 to 1.
///
/// # Errors
/// The clip cannot be read, the sheet cannot be written, or `cancel` was raised.
pub fn contact_sheet(
    path: &Path,
    shots: &[SheetShot],
    output: &Path,
    format: StillFormat,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(f64),
) -> Result<(), EngineError> {
    let mut clip = Scrubber::open(path)?;
    let mut shots_of_clip = |number: usize| {
        let Some(shot) = shots.get(number) else {
            return Ok(None);
        };
        let picture = clip.picture(shot.at_micros, SHEET_PICTURE, true)?;
        Ok(Some((picture, shot.line.clone())))
    };
    // All pictures of a clip have one size.
    let sheet = Sheet {
        count: shots.len(),
        cell: None,
        columns: None,
        lines: true,
        output,
        format,
    };
    sheet.write(&mut shots_of_clip, cancel, progress)
}

/// A picture of a sheet with the line below it.
pub type SheetPicture = (RgbImage, String);

/// A sheet that is to be written. One row of its pictures is in memory at a time.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// How many pictures there are.
    pub count: usize,
    /// Width and height of the place of a picture, in pixels; the size of the first where `None`.
    pub cell: Option<(u32, u32)>,
    /// How many pictures are beside each other; `None`: the whole is about as wide as high.
    pub columns: Option<u32>,
    /// A line of text stands below each picture.
    pub lines: bool,
    /// Where it is written; a file that is there is replaced.
    pub output: &'a Path,
    /// As what.
    pub format: StillFormat,
}

impl Sheet<'_> {
    /// Width and height of the whole where the place of a picture has this size, in pixels.
    pub fn size(&self, cell: (u32, u32)) -> (u32, u32) {
        let side = |count: u32, each: u32, below: u32| {
            let each = each.saturating_add(below);
            count.saturating_mul(each).saturating_add(GAP)
        };
        let rows = self.pictures().div_ceil(self.columns());
        (
            side(self.columns(), cell.0, GAP),
            side(rows, cell.1, self.below()),
        )
    }

    fn pictures(&self) -> u32 {
        u32::try_from(self.count).unwrap_or(u32::MAX)
    }

    fn columns(&self) -> u32 {
        let count = self.pictures().max(1);
        let square = (f64::from(count).sqrt().ceil() as u32).clamp(1, MOST_COLUMNS);
        self.columns.unwrap_or(square).clamp(1, count)
    }

    /// Pixels from a row of pictures to the next.
    fn below(&self) -> u32 {
        if self.lines { LINE } else { GAP }
    }

    /// Writes the sheet of what `picture` gives for each number from 0 on; nothing for `None`.
    ///
    /// # Errors
    /// That of `picture`; the sheet cannot be written, or `cancel` was raised.
    pub fn write(
        &self,
        picture: &mut dyn FnMut(usize) -> Result<Option<SheetPicture>, EngineError>,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), EngineError> {
        let columns = self.columns() as usize;
        let (mut writer, mut cell) = (None, self.cell.unwrap_or_default());
        for first in (0..self.count).step_by(columns) {
            let row = first..(first + columns).min(self.count);
            let (mut pictures, mut lines) = (Vec::new(), Vec::new());
            for number in row {
                if cancel.load(Ordering::Relaxed) {
                    return Err(MediaError::Cancelled.into());
                }
                if let Some((picture, line)) = picture(number)? {
                    pictures.push(picture);
                    lines.push(line);
                }
                progress((number + 1) as f64 / self.count as f64);
            }
            if let (None, Some(first)) = (&writer, pictures.first()) {
                cell = self.cell.unwrap_or((first.width, first.height));
                let (width, height) = self.size(cell);
                writer = Some((
                    width,
                    RowWriter::open(
                        self.output,
                        self.format,
                        width,
                        height,
                        Channels::Rgb,
                        8,
                        &Metadata::default(),
                        Quality::Archive,
                    )?,
                ));
            }
            let Some((width, writer)) = &mut writer else {
                continue;
            };
            if first == 0 {
                writer.write_rows(RowsRef::U8(&vec![0; (*width * GAP * 3) as usize]))?;
            }
            writer.write_rows(RowsRef::U8(&beside(&pictures, cell, *width)))?;
            let rows = match self.lines {
                true => written(&lines, cell.0, *width, self.output)?,
                false => vec![0; (*width * GAP * 3) as usize],
            };
            writer.write_rows(RowsRef::U8(&rows))?;
        }
        if let Some((_, writer)) = writer {
            writer.finish()?;
        }
        Ok(())
    }
}

/// Rows of R, G, B in which `pictures` lie beside each other on black, each in the middle of its place; one
/// that is larger than that is cut.
fn beside(pictures: &[RgbImage], cell: (u32, u32), width: u32) -> Vec<u8> {
    let line = width as usize * 3;
    let mut rows = vec![0u8; line * cell.1 as usize];
    for (place, picture) in pictures.iter().enumerate() {
        let within = |room: u32, size: u32| (room.saturating_sub(size) / 2) as usize;
        let corner = GAP as usize + place * (cell.0 + GAP) as usize;
        let left = (corner + within(cell.0, picture.width)) * 3;
        let top = within(cell.1, picture.height);
        let taken = picture.width.min(cell.0) as usize * 3;
        let own = picture
            .data
            .chunks_exact((picture.width as usize * 3).max(1));
        for (to, from) in rows.chunks_exact_mut(line).skip(top).zip(own) {
            if let (Some(to), Some(from)) = (to.get_mut(left..left + taken), from.get(..taken)) {
                to.copy_from_slice(from);
            }
        }
    }
    rows
}

/// Rows of R, G, B with a line of text below each picture, white on black.
fn written(lines: &[String], cell: u32, width: u32, output: &Path) -> Result<Vec<u8>, EngineError> {
    let folder = output.parent().unwrap_or(Path::new("."));
    let failed = || EngineError::io("the text cannot be laid out", folder);
    let mut file = tempfile::Builder::new()
        .prefix(".sheet-")
        .suffix(".ass")
        .tempfile_in(folder)
        .map_err(failed())?;
    file.write_all(script(lines, cell, width).as_bytes())
        .and_then(|()| file.flush())
        .map_err(failed())?;
    let input = FilterInput {
        format: CANVAS,
        width,
        height: LINE,
        time_base: TimeBase::MICROS,
        frame_rate: None,
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        color: ColorInfo::default(),
    };
    let letters = FilterSpec {
        name: "ass",
        options: vec![
            ("filename", file.path().to_string_lossy().into_owned()),
            ("alpha", "1".to_owned()),
        ],
    };
    let mut graph = FilterGraph::open(&[letters], &input, 1)?;
    let mut canvas = Frame::new(CANVAS, width, LINE)?;
    canvas.set_timing(0, 0);
    graph.send(&canvas)?;
    let drawn = graph.receive()?.ok_or_else(|| EngineError::Node {
        node: "text".to_owned(),
        reason: said!("node.kept_back", "the filter kept a frame back"),
    })?;
    let mut rows = Vec::with_capacity((width * LINE * 3) as usize);
    let planes = [2, 0, 1].map(|index| match drawn.plane(index) {
        AnyPlane::U8(plane) => Some(plane),
        AnyPlane::U16(_) => None,
    });
    if let [Some(red), Some(green), Some(blue)] = planes {
        for y in 0..LINE as usize {
            let pixels = red.row(y).iter().zip(green.row(y)).zip(blue.row(y));
            rows.extend(pixels.flat_map(|((r, g), b)| [*r, *g, *b]));
        }
    }
    Ok(rows)
}

/// The lines as an ASS document of the size of the rows.
fn script(lines: &[String], cell: u32, width: u32) -> String {
    let mut out = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {LINE}\n\
         WrapStyle: 2\n\n[V4+ Styles]\n\
         Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, \
         Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n\
         Style: Line,sans-serif,18,&H00FFFFFF,&H00000000,&HFF000000,1,0,0,4,0,0,0,1\n\n\
         [Events]\nFormat: Layer, Start, End, Style, Text\n"
    );
    for (place, line) in (0u32..).zip(lines) {
        let left = GAP + place * (cell + GAP);
        // Writing to a text cannot fail.
        let _ = writeln!(
            out,
            "Dialogue: 0,0:00:00.00,9:59:59.99,Line,{{\\pos({left},{})}}{}",
            LINE / 2,
            shortened(line, cell).replace(['{', '}', '\\', '\n', '\r'], " ")
        );
    }
    out
}

/// A line that about fits below a picture: a long name loses its middle.
fn shortened(line: &str, cell: u32) -> String {
    // Letters of this size are about 9 pixels wide.
    let most = (cell / 9).max(8) as usize;
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= most {
        return line.to_owned();
    }
    let head = most / 2;
    let tail = most - head - 1;
    let (start, end) = (&letters[..head], &letters[letters.len() - tail..]);
    start.iter().chain(&['\u{2026}']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shortened("short.png", 320), "short.png");
        let long = "a".repeat(40) + &"b".repeat(40);
        let found = shortened(&long, 320);
        assert_eq!(found.chars().count(), 35);
        assert!(found.starts_with("aaa") && found.ends_with("bbb") && found.contains('\u{2026}'));
    }

    #[test]
    fn a_sheet_is_as_large_as_its_columns_and_lines_make_it() {
        let sheet = |count, columns, lines| Sheet {
            count,
            cell: None,
            columns,
            lines,
            output: Path::new("sheet.png"),
            format: StillFormat::Png,
        };
        let size = |count, columns, lines| sheet(count, columns, lines).size((320, 213));
        assert_eq!(size(5, None, true), (3 * 328 + 8, 2 * 241 + 8));
        assert_eq!(size(5, Some(5), true), (5 * 328 + 8, 241 + 8));
        assert_eq!(size(5, Some(2), false), (2 * 328 + 8, 3 * 221 + 8));
        // No room is left for pictures that are not there.
        assert_eq!(size(3, Some(8), false), (3 * 328 + 8, 221 + 8));
        assert_eq!(size(1000, None, true).0, 10 * 328 + 8);
    }

    #[test]
    fn pictures_lie_in_the_middle_of_their_places() {
        let white = |width, height| RgbImage {
            width,
            height,
            data: vec![255; (width * height * 3) as usize],
        };
        let width = 2 * (4 + GAP) + GAP;
        let rows = beside(&[white(2, 4), white(4, 2)], (4, 4), width);
        let lit = |x: u32, y: u32| rows[((y * width + x) * 3) as usize] == 255;
        let second = GAP + 4 + GAP;
        assert!(lit(GAP + 1, 0) && lit(GAP + 2, 3) && !lit(GAP, 0) && !lit(GAP + 3, 0));
        assert!(lit(second, 1) && lit(second + 3, 2) && !lit(second, 0) && !lit(second, 3));
    }
}
