//! A copy of a file in which every track stays as it is: only chapters or tracks are other ones.

use super::feed::{self, AddedTrack, Feed};
use super::join::{add_chapters, add_copy, compare, options, shift_micros};
use super::video::{decoding_time, delay};
use crate::container::{Container, MuxPlan, described, holds, plan_mux};
use crate::error::MediaError;
use crate::ffi::input::{Look, RawChapter};
use crate::ffi::output::Output;
use crate::ffi::packet::Packet;
use crate::ffi::util::time_base;
use crate::mux::copy::{
    CopiedStream, SourceCut, SourceHole, file_tags, general_tags, tags_of_sound,
};
use ffmpeg_sys_next as sys;
use frameloom_core::job::TrackChoice;
use frameloom_core::media::MediaInfo;
use frameloom_core::time::{Rational, TimeBase};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A chapter to be written, in microseconds of the source's time; half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChapter {
    /// Its first moment.
    pub from_micros: i64,
    /// The first moment behind it.
    pub to_micros: i64,
    /// Its name.
    pub title: String,
}

/// What a copy is made of.
#[derive(Debug, Clone)]
pub struct RemuxSpec<'a> {
    /// The file that is copied.
    pub source: &'a Path,
    /// The file to write. The caller renames it when it was checked.
    pub output_tmp: &'a Path,
    /// From [`plan_remux`].
    pub plan: &'a MuxPlan,
    /// In the place of those of the source, where they are given.
    pub chapters: Option<&'a [NewChapter]>,
    /// Other tracks.
    pub added: &'a [AddedTrack<'a>],
    /// Where they come.
    pub place: AddedPlace,
    /// What of the source's time its other tracks already keep; all of it where left out.
    pub kept: Option<Kept<'a>>,
}

/// What is kept of a source whose sound was worked out, for what goes with it: its chapters.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The stretch, whose start becomes the file's.
    pub cut: SourceCut,
    /// What is left out of that, in order.
    pub holes: &'a [SourceHole],
    /// How many times as long the rest lasts.
    pub slow: Rational,
}

/// Where tracks come that a copy has beside those of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedPlace {
    /// Right behind the main pictures, as where tracks of the source are replaced.
    BehindPictures,
    /// Behind all of the source.
    Last,
    /// Before all of the source, of which nothing else is shown or heard.
    First,
}

/// Decides which tracks of `source` go into a copy in `container`: all of them, the main pictures
/// included, but those that are left out.
///
/// # Errors
/// Those of [`plan_mux`]; [`MediaError::TracksDoNotFit`] for what only another container can hold.
pub fn plan_remux(
    source: &MediaInfo,
    container: Container,
    drop: &[TrackChoice],
) -> Result<MuxPlan, MediaError> {
    let mut plan = plan_mux(source, container, drop)?;
    // Nothing is turned here: what cannot hold a turn must not take the clip.
    if let Some((main, _)) = source.main_video() {
        if !holds(container, main) {
            let others = Container::ALL.into_iter();
            return Err(MediaError::TracksDoNotFit {
                tracks: vec![(described(main), TrackChoice::Video.to_string())],
                container: container.shown(),
                others: others
                    .filter(|other| holds(*other, main))
                    .map(|other| other.extension().to_owned())
                    .collect(),
            });
        }
        plan.copied.push(main.index);
        plan.copied.sort_unstable();
    }
    plan.complete(source, drop)
}

