//! Do the tracks that a graph asks for fit into the container?

use crate::container::{Container, described, holds, plan_mux};
use crate::error::MediaError;
use crate::sound::SoundFile;
use frameloom_core::job::TrackChoice;
use frameloom_core::media::{MediaInfo, StreamInfo};
use frameloom_core::said;
use frameloom_core::said::Said;

/// A track that is copied because a graph asks for it.
#[derive(Debug, Clone, Copy)]
pub struct WantedTrack<'a> {
    /// Name of its input; `None` for the source of the pictures.
    pub input: Option<&'a str>,
    /// What it is.
    pub stream: &'a StreamInfo,
}

impl WantedTrack<'_> {
    /// As a refusal names it, and as `--drop` takes it.
    fn named(&self) -> (Said, String) {
        match self.input {
            None => (described(self.stream), self.stream.index.to_string()),
            Some(input) => {
                let what = said!(
                    "track.of_input",
                    "{track} of the input `{input}`",
                    track = described(self.stream),
                    input = input
                );
                (what, String::new())
            }
        }
    }
}

/// Refuses more tracks of sound than players find in a file of sound alone.
///
/// # Errors
/// [`MediaError::TracksDoNotFit`] with those that are too many.
pub fn check_count(tracks: &[WantedTrack<'_>], container: Container) -> Result<(), MediaError> {
    let most = container
        .sound_file()
        .map_or(usize::MAX, SoundFile::most_tracks);
    let extra: Vec<_> = tracks.iter().skip(most).map(WantedTrack::named).collect();
    if extra.is_empty() {
        return Ok(());
    }
    let others = SoundFile::ALL.into_iter().map(Container::Sound);
    let others = others.filter(|other| {
        let most = other
            .sound_file()
            .map_or(usize::MAX, SoundFile::most_tracks);
        most >= tracks.len()
    });
    Err(MediaError::TracksDoNotFit {
        tracks: extra,
        container: container.shown(),
        others: others.map(|other| other.extension().to_owned()).collect(),
    })
}

/// Refuses tracks that the container cannot hold, with the containers that could hold all of them
/// and everything that `source` gives besides (`drop` is what it does not).
///
/// # Errors
/// [`MediaError::TracksDoNotFit`].
pub fn check_tracks(
    tracks: &[WantedTrack<'_>],
    container: Container,
    source: &MediaInfo,
    drop: &[TrackChoice],
) -> Result<(), MediaError> {
    let unfit: Vec<(Said, String)> = tracks
        .iter()
        .filter(|track| !holds(container, track.stream))
        .map(WantedTrack::named)
        .collect();
    if unfit.is_empty() {
        return Ok(());
    }
    let others = Container::ALL.into_iter().filter(|other| {
        tracks.iter().all(|track| holds(*other, track.stream))
            && plan_mux(source, *other, drop).is_ok_and(|plan| plan.refused.is_empty())
    });
    Err(MediaError::TracksDoNotFit {
        tracks: unfit,
        container: container.shown(),
        others: others.map(|other| other.extension().to_owned()).collect(),
    })
}
