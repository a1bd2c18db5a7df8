//! The last step of a job whose result is numbered pictures: every frame of the parts becomes a
//! file in a hidden folder beside the result, and is read back; when all are there they get their
//! names.

use super::Context;
use super::output::{has_same_content, read_back};
use crate::EngineError;
use frameloom_core::color::ColorInfo;
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::pixel::AnyPlane;
use frameloom_core::said;
use frameloom_core::sequence::{NumberPattern, PictureNumbers};
use frameloom_core::time::Rational;
use frameloom_media::{Frame, MediaError, PartFrames, RgbPainter};
use frameloom_still::{
    Channels, Limits, Metadata, PngColor, RowWriter, RowsRef, Samples, StillFormat,
};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Mean difference, of full scale, that a picture of a format with loss may have.
const LOSSY_TOLERANCE: f64 = 0.02;

/// Number of the first picture where the source has no numbers.
const FIRST: u64 = 1;

/// Writes the pictures, checks each, and gives them their names.
pub(super) fn join(
    spec: &JobSpec,
    parts: &[PathBuf],
    context: &Context<'_>,
) -> Result<(PathBuf, PictureNumbers), EngineError> {
    let names = NumberPattern::of_path(&spec.output).ok_or_else(|| MediaError::InvalidRequest {
        what: said!(
            "sequence.no_number_in_result",
            "the name of the result has no place for a number"
        ),
    })?;
    let format = StillFormat::for_output(&spec.output)?;
    let folder = Hidden::make(&spec.output, context.work_dir, &names)?;
    let mut frames = PartFrames::open(parts)?;
    let deep = frames.header().depth() > 8 && format.holds_16_bits();
    let mut painter = RgbPainter::new(if deep { 16 } else { 8 });
    let metadata = metadata(spec, &frames)?;
    if format != StillFormat::Png && metadata.icc.is_none() {
        // Nothing in them says more than what everybody takes them for.
        painter = painter.in_srgb(&frames.header().color());
    }
    let first = spec.pictures.map_or(FIRST, |run| run.first);
    let (mut number, mut told, mut named) = (first, HashSet::new(), HashSet::new());
    while let Some(frame) = frames.next()? {
        context.cancel.check()?;
        context.progress.alive();
        let picture = Rows::of(&painter.rgb(&frame)?);
        let path = folder.path(number);
        let mut writer = RowWriter::open(
            &path,
            format,
            frame.width(),
            frame.height(),
            picture.layout,
            if deep { 16 } else { 8 },
            &metadata,
            spec.encode.quality,
        )?;
        writer.write_rows(picture.samples.as_rows())?;
        for warning in writer.finish()? {
            if told.insert(warning.clone()) {
                context.progress.warning(warning);
            }
        }
        picture.check(&path, format)?;
        if folder.gives_up(&spec.output, number)? {
            named.insert(number);
        }
        number += 1;
    }
    let numbers = PictureNumbers {
        first,
        count: number - first,
    };
    context.progress.step(Step::Verifying, Some(numbers.count));
    folder.publish(&spec.output, numbers, &named, spec.overwrite)?;
    Ok((spec.output.clone(), numbers))
}

/// What goes into every picture: how its colours are meant, and the shape of its pixels.
fn metadata(spec: &JobSpec, frames: &PartFrames<'_>) -> Result<Metadata, EngineError> {
    let mut metadata = Metadata::default();
    if let Some(run) = spec.pictures
        && let Some(names) = NumberPattern::of_path(&spec.input)
    {
        let source = names.path(&spec.input, run.first);
        if frameloom_still::is_still(&source)? {
            metadata.icc = frameloom_still::read(&source, &Limits::default())?
                .metadata
                .icc;
        }
    }
    if metadata.icc.is_none() {
        metadata.png_color = described(&frames.header().color());
    }
    let ratio: Rational = frames.header().sample_aspect_ratio();
    if ratio.num > 0 && ratio.num != ratio.den {
        metadata.dpi = Some((72.0 / ratio.to_f64(), 72.0));
    }
    Ok(metadata)
}

/// How a PNG says what the colours are (PNG 3rd edition, 11.3.2). Unknown stays unsaid.
///
/// The curves of ordinary video are made for a display that shows them as one for sRGB does, so
/// they are told as that; high dynamic range has curves of its own.
pub(crate) fn described(color: &ColorInfo) -> Option<PngColor> {
    let primaries = match color.primaries.as_deref()? {
        "bt709" => 1,
        "bt470m" => 4,
        "bt470bg" => 5,
        "smpte170m" => 6,
        "smpte240m" => 7,
        "film" => 8,
        "bt2020" => 9,
        "smpte428" => 10,
        "smpte431" => 11,
        "smpte432" => 12,
        "ebu3213" => 22,
        _ => return None,
    };
    let transfer = match color.transfer.as_deref()? {
        "smpte2084" => 16,
        "arib-std-b67" => 18,
        "linear" => 8,
        "smpte428" => 17,
        _ => 13,
    };
    Some(if (primaries, transfer) == (1, 13) {
        PngColor {
            srgb_intent: Some(0),
            ..PngColor::default()
        }
    } else {
        PngColor {
            // Red, green and blue in full range.
            cicp: Some([primaries, transfer, 0, 1]),
            ..PngColor::default()
        }
    })
}

