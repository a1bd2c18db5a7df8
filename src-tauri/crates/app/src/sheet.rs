//! A contact sheet of files: one picture that shows many, each with its name.

use crate::inputs::Refused;
use crate::preview::pixels;
use crate::saved::saved;
use crate::scenes::{Newest, SceneWatch, sheet_format};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::library::ItemId;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::execute::is_same_file;
use frameloom_engine::scenes::{SHEET_PICTURE, Sheet};
use frameloom_media::{RgbImage, Tones};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use ts_rs::TS;

/// A sheet shows no more: it would be larger than people look at.
const MOST: usize = 2_000;
/// Pictures beside each other.
const COLUMNS: RangeInclusive<u32> = 1..=20;
/// Width of a picture.
const PICTURES: RangeInclusive<u32> = 80..=1280;
/// No side of a sheet is longer: JPEG has no room for more.
const MOST_SIDE: u32 = 65_000;
/// Colour of the place of a file that cannot be shown.
const UNSHOWN: u8 = 48;

/// A sheet that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
pub struct SheetWish {
    /// Pictures and clips, in their order.
    #[ts(type = "Array<string>")]
    pub files: Vec<PathBuf>,
    /// Where: a PNG or a JPEG file.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Pictures beside each other, 1 to 20; `None`: about as many as below each other.
    pub columns: Option<u32>,
    /// Pixels that a picture is wide at most, 80 to 1280; two thirds of that high.
    pub picture: u32,
    /// The name of each file stands below it.
    pub names: bool,
}

impl SheetWish {
    /// Of these files as sheets usually are.
    pub fn of(files: Vec<PathBuf>, output: PathBuf) -> Self {
        Self {
            files,
            output,
            columns: None,
            picture: SHEET_PICTURE,
            names: true,
        }
    }

    /// The place of a picture.
    fn cell(&self) -> (u32, u32) {
        (self.picture, self.picture * 2 / 3)
    }

    fn sheet<'a>(&self, output: &'a Path, format: StillFormat) -> Sheet<'a> {
        Sheet {
            count: self.files.len(),
            cell: Some(self.cell()),
            columns: self.columns,
            lines: self.names,
            output,
            format,
        }
    }

    fn check(&self) -> Result<(), AppError> {
        let count = self.files.len();
        if count == 0 || count > MOST {
            let message = said!(
                "sheet.count",
                "A sheet shows 1 to {most} files, and these are {count}.",
                most = MOST,
                count = count
            );
            return Err(invalid(message).hint("Make several sheets."));
        }
        let is_possible = self
            .columns
            .is_none_or(|columns| COLUMNS.contains(&columns))
            && PICTURES.contains(&self.picture);
        if !is_possible {
            let message = said!(
                "sheet.limits",
                "A sheet has 1 to {columns} pictures beside each other, each {least} to {most} pixels wide.",
                columns = *COLUMNS.end(),
                least = *PICTURES.start(),
                most = *PICTURES.end()
            );
            return Err(invalid(message).hint("Choose another number, or leave it out."));
        }
        Ok(())
    }
}

/// A sheet that was written.
#[derive(Debug)]
pub struct WrittenSheet {
    /// Where it is.
    pub path: PathBuf,
    /// Files that could not be shown; their names stand on the sheet.
    pub unshown: Vec<Refused>,
}

