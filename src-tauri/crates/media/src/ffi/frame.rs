//! An owned `AVFrame` whose planes can be looked at safely.

use super::pixel::{AvFormat, av_format};
use super::util::{enum_number, rational, set_enum_number};
use crate::color::ColorNumbers;
use crate::crop::Edges;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, PlaneMut, PlaneRef};
use frameloom_core::time::Rational;
use std::ptr::{NonNull, addr_of, addr_of_mut};
use std::slice;

/// Rows start at multiples of this many bytes in the frames made here: the widest vector that
/// swscale and the encoders use.
pub(crate) const ALIGN: usize = 64;

/// Bytes behind each plane that vector code may touch.
const TAIL: usize = 64;

/// An owned frame. Its buffers are counted by reference and may be shared with a decoder.
pub(crate) struct AvFrame(NonNull<sys::AVFrame>);

// SAFETY: a frame has no thread of its own; its buffers' counts are atomic.
unsafe impl Send for AvFrame {}
// SAFETY: shared access only reads.
unsafe impl Sync for AvFrame {}

impl Drop for AvFrame {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: owned by this value and not used afterwards.
        unsafe { sys::av_frame_free(&mut raw) };
    }
}

/// Bytes of the planes of a picture made here: (stride, rows) each.
pub(crate) fn layout(
    format: PixelFormat,
    width: u32,
    height: u32,
) -> Result<Vec<(usize, usize)>, MediaError> {
    let bad = MediaError::BadDimensions { width, height };
    // The codecs' own bound: 16-bit sides with slack, and fewer than 2^31 bytes per plane.
    if width == 0 || height == 0 || width > 65_535 || height > 65_535 {
        return Err(bad);
    }
    let mut planes = Vec::with_capacity(4);
    for index in 0..format.plane_count() {
        let (w, h) = format.plane_size(index, width, height);
        let stride = (w as usize * format.sample_bytes()).next_multiple_of(ALIGN);
        if stride.saturating_mul(h as usize) > i32::MAX as usize {
            return Err(bad);
        }
        planes.push((stride, h as usize));
    }
    Ok(planes)
}

/// Bytes of the whole picture, tails included.
pub(crate) fn layout_bytes(planes: &[(usize, usize)]) -> usize {
    planes
        .iter()
        .map(|(stride, rows)| (stride * rows + TAIL).next_multiple_of(ALIGN))
        .sum::<usize>()
        + ALIGN
}

impl AvFrame {
    /// A frame without buffers.
    pub(crate) fn new() -> Result<Self, MediaError> {
        // SAFETY: returns null or a new frame.
        NonNull::new(unsafe { sys::av_frame_alloc() })
            .map(Self)
            .ok_or(MediaError::OutOfMemory)
    }

