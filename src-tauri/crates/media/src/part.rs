//! Part files: the packets of one segment, safe against a cut at any byte.
//!
//! Layout, little-endian: magic, header length, header (JSON), CRC-32; then records, each with
//! its own CRC-32; then a trailer with the number of records and a CRC-32 over all of theirs. A
//! file without a trailer that fits is no part.

use crate::color::ColorNumbers;
use crate::encode::encoder::EncodedPacket;
use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder};
use crate::ffi::frame::AvFrame;
use crate::ffi::packet::Packet;
use crate::ffi::params::VideoParameters;
use crate::ffi::pixel::AvFormat;
use crate::frame::Frame;
use crate::hdr::HdrStatic;
use crate::normalise::Normaliser;
use frameloom_core::color::ColorInfo;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"FLPART\x00\x01";
const RECORD: u8 = 1;
const TRAILER: u8 = 2;

/// No coded picture or header is as large as this; a larger length is damage.
const LARGEST: u32 = 1 << 30;

/// What a part begins with: enough to decode its packets and to put them into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHeader {
    /// ffmpeg's name of the encoder.
    pub encoder: String,
    /// A number for everything that decides what the encoder makes of a frame. Parts of one job
    /// have the same.
    pub settings_hash: u64,
    /// Base of all times: that of the reader.
    pub time_base: TimeBase,
    pub(crate) parameters: VideoParameters,
    pub(crate) extradata: Vec<u8>,
    pub(crate) hdr: Option<HdrStatic>,
    /// Bits of the frames before they were widened to what the encoder takes, for results that are
    /// made of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) depth: Option<u8>,
}

impl PartHeader {
    /// Significant bits per sample of the frames that were encoded.
    pub fn depth(&self) -> u8 {
        let coded = AvFormat(self.parameters.format).bit_depth();
        self.depth.unwrap_or(coded)
    }

    /// True if the pictures carry transparency.
    pub fn has_alpha(&self) -> bool {
        AvFormat(self.parameters.format).has_alpha()
    }

    /// Colour tags of the pictures.
    pub fn color(&self) -> ColorInfo {
        self.color_numbers().to_info()
    }

    fn color_numbers(&self) -> ColorNumbers {
        let [primaries, transfer, matrix, range, chroma] = self.parameters.color;
        ColorNumbers {
            primaries,
            transfer,
            matrix,
            range,
            chroma,
        }
    }

    /// Width of a pixel by its height.
    pub fn sample_aspect_ratio(&self) -> Rational {
        self.parameters.sample_aspect_ratio
    }

    /// Width and height of the coded pictures.
    pub fn size(&self) -> (u32, u32) {
        (self.parameters.width, self.parameters.height)
    }

    /// Codec name (`h264`).
    pub fn codec(&self) -> &str {
        &self.parameters.codec
    }
}

/// One packet of a part without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartEntry {
    /// Presentation time in ticks.
    pub pts: i64,
    /// Decoding time as the encoder had it.
    pub dts: i64,
    /// Duration in ticks; 0 unknown.
    pub duration: i64,
    /// Decoding can start here.
    pub key: bool,
    /// Coded bytes.
    pub size_bytes: u32,
}

/// Writes a part file.
pub struct PartWriter {
    file: BufWriter<File>,
    path: PathBuf,
    count: u64,
    total: crc32fast::Hasher,
    record: Vec<u8>,
}