/// A sheet that was written for a window.
#[derive(Debug, Serialize, TS)]
pub struct MadeSheet {
    /// Where it is.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Its number in the library; `None` where it could not be added.
    #[ts(type = "number | null")]
    pub item: Option<ItemId>,
    /// Files that could not be shown.
    pub unshown: Vec<Refused>,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

/// Somebody does not want it any more.
fn stopped() -> AppError {
    AppError::new(
        ErrorCode::Cancelled,
        said!(
            "sheet.stopped",
            "The sheet was stopped; nothing was written."
        ),
    )
}

impl App {
    /// Writes a sheet of pictures and clips, in their order: upright, in sRGB, in 3:2 places, of a clip a
    /// picture of its beginning.
    ///
    /// # Errors
    /// There are none or too many, the whole would be too large, the name asks for another format than PNG
    /// or JPEG, nothing can be written there, or `watch` wants it no more.
    pub fn save_sheet(
        &self,
        wish: &SheetWish,
        overwrite: bool,
        watch: &mut dyn SceneWatch,
    ) -> Result<WrittenSheet, AppError> {
        wish.check()?;
        let (files, wanted) = (&wish.files, &wish.output);
        let format = sheet_format(wanted)?;
        let mut unshown = Vec::new();
        // No source is written over, whichever of them it would be.
        let source = files.iter().find(|file| is_same_file(file, wanted));
        let source = source.map_or(Path::new(""), PathBuf::as_path);
        let (width, height) = wish.sheet(wanted, format).size(wish.cell());
        if width.max(height) > MOST_SIDE {
            let message = said!(
                "sheet.large",
                "The sheet would have {width} x {height} pixels; no side can have more than {most}.",
                width = width,
                height = height,
                most = MOST_SIDE
            );
            return Err(
                invalid(message).hint("Choose smaller pictures, or more beside each other.")
            );
        }
        let path = saved(wanted, source, overwrite, |place| {
            let cancel = AtomicBool::new(false);
            let mut picture = |number: usize| {
                let Some(file) = files.get(number) else {
                    return Ok(None);
                };
                let name = file.file_name().unwrap_or(file.as_os_str());
                let line = name.to_string_lossy().into_owned();
                Ok(Some(match shown(file, wish.cell()) {
                    Ok(picture) => (picture, line),
                    Err(error) => {
                        let path = file.clone();
                        unshown.push(Refused { path, error });
                        (blank(wish.cell()), line)
                    }
                }))
            };
            wish.sheet(place, format)
                .write(&mut picture, &cancel, &mut |part| {
                    watch.told(part);
                    if !watch.is_wanted() {
                        cancel.store(true, Ordering::Relaxed);
                    }
                })
                .map_err(|error| match cancel.load(Ordering::Relaxed) {
                    true => stopped(),
                    false => explain::engine(&error),
                })
        })?;
        Ok(WrittenSheet { path, unshown })
    }

    /// As [`App::save_sheet`], for a window: nothing is written over, the sheet comes into the library, and
    /// it ends when the next one begins, or when [`App::leave_sheet`] is called.
    ///
    /// # Errors
    /// As [`App::save_sheet`].
    pub fn make_sheet(
        &self,
        wish: &SheetWish,
        told: &mut dyn FnMut(f64),
    ) -> Result<MadeSheet, AppError> {
        let mut watch = Newest::begin(&self.sheet_wanted, told);
        let WrittenSheet { path, unshown } = self.save_sheet(wish, false, &mut watch)?;
        // It is made, whatever becomes of the list.
        let item = self
            .import(std::slice::from_ref(&path))
            .and_then(|_| self.store.library_item_at(&path).map_err(explain::store));
        if let Err(error) = &item {
            tracing::warn!(%error, "a sheet is not in the library");
        }
        Ok(MadeSheet {
            path,
            item: item.ok().flatten(),
            unshown,
        })
    }

    /// Ends the sheet of a window that is being made.
    pub fn leave_sheet(&self) {
        self.sheet_wanted.fetch_add(1, Ordering::SeqCst);
    }
}

/// A file as it fits into its place.
fn shown(file: &Path, cell: (u32, u32)) -> Result<RgbImage, AppError> {
    let small = |longest| pixels(file, None, longest, Tones::Shown);
    let (mut width, mut height, mut data) = small(cell.0)?;
    if height > cell.1 {
        // As high as its place.
        let longest = u64::from(width.max(height)) * u64::from(cell.1) / u64::from(height);
        (width, height, data) = small(u32::try_from(longest).unwrap_or(cell.0).max(1))?;
    }
    Ok(RgbImage {
        width,
        height,
        data,
    })
}

fn blank((width, height): (u32, u32)) -> RgbImage {
    RgbImage {
        width,
        height,
        data: vec![UNSHOWN; (width * height * 3) as usize],
    }
}
