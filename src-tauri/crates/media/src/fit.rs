//! Do the tracks that a graph asks for fit into the container?

use crate::container::{Container, described, holds, plan_mux};
use crate::error::MediaError;
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
        .map(|track| match track.input {
            None => (described(track.stream), track.stream.index.to_string()),
            Some(input) => {
                let what = said!(
                    "track.of_input",
                    "{track} of the input `{input}`",
                    track = described(track.stream),
                    input = input
                );
                (what, String::new())
            }
        })
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