impl std::fmt::Debug for PartWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartWriter")
            .field("path", &self.path)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl PartWriter {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// [`MediaError::DiskFull`] or [`MediaError::Write`].
    pub fn create(path: &Path, header: &PartHeader) -> Result<Self, MediaError> {
        Self::create_with(path, header)
    }

    pub(crate) fn create_with(path: &Path, header: &impl Serialize) -> Result<Self, MediaError> {
        let fail = |error: io::Error| MediaError::from_write(error, path);
        let json = serde_json::to_vec(header).map_err(|e| fail(e.into()))?;
        let length = u32::try_from(json.len()).map_err(|e| fail(io::Error::other(e)))?;
        let file = File::create(path).map_err(fail)?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        let mut head = MAGIC.to_vec();
        head.extend(length.to_le_bytes());
        head.extend(&json);
        head.extend(crc32fast::hash(&head).to_le_bytes());
        file.write_all(&head).map_err(fail)?;
        Ok(Self {
            file,
            path: path.into(),
            count: 0,
            total: crc32fast::Hasher::new(),
            record: Vec::new(),
        })
    }

    /// Appends a packet.
    ///
    /// # Errors
    /// [`MediaError::DiskFull`] or [`MediaError::Write`].
    pub fn write(&mut self, packet: &EncodedPacket) -> Result<(), MediaError> {
        let length = |bytes: &[u8]| {
            u32::try_from(bytes.len())
                .ok()
                .filter(|length| *length < LARGEST)
                .ok_or(MediaError::OutOfMemory)
        };
        let record = &mut self.record;
        record.clear();
        record.push(RECORD);
        for number in [packet.pts, packet.dts, packet.duration] {
            record.extend(number.to_le_bytes());
        }
        record.push(u8::from(packet.key));
        record.extend(length(&packet.data)?.to_le_bytes());
        record.extend((packet.side_data.len() as u16).to_le_bytes());
        for (kind, bytes) in &packet.side_data {
            record.extend(kind.to_le_bytes());
            record.extend(length(bytes)?.to_le_bytes());
            record.extend(bytes);
        }
        record.extend(&packet.data);
        let crc = crc32fast::hash(record).to_le_bytes();
        record.extend(crc);
        self.total.update(&crc);
        self.count += 1;
        self.file
            .write_all(&self.record)
            .map_err(|e| MediaError::from_write(e, &self.path))
    }

    /// Packets written so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Ends the file and waits until it is on the disk.
    ///
    /// # Errors
    /// [`MediaError::DiskFull`] or [`MediaError::Write`].
    pub fn finish(mut self) -> Result<u64, MediaError> {
        let mut trailer = vec![TRAILER];
        trailer.extend(self.count.to_le_bytes());
        trailer.extend(self.total.clone().finalize().to_le_bytes());
        trailer.extend(crc32fast::hash(&trailer).to_le_bytes());
        let fail = |error: io::Error| MediaError::from_write(error, &self.path);
        self.file.write_all(&trailer).map_err(fail)?;
        self.file.flush().map_err(fail)?;
        self.file.get_ref().sync_data().map_err(fail)?;
        Ok(self.count)
    }
}

/// Reads a part of a clip's pictures.
pub type PartReader = Records<PartHeader>;

/// Reads a part file that was checked as a whole when it was opened. `H` is what it begins with.
#[derive(Debug)]
pub struct Records<H> {
    file: BufReader<File>,
    path: PathBuf,
    header: H,
    entries: Vec<PartEntry>,
    first_record: u64,
    next: usize,
}

