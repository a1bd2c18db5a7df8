//! What the containers of animated pictures say of themselves, read without decoding: ffmpeg does
//! not tell how often they are played, and rounds their times.

use crate::container::Container;
use crate::error::MediaError;
use frameloom_core::time::{Rational, TimeBase};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// No animation has as many frames; a file that says so is damaged.
const MOST_FRAMES: usize = 10_000_000;

/// What an animated picture says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct AnimationFacts {
    /// GIF, APNG or WebP.
    pub container: Container,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How long each frame is shown, in seconds.
    pub lengths: Vec<Rational>,
    /// How often it is played; 0 for ever.
    pub plays: u32,
    /// It has room for transparent places.
    pub alpha: bool,
    /// Whether the first frame shows any is known only when it is decoded: nothing else of the
    /// file makes holes.
    pub(crate) alpha_by_first: bool,
}

impl AnimationFacts {
    /// When each frame begins, in ticks of a base that holds every length whole.
    pub(crate) fn starts(&self, base: TimeBase) -> Vec<i64> {
        let mut at = 0i64;
        let base = base.ratio();
        self.lengths
            .iter()
            .map(|length| {
                let start = at;
                let ticks = length.num * base.den / (length.den * base.num).max(1);
                at = at.saturating_add(ticks);
                start
            })
            .collect()
    }
}

/// Reads what an animated picture says of itself; `None` for any other file, and for one of these
/// with a single frame.
///
/// # Errors
/// The file cannot be read. One that is cut off gives the frames that are there.
pub fn animation_facts(path: &Path) -> Result<Option<AnimationFacts>, MediaError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => MediaError::NotFound { path: path.into() },
        _ => MediaError::NotReadable {
            source,
            path: path.into(),
        },
    };
    let mut file = BufReader::new(File::open(path).map_err(fail)?);
    let mut head = [0; 16];
    let read = read_some(&mut file, &mut head).map_err(fail)?;
    let head = &head[..read];
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    let facts = if head.starts_with(b"GIF8") {
        gif(&mut file)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(&mut file)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        webp(&mut file)
    } else {
        return Ok(None);
    };
    Ok(facts.map_err(fail)?.filter(|facts| facts.lengths.len() > 1))
}

fn read_some(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// `Ok(None)` where the file ends.
fn bytes<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut buffer = [0; N];
    let read = read_some(file, &mut buffer)?;
    Ok((read == N).then_some(buffer))
}

fn seconds(num: i64, den: i64) -> Rational {
    Rational::new(num, den).unwrap_or(Rational { num: 0, den: 1 })
}

/// GIF89a: blocks, one after the other.
fn gif(file: &mut (impl Read + Seek)) -> io::Result<Option<AnimationFacts>> {
    let Some(head) = bytes::<13>(file)? else {
        return Ok(None);
    };
    let word = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let mut facts = AnimationFacts {
        container: Container::Gif,
        width: word(6),
        height: word(8),
        lengths: Vec::new(),
        // Without a word about it, it is played once.
        plays: 1,
        alpha: false,
        alpha_by_first: false,
    };
    skip_colors(file, head[10])?;
    let (mut delay, mut clear) = (0i64, false);
    while let Some([kind]) = bytes::<1>(file)? {
        match kind {
            0x21 => match bytes::<1>(file)? {
                Some([0xF9]) => {
                    let Some(block) = bytes::<6>(file)? else {
                        break;
                    };
                    delay = i64::from(u16::from_le_bytes([block[2], block[3]]));
                    let disposal = (block[1] >> 2) & 7;
                    clear = block[1] & 1 != 0 && facts.lengths.is_empty();
                    // A frame that is wiped away shows the ground.
                    facts.alpha |= disposal == 2;
                }
                Some([0xFF]) => {
                    let name = sub_block(file)?;
                    let data = sub_block(file)?;
                    if matches!(name.as_slice(), b"NETSCAPE2.0" | b"ANIMEXTS1.0")
                        && let [1, low, high, ..] = data[..]
                    {
                        facts.plays = match u16::from_le_bytes([low, high]) {
                            0 => 0,
                            more => u32::from(more) + 1,
                        };
                    }
                    if !data.is_empty() {
                        skip_blocks(file)?;
                    }
                }
                Some(_) => skip_blocks(file)?,
                None => break,
            },
            0x2C => {
                let Some(image) = bytes::<9>(file)? else {
                    break;
                };
                let at = |i: usize| u32::from(u16::from_le_bytes([image[i], image[i + 1]]));
                if facts.lengths.is_empty() {
                    let covers =
                        at(0) == 0 && at(2) == 0 && at(4) >= facts.width && at(6) >= facts.height;
                    facts.alpha |= !covers;
                    facts.alpha_by_first = clear;
                }
                skip_colors(file, image[8])?;
                if bytes::<1>(file)?.is_none() {
                    break;
                }
                skip_blocks(file)?;
                facts.lengths.push(seconds(delay, 100));
                if facts.lengths.len() > MOST_FRAMES {
                    break;
                }
                delay = 0;
            }
            _ => break,
        }
    }
    // A second look at the first frame is only worth it where nothing else makes holes.
    facts.alpha_by_first &= !facts.alpha;
    facts.alpha |= facts.alpha_by_first;
    Ok(Some(facts))
}

