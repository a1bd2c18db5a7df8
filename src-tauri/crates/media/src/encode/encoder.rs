//! Frames into packets.

use crate::encode::plan::{EncoderPlan, EncoderSpec, open};
use crate::error::MediaError;
use crate::ffi::encoder::Encoder;
use crate::ffi::frame::AvFrame;
use crate::ffi::packet::Packet;
use crate::ffi::params::VideoParameters;
use crate::ffi::pool::BufferPool;
use crate::frame::Frame;
use crate::part::PartHeader;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef};
use frameloom_core::time::TimeBase;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// A coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPacket {
    /// Presentation time in ticks of the reader's time base.
    pub pts: i64,
    /// Decoding time as the encoder has it. Joining parts computes it anew.
    pub dts: i64,
    /// How long the picture is shown, in ticks; 0 where the source did not say.
    pub duration: i64,
    /// Decoding can start here.
    pub key: bool,
    /// The coded bytes.
    pub data: Vec<u8>,
    /// Side data as (ffmpeg's number of its kind, bytes): VP9 keeps transparency there.
    pub side_data: Vec<(u32, Vec<u8>)>,
}

/// An open encoder. Each starts with a key frame and closed groups of pictures, so that the
/// packets of several, one after the other, are one stream.
pub struct VideoEncoder {
    encoder: Encoder,
    parameters: VideoParameters,
    extradata: Vec<u8>,
    plan: EncoderPlan,
    spec: EncoderSpec,
    counts_frames: bool,
    sent: i64,
    last_pts: Option<i64>,
    /// Times of frames that are inside of the encoder, by the time that the encoder knows.
    waiting: HashMap<i64, (i64, i64)>,
    packet: Packet,
    padding: Option<BufferPool>,
}

impl std::fmt::Debug for VideoEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VideoEncoder")
            .field("plan", &self.plan)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// Where packets go.
pub(crate) type Sink<'a> = dyn FnMut(EncodedPacket) -> Result<(), MediaError> + 'a;

impl VideoEncoder {
    /// Opens the encoder that [`crate::plan_encoder`] chose for this very spec.
    ///
    /// # Errors
    /// [`MediaError::EncoderUnavailable`] if it does not open at this size, or no memory.
    pub fn open(spec: &EncoderSpec, plan: &EncoderPlan) -> Result<Self, MediaError> {
        crate::init()?;
        let known = plan.known()?;
        let size = plan.coded_size(spec);
        let encoder = open(known, spec, plan, size)?;
        let (parameters, extradata) = encoder.parameters()?;
        let padding = match plan.padded_size {
            Some((width, height)) => Some(BufferPool::new(plan.input_format, width, height)?),
            None => None,
        };
        Ok(Self {
            encoder,
            parameters,
            extradata,
            plan: plan.clone(),
            spec: spec.clone(),
            counts_frames: known.counts_frames,
            sent: 0,
            last_pts: None,
            waiting: HashMap::new(),
            packet: Packet::new()?,
            padding,
        })
    }

    /// Encodes a frame. Packets come out of order in time and go to `sink`, some later than
    /// others.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] if the frame has not the size and format of the plan or is
    /// not later than the one before; what `sink` says; a failing encoder.
    pub fn send(&mut self, frame: &Frame, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        let wanted = (self.spec.width, self.spec.height, self.plan.input_format);
        let given = (frame.width(), frame.height(), frame.format());
        if wanted != given {
            return Err(MediaError::InvalidRequest {
                what: format!(
                    "the encoder was opened for {}x{} {} and got {}x{} {}",
                    wanted.0, wanted.1, wanted.2, given.0, given.1, given.2
                )
                .into(),
            });
        }
        let pts = frame.pts();
        if self.last_pts.is_some_and(|last| pts <= last) {
            return Err(MediaError::InvalidRequest {
                what: format!("a frame at {pts} ticks follows one that is not earlier").into(),
            });
        }
        self.last_pts = Some(pts);
        let mut raw = match &self.padding {
            Some(pool) => {
                let mut padded = pool.get()?;
                padded.copy_all_props_from(frame.inner())?;
                for index in 0..frame.format().plane_count() {
                    let target = padded.plane_mut(self.plan.input_format, index);
                    pad_plane(frame.plane(index), target);
                }
                padded
            }
            None => frame.inner().share()?,
        };
        raw.reset_coding();
        let key = if self.counts_frames { self.sent } else { pts };
        raw.set_pts(key);
        raw.set_duration(if self.counts_frames {
            1
        } else {
            frame.duration()
        });
        self.sent += 1;
        self.waiting.insert(key, (pts, frame.duration()));
        self.push(Some(&raw), sink)
    }