impl<H: DeserializeOwned> Records<H> {
    /// Opens a part and checks every byte of it.
    ///
    /// # Errors
    /// [`MediaError::PartDamaged`] for a file that was cut, altered, or is of another version;
    /// [`MediaError::NotFound`], [`MediaError::NotReadable`].
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => MediaError::NotFound { path: path.into() },
            _ => MediaError::NotReadable {
                source,
                path: path.into(),
            },
        })?;
        let mut file = BufReader::with_capacity(1 << 18, file);
        let (header, first_record) = read_header(&mut file, path)?;
        let mut reader = Self {
            file,
            path: path.into(),
            header,
            entries: Vec::new(),
            first_record,
            next: 0,
        };
        reader.check_all()?;
        reader.rewind()?;
        Ok(reader)
    }

    fn damaged(&self, reason: &str) -> MediaError {
        damaged(&self.path, reason)
    }

    fn check_all(&mut self) -> Result<(), MediaError> {
        let mut total = crc32fast::Hasher::new();
        let mut data = Vec::new();
        loop {
            let mut tag = [0];
            self.fill(&mut tag)?;
            match tag[0] {
                RECORD => {
                    let (packet, crc) = self.read_record(std::mem::take(&mut data))?;
                    total.update(&crc.to_le_bytes());
                    self.entries.push(PartEntry {
                        pts: packet.pts,
                        dts: packet.dts,
                        duration: packet.duration,
                        key: packet.key,
                        size_bytes: packet.data.len() as u32,
                    });
                    data = packet.data;
                }
                TRAILER => {
                    let mut rest = [0; 16];
                    self.fill(&mut rest)?;
                    let mut hash = crc32fast::Hasher::new();
                    hash.update(&tag);
                    hash.update(&rest[..12]);
                    if hash.finalize().to_le_bytes() != rest[12..] {
                        return Err(self.damaged("its trailer was altered"));
                    }
                    if rest[..8] != (self.entries.len() as u64).to_le_bytes()
                        || rest[8..12] != total.finalize().to_le_bytes()
                    {
                        return Err(self.damaged("its trailer counts other records"));
                    }
                    let mut beyond = [0];
                    return match self.file.read(&mut beyond) {
                        Ok(0) => Ok(()),
                        _ => Err(self.damaged("something follows its trailer")),
                    };
                }
                _ => return Err(self.damaged("a record has an unknown kind")),
            }
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), MediaError> {
        fill(&mut self.file, buffer, &self.path)
    }

    /// Reads a record whose tag was read; `data` is memory to use again.
    fn read_record(&mut self, mut data: Vec<u8>) -> Result<(EncodedPacket, u32), MediaError> {
        let mut hash = crc32fast::Hasher::new();
        hash.update(&[RECORD]);
        let mut head = [0; 31];
        self.fill(&mut head)?;
        hash.update(&head);
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&head[at..at + 8]);
            i64::from_le_bytes(bytes)
        };
        let length = u32::from_le_bytes([head[25], head[26], head[27], head[28]]);
        let sides = u16::from_le_bytes([head[29], head[30]]);
        let mut side_data = Vec::new();
        for _ in 0..sides {
            let mut head = [0; 8];
            self.fill(&mut head)?;
            hash.update(&head);
            let kind = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let bytes = self.read_bytes(length, Vec::new())?;
            hash.update(&bytes);
            side_data.push((kind, bytes));
        }
        data = self.read_bytes(length, data)?;
        hash.update(&data);
        let mut crc = [0; 4];
        self.fill(&mut crc)?;
        let crc = u32::from_le_bytes(crc);
        if hash.finalize() != crc {
            return Err(self.damaged("a record was altered"));
        }
        Ok((
            EncodedPacket {
                pts: number(0),
                dts: number(8),
                duration: number(16),
                key: head[24] != 0,
                data,
                side_data,
            },
            crc,
        ))
    }

    /// Reads `length` bytes without trusting it: memory grows as bytes arrive.
    fn read_bytes(&mut self, length: u32, mut bytes: Vec<u8>) -> Result<Vec<u8>, MediaError> {
        bytes.clear();
        if length >= LARGEST {
            return Err(self.damaged("a record states an impossible length"));
        }
        let read = (&mut self.file)
            .take(u64::from(length))
            .read_to_end(&mut bytes)
            .map_err(|source| MediaError::NotReadable {
                source,
                path: self.path.clone(),
            })?;
        if read as u64 != u64::from(length) {
            return Err(self.damaged("it ends in the middle of a record"));
        }
        Ok(bytes)
    }

    /// What the part begins with.
    pub fn header(&self) -> &H {
        &self.header
    }

    /// Every packet in decoding order, without its bytes.
    pub fn entries(&self) -> &[PartEntry] {
        &self.entries
    }

    /// Presentation times, sorted.
    pub fn sorted_pts(&self) -> Vec<i64> {
        let mut pts: Vec<i64> = self.entries.iter().map(|entry| entry.pts).collect();
        pts.sort_unstable();
        pts
    }

    /// Starts over with the first packet.
    ///
    /// # Errors
    /// [`MediaError::NotReadable`].
    pub fn rewind(&mut self) -> Result<(), MediaError> {
        self.next = 0;
        self.file
            .seek(SeekFrom::Start(self.first_record))
            .map_err(|source| MediaError::NotReadable {
                source,
                path: self.path.clone(),
            })?;
        Ok(())
    }

    /// The next packet in decoding order; `None` after the last one.
    ///
    /// # Errors
    /// [`MediaError::PartDamaged`] if the file changed since it was opened.
    pub fn next_packet(&mut self) -> Result<Option<EncodedPacket>, MediaError> {
        if self.next >= self.entries.len() {
            return Ok(None);
        }
        let mut tag = [0];
        self.fill(&mut tag)?;
        if tag[0] != RECORD {
            return Err(self.damaged("it changed while it was read"));
        }
        let (packet, _) = self.read_record(Vec::new())?;
        self.next += 1;
        Ok(Some(packet))
    }
}

