//! What the window says of a failure of this crate.

use crate::error::EngineError;
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::GraphError;
use frameloom_core::said;
use frameloom_core::said::Said;
use std::fmt;

impl EngineError {
    /// The sentence for the window.
    pub fn said(&self) -> Said {
        let theirs = |words: &dyn fmt::Display| Said::from(words.to_string());
        match self {
            EngineError::Graph(error) => said!(
                "graph.cannot_run",
                "the graph cannot run: {why}",
                why = graph(error)
            ),
            EngineError::Node { node, reason } => said!(
                "node.cannot_run",
                "the node `{node}` cannot run: {reason}",
                node = node,
                reason = reason
            ),
            EngineError::Media(error) => error.said(),
            EngineError::Infer(error) => error.said(),
            EngineError::Still(error) => error.said(),
            EngineError::Model(error) => error.as_said(),
            EngineError::InputChanged { what, path } => said!(
                "input.changed",
                "the input changed since the job was planned ({what}): {path}",
                what = theirs(what),
                path = path.display()
            ),
            EngineError::InputUnreadable { source, path } => said!(
                "input.unreadable",
                "the input cannot be read ({source}): {path}",
                source = theirs(source),
                path = path.display()
            ),
            EngineError::PlanVersion { found } => said!(
                "program.plan_version",
                "another version of the program planned this job (its plan is of version {found})",
                found = *found
            ),
            EngineError::ProgramChanged { what } => said!(
                "program.changed",
                "another version of the program began this job, and the program changed since: {what}",
                what = theirs(what)
            ),
            EngineError::ModelChanged { id } => said!(
                "model.changed",
                "the model `{id}` changed since the job was planned",
                id = id
            ),
            EngineError::SegmentCheck { position, reason } => said!(
                "check.segment",
                "segment {position} failed its check: {reason}",
                position = *position,
                reason = theirs(reason)
            ),
            EngineError::OutputCheck { reason } => said!(
                "check.result",
                "the result failed its check: {reason}",
                reason = theirs(reason)
            ),
            EngineError::JoinCheck { reason } => said!(
                "check.join",
                "the result failed its check each time its parts were joined: {reason}",
                reason = theirs(reason)
            ),
            EngineError::OutputIsInput { path } => said!(
                "output.is_input",
                "the output is the input itself: {path}",
                path = path.display()
            ),
            EngineError::NoFrames { path } => said!(
                "file.no_frames",
                "no picture could be decoded: {path}",
                path = path.display()
            ),
            EngineError::Journal { source, .. } => said!(
                "job.unrecorded",
                "the progress of the job could not be recorded: {source}",
                source = theirs(source)
            ),
            // A thread that got no stack; no file says that.
            EngineError::Io { .. } if self.code() == ErrorCode::OutOfMemory => said!(
                "process.no_thread",
                "The system gives no memory for another thread."
            ),
            EngineError::Io { source, path, .. } => said!(
                "file.refused",
                "the system refused something ({source}): {path}",
                source = theirs(source),
                path = path.display()
            ),
            EngineError::Panicked { message, .. } => said!(
                "program.broke",
                "a part of the program broke: {message}",
                message = theirs(message)
            ),
            EngineError::Stopped => self.to_string().into(),
        }
    }
}

/// What the window says of a graph that cannot run.
fn graph(error: &GraphError) -> Said {
    let own = || Said::from(error.to_string());
    match error {
        GraphError::Version { found } => said!(
            "graph.version",
            "it is of version {found}, which this program does not read",
            found = *found
        ),
        GraphError::Document { .. } => {
            said!(
                "graph.document",
                "the document is no graph: {why}",
                why = own()
            )
        }
        GraphError::Node { id, reason } => said!(
            "graph.node",
            "the node `{id}` makes no sense: {reason}",
            id = id,
            reason = Said::from(reason.as_str())
        ),
        GraphError::DuplicateId { id } => {
            said!("graph.duplicate_id", "two nodes are called `{id}`", id = id)
        }
        GraphError::UnknownNode { id } => said!(
            "graph.unknown_node",
            "a wire names the node `{id}`, which does not exist",
            id = id
        ),
        GraphError::NoSuchPort { id, port, .. } => said!(
            "graph.no_port",
            "the node `{id}` has no port `{port}`",
            id = id,
            port = port
        ),
        GraphError::Mismatch { from, to, .. } => said!(
            "graph.mismatch",
            "`{from}` gives something else than `{to}` takes",
            from = from,
            to = to
        ),
        GraphError::Unconnected { id, port, .. } => said!(
            "graph.unconnected",
            "the port `{port}` of `{id}` is not connected",
            port = *port,
            id = id
        ),
        GraphError::Crowded { id, port } => said!(
            "graph.crowded",
            "the input `{port}` of `{id}` has more than one wire",
            port = *port,
            id = id
        ),
        GraphError::OffPath { ids } => said!(
            "graph.off_path",
            "what {ids} make does not reach the sink",
            ids = ids
        ),
        GraphError::Circle { ids } => {
            said!(
                "graph.circle",
                "the wires lead in a circle: {ids}",
                ids = ids
            )
        }
        GraphError::TooManySteps => said!(
            "graph.too_many_steps",
            "its branches come to more steps than the program takes"
        ),
        GraphError::Sinks { count } => said!(
            "graph.sinks",
            "a graph needs exactly one sink, and this one has {count}",
            count = *count
        ),
    }
}
