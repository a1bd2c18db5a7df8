//! A picture in one of the planar layouts of `core::pixel`, and pools of such pictures.

use crate::color::ColorNumbers;
use crate::error::MediaError;
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::av_format;
use crate::ffi::pool::BufferPool;
use crate::hdr::HdrStatic;
use ffmpeg_sys_next::AVFrameSideDataType as SideData;
use frameloom_core::color::ColorInfo;
use frameloom_core::media::FieldOrder;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat};
use frameloom_core::time::Rational;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// A picture with its times and colour. The samples are counted by reference: sharing and handing
/// over cost nothing, and writing to shared samples copies them first.
///
/// Planes hold 8-bit samples, or 9 to 16-bit samples low-aligned in native-endian words.
pub struct Frame {
    inner: AvFrame,
    format: PixelFormat,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("width", &self.width())
            .field("height", &self.height())
            .field("format", &self.format)
            .field("pts", &self.pts())
            .field("duration", &self.duration())
            .finish()
    }
}

impl Frame {
    /// Wraps a frame whose planes were checked to be those of `format`.
    pub(crate) fn wrap(inner: AvFrame, format: PixelFormat) -> Result<Self, MediaError> {
        if !inner.fits(format) {
            return Err(MediaError::BadDimensions {
                width: inner.width(),
                height: inner.height(),
            });
        }
        Ok(Self { inner, format })
    }

    pub(crate) fn inner(&self) -> &AvFrame {
        &self.inner
    }

    pub(crate) fn inner_mut(&mut self) -> &mut AvFrame {
        &mut self.inner
    }

    /// A new picture, all samples zero, without times and colour.
    ///
    /// # Errors
    /// Sides of zero or above 65535, a layout that ffmpeg does not have, or no memory.
    pub fn new(format: PixelFormat, width: u32, height: u32) -> Result<Self, MediaError> {
        Self::wrap(AvFrame::zeroed(format, width, height)?, format)
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.inner.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.inner.height()
    }

    /// Layout of the planes.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Presentation time in ticks of the reader's time base.
    pub fn pts(&self) -> i64 {
        self.inner.pts().unwrap_or(0)
    }

    /// How long the frame is shown, in ticks; 0 where the file does not say.
    pub fn duration(&self) -> i64 {
        self.inner.duration()
    }

    /// Sets both times, in ticks of the reader's time base.
    pub fn set_timing(&mut self, pts: i64, duration: i64) {
        self.inner.set_pts(pts);
        self.inner.set_duration(duration.max(0));
    }

    /// Width of a pixel by its height, where the frame says so.
    pub fn sample_aspect_ratio(&self) -> Option<Rational> {
        self.inner.sample_aspect_ratio()
    }

    /// Sets the width of a pixel by its height.
    pub fn set_sample_aspect_ratio(&mut self, ratio: Rational) {
        self.inner.set_sample_aspect_ratio(ratio);
    }

    /// Interlaced, as the decoder saw this very frame.
    pub fn field_order(&self) -> FieldOrder {
        match self.inner.interlaced_top_first() {
            Some(true) => FieldOrder::TopFirst,
            Some(false) => FieldOrder::BottomFirst,
            None => FieldOrder::Progressive,
        }
    }