    pub(crate) fn as_ptr(&self) -> *const sys::AVFrame {
        self.0.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut sys::AVFrame {
        self.0.as_ptr()
    }

    fn raw(&self) -> &sys::AVFrame {
        // SAFETY: owned and live. No enum field is read through this reference.
        unsafe { self.0.as_ref() }
    }

    fn raw_mut(&mut self) -> &mut sys::AVFrame {
        // SAFETY: owned and live, borrowed mutably.
        unsafe { self.0.as_mut() }
    }

    /// Lays a new picture over `buffer`, which is taken over.
    ///
    /// # Safety
    /// `buffer` must be null or an owned reference to initialised memory of at least
    /// [`layout_bytes`] of the same picture.
    pub(crate) unsafe fn over_buffer(
        format: PixelFormat,
        width: u32,
        height: u32,
        mut buffer: *mut sys::AVBufferRef,
    ) -> Result<Self, MediaError> {
        if buffer.is_null() {
            return Err(MediaError::OutOfMemory);
        }
        let prepare = || {
            Ok((
                Self::new()?,
                layout(format, width, height)?,
                av_format(format)?,
            ))
        };
        let (mut frame, planes, number) = match prepare() {
            Ok(all) => all,
            Err(error) => {
                // SAFETY: the reference is owned here and not stored anywhere.
                unsafe { sys::av_buffer_unref(&mut buffer) };
                return Err(error);
            }
        };
        // SAFETY: the buffer is live; its data is as long as the caller promises.
        let base = unsafe { (*buffer).data };
        let mut offset = base.align_offset(ALIGN);
        let raw = frame.raw_mut();
        raw.width = width as i32;
        raw.height = height as i32;
        raw.format = number.0;
        for (index, (stride, rows)) in planes.iter().enumerate() {
            // SAFETY: `layout_bytes` counted the alignment, every plane and every tail.
            raw.data[index] = unsafe { base.add(offset) };
            raw.linesize[index] = *stride as i32;
            offset += (stride * rows + TAIL).next_multiple_of(ALIGN);
        }
        raw.buf[0] = buffer;
        raw.extended_data = raw.data.as_mut_ptr();
        Ok(frame)
    }

    /// A picture of its own, all samples zero.
    pub(crate) fn zeroed(format: PixelFormat, width: u32, height: u32) -> Result<Self, MediaError> {
        let bytes = layout_bytes(&layout(format, width, height)?);
        // SAFETY: zeroed memory of the right size, owned by the result.
        unsafe { Self::over_buffer(format, width, height, sys::av_buffer_allocz(bytes)) }
    }

    /// A picture of packed red, green, blue bytes, for showing.
    pub(crate) fn packed_rgb(width: u32, height: u32) -> Result<Self, MediaError> {
        let gray = PixelFormat {
            planes: frameloom_core::pixel::Planes::Gray,
            bits: 8,
            alpha: false,
        };
        let mut frame = width
            .checked_mul(3)
            .ok_or(MediaError::BadDimensions { width, height })
            .and_then(|bytes| Self::zeroed(gray, bytes, height))?;
        frame.raw_mut().width = width as i32;
        frame.set_format(AvFormat::RGB24);
        Ok(frame)
    }

    /// The first `row` bytes of every row of the first plane. The rows must be that long.
    pub(crate) fn packed_rows(&self, row: usize) -> Vec<u8> {
        let raw = self.raw();
        let (stride, rows) = (raw.linesize[0], self.height() as usize);
        let mut bytes = Vec::with_capacity(row * rows);
        if raw.data[0].is_null() || stride < 0 || row > stride as usize {
            return bytes;
        }
        for y in 0..rows {
            // SAFETY: the frame holds `stride` initialised bytes per row.
            let line = unsafe { slice::from_raw_parts(raw.data[0].add(y * stride as usize), row) };
            bytes.extend_from_slice(line);
        }
        bytes
    }

    /// Another frame over the same samples.
    pub(crate) fn share(&self) -> Result<Self, MediaError> {
        let mut copy = Self::new()?;
        // SAFETY: both frames are live; the new one is blank.
        let status = unsafe { sys::av_frame_ref(copy.as_mut_ptr(), self.as_ptr()) };
        super::util::check("a frame could not be shared", status)?;
        Ok(copy)
    }

    /// Lets go of the buffers.
    pub(crate) fn clear(&mut self) {
        // SAFETY: live; leaves a blank frame.
        unsafe { sys::av_frame_unref(self.as_mut_ptr()) };
    }

    pub(crate) fn width(&self) -> u32 {
        self.raw().width.max(0) as u32
    }

    pub(crate) fn height(&self) -> u32 {
        self.raw().height.max(0) as u32
    }

    pub(crate) fn format(&self) -> AvFormat {
        AvFormat(self.raw().format)
    }

    pub(crate) fn set_format(&mut self, format: AvFormat) {
        self.raw_mut().format = format.0;
    }

    pub(crate) fn pts(&self) -> Option<i64> {
        super::util::ticks(self.raw().pts)
    }

    pub(crate) fn best_pts(&self) -> Option<i64> {
        super::util::ticks(self.raw().best_effort_timestamp)
    }

    /// Sets the time as a decoder does.
    pub(crate) fn set_best_pts(&mut self, pts: i64) {
        let raw = self.raw_mut();
        raw.pts = pts;
        raw.best_effort_timestamp = pts;
    }

    pub(crate) fn set_pts(&mut self, pts: i64) {
        self.raw_mut().pts = pts;
    }

    pub(crate) fn duration(&self) -> i64 {
        #[cfg(ffmpeg_6_0)]
        let duration = self.raw().duration;
        #[cfg(not(ffmpeg_6_0))]
        let duration = self.raw().pkt_duration;
        duration.max(0)
    }

    pub(crate) fn set_duration(&mut self, duration: i64) {
        #[cfg(ffmpeg_6_0)]
        {
            self.raw_mut().duration = duration;
        }
        #[cfg(not(ffmpeg_6_0))]
        {
            self.raw_mut().pkt_duration = duration;
        }
    }

    /// The decoder saw errors in this frame.
    pub(crate) fn is_damaged(&self) -> bool {
        let raw = self.raw();
        raw.decode_error_flags != 0 || raw.flags & sys::AV_FRAME_FLAG_CORRUPT != 0
    }

    pub(crate) fn sample_aspect_ratio(&self) -> Option<Rational> {
        rational(self.raw().sample_aspect_ratio).filter(|r| r.num > 0)
    }

    pub(crate) fn set_sample_aspect_ratio(&mut self, ratio: Rational) {
        if let Some(ratio) = super::util::av_rational(ratio) {
            self.raw_mut().sample_aspect_ratio = ratio;
        }
    }

    /// Interlaced as the decoder saw it: `Some(true)` with the upper field first.
    pub(crate) fn interlaced_top_first(&self) -> Option<bool> {
        #[cfg(ffmpeg_6_1)]
        let (interlaced, top) = {
            let flags = self.raw().flags;
            (
                flags & sys::AV_FRAME_FLAG_INTERLACED != 0,
                flags & sys::AV_FRAME_FLAG_TOP_FIELD_FIRST != 0,
            )
        };
        #[cfg(not(ffmpeg_6_1))]
        let (interlaced, top) = (
            self.raw().interlaced_frame != 0,
            self.raw().top_field_first != 0,
        );
        interlaced.then_some(top)
    }

    pub(crate) fn color(&self) -> ColorNumbers {
        let raw = self.as_ptr();
        // SAFETY: the fields are readable enums of a live frame.
        unsafe {
            ColorNumbers {
                primaries: enum_number(addr_of!((*raw).color_primaries)),
                transfer: enum_number(addr_of!((*raw).color_trc)),
                matrix: enum_number(addr_of!((*raw).colorspace)),
                range: enum_number(addr_of!((*raw).color_range)),
                chroma: enum_number(addr_of!((*raw).chroma_location)),
            }
        }
    }

    pub(crate) fn set_color(&mut self, color: ColorNumbers) {
        let raw = self.as_mut_ptr();
        // SAFETY: the fields are writable enums of a live frame.
        unsafe {
            set_enum_number(addr_of_mut!((*raw).color_primaries), color.primaries);
            set_enum_number(addr_of_mut!((*raw).color_trc), color.transfer);
            set_enum_number(addr_of_mut!((*raw).colorspace), color.matrix);
            set_enum_number(addr_of_mut!((*raw).color_range), color.range);
            set_enum_number(addr_of_mut!((*raw).chroma_location), color.chroma);
        }
    }

    /// Everything but the picture: times, colour, aspect, side data. The picture type is left to
    /// the encoder; closed captions and the like that describe coding are dropped with it.
    pub(crate) fn copy_props_from(&mut self, other: &AvFrame) -> Result<(), MediaError> {
        let raw = self.as_mut_ptr();
        // SAFETY: both frames are live.
        let status = unsafe { sys::av_frame_copy_props(raw, other.as_ptr()) };
        super::util::check("frame properties could not be copied", status)?;
        self.reset_coding();
        Ok(())
    }

    /// As [`AvFrame::copy_props_from`], but all of it: the copy is the same frame in another layout.
    pub(crate) fn copy_all_props_from(&mut self, other: &AvFrame) -> Result<(), MediaError> {
        let raw = self.as_mut_ptr();
        // SAFETY: both frames are live.
        let status = unsafe { sys::av_frame_copy_props(raw, other.as_ptr()) };
        super::util::check("frame properties could not be copied", status)?;
        Ok(())
    }

    /// Cuts pixels off the sides; the samples stay where they are. The frame must be larger, and
    /// what is cut at the top and at the left a whole number of samples of colour.
    pub(crate) fn crop(&mut self, edges: Edges) -> Result<(), MediaError> {
        let raw = self.raw_mut();
        raw.crop_left = edges.left as usize;
        raw.crop_right = edges.right as usize;
        raw.crop_top = edges.top as usize;
        raw.crop_bottom = edges.bottom as usize;
        let flags = sys::AV_FRAME_CROP_UNALIGNED as i32;
        // SAFETY: a live frame; the function refuses to cut off more than there is.
        let status = unsafe { sys::av_frame_apply_cropping(self.as_mut_ptr(), flags) };
        super::util::check("a picture could not be cut", status)?;
        Ok(())
    }

    /// Forgets how the picture was coded, so that an encoder decides anew.
    pub(crate) fn reset_coding(&mut self) {
        use sys::AVFrameSideDataType as S;
        let raw = self.as_mut_ptr();
        // SAFETY: a writable enum of a live frame; side data of a live frame.
        unsafe {
            set_enum_number(addr_of_mut!((*raw).pict_type), 0);
            for kind in [
                S::AV_FRAME_DATA_PANSCAN,
                S::AV_FRAME_DATA_MOTION_VECTORS,
                S::AV_FRAME_DATA_VIDEO_ENC_PARAMS,
                S::AV_FRAME_DATA_REGIONS_OF_INTEREST,
                S::AV_FRAME_DATA_SEI_UNREGISTERED,
                // Per-picture mappings for other pixels than those that will be encoded.
                S::AV_FRAME_DATA_DYNAMIC_HDR_PLUS,
                S::AV_FRAME_DATA_DOVI_RPU_BUFFER,
                S::AV_FRAME_DATA_DOVI_METADATA,
            ] {
                sys::av_frame_remove_side_data(raw, kind);
            }
        }
        // The lines of the result are those of one moment as far as the encoder is concerned.
        #[cfg(ffmpeg_6_1)]
        {
            self.raw_mut().flags &=
                !(sys::AV_FRAME_FLAG_INTERLACED | sys::AV_FRAME_FLAG_TOP_FIELD_FIRST);
        }
        #[cfg(not(ffmpeg_6_1))]
        {
            let raw = self.raw_mut();
            raw.interlaced_frame = 0;
            raw.top_field_first = 0;
            raw.key_frame = 0;
        }
        self.raw_mut().repeat_pict = 0;
        self.raw_mut().quality = 0;
        self.raw_mut().decode_error_flags = 0;
    }

    /// Bytes of a kind of side data.
    pub(crate) fn side_data(&self, kind: sys::AVFrameSideDataType) -> Option<&[u8]> {
        // SAFETY: the frame is live; side data belongs to it and is as long as stated.
        unsafe {
            let data = sys::av_frame_get_side_data(self.as_ptr(), kind);
            let data = data.as_ref()?;
            (!data.data.is_null()).then(|| slice::from_raw_parts(data.data, data.size))
        }
    }

    /// The entry `key` of what filters wrote about the frame.
    pub(crate) fn note(&self, key: &std::ffi::CStr) -> Option<String> {
        // SAFETY: the dictionary of a live frame is null or live, and so are its entries.
        unsafe {
            let dict = self.raw().metadata;
            let entry = sys::av_dict_get(dict, key.as_ptr(), std::ptr::null(), 0);
            super::util::text_of(entry.as_ref()?.value)
        }
    }

    /// True if the decoder asks to show a field once more: soft telecine.
    pub(crate) fn repeats_field(&self) -> bool {
        self.raw().repeat_pict > 0
    }

    /// True if the frame carries dynamic HDR data.
    pub(crate) fn dynamic_hdr(&self) -> Option<&'static str> {
        use sys::AVFrameSideDataType as S;
        if self.side_data(S::AV_FRAME_DATA_DOVI_METADATA).is_some()
            || self.side_data(S::AV_FRAME_DATA_DOVI_RPU_BUFFER).is_some()
        {
            return Some("Dolby Vision");
        }
        self.side_data(S::AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
            .is_some()
            .then_some("HDR10+")
    }

    /// True if every plane of `format` is there, rows run downward, and each lies within the
    /// buffers of the frame. Planes may be looked at only after this was checked.
    pub(crate) fn fits(&self, format: PixelFormat) -> bool {
        let raw = self.raw();
        let (width, height) = (self.width(), self.height());
        if width == 0 || height == 0 {
            return false;
        }
        let bytes = format.sample_bytes();
        (0..format.plane_count()).all(|index| {
            let (w, h) = format.plane_size(index, width, height);
            let stride = raw.linesize[index];
            let row = w as usize * bytes;
            let start = raw.data[index] as usize;
            let Ok(stride) = usize::try_from(stride) else {
                return false;
            };
            if start == 0 || !start.is_multiple_of(bytes) || !stride.is_multiple_of(bytes) {
                return false;
            }
            let Some(length) = stride
                .checked_mul(h as usize - 1)
                .and_then(|n| n.checked_add(row))
            else {
                return false;
            };
            stride >= row && self.within_buffers(start, length)
        })
    }

    fn within_buffers(&self, start: usize, length: usize) -> bool {
        self.raw().buf.iter().any(|buffer| {
            // SAFETY: null or a live reference of this frame.
            let Some(buffer) = (unsafe { buffer.as_ref() }) else {
                return false;
            };
            let from = buffer.data as usize;
            let to = from.saturating_add(buffer.size);
            start >= from && start.saturating_add(length) <= to
        })
    }

    /// Plane `index` for reading. The frame must have passed [`AvFrame::fits`] for `format`.
    pub(crate) fn plane(&self, format: PixelFormat, index: usize) -> AnyPlane<'_> {
        let (start, stride, w, h) = self.plane_parts(format, index);
        let length = stride * (h - 1) + w;
        // SAFETY: `fits` checked alignment and bounds; the memory was zeroed when it was
        // allocated, by the pools here and by those of the decoders, and lives as long as `self`.
        unsafe {
            if format.sample_bytes() == 1 {
                AnyPlane::U8(PlaneRef {
                    data: slice::from_raw_parts(start, length),
                    stride,
                    width: w,
                    height: h,
                })
            } else {
                AnyPlane::U16(PlaneRef {
                    data: slice::from_raw_parts(start.cast::<u16>(), length),
                    stride,
                    width: w,
                    height: h,
                })
            }
        }
    }

