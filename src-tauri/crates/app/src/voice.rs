//! Voices made clean: noise out of the sound, then an even loudness under a limit of true peaks, all in
//! one graph.

use crate::presets::{self, Work};
use crate::request::shown;
use crate::{App, UpscaleRequest, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{AudioDenoiseParams, Edge, Graph, LoudnessParams, Node, Op};
use frameloom_core::media::VideoInfo;
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::Models;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a voice is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct VoiceWish {
    /// Integrated loudness of the result in LUFS, -31 to -5.
    pub loudness: f64,
    /// How much of the noise is taken, 0 to 1.
    pub strength: f64,
}

impl Default for VoiceWish {
    /// As podcasts are asked for.
    fn default() -> Self {
        Self {
            loudness: -16.0,
            strength: 1.0,
        }
    }
}

/// Highest true peak of the result in dBTP. Below -1 was promised; at the low rates of old recordings
/// finer meters find up to 0.7 dB more than ours, which looks at four points for each sample.
const PEAK: f64 = -2.0;

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl App {
    /// The graph that cleans the voices of a clip, and the model that takes the noise out; `None` where
    /// no model is installed, and a filter of ffmpeg does it.
    pub(crate) fn voice(
        &self,
        request: &UpscaleRequest,
        first: Option<Op>,
        video: Option<&VideoInfo>,
    ) -> Result<(Work, Option<String>), AppError> {
        let wish = request.voice.unwrap_or_default();
        if !(-31.0..=-5.0).contains(&wish.loudness) || !(0.0..=1.0).contains(&wish.strength) {
            return Err(invalid(said!(
                "voice.limits",
                "The loudness is -31 to -5 LUFS, and the strength 0 to 1."
            ))
            .hint("Choose another value, or leave it out."));
        }
        let model = self.model_if_any(request.model.as_deref(), Task::SpeechCleaning)?;
        let path = match &model {
            Some(id) => Some(self.model_path(id)?),
            None => None,
        };
        let mut sound = Vec::new();
        if wish.strength > 0.0 {
            sound.push((
                "clean",
                Op::AudioDenoise(AudioDenoiseParams {
                    model: path,
                    strength: wish.strength,
                    ..AudioDenoiseParams::default()
                }),
            ));
        }
        sound.push((
            "loudness",
            Op::Loudness(LoudnessParams {
                target: wish.loudness,
                peak: PEAK,
            }),
        ));
        let work = Work {
            graph: with_sound(first.into_iter().collect(), sound),
            size: video.map(|video| shown(video, (video.width, video.height))),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model.filter(|_| wish.strength > 0.0)))
    }

    /// Absolute path of the weights of an installed model, for nodes that take files.
    pub(crate) fn model_path(&self, id: &str) -> Result<String, AppError> {
        let loaded = self.models.load(id).map_err(|e| explain::engine(&e))?;
        let path = loaded.dir().join(&loaded.manifest.file);
        let path = std::path::absolute(&path).unwrap_or(path);
        Ok(path.to_string_lossy().into_owned())
    }
}

/// `ops` on the pictures, and `sound` on all tracks of sound, in order.
pub(crate) fn with_sound(ops: Vec<Op>, sound: Vec<(&str, Op)>) -> Graph {
    let mut graph = Graph::chain(ops);
    // A chain begins with its source and ends with its sink.
    let id_of = |node: Option<&Node>| node.map_or_else(String::new, |node| node.id.clone());
    let (mut from, sink) = (id_of(graph.nodes.first()), id_of(graph.nodes.last()));
    let mut port = Some("audio".to_owned());
    for (id, op) in sound {
        graph.edges.push(Edge {
            from_port: port.take(),
            ..Edge::new(from, id)
        });
        graph.nodes.push(Node {
            id: id.to_owned(),
            op,
        });
        from = id.to_owned();
    }
    graph.edges.push(Edge {
        from_port: port,
        to_port: Some("audio".to_owned()),
        ..Edge::new(from, sink)
    });
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_goes_through_its_nodes_in_order_beside_the_pictures() {
        let loudness = || Op::Loudness(LoudnessParams::default());
        for sound in [
            vec![],
            vec![("a", loudness())],
            vec![
                ("a", Op::AudioDenoise(AudioDenoiseParams::default())),
                ("b", loudness()),
            ],
        ] {
            let ids: Vec<String> = sound.iter().map(|(id, _)| (*id).to_owned()).collect();
            let graph = with_sound(Vec::new(), sound);
            let layout = graph.layout().unwrap();
            let mut at = layout.sound.as_ref().unwrap();
            for wanted in ids.iter().rev() {
                let frameloom_core::graph::Tracks::Node { id, of, .. } = at else {
                    panic!("{at:?}");
                };
                assert_eq!(id, wanted);
                at = &of[0];
            }
            assert_eq!(*at, frameloom_core::graph::Tracks::Input("main"));
        }
    }
}