    /// Plane `index` for reading: Y, Cb, Cr or G, B, R, then alpha.
    ///
    /// # Panics
    /// If the format has no such plane.
    pub fn plane(&self, index: usize) -> AnyPlane<'_> {
        self.inner.plane(self.format, index)
    }

    /// Plane `index` for writing. Samples shared with another frame are copied first.
    ///
    /// # Errors
    /// No memory for that copy.
    ///
    /// # Panics
    /// If the format has no such plane.
    pub fn plane_mut(&mut self, index: usize) -> Result<AnyPlaneMut<'_>, MediaError> {
        self.inner.make_writable(self.format)?;
        Ok(self.inner.plane_mut(self.format, index))
    }

    /// Another frame over the same samples.
    ///
    /// # Errors
    /// No memory for the handle.
    pub fn share(&self) -> Result<Self, MediaError> {
        Ok(Self {
            inner: self.inner.share()?,
            format: self.format,
        })
    }

    /// True if both lie over the very same samples and are tagged alike: they cannot differ. Times
    /// do not count.
    pub fn is_same_picture(&self, other: &Self) -> bool {
        let place = |frame: &Self, index| match frame.plane(index) {
            AnyPlane::U8(plane) => (plane.data.as_ptr().addr(), plane.stride),
            AnyPlane::U16(plane) => (plane.data.as_ptr().addr(), plane.stride),
        };
        self.format == other.format
            && (self.width(), self.height()) == (other.width(), other.height())
            && self.color() == other.color()
            && (0..self.format.plane_count()).all(|i| place(self, i) == place(other, i))
    }

    /// Colour tags: the frame's own, or where it has none, those of its stream.
    pub fn color(&self) -> ColorInfo {
        self.inner.color().to_info()
    }

    /// Sets the colour tags. The samples stay what they are.
    pub fn set_color(&mut self, color: &ColorInfo) {
        self.inner.set_color(ColorNumbers::from_info(color));
    }

    /// Takes times, colour, sample aspect ratio and static HDR data from `other`. How `other` was
    /// coded (picture type, fields, dynamic HDR) is not taken.
    ///
    /// # Errors
    /// No memory.
    pub fn copy_props_from(&mut self, other: &Frame) -> Result<(), MediaError> {
        self.inner.copy_props_from(&other.inner)
    }

    /// Static HDR data of the frame.
    pub fn hdr(&self) -> Option<HdrStatic> {
        HdrStatic::parse(
            self.inner
                .side_data(SideData::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
            self.inner
                .side_data(SideData::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL),
        )
    }

    /// Name of the dynamic HDR data that the frame carries and that processing drops.
    pub fn dynamic_hdr(&self) -> Option<&'static str> {
        self.inner.dynamic_hdr()
    }

    /// A number made of every visible sample: equal pictures give equal numbers, in every run and
    /// on every machine of one byte order. Size and format count, times and colour tags do not.
    pub fn content_hash(&self) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&self.width().to_le_bytes());
        hash.update(&self.height().to_le_bytes());
        hash.update(self.format.to_string().as_bytes());
        let mut bytes = Vec::new();
        for index in 0..self.format.plane_count() {
            match self.plane(index) {
                AnyPlane::U8(plane) => {
                    for y in 0..plane.height {
                        hash.update(plane.row(y));
                    }
                }
                AnyPlane::U16(plane) => {
                    for y in 0..plane.height {
                        bytes.clear();
                        bytes.extend(plane.row(y).iter().flat_map(|s| s.to_le_bytes()));
                        hash.update(&bytes);
                    }
                }
            }
        }
        hash.digest()
    }
}

/// Memory for pictures of one size and format that is used again when a frame is dropped. Clones
/// share it; frames may outlive it.
#[derive(Clone)]
pub struct FramePool(Arc<BufferPool>);

impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FramePool({}x{} {})",
            self.width(),
            self.height(),
            self.format()
        )
    }
}

impl FramePool {
    /// A pool; nothing is allocated before the first [`FramePool::get`].
    ///
    /// # Errors
    /// Sides of zero or above 65535, or a layout that ffmpeg does not have.
    pub fn new(format: PixelFormat, width: u32, height: u32) -> Result<Self, MediaError> {
        av_format(format)?;
        Ok(Self(Arc::new(BufferPool::new(format, width, height)?)))
    }

    /// A picture without times and colour. Its samples are those of an earlier frame, or zero.
    ///
    /// # Errors
    /// No memory.
    pub fn get(&self) -> Result<Frame, MediaError> {
        Frame::wrap(self.0.get()?, self.0.format)
    }

    /// Format of the frames.
    pub fn format(&self) -> PixelFormat {
        self.0.format
    }

    /// Width of the frames in pixels.
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Height of the frames in pixels.
    pub fn height(&self) -> u32 {
        self.0.height
    }
}