fn skip_colors(file: &mut impl Seek, flags: u8) -> io::Result<()> {
    if flags & 0x80 != 0 {
        file.seek_relative(3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

fn sub_block(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let Some([length]) = bytes::<1>(file)? else {
        return Ok(Vec::new());
    };
    let mut data = vec![0; usize::from(length)];
    let read = read_some(file, &mut data)?;
    data.truncate(read);
    Ok(data)
}

fn skip_blocks(file: &mut (impl Read + Seek)) -> io::Result<()> {
    while let Some([length]) = bytes::<1>(file)? {
        if length == 0 {
            break;
        }
        file.seek_relative(i64::from(length))?;
    }
    Ok(())
}

/// PNG third edition, 11.3.6: `acTL`, and an `fcTL` for each frame.
fn png(file: &mut (impl Read + Seek)) -> io::Result<Option<AnimationFacts>> {
    file.seek(SeekFrom::Start(8))?;
    let (mut facts, mut animated) = (None::<AnimationFacts>, false);
    while let Some(head) = bytes::<8>(file)? {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let kind = &head[4..8];
        let take = match kind {
            b"IHDR" => 13,
            b"acTL" => 8,
            b"fcTL" => 26,
            _ => 0,
        };
        let mut data = vec![0; take];
        if length as usize >= take && read_some(file, &mut data)? != take {
            break;
        }
        let word =
            |at: usize| u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        match (kind, &mut facts) {
            (b"IHDR", None) => {
                facts = Some(AnimationFacts {
                    container: Container::Apng,
                    width: word(0),
                    height: word(4),
                    lengths: Vec::new(),
                    plays: 0,
                    alpha: data[9] & 4 != 0,
                    alpha_by_first: false,
                });
            }
            (b"acTL", Some(facts)) => {
                animated = true;
                facts.plays = word(4);
            }
            (b"tRNS", Some(facts)) => facts.alpha = true,
            (b"fcTL", Some(facts)) if facts.lengths.len() < MOST_FRAMES => {
                let half = |at: usize| i64::from(u16::from_be_bytes([data[at], data[at + 1]]));
                // A denominator of zero means hundredths.
                let den = if half(22) == 0 { 100 } else { half(22) };
                facts.lengths.push(seconds(half(20), den));
            }
            (b"IEND", _) => break,
            _ => {}
        }
        // What is left of the chunk, and its checksum.
        let left = i64::from(length) - data.len().min(length as usize) as i64 + 4;
        file.seek_relative(left)?;
    }
    Ok(facts.filter(|_| animated))
}

/// RFC 9649, 2.7: `VP8X`, `ANIM` and an `ANMF` for each frame.
fn webp(file: &mut (impl Read + Seek)) -> io::Result<Option<AnimationFacts>> {
    file.seek(SeekFrom::Start(12))?;
    let mut facts = None::<AnimationFacts>;
    while let Some(head) = bytes::<8>(file)? {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let take = match &head[..4] {
            b"VP8X" => 10,
            b"ANIM" => 6,
            b"ANMF" => 16,
            _ => 0,
        };
        let mut data = vec![0; take];
        if length as usize >= take && read_some(file, &mut data)? != take {
            break;
        }
        let three = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], 0]);
        match (&head[..4], &mut facts) {
            (b"VP8X", None) if data[0] & 0x02 != 0 => {
                facts = Some(AnimationFacts {
                    container: Container::WebP,
                    width: three(4) + 1,
                    height: three(7) + 1,
                    lengths: Vec::new(),
                    plays: 0,
                    alpha: data[0] & 0x10 != 0,
                    alpha_by_first: false,
                });
            }
            (b"ANIM", Some(facts)) => {
                facts.plays = u32::from(u16::from_le_bytes([data[4], data[5]]));
            }
            (b"ANMF", Some(facts)) if facts.lengths.len() < MOST_FRAMES => {
                facts.lengths.push(seconds(i64::from(three(12)), 1_000));
            }
            _ => {}
        }
        let left = i64::from(length) - data.len().min(length as usize) as i64;
        file.seek_relative(left + i64::from(length % 2))?;
    }
    Ok(facts)
}