/// Writes the copy and waits until it is on the disk. `progress` is told the part that is done, 0 to 1.
/// Gives the number of its streams that have packets or are attachments.
///
/// # Errors
/// [`MediaError::DiskFull`], [`MediaError::Write`], [`MediaError::Cancelled`], those of opening the
/// source, or a container that refuses a stream. A half-written file may be left at `output_tmp`.
pub fn remux(
    spec: &RemuxSpec<'_>,
    info: &MediaInfo,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(f64),
) -> Result<u32, MediaError> {
    let input = crate::source::open(spec.source, Look::Packets, cancel)?;
    let container = spec.plan.container;
    let mut output = Output::create(spec.output_tmp, container.muxer(), cancel)?;
    let shift = match spec.kept {
        Some(kept) => kept.slow.of(kept.cut.from_micros.saturating_neg()),
        None => shift_micros(&input),
    };
    let main = info.main_video().map(|(stream, _)| stream);
    let base = main.map_or(TimeBase::MICROS, |stream| stream.time_base);
    let add = |output: &mut Output| {
        let tracks = (spec.added, spec.plan.keeps_tags);
        feed::add(output, tracks, shift, cancel)
    };
    let mut copied = HashMap::new();
    let mut added = match spec.place {
        AddedPlace::First => Some(add(&mut output)?),
        AddedPlace::BehindPictures | AddedPlace::Last => None,
    };
    let (mut attached, mut filled) = (0, HashSet::new());
    let mut has_cover = false;
    for index in 0..input.stream_count() {
        let (Some(stream), true) = (
            input.stream(index),
            spec.plan.copied.contains(&(index as u32)),
        ) else {
            continue;
        };
        has_cover |= stream.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC);
        let Some(mut copy) = add_copy(&mut output, stream, spec.plan, shift)? else {
            attached += 1;
            continue;
        };
        let is_main = main.is_some_and(|main| main.index as usize == index);
        if is_main && tells_no_decoding(info) {
            copy.decoding = Some(decoding_times(spec.source, index, cancel)?);
        }
        copied.insert(index, copy);
        if is_main && spec.place == AddedPlace::BehindPictures {
            added = Some(add(&mut output)?);
        }
    }
    let added = match added {
        Some(added) => added,
        None => add(&mut output)?,
    };
    let tags = match spec.plan.keeps_tags {
        true if container.sound_file().is_some() => tags_of_sound(info, container),
        true => file_tags(&input.tags(), container),
        false => BTreeMap::new(),
    };
    output.set_tags(&tags)?;
    match spec.chapters {
        Some(chapters) => {
            for (id, chapter) in (0i64..).zip(chapters) {
                output.add_chapter(&RawChapter {
                    id,
                    time_base: sys::AVRational {
                        num: 1,
                        den: 1_000_000,
                    },
                    start: chapter.from_micros.saturating_add(shift),
                    end: chapter.to_micros.saturating_add(shift),
                    tags: BTreeMap::from([("title".to_owned(), chapter.title.clone())]),
                })?;
            }
        }
        None => {
            let kept = match spec.kept {
                Some(kept) => (Some(kept.cut), kept.holes, kept.slow),
                None => (None, &[][..], Rational::ONE),
            };
            add_chapters(&mut output, (&input, spec.plan.keeps_tags), kept, shift)?;
        }
    }
    let mut starts: Vec<_> = copied.values().map(CopiedStream::start).collect();
    starts.extend(added.starts);
    let subtitles = added.has_subtitles || copied.values().any(|c| !c.strict);
    let general = !general_tags(container, &tags).is_empty() && !has_cover;
    output.write_header(&options(container, base, general, subtitles, &starts))?;
    let mut feeds = vec![Feed::new(input, copied)];
    feeds.extend(added.feeds);
    for feed in &mut feeds {
        feed.advance()?;
    }
    let length = info.duration_micros.unwrap_or(0).max(1) as f64;
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(MediaError::Cancelled);
        }
        let times = feeds.iter().enumerate();
        let next = times
            .filter_map(|(feed, packets)| packets.time().map(|(dts, base)| (feed, dts, base)))
            .min_by(|a, b| compare(a.1, a.2, b.1, b.2));
        let Some((feed, dts, base)) = next else {
            break;
        };
        if let Some(base) = time_base(base) {
            let micros = frameloom_core::time::Timestamp::new(dts, base).micros();
            progress((micros as f64 / length).clamp(0.0, 1.0));
        }
        if let Some(feed) = feeds.get_mut(feed) {
            filled.extend(feed.write(&mut output)?);
            feed.advance()?;
        }
    }
    output.finish()?;
    File::open(spec.output_tmp)
        .and_then(|file| file.sync_data())
        .map_err(|e| MediaError::from_write(e, spec.output_tmp))?;
    Ok(attached + filled.len() as u32)
}

/// Matroska and AVI hold one time for each packet; which of them are decoded before their turn shows
/// only in all of them.
fn tells_no_decoding(info: &MediaInfo) -> bool {
    ["matroska", "avi"]
        .iter()
        .any(|name| info.container.contains(name))
}

/// Decoding times of all packets of a stream: its presentation times in order, as much later as it
/// takes that no packet is shown before it is decoded.
fn decoding_times(
    path: &Path,
    stream: usize,
    cancel: &Arc<AtomicBool>,
) -> Result<Vec<i64>, MediaError> {
    let mut input = crate::source::open(path, Look::Packets, cancel)?;
    input.keep_streams(|index| index == stream);
    let mut packet = Packet::new()?;
    let (mut coded, mut next) = (Vec::new(), 0);
    while input.read(&mut packet)? {
        if packet.stream() == stream {
            let pts = packet.pts().or(packet.dts()).unwrap_or(next);
            next = pts.saturating_add(packet.duration());
            coded.push(pts);
        }
    }
    let mut sorted = coded.clone();
    sorted.sort_unstable();
    let delay = delay(&coded, &sorted);
    Ok((0..coded.len())
        .map(|index| decoding_time(&sorted, delay, index))
        .collect())
}
