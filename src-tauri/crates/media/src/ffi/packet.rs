//! An owned `AVPacket`.

use super::util::{check, enum_number, text_of, ticks};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::ptr::{self, NonNull, addr_of};
use std::slice;

/// An owned coded unit.
pub(crate) struct Packet(NonNull<sys::AVPacket>);

// SAFETY: a packet has no thread of its own; its buffer's count is atomic.
unsafe impl Send for Packet {}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: owned and not used afterwards.
        unsafe { sys::av_packet_free(&mut raw) };
    }
}

impl Packet {
    pub(crate) fn new() -> Result<Self, MediaError> {
        // SAFETY: returns null or a new packet.
        NonNull::new(unsafe { sys::av_packet_alloc() })
            .map(Self)
            .ok_or(MediaError::OutOfMemory)
    }

    /// A packet with a copy of `data`.
    pub(crate) fn with_data(data: &[u8]) -> Result<Self, MediaError> {
        let mut packet = Self::new()?;
        let size = i32::try_from(data.len()).map_err(|_| MediaError::OutOfMemory)?;
        // SAFETY: allocates `size` bytes and the padding that the library wants behind them.
        let status = unsafe { sys::av_new_packet(packet.as_mut_ptr(), size) };
        check("a packet could not be allocated", status)?;
        // SAFETY: the packet holds `size` bytes.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), (*packet.as_mut_ptr()).data, data.len()) };
        Ok(packet)
    }

    pub(crate) fn as_ptr(&self) -> *const sys::AVPacket {
        self.0.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut sys::AVPacket {
        self.0.as_ptr()
    }

    fn raw(&self) -> &sys::AVPacket {
        // SAFETY: owned and live.
        unsafe { self.0.as_ref() }
    }

    fn raw_mut(&mut self) -> &mut sys::AVPacket {
        // SAFETY: owned and live, borrowed mutably.
        unsafe { self.0.as_mut() }
    }

    pub(crate) fn clear(&mut self) {
        // SAFETY: leaves a blank packet.
        unsafe { sys::av_packet_unref(self.as_mut_ptr()) };
    }

    pub(crate) fn stream(&self) -> usize {
        self.raw().stream_index.max(0) as usize
    }

    pub(crate) fn set_stream(&mut self, index: usize) {
        self.raw_mut().stream_index = index as i32;
    }

    pub(crate) fn pts(&self) -> Option<i64> {
        ticks(self.raw().pts)
    }

    pub(crate) fn dts(&self) -> Option<i64> {
        ticks(self.raw().dts)
    }

    pub(crate) fn duration(&self) -> i64 {
        self.raw().duration.max(0)
    }

    pub(crate) fn set_duration(&mut self, duration: i64) {
        self.raw_mut().duration = duration;
    }

    pub(crate) fn is_key(&self) -> bool {
        self.raw().flags & sys::AV_PKT_FLAG_KEY != 0
    }

    /// The container says that this packet is decoded and not shown (edit lists).
    pub(crate) fn is_discarded(&self) -> bool {
        self.raw().flags & sys::AV_PKT_FLAG_DISCARD != 0
    }

    pub(crate) fn set_timing(&mut self, pts: i64, dts: i64, duration: i64, key: bool) {
        let raw = self.raw_mut();
        raw.pts = pts;
        raw.dts = dts;
        raw.duration = duration;
        raw.flags = if key { sys::AV_PKT_FLAG_KEY } else { 0 };
        raw.pos = -1;
    }

    /// Moves all times by `offset` ticks.
    pub(crate) fn shift(&mut self, offset: i64) {
        let raw = self.raw_mut();
        if ticks(raw.pts).is_some() {
            raw.pts = raw.pts.saturating_add(offset);
        }
        if ticks(raw.dts).is_some() {
            raw.dts = raw.dts.saturating_add(offset);
        }
    }

    pub(crate) fn set_dts(&mut self, dts: i64) {
        self.raw_mut().dts = dts;
    }

    pub(crate) fn set_pts(&mut self, pts: i64) {
        self.raw_mut().pts = pts;
    }

    pub(crate) fn forget_position(&mut self) {
        self.raw_mut().pos = -1;
    }

    pub(crate) fn rescale(&mut self, from: sys::AVRational, to: sys::AVRational) {
        // SAFETY: live packet, plain numbers.
        unsafe { sys::av_packet_rescale_ts(self.as_mut_ptr(), from, to) };
    }

    pub(crate) fn data(&self) -> &[u8] {
        let raw = self.raw();
        if raw.data.is_null() || raw.size <= 0 {
            return &[];
        }
        // SAFETY: the packet holds `size` bytes.
        unsafe { slice::from_raw_parts(raw.data, raw.size as usize) }
    }

    /// Side data as (kind, bytes).
    pub(crate) fn side_data(&self) -> Vec<(u32, Vec<u8>)> {
        let raw = self.raw();
        if raw.side_data.is_null() {
            return Vec::new();
        }
        (0..raw.side_data_elems.max(0) as usize)
            .filter_map(|index| {
                // SAFETY: the array holds `side_data_elems` entries, each as long as stated.
                unsafe {
                    let entry = raw.side_data.add(index);
                    let kind = enum_number(addr_of!((*entry).type_));
                    if (*entry).data.is_null() {
                        return None;
                    }
                    let bytes = slice::from_raw_parts((*entry).data, (*entry).size);
                    Some((u32::try_from(kind).ok()?, bytes.to_vec()))
                }
            })
            .collect()
    }

    /// Attaches side data of a kind that this build of the library knows.
    pub(crate) fn add_side_data(&mut self, kind: u32, bytes: &[u8]) -> Result<(), MediaError> {
        let Some(kind) = side_data_kind(kind) else {
            return Ok(());
        };
        // SAFETY: allocates `bytes.len()` bytes in the packet or returns null.
        unsafe {
            let data = sys::av_packet_new_side_data(self.as_mut_ptr(), kind, bytes.len());
            if data.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        }
        Ok(())
    }
}

/// The enum value for a number, for the kinds that encoders attach.
fn side_data_kind(number: u32) -> Option<sys::AVPacketSideDataType> {
    use sys::AVPacketSideDataType as S;
    [
        S::AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL,
        S::AV_PKT_DATA_NEW_EXTRADATA,
        S::AV_PKT_DATA_PALETTE,
        S::AV_PKT_DATA_SKIP_SAMPLES,
        S::AV_PKT_DATA_WEBVTT_SETTINGS,
    ]
    .into_iter()
    .find(|kind| *kind as u32 == number)
}

/// Where a cue of WebVTT lies.
pub(crate) const WEBVTT_SETTINGS: u32 =
    sys::AVPacketSideDataType::AV_PKT_DATA_WEBVTT_SETTINGS as u32;

/// The library's name for a kind of side data.
pub(crate) fn side_data_name(number: i32) -> String {
    let end = sys::AVPacketSideDataType::AV_PKT_DATA_NB as i32;
    if !(0..end).contains(&number) {
        return format!("kind {number}");
    }
    // SAFETY: the variants are numbered from 0 to `AV_PKT_DATA_NB` without a gap; the function
    // returns null or a constant string.
    unsafe {
        let kind = std::mem::transmute::<i32, sys::AVPacketSideDataType>(number);
        text_of(sys::av_packet_side_data_name(kind)).unwrap_or_else(|| format!("kind {number}"))
    }
}