    /// Plane `index` for writing. As [`AvFrame::plane`], and the frame must be writable.
    pub(crate) fn plane_mut(&mut self, format: PixelFormat, index: usize) -> AnyPlaneMut<'_> {
        let (start, stride, w, h) = self.plane_parts(format, index);
        let length = stride * (h - 1) + w;
        // SAFETY: as in `plane`; nobody else holds the buffer, which the caller made sure of.
        unsafe {
            if format.sample_bytes() == 1 {
                AnyPlaneMut::U8(PlaneMut {
                    data: slice::from_raw_parts_mut(start, length),
                    stride,
                    width: w,
                    height: h,
                })
            } else {
                AnyPlaneMut::U16(PlaneMut {
                    data: slice::from_raw_parts_mut(start.cast::<u16>(), length),
                    stride,
                    width: w,
                    height: h,
                })
            }
        }
    }

    fn plane_parts(&self, format: PixelFormat, index: usize) -> (*mut u8, usize, usize, usize) {
        assert!(index < format.plane_count(), "plane {index} of {format}");
        let (w, h) = format.plane_size(index, self.width(), self.height());
        let raw = self.raw();
        let stride = raw.linesize[index] as usize / format.sample_bytes();
        (raw.data[index], stride, w as usize, h as usize)
    }

    /// True if nobody else refers to the samples.
    pub(crate) fn is_writable(&self) -> bool {
        // SAFETY: the function only reads the counts, whatever the binding says.
        unsafe { sys::av_frame_is_writable(self.0.as_ptr()) > 0 }
    }

    /// Replaces shared samples by a copy of their own.
    pub(crate) fn make_writable(&mut self, format: PixelFormat) -> Result<(), MediaError> {
        if self.is_writable() {
            return Ok(());
        }
        let mut copy = Self::zeroed(format, self.width(), self.height())?;
        for index in 0..format.plane_count() {
            copy_plane(self.plane(format, index), copy.plane_mut(format, index));
        }
        let raw = copy.as_mut_ptr();
        // SAFETY: both frames are live.
        let status = unsafe { sys::av_frame_copy_props(raw, self.as_ptr()) };
        super::util::check("frame properties could not be copied", status)?;
        *self = copy;
        Ok(())
    }

    /// The data pointers and strides, for the library's own functions.
    pub(crate) fn data(&self) -> (*const *mut u8, *const i32) {
        let raw = self.raw();
        (raw.data.as_ptr(), raw.linesize.as_ptr())
    }

    /// The pointer and the stride of a plane as they are, the stride perhaps negative.
    pub(crate) fn raw_plane(&self, index: usize) -> (*const u8, isize) {
        let raw = self.raw();
        (raw.data[index].cast_const(), raw.linesize[index] as isize)
    }
}

/// Copies the visible samples. The planes must be of one size and depth.
pub(crate) fn copy_plane(from: AnyPlane<'_>, to: AnyPlaneMut<'_>) {
    match (from, to) {
        (AnyPlane::U8(from), AnyPlaneMut::U8(mut to)) => {
            for y in 0..from.height.min(to.height) {
                to.row_mut(y).copy_from_slice(from.row(y));
            }
        }
        (AnyPlane::U16(from), AnyPlaneMut::U16(mut to)) => {
            for y in 0..from.height.min(to.height) {
                to.row_mut(y).copy_from_slice(from.row(y));
            }
        }
        _ => debug_assert!(false, "planes of different depth"),
    }
}