/// A picture as the writers take it.
struct Rows {
    samples: Samples,
    layout: Channels,
}

impl Rows {
    fn of(rgb: &Frame) -> Self {
        let layout = Channels::Rgb.with_alpha(rgb.format().alpha);
        // The planes are green, blue, red and alpha.
        let order = [2, 0, 1, 3];
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let count = layout.count();
        let samples = if rgb.format().bits > 8 {
            let mut all = vec![0u16; width * height * count];
            for (channel, plane) in order[..count].iter().enumerate() {
                if let AnyPlane::U16(plane) = rgb.plane(*plane) {
                    spread(&mut all, channel, count, width, |y| plane.row(y));
                }
            }
            Samples::U16(all)
        } else {
            let mut all = vec![0u8; width * height * count];
            for (channel, plane) in order[..count].iter().enumerate() {
                if let AnyPlane::U8(plane) = rgb.plane(*plane) {
                    spread(&mut all, channel, count, width, |y| plane.row(y));
                }
            }
            Samples::U8(all)
        };
        Self { samples, layout }
    }

    /// Reads the written picture back: it must be the same, or nearly where its format loses.
    fn check(&self, path: &Path, format: StillFormat) -> Result<(), EngineError> {
        let read = read_back(frameloom_still::read(path, &Limits::default()))?;
        let same = match format {
            StillFormat::Jpeg => {
                read.layout == self.layout
                    && mean_difference(&read.samples, &self.samples) <= LOSSY_TOLERANCE
            }
            _ => read.layout == self.layout && read.samples == self.samples,
        };
        if same && read.warnings.is_empty() {
            return Ok(());
        }
        Err(EngineError::OutputCheck {
            reason: format!(
                "{} does not hold the picture that was written",
                path.file_name().unwrap_or_default().to_string_lossy()
            ),
        })
    }
}

fn spread<'a, T: Copy + 'a>(
    all: &mut [T],
    channel: usize,
    count: usize,
    width: usize,
    row: impl Fn(usize) -> &'a [T],
) {
    for (y, line) in all.chunks_exact_mut(width * count).enumerate() {
        for (pixel, sample) in line.chunks_exact_mut(count).zip(row(y)) {
            pixel[channel] = *sample;
        }
    }
}

fn mean_difference(a: &Samples, b: &Samples) -> f64 {
    match (a.as_rows(), b.as_rows()) {
        (RowsRef::U8(a), RowsRef::U8(b)) if a.len() == b.len() => {
            let sum: u64 = a
                .iter()
                .zip(b)
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum();
            sum as f64 / a.len().max(1) as f64 / 255.0
        }
        _ => 1.0,
    }
}

/// A hidden folder beside the result, in which the pictures wait for their names. What is left in
/// it goes with it.
struct Hidden<'a> {
    folder: PathBuf,
    names: &'a NumberPattern,
}

impl<'a> Hidden<'a> {
    fn make(output: &Path, work_dir: &Path, names: &'a NumberPattern) -> Result<Self, EngineError> {
        let hidden = Self {
            folder: hidden_folder(output, work_dir),
            names,
        };
        // A killed run may have left some.
        hidden.clear();
        std::fs::create_dir(&hidden.folder).map_err(EngineError::io(
            "a folder for the pictures cannot be made",
            &hidden.folder,
        ))?;
        Ok(hidden)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(self.names.name(number))
    }

    /// Removes a picture that has its name already: a run that was killed while it gave the names left
    /// it, and no second set is to pile up.
    fn gives_up(&self, output: &Path, number: u64) -> Result<bool, EngineError> {
        let path = self.path(number);
        let is_named = has_same_content(&path, &self.names.path(output, number));
        if is_named {
            std::fs::remove_file(&path)
                .map_err(EngineError::io("a picture cannot be removed", &path))?;
        }
        Ok(is_named)
    }

