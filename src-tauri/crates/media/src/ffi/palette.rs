//! One palette for a whole animation, and its pictures in the colours of that palette.

use super::filter::{AvFilterGraph, Building, Given, link_to};
use super::frame::AvFrame;
use super::pixel::AvFormat;
use super::util::{check, failure};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::ptr::{self, NonNull};

/// What a buffer source must be told of pictures in BGRA. Times do not matter here.
fn source(width: u32, height: u32) -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("video_size", format!("{width}x{height}")),
        ("pix_fmt", AvFormat::BGRA.0.to_string()),
        ("time_base", "1/100".to_owned()),
        ("pixel_aspect", "1/1".to_owned()),
    ];
    // From FFmpeg 7 on, colour is negotiated like the format, and must be stated.
    if cfg!(ffmpeg_7_0) {
        list.push(("colorspace", "0".to_owned()));
        list.push(("range", "2".to_owned()));
    }
    list
}

fn borrowed<'a>(list: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    list.iter().map(|(k, v)| (*k, v.as_str())).collect()
}

/// Looks at all pictures and finds the colours that suit them best.
pub(crate) struct PaletteMaker(AvFilterGraph);

impl PaletteMaker {
    /// For BGRA pictures of this size. One of the 256 places stays free for transparency.
    pub(crate) fn open(width: u32, height: u32) -> Result<Self, MediaError> {
        let options = vec![("reserve_transparent", "1"), ("stats_mode", "full")];
        let source = source(width, height);
        AvFilterGraph::open(&[("palettegen", options)], &borrowed(&source), 1).map(Self)
    }

    /// Looks at a picture.
    pub(crate) fn send(&mut self, frame: &AvFrame) -> Result<(), MediaError> {
        self.0.send(Some(frame))
    }

    /// The palette, 16 x 16 pixels of BGRA.
    pub(crate) fn finish(mut self) -> Result<AvFrame, MediaError> {
        self.0.send(None)?;
        let mut palette = AvFrame::new()?;
        match self.0.receive(&mut palette)? {
            Given::Frame => Ok(palette),
            Given::NeedsInput | Given::End => Err(MediaError::FilterUnavailable {
                filter: "palettegen".into(),
                reason: "it made no palette".into(),
            }),
        }
    }
}

/// Paints pictures in the colours of a palette.
pub(crate) struct PalettePainter {
    graph: NonNull<sys::AVFilterGraph>,
    pictures: NonNull<sys::AVFilterContext>,
    sink: NonNull<sys::AVFilterContext>,
}

impl Drop for PalettePainter {
    fn drop(&mut self) {
        let mut raw = self.graph.as_ptr();
        // SAFETY: owned; frees the filters with it.
        unsafe { sys::avfilter_graph_free(&mut raw) };
    }
}

impl PalettePainter {
    /// For BGRA pictures of this size, with the options of ffmpeg's `paletteuse`.
    pub(crate) fn open(
        width: u32,
        height: u32,
        palette: &AvFrame,
        options: &[(&str, &str)],
    ) -> Result<Self, MediaError> {
        let mut building = Building::new(1)?;
        let of_pictures = source(width, height);
        let of_palette = source(palette.width(), palette.height());
        let pictures = building.add("buffer", &borrowed(&of_pictures))?;
        let colors = building.add("buffer", &borrowed(&of_palette))?;
        let user = building.add("paletteuse", options)?;
        let sink = building.add("buffersink", &[])?;
        link_to(pictures, user, 0, "paletteuse")?;
        link_to(colors, user, 1, "paletteuse")?;
        link_to(user, sink, 0, "buffersink")?;
        building.configure("paletteuse")?;
        let painter = Self {
            graph: building.finish(),
            pictures,
            sink,
        };
        let mut palette = palette.share()?;
        palette.set_pts(0);
        feed(colors, Some(palette))?;
        feed(colors, None)?;
        Ok(painter)
    }

    /// The picture in places of the palette.
    pub(crate) fn paint(&mut self, frame: &AvFrame) -> Result<AvFrame, MediaError> {
        feed(self.pictures, Some(frame.share()?))?;
        let mut painted = AvFrame::new()?;
        // SAFETY: a configured graph and a blank frame.
        let status =
            unsafe { sys::av_buffersink_get_frame(self.sink.as_ptr(), painted.as_mut_ptr()) };
        if status < 0 {
            return Err(failure("a picture could not be given a palette", status));
        }
        Ok(painted)
    }
}

/// Hands a picture to a source; `None` ends it.
fn feed(to: NonNull<sys::AVFilterContext>, frame: Option<AvFrame>) -> Result<(), MediaError> {
    let mut frame = frame;
    let raw = frame.as_mut().map_or(ptr::null_mut(), AvFrame::as_mut_ptr);
    // SAFETY: a source of a configured graph; the frame is live or null, and its reference is
    // taken over by the library.
    let status = unsafe { sys::av_buffersrc_add_frame_flags(to.as_ptr(), raw, 0) };
    check("a filter did not take a picture", status).map(drop)
}
