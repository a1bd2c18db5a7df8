//! A finished track in a part file: packets in places counted in samples.

use super::encode::{SoundEncoderPlan, open};
use super::{SoundBlock, SoundFormat};
use crate::encode::encoder::EncodedPacket;
use crate::error::MediaError;
use crate::ffi::packet::Packet;
use crate::ffi::sound::{SoundEncoder, SoundParameters};
use crate::part::{PartWriter, Records};
use ffmpeg_sys_next as sys;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a part of sound begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundHeader {
    /// ffmpeg's name of the encoder.
    pub encoder: String,
    /// Rate and channels. Places and times of packets are counted in its samples.
    pub format: SoundFormat,
    /// Place of the first sample.
    pub start: i64,
    pub(crate) parameters: SoundParameters,
    pub(crate) extradata: Vec<u8>,
}

/// Reads a part of sound; every byte of it was checked when it was opened.
pub type SoundPartReader = Records<SoundHeader>;

impl SoundPartReader {
    /// Place of the first sample, and the place behind the last one.
    pub fn span(&self) -> (i64, i64) {
        let ends = self.entries().iter();
        let end = ends.map(|entry| entry.pts.saturating_add(entry.duration));
        let start = self.header().start;
        (start, end.max().unwrap_or(start).max(start))
    }
}

/// Encodes sound into a part file.
pub struct SoundPartWriter {
    encoder: SoundEncoder,
    writer: PartWriter,
    /// Samples that are not yet a frame.
    waiting: SoundBlock,
    frame: usize,
    /// Significant bits of whole numbers; 0 for an encoder that takes any number.
    bits: u32,
    start: i64,
    packet: Packet,
    /// The last packet, which may have to be told where sound ends.
    held: Option<EncodedPacket>,
    /// The place behind the last sample, once it is known.
    end: Option<i64>,
    /// Samples at the end of the last packet that its encoder says are none.
    surplus: u32,
    /// Headers that count and hash all of the sound, which some encoders give behind it.
    renewed: Option<Vec<u8>>,
}

impl std::fmt::Debug for SoundPartWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundPartWriter")
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}

/// Samples to leave out at the end of a packet, of what is said of both ends.
fn surplus_of(bytes: &[u8]) -> u32 {
    let word = bytes.get(4..8).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_le_bytes)
}

/// Samples per packet where the encoder takes any number.
const USUAL_FRAME: usize = 1024;

const SKIPPED: u32 = sys::AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES as u32;
const NEW_HEADERS: u32 = sys::AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA as u32;

impl SoundPartWriter {
    /// Creates the file for sound whose first sample is at `start`.
    ///
    /// # Errors
    /// The encoder does not open, or the file cannot be written.
    pub fn create(path: &Path, plan: &SoundEncoderPlan, start: i64) -> Result<Self, MediaError> {
        crate::init()?;
        let encoder = open(plan)?;
        let (parameters, extradata) = encoder.parameters()?;
        let header = SoundHeader {
            encoder: plan.encoder.clone(),
            format: plan.format.clone(),
            start,
            parameters,
            extradata,
        };
        Ok(Self {
            writer: PartWriter::create_with(path, &header)?,
            waiting: SoundBlock {
                start,
                channels: vec![Vec::new(); plan.format.channels()?],
            },
            frame: encoder.frame_size().unwrap_or(USUAL_FRAME),
            bits: plan.bits.unwrap_or(0),
            encoder,
            start,
            packet: Packet::new()?,
            held: None,
            end: None,
            surplus: 0,
            renewed: None,
        })
    }

