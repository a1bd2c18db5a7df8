//! A chain of libavfilter's filters between a source and a sink of pictures, or of sound.

use super::frame::AvFrame;
use super::pixel::AvFormat;
use super::util::{Dict, c_text, check, failure, rational, time_base};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::time::{FrameRate, TimeBase};
use std::ptr::{self, NonNull};

/// What a chain gives when it is asked for a picture.
pub(crate) enum Given {
    Frame,
    NeedsInput,
    End,
}

/// A configured chain. The graph owns its filters; both ends point into it.
pub(crate) struct AvFilterGraph {
    graph: NonNull<sys::AVFilterGraph>,
    source: NonNull<sys::AVFilterContext>,
    sink: NonNull<sys::AVFilterContext>,
}

// SAFETY: used by one thread at a time (`&mut`); its own threads are joined when it is freed.
unsafe impl Send for AvFilterGraph {}

impl Drop for AvFilterGraph {
    fn drop(&mut self) {
        let mut raw = self.graph.as_ptr();
        // SAFETY: owned; frees the filters with it.
        unsafe { sys::avfilter_graph_free(&mut raw) };
    }
}

/// True if this build of the library has the filter.
pub(crate) fn has_filter(name: &str) -> bool {
    let name = c_text(name);
    // SAFETY: returns null or a constant filter.
    unsafe { !sys::avfilter_get_by_name(name.as_ptr()).is_null() }
}

/// A graph that is freed unless it becomes part of an [`AvFilterGraph`].
pub(super) struct Building(*mut sys::AVFilterGraph);

impl Drop for Building {
    fn drop(&mut self) {
        // SAFETY: null or owned.
        unsafe { sys::avfilter_graph_free(&mut self.0) };
    }
}

impl Building {
    /// A graph without filters, on at most `threads` threads.
    pub(super) fn new(threads: usize) -> Result<Self, MediaError> {
        // SAFETY: returns null or a new graph.
        let building = Self(unsafe { sys::avfilter_graph_alloc() });
        let Some(graph) = NonNull::new(building.0) else {
            return Err(MediaError::OutOfMemory);
        };
        // SAFETY: a live graph without filters yet.
        unsafe {
            (*graph.as_ptr()).nb_threads = i32::try_from(threads.max(1)).unwrap_or(1);
            let none = sys::AVFILTER_AUTO_CONVERT_NONE as i32;
            sys::avfilter_graph_set_auto_convert(graph.as_ptr(), none as u32);
        }
        Ok(building)
    }

    /// Checks that all filters fit together; `names` for the refusal.
    pub(super) fn configure(&self, names: &str) -> Result<(), MediaError> {
        // SAFETY: a live graph whose filters are linked.
        let status = unsafe { sys::avfilter_graph_config(self.0, ptr::null_mut()) };
        if status >= 0 {
            return Ok(());
        }
        Err(match failure("filters do not fit", status) {
            MediaError::Codec { source, .. } => MediaError::FilterUnavailable {
                filter: names.to_owned(),
                reason: format!("it does not take these pictures ({source})"),
            },
            other => other,
        })
    }

    /// The graph, which the caller frees.
    pub(super) fn finish(mut self) -> NonNull<sys::AVFilterGraph> {
        let graph = std::mem::replace(&mut self.0, ptr::null_mut());
        // SAFETY: `new` gives no null, and nothing but this takes the pointer away.
        unsafe { NonNull::new_unchecked(graph) }
    }

    /// Adds a filter with its options, every one of which it must know.
    pub(super) fn add(
        &mut self,
        name: &str,
        options: &[(&str, &str)],
    ) -> Result<NonNull<sys::AVFilterContext>, MediaError> {
        let unavailable = |reason: String| MediaError::FilterUnavailable {
            filter: name.to_owned(),
            reason,
        };
        let c_name = c_text(name);
        // SAFETY: returns null or a constant filter.
        let filter = unsafe { sys::avfilter_get_by_name(c_name.as_ptr()) };
        if filter.is_null() {
            return Err(unavailable("this build of FFmpeg does not have it".into()));
        }
        // SAFETY: a live graph and a constant filter; the result belongs to the graph.
        let context = unsafe { sys::avfilter_graph_alloc_filter(self.0, filter, c_name.as_ptr()) };
        let context = NonNull::new(context).ok_or(MediaError::OutOfMemory)?;
        // A dictionary, not a string: values may hold any sign.
        let mut dict = Dict::new(options.iter().copied())?;
        // SAFETY: a filter that was not initialised yet, and a live dictionary.
        let status = unsafe { sys::avfilter_init_dict(context.as_ptr(), &mut dict.0) };
        if status < 0 {
            return Err(match failure("a filter was refused", status) {
                MediaError::Codec { source, .. } => unavailable(source.text),
                other => other,
            });
        }
        let left = dict.left();
        if !left.is_empty() {
            return Err(unavailable(format!(
                "this build of FFmpeg does not know its option {}",
                left.join(", ")
            )));
        }
        Ok(context)
    }
}