    /// Gives the pictures their names but for those that are `named` already. Without `overwrite`
    /// none of them replaces a file; if one name is taken, those that were given are taken back.
    fn publish(
        &self,
        output: &Path,
        numbers: PictureNumbers,
        named: &HashSet<u64>,
        overwrite: bool,
    ) -> Result<(), EngineError> {
        let mut given = Vec::new();
        let mut missing = numbers.all().filter(|number| !named.contains(number));
        let result = missing.try_for_each(|number| {
            let (from, to) = (self.path(number), self.names.path(output, number));
            let failed =
                || EngineError::io("a picture of the result cannot be given its name", &to);
            if overwrite {
                return std::fs::rename(&from, &to).map_err(failed());
            }
            match std::fs::hard_link(&from, &to) {
                Ok(()) => {
                    given.push(to.clone());
                    Ok(())
                }
                // FAT, exFAT and some network drives have no hard links.
                Err(_) if !to.exists() => {
                    std::fs::rename(&from, &to).map_err(failed())?;
                    given.push(to.clone());
                    Ok(())
                }
                Err(error) => Err(failed()(error)),
            }
        });
        if result.is_err() {
            for path in given {
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::warn!(%error, "a picture could not be taken back");
                }
            }
        }
        result
    }

    /// Removes the pictures and the folder, and nothing that is not of this pattern.
    fn clear(&self) {
        for entry in std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
        {
            let ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| self.names.number_of(name).is_some());
            if ours && let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::warn!(%error, "a temporary picture could not be removed");
            }
        }
        if let Err(error) = std::fs::remove_dir(&self.folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a temporary folder could not be removed");
        }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The hidden folder of a job, beside its result.
fn hidden_folder(output: &Path, work_dir: &Path) -> PathBuf {
    let job = work_dir
        .file_name()
        .map_or_else(|| "job".into(), |n| n.to_string_lossy().into_owned());
    output.with_file_name(format!(".frameloom-{job}"))
}

/// Removes what a killed run left beside a result of numbered pictures.
pub(super) fn remove_leftovers(output: &Path, work_dir: &Path) {
    if let Some(names) = NumberPattern::of_path(output) {
        drop(Hidden {
            folder: hidden_folder(output, work_dir),
            names: &names,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(hidden: &Hidden<'_>, numbers: PictureNumbers) {
        for number in numbers.all() {
            std::fs::write(hidden.path(number), format!("picture {number}")).unwrap();
        }
    }

    #[test]
    fn a_set_gets_its_names_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("shot_%03d.png");
        let names = NumberPattern::of_path(&output).unwrap();
        let numbers = PictureNumbers { first: 5, count: 4 };
        let file = |number| names.path(&output, number);
        std::fs::write(file(7), "mine").unwrap();
        let publish = |overwrite| {
            let hidden = Hidden::make(&output, Path::new("job"), &names).unwrap();
            write(&hidden, numbers);
            let given_up = |number: &u64| hidden.gives_up(&output, *number).unwrap();
            let named = numbers.all().filter(given_up).collect();
            hidden.publish(&output, numbers, &named, overwrite)
        };
        let refused = publish(false).unwrap_err().to_string();
        assert!(refused.contains("shot_007.png"), "{refused}");
        assert_eq!(std::fs::read_to_string(file(7)).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
        // Killed in the middle of giving names: what is there already is the result.
        std::fs::write(file(7), "picture 7").unwrap();
        publish(false).unwrap();
        for number in numbers.all() {
            let text = std::fs::read_to_string(file(number)).unwrap();
            assert_eq!(text, format!("picture {number}"));
        }
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 4);
        std::fs::write(file(6), "older").unwrap();
        publish(true).unwrap();
        assert_eq!(std::fs::read_to_string(file(6)).unwrap(), "picture 6");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 4);
    }

    #[test]
    fn what_somebody_else_put_into_the_hidden_folder_stays() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("shot_%03d.png");
        let names = NumberPattern::of_path(&output).unwrap();
        let hidden = Hidden::make(&output, Path::new("job"), &names).unwrap();
        let foreign = hidden.folder.join("notes.txt");
        std::fs::write(&foreign, "mine").unwrap();
        drop(hidden);
        assert!(foreign.exists());
    }

    #[test]
    fn a_png_says_of_its_colours_what_is_known_and_no_more() {
        let color = |primaries: &str, transfer: &str| ColorInfo {
            primaries: Some(primaries.to_owned()),
            transfer: Some(transfer.to_owned()),
            ..ColorInfo::default()
        };
        assert_eq!(described(&ColorInfo::default()), None);
        let srgb = described(&color("bt709", "bt709")).unwrap();
        assert_eq!((srgb.srgb_intent, srgb.cicp), (Some(0), None));
        let hdr = described(&color("bt2020", "smpte2084")).unwrap();
        assert_eq!((hdr.srgb_intent, hdr.cicp), (None, Some([9, 16, 0, 1])));
        let old = described(&color("smpte170m", "smpte170m")).unwrap();
        assert_eq!(old.cicp, Some([6, 13, 0, 1]));
    }
}