    /// Ends the stream: every packet that is left goes to `sink`.
    ///
    /// # Errors
    /// What `sink` says; a failing encoder.
    pub fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        self.push(None, sink)?;
        self.drain(sink)?;
        if let Some((pts, _)) = self.waiting.values().next() {
            return Err(MediaError::Verification {
                what: format!(
                    "the encoder swallowed {} frames, one of them at {pts} ticks",
                    self.waiting.len()
                ),
                path: self.plan.name.clone().into(),
            });
        }
        Ok(())
    }

    fn push(&mut self, frame: Option<&AvFrame>, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        while !self.encoder.send(frame)? {
            self.drain(sink)?;
        }
        self.drain(sink)
    }

    fn drain(&mut self, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        while self.encoder.receive(&mut self.packet)? {
            let packet = &self.packet;
            let time = packet.pts().or(packet.dts()).unwrap_or(0);
            let Some((pts, duration)) = self.waiting.remove(&time) else {
                return Err(MediaError::Verification {
                    what: format!("the encoder made a packet at {time} ticks, where no frame is"),
                    path: self.plan.name.clone().into(),
                });
            };
            let dts = match packet.dts() {
                Some(dts) if !self.counts_frames => dts,
                _ => pts,
            };
            sink(EncodedPacket {
                pts,
                dts,
                duration,
                key: packet.is_key(),
                data: packet.data().to_vec(),
                side_data: packet.side_data(),
            })?;
        }
        Ok(())
    }

    /// Global headers of the stream; may be empty.
    pub fn extradata(&self) -> &[u8] {
        &self.extradata
    }

    /// What a part file must begin with.
    pub fn part_header(&self) -> PartHeader {
        PartHeader {
            encoder: self.plan.name.clone(),
            settings_hash: settings_hash(&self.spec, &self.plan),
            time_base: self.spec.time_base,
            parameters: self.parameters.clone(),
            extradata: self.extradata.clone(),
            hdr: self.spec.hdr.clone(),
            depth: self
                .spec
                .container
                .is_pictures()
                .then_some(self.spec.format.bits),
        }
    }
}

/// A number for everything that decides what an encoder makes of a frame.
fn settings_hash(spec: &EncoderSpec, plan: &EncoderPlan) -> u64 {
    let base: TimeBase = spec.time_base;
    let text = format!(
        "{} {:?} {} {:?} {}x{} {:?} {:?} {:?} {:?} {:?}",
        plan.name,
        plan.parameters,
        plan.input_format,
        plan.padded_size,
        spec.width,
        spec.height,
        base,
        spec.frame_rate,
        spec.color,
        spec.sample_aspect_ratio,
        spec.hdr,
    );
    xxh3_64(text.as_bytes())
}

/// Copies a plane into a larger one and repeats its last column and row.
fn pad_plane(from: AnyPlane<'_>, to: AnyPlaneMut<'_>) {
    fn pad<T: Copy>(from: PlaneRef<'_, T>, mut to: PlaneMut<'_, T>) {
        for y in 0..to.height {
            let source = from.row(y.min(from.height - 1));
            let width = source.len().min(to.width);
            let target = to.row_mut(y);
            target[..width].copy_from_slice(&source[..width]);
            let last = target[width - 1];
            target[width..].fill(last);
        }
    }
    match (from, to) {
        (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => pad(from, to),
        (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => pad(from, to),
        _ => debug_assert!(false, "planes of different depth"),
    }
}
