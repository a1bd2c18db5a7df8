//! What was found when a project was held against its lock: for programs and translations as codes
//! with what belongs to them, and in English for the command line.

use crate::receipt::Verdict;
use frameloom_core::error::{AppError, ErrorCode};
use serde::Serialize;
use std::fmt;
use ts_rs::TS;

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProjectFinding {
    /// What was compared.
    pub subject: Subject,
    /// How it stands.
    pub verdict: Verdict,
    /// What is to be said of it; at least one.
    pub remarks: Vec<Remark>,
    /// The subject in a word or two of English, as the command line names it.
    pub what: String,
    /// The remarks in English.
    pub says: String,
}

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Subject {
    /// A source.
    Input {
        /// Its name in the graph.
        name: String,
    },
    /// A file that a node names.
    File {
        /// Node and parameter, as `look.lut`.
        name: String,
    },
    /// A model.
    Model {
        /// Its id.
        id: String,
    },
    /// Nodes and wires.
    Graph,
    /// How the result is made.
    Settings,
    /// Sizes, length and encoder of the result.
    Plan,
    /// A program or library by its name.
    Program {
        /// As `libavcodec`.
        name: String,
    },
    /// The operating system.
    System,
    /// The processor.
    Processor,
    /// A frame of a clip.
    Frame {
        /// Its time in the result, in microseconds.
        #[ts(type = "number")]
        at_micros: i64,
    },
    /// The only picture of a still.
    Picture,
}

/// A sentence, or a part of one, of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Remark {
    /// It is as it was.
    Same,
    /// It is this, as it was then.
    SameValue {
        /// A version, or a name.
        value: String,
    },
    /// One value then, another now; `None` is nothing.
    Changed {
        /// When it was locked.
        then: Option<String>,
        /// Here.
        now: Option<String>,
    },
    /// A file of this name holds something else now.
    OtherFile {
        /// The name, without its folder.
        name: String,
    },
    /// A file of this name is not where it was.
    FileGone {
        /// The name, without its folder.
        name: String,
    },
    /// The file or model came in after the project was locked.
    Added,
    /// It was taken out after the project was locked.
    TakenOut,
    /// The model has other weights now.
    OtherWeights,
    /// The model is not installed.
    NotInstalled,
    /// It cannot be used.
    Unusable {
        /// The kind of failure.
        error: ErrorCode,
        /// What failed, in English.
        message: String,
    },
    /// It could be rendered then and cannot be now.
    Unrenderable {
        /// The kind of failure.
        error: ErrorCode,
        /// What failed, in English.
        message: String,
    },
    /// It was not rendered, because the project cannot be planned here.
    NotRendered {
        /// The kind of failure.
        error: ErrorCode,
        /// What failed, in English.
        message: String,
    },
    /// Other samples.
    OtherPicture,
    /// The frame has another time now.
    Moved {
        /// Its time, in microseconds.
        #[ts(type = "number")]
        at_micros: i64,
    },
    /// There is no such frame any more.
    NotMade,
    /// The source has another size, in pixels.
    SourceSize {
        /// When it was locked.
        then: (u32, u32),
        /// Here.
        now: (u32, u32),
    },
    /// The result has another size, in pixels.
    ResultSize {
        /// When it was locked.
        then: (u32, u32),
        /// Here.
        now: (u32, u32),
    },
    /// The result has another number of frames; `None` where that is not known beforehand.
    FrameCount {
        /// When it was locked.
        #[ts(type = "number | null")]
        then: Option<u64>,
        /// Here.
        #[ts(type = "number | null")]
        now: Option<u64>,
    },
    /// Another encoder, or other parameters of it; `None` for stills.
    Encoder {
        /// When it was locked.
        then: Option<String>,
        /// Here.
        now: Option<String>,
    },
    /// The clip is cut into segments of another length.
    Segments,
    /// A node is not there any more.
    NodeGone {
        /// Its id.
        node: String,
    },
    /// A node was not there then.
    NodeNew {
        /// Its id.
        node: String,
    },
    /// A node does something else.
    NodeKind {
        /// Its id.
        node: String,
        /// What it did.
        then: String,
        /// What it does.
        now: String,
    },
    /// A parameter of a node has another value; `None` is nothing.
    Parameter {
        /// Id of the node.
        node: String,
        /// Name of the parameter.
        name: String,
        /// When it was locked.
        then: Option<String>,
        /// Here.
        now: Option<String>,
    },
    /// The nodes are connected in another way.
    Wires,
    /// A setting of the result has another value; `None` is nothing.
    Setting {
        /// Its name.
        name: String,
        /// When it was locked.
        then: Option<String>,
        /// Here.
        now: Option<String>,
    },
}

impl ProjectFinding {
    pub(super) fn new(subject: Subject, verdict: Verdict, remarks: Vec<Remark>) -> Self {
        let says: Vec<String> = remarks.iter().map(Remark::to_string).collect();
        Self {
            what: subject.to_string(),
            says: says.join("; "),
            subject,
            verdict,
            remarks,
        }
    }

    /// As it was.
    pub(super) fn same(subject: Subject) -> Self {
        Self::new(subject, Verdict::Same, vec![Remark::Same])
    }

    /// Otherwise.
    pub(super) fn differs(subject: Subject, remark: Remark) -> Self {
        Self::new(subject, Verdict::Differs, vec![remark])
    }

    /// Not here to be compared.
    pub(super) fn absent(subject: Subject, remark: Remark) -> Self {
        Self::new(subject, Verdict::Absent, vec![remark])
    }

    /// As it was, or what `otherwise` says.
    pub(super) fn compared(subject: Subject, same: bool, otherwise: Remark) -> Self {
        match same {
            true => Self::same(subject),
            false => Self::differs(subject, otherwise),
        }
    }