impl AvFilterGraph {
    /// Opens `filters`, each a name and its options, one after the other. `source` are the
    /// options of the picture source. Nothing converts on the way: a filter that does not take
    /// the format is refused.
    pub(crate) fn open(
        filters: &[(&str, Vec<(&str, &str)>)],
        source: &[(&str, &str)],
        threads: usize,
    ) -> Result<Self, MediaError> {
        Self::between(("buffer", "buffersink"), filters, source, threads)
    }

    /// The same for sound.
    pub(crate) fn open_sound(
        filters: &[(&str, Vec<(&str, &str)>)],
        source: &[(&str, &str)],
    ) -> Result<Self, MediaError> {
        Self::between(("abuffer", "abuffersink"), filters, source, 1)
    }

    fn between(
        (source_name, sink_name): (&str, &str),
        filters: &[(&str, Vec<(&str, &str)>)],
        source: &[(&str, &str)],
        threads: usize,
    ) -> Result<Self, MediaError> {
        let mut building = Building::new(threads)?;
        let first = building.add(source_name, source)?;
        let mut last = first;
        for (name, options) in filters {
            let next = building.add(name, options)?;
            link(last, next, name)?;
            last = next;
        }
        let sink = building.add(sink_name, &[])?;
        link(last, sink, sink_name)?;
        let names: Vec<&str> = filters.iter().map(|(name, _)| *name).collect();
        building.configure(&names.join(", "))?;
        Ok(Self {
            graph: building.finish(),
            source: first,
            sink,
        })
    }

    /// Hands a picture over; `None` ends the stream.
    pub(crate) fn send(&mut self, frame: Option<&AvFrame>) -> Result<(), MediaError> {
        // The frame stays the caller's: the library takes a reference of its own.
        let mut shared = frame.map(AvFrame::share).transpose()?;
        let raw = shared.as_mut().map_or(ptr::null_mut(), AvFrame::as_mut_ptr);
        // SAFETY: a configured graph; the frame is live or null.
        let status = unsafe { sys::av_buffersrc_add_frame_flags(self.source.as_ptr(), raw, 0) };
        check("a filter did not take a picture", status).map(drop)
    }

    /// Takes the next picture.
    pub(crate) fn receive(&mut self, frame: &mut AvFrame) -> Result<Given, MediaError> {
        frame.clear();
        // SAFETY: a configured graph and a blank frame.
        let status =
            unsafe { sys::av_buffersink_get_frame(self.sink.as_ptr(), frame.as_mut_ptr()) };
        match status {
            0.. => Ok(Given::Frame),
            code if code == sys::AVERROR(libc::EAGAIN) => Ok(Given::NeedsInput),
            sys::AVERROR_EOF => Ok(Given::End),
            code => Err(failure("a filter failed", code)),
        }
    }

    pub(crate) fn format(&self) -> AvFormat {
        // SAFETY: a configured sink.
        AvFormat(unsafe { sys::av_buffersink_get_format(self.sink.as_ptr()) })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        // SAFETY: a configured sink.
        let (width, height) = unsafe {
            (
                sys::av_buffersink_get_w(self.sink.as_ptr()),
                sys::av_buffersink_get_h(self.sink.as_ptr()),
            )
        };
        (width.max(0) as u32, height.max(0) as u32)
    }

    pub(crate) fn time_base(&self) -> Option<TimeBase> {
        // SAFETY: a configured sink.
        time_base(unsafe { sys::av_buffersink_get_time_base(self.sink.as_ptr()) })
    }

    pub(crate) fn frame_rate(&self) -> Option<FrameRate> {
        // SAFETY: a configured sink.
        let rate = rational(unsafe { sys::av_buffersink_get_frame_rate(self.sink.as_ptr()) })?;
        FrameRate::new(rate.num, rate.den)
    }
}

fn link(
    from: NonNull<sys::AVFilterContext>,
    to: NonNull<sys::AVFilterContext>,
    name: &str,
) -> Result<(), MediaError> {
    link_to(from, to, 0, name)
}

/// Links the end of `from` to the entrance `place` of `to`.
pub(super) fn link_to(
    from: NonNull<sys::AVFilterContext>,
    to: NonNull<sys::AVFilterContext>,
    place: u32,
    name: &str,
) -> Result<(), MediaError> {
    // SAFETY: two initialised filters of one graph, each with a free end.
    let status = unsafe { sys::avfilter_link(from.as_ptr(), 0, to.as_ptr(), place) };
    if status < 0 {
        return Err(MediaError::FilterUnavailable {
            filter: name.to_owned(),
            reason: "it does not take pictures in this number and give one".into(),
        });
    }
    Ok(())
}
