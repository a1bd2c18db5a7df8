//! ffmpeg's filters on sound.

use super::SoundFormat;
use crate::error::MediaError;
use crate::ffi::filter::{AvFilterGraph, Given};
use crate::ffi::frame::AvFrame;
use crate::ffi::sound::{Channels, SampleFormat, frame_of, read_samples};

/// A chain of filters from one form of sound to another. Rate and layout are converted at its end.
pub struct SoundFilter {
    graph: AvFilterGraph,
    layout: Channels,
    rate: u32,
    sent: i64,
    finished: bool,
}

impl std::fmt::Debug for SoundFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundFilter")
            .field("rate", &self.rate)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl SoundFilter {
    /// Opens `filters`, each with its options, and then the conversion to `to`.
    ///
    /// # Errors
    /// [`MediaError::FilterUnavailable`] with the reason.
    pub fn open(
        from: &SoundFormat,
        to: &SoundFormat,
        filters: &[(&str, Vec<(&str, String)>)],
    ) -> Result<Self, MediaError> {
        crate::init()?;
        let base = format!("1/{}", from.rate);
        let rate = from.rate.to_string();
        let source = [
            ("time_base", base.as_str()),
            ("sample_rate", rate.as_str()),
            ("sample_fmt", "dblp"),
            ("channel_layout", from.layout.as_str()),
        ];
        let wanted = to.rate.to_string();
        let mut chain: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
        for (name, options) in filters {
            // Each takes the form of numbers that it likes.
            chain.push(("aresample", Vec::new()));
            chain.push((
                name,
                options.iter().map(|(k, v)| (*k, v.as_str())).collect(),
            ));
        }
        chain.push(("aresample", Vec::new()));
        chain.push((
            "aformat",
            vec![
                ("sample_fmts", "dblp"),
                ("sample_rates", wanted.as_str()),
                ("channel_layouts", to.layout.as_str()),
            ],
        ));
        Ok(Self {
            graph: AvFilterGraph::open_sound(&chain, &source)?,
            layout: Channels::parse(&from.layout)?,
            rate: from.rate,
            sent: 0,
            finished: false,
        })
    }

    /// Hands over samples, one list per channel.
    ///
    /// # Errors
    /// What a filter says.
    pub fn send(&mut self, channels: &[Vec<f64>]) -> Result<(), MediaError> {
        let lists: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
        if lists.first().is_none_or(|list| list.is_empty()) {
            return Ok(());
        }
        let format = SampleFormat::DBLP;
        let frame = frame_of(&lists, format, self.rate, &self.layout, self.sent)?;
        self.sent += lists[0].len() as i64;
        self.graph.send(Some(&frame))
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// What a filter says.
    pub fn finish(&mut self) -> Result<(), MediaError> {
        self.finished = true;
        self.graph.send(None)
    }

    /// It was said that nothing follows.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes samples that are done; `None` where more must be sent first, or at the end.
    ///
    /// # Errors
    /// What a filter says.
    pub fn receive(&mut self) -> Result<Option<Vec<Vec<f64>>>, MediaError> {
        let mut frame = AvFrame::new()?;
        match self.graph.receive(&mut frame)? {
            Given::Frame => Ok(Some(read_samples(&frame)?.1)),
            Given::NeedsInput | Given::End => Ok(None),
        }
    }
}
