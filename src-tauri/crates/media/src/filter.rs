//! Filters of libavfilter on frames.

use crate::error::MediaError;
use crate::ffi::filter::{AvFilterGraph, Given, has_filter};
use crate::ffi::frame::AvFrame;
use crate::ffi::pixel::av_format;
use crate::frame::Frame;
use frameloom_core::color::{ColorInfo, Range};
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::time::{FrameRate, Rational, TimeBase};

/// One filter with its options. Values are handed over as they are, never as part of a text that
/// is read for separators, so they may hold any sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSpec {
    /// Name as ffmpeg has it.
    pub name: &'static str,
    /// Options and their values.
    pub options: Vec<(&'static str, String)>,
}

/// The pictures that go in.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterInput {
    /// Layout of the samples.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Seconds per tick of their times.
    pub time_base: TimeBase,
    /// Frames per second, where it is known.
    pub frame_rate: Option<FrameRate>,
    /// Width of a pixel by its height.
    pub sample_aspect_ratio: Rational,
    /// Colour tags.
    pub color: ColorInfo,
}

/// An open chain of filters.
///
/// The pictures keep their pixel format: the library is not allowed to convert on its own, and a
/// filter that would need it is refused.
pub struct FilterGraph {
    graph: AvFilterGraph,
    format: PixelFormat,
    size: (u32, u32),
    time_base: TimeBase,
    frame_rate: Option<FrameRate>,
}

impl std::fmt::Debug for FilterGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilterGraph")
            .field("format", &self.format)
            .field("size", &self.size)
            .field("time_base", &self.time_base)
            .finish_non_exhaustive()
    }
}

impl FilterGraph {
    /// Opens `filters`, one after the other, on at most `threads` threads.
    ///
    /// # Errors
    /// [`MediaError::FilterUnavailable`] for a filter that this build does not have, an option
    /// that it does not know or refuses, or pictures that it does not take.
    pub fn open(
        filters: &[FilterSpec],
        input: &FilterInput,
        threads: usize,
    ) -> Result<Self, MediaError> {
        crate::init()?;
        let format = av_format(input.format)?;
        let fraction = |r: Rational| format!("{}/{}", r.num, r.den);
        let mut source = vec![
            ("video_size", format!("{}x{}", input.width, input.height)),
            ("pix_fmt", format.0.to_string()),
            ("time_base", fraction(input.time_base.ratio())),
            ("pixel_aspect", fraction(input.sample_aspect_ratio)),
        ];
        if let Some(rate) = input.frame_rate {
            source.push(("frame_rate", fraction(rate.ratio())));
        }
        source.extend(color_options(input));
        let source: Vec<(&str, &str)> = source.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let filters: Vec<(&str, Vec<(&str, &str)>)> = filters
            .iter()
            .map(|filter| {
                let options = filter.options.iter().map(|(k, v)| (*k, v.as_str()));
                (filter.name, options.collect())
            })
            .collect();
        let graph = AvFilterGraph::open(&filters, &source, threads)?;
        if graph.format() != format {
            return Err(MediaError::FilterUnavailable {
                filter: filters
                    .iter()
                    .map(|(n, _)| *n)
                    .collect::<Vec<_>>()
                    .join(", "),
                reason: format!(
                    "it gives {} instead of {}",
                    graph.format().name(),
                    input.format
                ),
            });
        }
        Ok(Self {
            format: input.format,
            size: graph.size(),
            time_base: graph.time_base().unwrap_or(input.time_base),
            frame_rate: graph.frame_rate(),
            graph,
        })
    }

    /// True if this build of FFmpeg has the filter.
    pub fn is_available(name: &str) -> bool {
        has_filter(name)
    }

    /// Width and height of what comes out.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Seconds per tick of what comes out; filters may count finer than what went in.
    pub fn time_base(&self) -> TimeBase {
        self.time_base
    }

    /// Frames per second of what comes out, where it is known.
    pub fn frame_rate(&self) -> Option<FrameRate> {
        self.frame_rate
    }

    /// Hands over a frame. Its samples are shared, not changed.
    ///
    /// # Errors
    /// The frame is not what the chain was opened for, or a filter failed.
    pub fn send(&mut self, frame: &Frame) -> Result<(), MediaError> {
        self.graph.send(Some(frame.inner()))
    }

    /// Ends the stream: what the filters held back comes out now.
    ///
    /// # Errors
    /// A filter failed.
    pub fn flush(&mut self) -> Result<(), MediaError> {
        self.graph.send(None)
    }