    /// Appends samples, one list per channel.
    ///
    /// # Errors
    /// The encoder fails, or the disk is full.
    pub fn write(&mut self, channels: &[Vec<f64>]) -> Result<(), MediaError> {
        if channels.len() != self.waiting.channels.len() {
            return Err(MediaError::InvalidRequest {
                what: format!(
                    "the encoder was opened for {} channels and got {}",
                    self.waiting.channels.len(),
                    channels.len()
                )
                .into(),
            });
        }
        let scale = f64::from(1u32 << self.bits.saturating_sub(1).min(31));
        for (waiting, more) in self.waiting.channels.iter_mut().zip(channels) {
            if self.bits == 0 {
                waiting.extend_from_slice(more);
            } else {
                // Rounded here: converters cut lower bits off.
                let top = (scale - 1.0) / scale;
                waiting.extend(
                    more.iter()
                        .map(|v| ((v * scale).round() / scale).clamp(-1.0, top)),
                );
            }
        }
        while self.waiting.len() >= self.frame {
            self.send(self.frame)?;
        }
        Ok(())
    }

    fn send(&mut self, count: usize) -> Result<(), MediaError> {
        let lists: Vec<&[f64]> = self.waiting.channels.iter().map(|c| &c[..count]).collect();
        self.encoder.send(Some((&lists, self.waiting.start)))?;
        for channel in &mut self.waiting.channels {
            channel.drain(..count);
        }
        self.waiting.start += count as i64;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        while self.encoder.receive(&mut self.packet)? {
            let mut surplus = 0;
            for (kind, bytes) in self.packet.side_data() {
                match kind {
                    NEW_HEADERS => self.renewed = Some(bytes),
                    SKIPPED => surplus = surplus_of(&bytes),
                    _ => {}
                }
            }
            let pts = self.packet.pts().unwrap_or(self.start);
            if self.end.is_some_and(|end| pts >= end) {
                continue;
            }
            self.surplus = surplus;
            let coded = EncodedPacket {
                pts,
                dts: self.packet.dts().unwrap_or(pts),
                duration: self.packet.duration(),
                key: true,
                data: self.packet.data().to_vec(),
                side_data: Vec::new(),
            };
            if let Some(before) = self.held.replace(coded) {
                self.writer.write(&before)?;
            }
        }
        Ok(())
    }

    /// Ends the file and waits until it is on the disk. Gives the number of samples.
    ///
    /// # Errors
    /// The encoder fails, or the disk is full.
    pub fn finish(mut self) -> Result<u64, MediaError> {
        let end = self.waiting.end();
        self.end = Some(end);
        // Some keep what they were given last to themselves: silence pushes it out.
        let held_back = self.encoder.held_back();
        for channel in &mut self.waiting.channels {
            channel.resize(channel.len() + held_back, 0.0);
        }
        while self.waiting.len() >= self.frame {
            self.send(self.frame)?;
        }
        let rest = self.waiting.len();
        if rest > 0 {
            self.send(rest)?;
        }
        self.encoder.send(None)?;
        self.drain()?;
        if let Some(mut last) = self.held.take() {
            // Encoders fill the last frame up; players are told what of it is no sound.
            let added = last.pts.saturating_add(last.duration).saturating_sub(end);
            if added != 0 {
                last.duration = (last.duration - added).max(1);
            }
            let frame = i64::try_from(self.frame).unwrap_or(i64::MAX);
            let surplus = match self.encoder.frame_size().is_some() && self.pads_the_end() {
                true => frame.saturating_sub(last.duration).min(frame),
                // Others say it themselves.
                false => i64::from(self.surplus),
            };
            if surplus > 0 {
                let mut words = [0u8; 10];
                words[4..8].copy_from_slice(&(surplus as u32).to_le_bytes());
                last.side_data.push((SKIPPED, words.to_vec()));
            }
            if let Some(headers) = self.renewed.take() {
                last.side_data.push((NEW_HEADERS, headers));
            }
            self.writer.write(&last)?;
        }
        self.writer.finish()?;
        Ok(u64::try_from(end - self.start).unwrap_or(0))
    }

    fn pads_the_end(&self) -> bool {
        self.encoder.pads_the_end()
    }
}
