//! Decoded pictures of any layout and size into the planar layout and size of the first one, without
//! what players cut off.

use crate::color::ColorNumbers;
use crate::convert::side;
use crate::crop::Cut;
use crate::error::MediaError;
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::{AvFormat, av_format};
use crate::ffi::pool::BufferPool;
use crate::ffi::scale::Scaler;
use crate::ffi::unpack;
use crate::frame::Frame;
use frameloom_core::pixel::{PixelFormat, Planes};
use std::sync::Arc;

/// Gives every picture out as what the first one was.
pub(crate) struct Normaliser {
    stream_color: ColorNumbers,
    stated_size: (u32, u32),
    target: Option<Target>,
    scaler: Option<Scaler>,
    /// Transparency that the layout has room for is known not to be there.
    opaque: bool,
    cut: Option<Cut>,
    /// Pictures of another size or layout than the result has.
    pub(crate) converted: u64,
}

/// What every picture is given out as.
#[derive(Clone)]
struct Target {
    format: PixelFormat,
    pool: Arc<BufferPool>,
    /// Layout of the first picture before it was unpacked.
    source: AvFormat,
}

impl Normaliser {
    /// `stream_color` fills in what a frame does not say of its colour; `stated_size` is what the
    /// container says of the pictures.
    pub(crate) fn new(stream_color: ColorNumbers, stated_size: (u32, u32)) -> Self {
        Self {
            stream_color,
            stated_size,
            target: None,
            scaler: None,
            opaque: false,
            cut: None,
            converted: 0,
        }
    }

    /// As it is, for pictures whose transparency is known not to be there if `opaque`.
    pub(crate) fn without_alpha(self, opaque: bool) -> Self {
        Self { opaque, ..self }
    }

    /// As it is, with what is to be cut off pictures of the size that it speaks of.
    pub(crate) fn cutting(self, cut: Option<Cut>) -> Self {
        Self {
            cut,
            stated_size: cut.map_or(self.stated_size, |cut| cut.whole),
            ..self
        }
    }

    /// The frame in the planar format and size of the first one.
    pub(crate) fn apply(&mut self, mut raw: AvFrame) -> Result<Frame, MediaError> {
        let format = raw.format();
        let Target {
            format: wanted,
            pool,
            source,
        } = self.target_for(&raw)?;
        let mut color = raw.color().or(self.stream_color);
        if format.is_full_range_by_name() {
            color.range = 2;
        }
        if wanted.planes == Planes::Gbr {
            // RGB has no matrix, and full range unless the file says otherwise.
            color.matrix = 0;
            color.range = if color.range == 0 { 2 } else { color.range };
        }
        let same_size = (raw.width(), raw.height()) == (pool.width, pool.height);
        self.converted += u64::from(!same_size || format != source);
        let mut inner = if same_size && format.as_planar() == Some(wanted) && raw.fits(wanted) {
            raw.set_format(av_format(wanted)?);
            raw
        } else {
            let mut copy = pool.get()?;
            if same_size && unpack::can_unpack(format, wanted) {
                unpack::unpack(&raw, &mut copy, wanted);
            } else {
                self.scale(&raw, &mut copy, color, wanted)?;
            }
            copy.copy_all_props_from(&raw)?;
            copy
        };
        inner.set_color(color);
        if let Some(cut) = self.cut
            && (inner.width(), inner.height()) == cut.whole
        {
            inner.crop(cut.edges)?;
        }
        Frame::wrap(inner, wanted)
    }

    fn target_for(&mut self, raw: &AvFrame) -> Result<Target, MediaError> {
        if let Some(target) = &self.target {
            return Ok(target.clone());
        }
        let source = raw.format();
        let mut format = source
            .to_planar()
            .ok_or_else(|| MediaError::UnsupportedPixelFormat {
                format: source.name(),
            })?;
        if self.opaque || (source.is_palette() && !unpack::palette_has_alpha(raw)) {
            format.alpha = false;
        }
        // A call over a bad line begins small and grows to the size that its container states.
        // A difference of some lines is cropping, not another size.
        let (width, height) = (raw.width(), raw.height());
        let much_more = |stated: u32, found: u32| stated >= found + found / 4;
        let (wide, high) = self.stated_size;
        let (width, height) = if much_more(wide, width) && much_more(high, height) {
            self.stated_size
        } else {
            (width, height)
        };
        let target = Target {
            format,
            pool: Arc::new(BufferPool::new(format, width, height)?),
            source,
        };
        self.target = Some(target.clone());
        Ok(target)
    }

    fn scale(
        &mut self,
        raw: &AvFrame,
        copy: &mut AvFrame,
        color: ColorNumbers,
        wanted: PixelFormat,
    ) -> Result<(), MediaError> {
        let mut info = color.to_info();
        info.matrix = info.matrix_or_guess(raw.width(), raw.height()).0;
        let format = raw.format();
        let planes = format.to_planar().map_or(Planes::Gray, |f| f.planes);
        let from = side(format, planes, raw.width(), raw.height(), &info);
        let (width, height) = (copy.width(), copy.height());
        let to = side(copy.format(), wanted.planes, width, height, &info);
        let scaler = match self.scaler.take() {
            Some(scaler) if scaler.is_for(from, to) => scaler,
            _ => Scaler::new(from, to)?,
        };
        self.scaler.insert(scaler).run(raw, copy)
    }
}
