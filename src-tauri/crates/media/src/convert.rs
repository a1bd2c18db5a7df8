//! Change of pixel format and size, with the matrix and range that the frame is tagged with.

use crate::error::MediaError;
use crate::ffi::pixel::{AvFormat, av_format};
use crate::ffi::scale::{Scaler, Side};
use crate::frame::{Frame, FramePool};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};

/// Converts frames to one format and size. Keeps its tables between frames of one kind, so use
/// one per thread and target.
///
/// Resizing is cubic, in the samples as they are coded (gamma-encoded), with full chroma
/// resolution and exact rounding. The colour tags stay; between RGB and YUV the tagged matrix and
/// range are used, and for untagged video the one that its size suggests.
#[derive(Default)]
pub struct Converter {
    scaler: Option<Scaler>,
}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Converter")
    }
}

/// The side of a conversion that a picture of this kind is.
pub(crate) fn side(
    format: AvFormat,
    planes: Planes,
    width: u32,
    height: u32,
    color: &ColorInfo,
) -> Side {
    let rgb = planes == Planes::Gbr;
    Side {
        width,
        height,
        format,
        matrix: color.matrix,
        full_range: rgb || color.range == Range::Full,
        chroma: color.chroma_location,
    }
}

impl Converter {
    /// A converter without tables yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Converts `frame` to the format and size of `pool`, with times, colour tags and HDR data.
    /// A frame that already is what is wanted is shared, not copied.
    ///
    /// # Errors
    /// A pair of formats that swscale does not convert, or no memory.
    pub fn convert(&mut self, frame: &Frame, pool: &FramePool) -> Result<Frame, MediaError> {
        let same = (frame.format(), frame.width(), frame.height())
            == (pool.format(), pool.width(), pool.height());
        if same {
            return frame.share();
        }
        if let Some(widened) = widen(frame, pool)? {
            return Ok(widened);
        }
        let tagged = frame.color();
        let mut color = tagged.clone();
        let (source, target) = (frame.format().planes, pool.format().planes);
        let crosses = (source == Planes::Gbr) != (target == Planes::Gbr);
        // A matrix of RGB says nothing about YUV; then, as for untagged video, the size decides.
        if color.matrix == Matrix::Identity {
            color.matrix = Matrix::Unspecified;
        }
        let (width, height) = if source == Planes::Gbr {
            (pool.width(), pool.height())
        } else {
            (frame.width(), frame.height())
        };
        color.matrix = color.matrix_or_guess(width, height).0;
        let from_color = color.clone();
        if crosses && target != Planes::Gbr && tagged.range == Range::Unspecified {
            color.range = Range::Limited;
        }
        if crosses && target != Planes::Gbr && tagged.matrix == Matrix::Identity {
            color.range = Range::Limited;
        }
        let from = side(
            av_format(frame.format())?,
            source,
            frame.width(),
            frame.height(),
            &from_color,
        );
        let to = side(
            av_format(pool.format())?,
            target,
            pool.width(),
            pool.height(),
            &color,
        );
        let mut result = pool.get()?;
        self.run(frame, from, &mut result, to)?;
        result.copy_props_from(frame)?;
        let mut tags = tagged;
        // Untagged grey is full range and untagged YUV is not, and the samples stay as they are.
        if !crosses
            && tags.range == Range::Unspecified
            && (source == Planes::Gray) != (target == Planes::Gray)
        {
            tags.range = match source {
                Planes::Gray => Range::Full,
                _ => Range::Limited,
            };
        }
        if crosses && target == Planes::Gbr {
            tags.matrix = Matrix::Identity;
            tags.matrix_name = Some("gbr".into());
            tags.range = Range::Full;
        } else if crosses {
            tags.matrix = color.matrix;
            tags.matrix_name = None;
            tags.range = color.range;
        }
        result.set_color(&tags);
        Ok(result)
    }

    fn run(
        &mut self,
        frame: &Frame,
        from: Side,
        result: &mut Frame,
        to: Side,
    ) -> Result<(), MediaError> {
        let scaler = match self.scaler.take() {
            Some(scaler) if scaler.is_for(from, to) => scaler,
            _ => Scaler::new(from, to)?,
        };
        let scaler = self.scaler.insert(scaler);
        scaler.run(frame.inner(), result.inner_mut())
    }
}

/// RGB in more bits, each value the nearest to the same share of white: swscale is off by one in
/// some layouts with transparency. `None` for any other conversion.
fn widen(frame: &Frame, pool: &FramePool) -> Result<Option<Frame>, MediaError> {
    let (from, to) = (frame.format(), pool.format());
    let same = PixelFormat {
        bits: from.bits,
        ..to
    };
    let sizes = (frame.width(), frame.height()) == (pool.width(), pool.height());
    if !sizes || same != from || to.bits <= from.bits || to.planes != Planes::Gbr {
        return Ok(None);
    }
    let (top, old) = (u32::from(to.max_value()), u32::from(from.max_value()));
    let table: Vec<u16> = (0..=old)
        .map(|v| ((v * top + old / 2) / old) as u16)
        .collect();
    let mut result = pool.get()?;
    for index in 0..to.plane_count() {
        let AnyPlaneMut::U16(mut target) = result.plane_mut(index)? else {
            return Ok(None);
        };
        for y in 0..target.height {
            let row = target.row_mut(y).iter_mut();
            match frame.plane(index) {
                AnyPlane::U8(source) => row
                    .zip(source.row(y))
                    .for_each(|(t, s)| *t = table[usize::from(*s)]),
                AnyPlane::U16(source) => row
                    .zip(source.row(y))
                    .for_each(|(t, s)| *t = table[usize::from(*s).min(table.len() - 1)]),
            }
        }
    }
    result.copy_props_from(frame)?;
    Ok(Some(result))
}

/// Converts one frame to `format`, keeping its size.
///
/// # Errors
/// As [`Converter::convert`].
pub fn convert(frame: &Frame, format: PixelFormat) -> Result<Frame, MediaError> {
    let pool = FramePool::new(format, frame.width(), frame.height())?;
    Converter::new().convert(frame, &pool)
}