    /// The next frame, its time in ticks of [`FilterGraph::time_base`]; `None` if the chain wants
    /// another frame first, or has ended.
    ///
    /// # Errors
    /// A filter failed, or gave something else than it promised.
    pub fn receive(&mut self) -> Result<Option<Frame>, MediaError> {
        self.receive_raw()?
            .map(|raw| Frame::wrap(raw, self.format))
            .transpose()
    }

    pub(crate) fn receive_raw(&mut self) -> Result<Option<AvFrame>, MediaError> {
        let mut raw = AvFrame::new()?;
        match self.graph.receive(&mut raw)? {
            Given::Frame => Ok(Some(raw)),
            Given::NeedsInput | Given::End => Ok(None),
        }
    }
}

/// From FFmpeg 7 on, colour is negotiated like the format, and must be stated.
fn color_options(input: &FilterInput) -> Vec<(&'static str, String)> {
    if cfg!(not(ffmpeg_7_0)) {
        return Vec::new();
    }
    let numbers = crate::color::ColorNumbers::from_info(&input.color);
    let rgb = input.format.planes == Planes::Gbr;
    let full = rgb || input.color.range == Range::Full;
    vec![
        (
            "colorspace",
            if rgb { 0 } else { numbers.matrix }.to_string(),
        ),
        ("range", if full { 2 } else { numbers.range }.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(format: PixelFormat) -> FilterInput {
        FilterInput {
            format,
            width: 64,
            height: 48,
            time_base: TimeBase::MICROS,
            frame_rate: FrameRate::new(25, 1),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            color: ColorInfo::default(),
        }
    }

    fn filter(name: &'static str, options: &[(&'static str, &str)]) -> FilterSpec {
        FilterSpec {
            name,
            options: options.iter().map(|(k, v)| (*k, (*v).into())).collect(),
        }
    }

    fn refused(filter: FilterSpec, format: PixelFormat) -> String {
        match FilterGraph::open(&[filter], &input(format), 1) {
            Err(error @ MediaError::FilterUnavailable { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_value_may_hold_every_sign_that_means_something_in_a_filter_text() {
        let hostile = "a:b,c;[d]='e\\f'\n%{pts} é";
        let spec = filter(
            "metadata",
            &[("mode", "add"), ("key", "test"), ("value", hostile)],
        );
        let mut graph = FilterGraph::open(&[spec], &input(PixelFormat::YUV420P8), 1).unwrap();
        let mut frame = Frame::new(PixelFormat::YUV420P8, 64, 48).unwrap();
        frame.set_timing(7, 40);
        graph.send(&frame).unwrap();
        let out = graph.receive_raw().unwrap().unwrap();
        assert_eq!(out.note(c"test").as_deref(), Some(hostile));
        assert_eq!(out.pts(), Some(7));
    }

    #[test]
    fn what_is_not_there_or_does_not_fit_is_refused_by_name() {
        let yuv = PixelFormat::YUV420P8;
        assert!(refused(filter("warp-drive", &[]), yuv).contains("`warp-drive`"));
        assert!(refused(filter("bwdif", &[("speed", "9")]), yuv).contains("speed"));
        assert!(refused(filter("bwdif", &[("mode", "sideways")]), yuv).contains("bwdif"));
        // It counts in 8 bit; no conversion is slipped in.
        let ten = PixelFormat { bits: 10, ..yuv };
        assert!(refused(filter("nlmeans", &[]), ten).contains("nlmeans"));
        assert!(refused(filter("scale", &[("w", "0.5*in")]), yuv).contains("scale"));
    }

    #[test]
    fn deinterlacing_counts_in_half_ticks_and_gives_every_frame_once() {
        let spec = filter("bwdif", &[("mode", "send_frame"), ("deint", "all")]);
        let mut graph = FilterGraph::open(&[spec], &input(PixelFormat::YUV420P8), 2).unwrap();
        let finer = graph.time_base().ratio();
        let mut times = Vec::new();
        for n in 0..5 {
            let mut frame = Frame::new(PixelFormat::YUV420P8, 64, 48).unwrap();
            frame.set_timing(n * 40_000, 40_000);
            graph.send(&frame).unwrap();
            while let Some(frame) = graph.receive().unwrap() {
                times.push(frame.pts());
            }
        }
        graph.flush().unwrap();
        while let Some(frame) = graph.receive().unwrap() {
            times.push(frame.pts());
        }
        let ticks = finer.den / 1_000_000;
        let wanted: Vec<i64> = (0..5).map(|n| n * 40_000 * ticks).collect();
        assert_eq!(times, wanted);
    }
}