    /// As it was where nothing is to be said against it.
    pub(super) fn changes(subject: Subject, changes: Vec<Remark>) -> Self {
        match changes.is_empty() {
            true => Self::same(subject),
            false => Self::new(subject, Verdict::Differs, changes),
        }
    }

    /// A value of then and one of now.
    pub(super) fn values(subject: Subject, then: Option<&str>, now: Option<&str>) -> Self {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        match (then == now, now) {
            (true, Some(value)) => {
                let value = value.to_owned();
                Self::new(subject, Verdict::Same, vec![Remark::SameValue { value }])
            }
            (true, None) => Self::same(subject),
            (false, _) => {
                let (then, now) = (owned(then), owned(now));
                Self::differs(subject, Remark::Changed { then, now })
            }
        }
    }
}

impl Remark {
    pub(super) fn unusable(error: AppError) -> Self {
        let AppError { code, message, .. } = error;
        Self::Unusable {
            error: code,
            message,
        }
    }

    pub(super) fn unrenderable(error: AppError) -> Self {
        let AppError { code, message, .. } = error;
        Self::Unrenderable {
            error: code,
            message,
        }
    }

    pub(super) fn not_rendered(error: &AppError) -> Self {
        Self::NotRendered {
            error: error.code,
            message: error.message.clone(),
        }
    }
}

fn seconds(micros: i64) -> String {
    format!("{:.3} s", micros as f64 / 1e6)
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { name } => write!(out, "input {name}"),
            Self::File { name } => write!(out, "file {name}"),
            Self::Model { id } => write!(out, "model {id}"),
            Self::Graph => out.write_str("graph"),
            Self::Settings => out.write_str("settings"),
            Self::Plan => out.write_str("plan"),
            Self::Program { name } => out.write_str(name),
            Self::System => out.write_str("system"),
            Self::Processor => out.write_str("processor"),
            Self::Frame { at_micros } => write!(out, "frame {}", seconds(*at_micros)),
            Self::Picture => out.write_str("picture"),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let size = |(width, height): &(u32, u32)| format!("{width} x {height}");
        let count = |frames: &Option<u64>| frames.map_or("unknown".to_owned(), |n| n.to_string());
        match self {
            Self::Same => out.write_str("as it was"),
            Self::SameValue { value } => out.write_str(value),
            Self::Changed { then, now } => write!(out, "{} then, {} now", or(then), or(now)),
            Self::OtherFile { name } => write!(out, "{name} is another file now"),
            Self::FileGone { name } => write!(out, "{name} is not there"),
            Self::Added => out.write_str("it came in after the project was locked"),
            Self::TakenOut => out.write_str("it was taken out after the project was locked"),
            Self::OtherWeights => out.write_str("its weights are others now"),
            Self::NotInstalled => out.write_str("it is not installed"),
            Self::Unusable { message, .. } => out.write_str(message),
            Self::Unrenderable { message, .. } => {
                write!(out, "it cannot be rendered any more: {message}")
            }
            Self::NotRendered { message, .. } => write!(out, "it was not rendered: {message}"),
            Self::OtherPicture => out.write_str("it is another picture"),
            Self::Moved { at_micros } => write!(out, "it is shown at {} now", seconds(*at_micros)),
            Self::NotMade => out.write_str("it is not made any more"),
            Self::SourceSize { then, now } => {
                write!(out, "source {} then, {} now", size(then), size(now))
            }
            Self::ResultSize { then, now } => {
                write!(out, "result {} then, {} now", size(then), size(now))
            }
            Self::FrameCount { then, now } => {
                write!(out, "{} frames then, {} now", count(then), count(now))
            }
            Self::Encoder { then, now } => {
                write!(out, "encoder {} then, {} now", or(then), or(now))
            }
            Self::Segments => out.write_str("segments of another length"),
            Self::NodeGone { node } => write!(out, "the node `{node}` is gone"),
            Self::NodeNew { node } => write!(out, "the node `{node}` is new"),
            Self::NodeKind { node, then, now } => {
                write!(out, "the node `{node}`: {then} then, {now} now")
            }
            Self::Parameter {
                node,
                name,
                then,
                now,
            } => {
                let (then, now) = (or(then), or(now));
                write!(out, "the node `{node}`: {name} {then} then, {now} now")
            }
            Self::Wires => out.write_str("the wires are others"),
            Self::Setting { name, then, now } => {
                write!(out, "{name} {} then, {} now", or(then), or(now))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_finding_says_the_same_in_codes_and_in_english() {
        let subject = Subject::Frame {
            at_micros: 1_500_000,
        };
        let moved = ProjectFinding::differs(subject, Remark::Moved { at_micros: 40_000 });
        assert_eq!(
            serde_json::to_value(&moved).unwrap(),
            json!({
                "subject": {"is": "frame", "at_micros": 1_500_000},
                "verdict": "differs",
                "remarks": [{"code": "moved", "at_micros": 40_000}],
                "what": "frame 1.500 s",
                "says": "it is shown at 0.040 s now",
            })
        );
    }

    #[test]
    fn values_of_then_and_now_differ_also_where_one_is_missing() {
        let of = |then, now| {
            let name = "libavcodec".to_owned();
            ProjectFinding::values(Subject::Program { name }, then, now)
        };
        assert_eq!(of(Some("59"), Some("59")).says, "59");
        assert_eq!(of(Some("59"), Some("59")).verdict, Verdict::Same);
        assert_eq!(of(Some("59"), None).says, "59 then, nothing now");
        assert_eq!(of(None, Some("60")).verdict, Verdict::Differs);
        assert_eq!(of(None, None).verdict, Verdict::Same);
    }
}