fn damaged(path: &Path, reason: &str) -> MediaError {
    MediaError::PartDamaged {
        reason: reason.to_owned(),
        path: path.into(),
    }
}

fn fill(file: &mut impl Read, buffer: &mut [u8], path: &Path) -> Result<(), MediaError> {
    file.read_exact(buffer)
        .map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => damaged(path, "it was cut off"),
            _ => MediaError::NotReadable {
                source,
                path: path.into(),
            },
        })
}

fn read_header<H: DeserializeOwned>(
    file: &mut BufReader<File>,
    path: &Path,
) -> Result<(H, u64), MediaError> {
    let mut head = [0; 12];
    fill(file, &mut head, path)?;
    if head[..8] != *MAGIC {
        return Err(damaged(path, "it is no part file of this version"));
    }
    let length = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if length > 1 << 24 {
        return Err(damaged(path, "its header states an impossible length"));
    }
    let mut json = vec![0; length as usize];
    fill(file, &mut json, path)?;
    let mut crc = [0; 4];
    fill(file, &mut crc, path)?;
    let mut hash = crc32fast::Hasher::new();
    hash.update(&head);
    hash.update(&json);
    if hash.finalize().to_le_bytes() != crc {
        return Err(damaged(path, "its header was altered"));
    }
    let header = serde_json::from_slice(&json)
        .map_err(|_| damaged(path, "its header is that of another version"))?;
    Ok((header, 16 + u64::from(length)))
}

/// First moment of the pictures in these parts, and the moment behind the last one, in
/// microseconds. A last picture without a length is shown as long as the one before it.
///
/// # Errors
/// Those of [`PartReader::open`]; [`MediaError::NoFrames`].
pub fn parts_span(parts: &[PathBuf]) -> Result<(i64, i64), MediaError> {
    let mut span: Option<(i64, i64)> = None;
    for path in parts {
        let part = PartReader::open(path)?;
        let base = part.header().time_base;
        let micros = |ticks| Timestamp::new(ticks, base).micros();
        let times = part.sorted_pts();
        let step = match times[..] {
            [.., before, last] => last - before,
            _ => 0,
        };
        let ends = part.entries().iter().map(|entry| {
            let length = if entry.duration > 0 {
                entry.duration
            } else {
                step
            };
            entry.pts.saturating_add(length)
        });
        if let (Some(first), Some(end)) = (times.first(), ends.max()) {
            let from = span.map_or(micros(*first), |(from, _)| from);
            span = Some((from, micros(end)));
        }
    }
    span.ok_or_else(|| MediaError::NoFrames {
        path: parts.first().cloned().unwrap_or_default(),
    })
}

/// Decodes the first frame of a part.
///
/// # Errors
/// Those of [`PartReader::open`]; [`MediaError::NoFrames`] if nothing can be decoded.
pub fn decode_first(path: &Path) -> Result<Frame, MediaError> {
    let parts = [path.to_owned()];
    let mut frames = PartFrames::open(&parts)?;
    frames
        .next()?
        .ok_or_else(|| MediaError::NoFrames { path: path.into() })
}

/// Decodes the frames of parts, one part after the other, with the times that they were given.
pub struct PartFrames<'a> {
    parts: &'a [PathBuf],
    /// Place of the next part.
    next_part: usize,
    open: Option<(PartReader, Decoder)>,
    normaliser: Normaliser,
    ended: bool,
    header: PartHeader,
}

impl std::fmt::Debug for PartFrames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartFrames")
            .field("next_part", &self.next_part)
            .finish_non_exhaustive()
    }
}

impl<'a> PartFrames<'a> {
    /// Opens the first part. All parts must be of one encoder with the same settings.
    ///
    /// # Errors
    /// Those of [`PartReader::open`]; [`MediaError::InvalidRequest`] without parts.
    pub fn open(parts: &'a [PathBuf]) -> Result<Self, MediaError> {
        crate::init()?;
        let first = parts.first().ok_or_else(|| MediaError::InvalidRequest {
            what: "there are no parts to decode".into(),
        })?;
        let header = PartReader::open(first)?.header().clone();
        Ok(Self {
            parts,
            next_part: 0,
            open: None,
            normaliser: Normaliser::new(header.color_numbers(), header.size()),
            ended: false,
            header,
        })
    }

    /// What every part begins with.
    pub fn header(&self) -> &PartHeader {
        &self.header
    }

    /// The next frame in presentation order, its times in ticks of the header's base; `None`
    /// after the last one.
    ///
    /// # Errors
    /// [`MediaError::PartDamaged`], [`MediaError::PartsDiffer`], [`MediaError::NotReadable`].
    #[expect(
        clippy::should_implement_trait,
        reason = "a failing read is an error, which an iterator cannot end with"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, MediaError> {
        loop {
            let Some((part, decoder)) = &mut self.open else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            let mut raw = AvFrame::new()?;
            match decoder.receive(&mut raw)? {
                Answer::Frame => {
                    let (pts, duration) = (raw.best_pts(), raw.duration());
                    let mut frame = self.normaliser.apply(raw)?;
                    frame.set_timing(pts.unwrap_or(0), duration);
                    return Ok(Some(frame));
                }
                // A part was checked byte for byte: what is not decoded is not counted either,
                // and the number of frames is compared by whoever asks for them.
                Answer::Damaged => {}
                Answer::End => self.open = None,
                Answer::NeedsInput if self.ended => self.open = None,
                Answer::NeedsInput => match part.next_packet()? {
                    Some(stored) => {
                        let mut packet = Packet::with_data(&stored.data)?;
                        packet.set_timing(stored.pts, stored.dts, stored.duration, stored.key);
                        for (kind, bytes) in &stored.side_data {
                            packet.add_side_data(*kind, bytes)?;
                        }
                        decoder.send(Some(&packet))?;
                    }
                    None => {
                        self.ended = true;
                        decoder.send(None)?;
                    }
                },
            }
        }
    }

    fn open_next(&mut self) -> Result<bool, MediaError> {
        let Some(path) = self.parts.get(self.next_part) else {
            return Ok(false);
        };
        let part = PartReader::open(path)?;
        let header = part.header();
        if header.settings_hash != self.header.settings_hash
            || header.encoder != self.header.encoder
            || header.time_base != self.header.time_base
        {
            return Err(MediaError::PartsDiffer {
                reason: "other encoder settings".into(),
                path: path.clone(),
            });
        }
        let decoder = Decoder::open_stored(&header.parameters, &header.extradata, path)?;
        self.open = Some((part, decoder));
        self.ended = false;
        self.next_part += 1;
        Ok(true)
    }
}
