//! Pictures over the custom scheme `loom`: `thumbnail?path=..&size=..`,
//! `frame?job=..&side=before|after&at_micros=..`,
//! `clip?path=..&at_micros=..&size=..&exact=true|false` and
//! `node?key=..` and `face?key=..`.
//!
//! Two threads make them, because a folder of hundreds of clips must not open hundreds of
//! decoders. Frames go before thumbnails: somebody is waiting for them. Of a clip under the pointer
//! only the place where it is now is worth a picture. Thumbnails are made from the newest order to
//! the oldest: what was asked for last is on the screen, and the oldest orders of a long list have
//! been scrolled away.

use frameloom_app::{App, EncodedPicture, Side};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::JobId;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tauri::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use tauri::http::{Request, Response, StatusCode};
use tauri::{UriSchemeResponder, Url};

/// Threads that make pictures.
const THREADS: usize = 2;

/// Pictures that wait at most: more than any window shows. Older orders were scrolled away.
const MAX_WAITING: usize = 256;

/// A picture that is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Thumbnail {
        path: PathBuf,
        size: u32,
    },
    Frame {
        job: JobId,
        side: Side,
        at_micros: i64,
    },
    Clip {
        path: PathBuf,
        at_micros: i64,
        size: u32,
        exact: bool,
    },
    /// What leaves a node, as it was made before.
    Node {
        key: String,
    },
    /// A face that was found before.
    Face {
        key: String,
    },
}

impl Wanted {
    fn parse(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let value = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        match url.path().trim_start_matches('/') {
            "thumbnail" => Some(Wanted::Thumbnail {
                path: value("path")?.into(),
                size: value("size")?.parse().ok()?,
            }),
            "frame" => Some(Wanted::Frame {
                job: JobId(value("job")?),
                side: match value("side")?.as_str() {
                    "before" => Side::Before,
                    "after" => Side::After,
                    _ => return None,
                },
                at_micros: value("at_micros")?.parse().ok()?,
            }),
            "clip" => Some(Wanted::Clip {
                path: value("path")?.into(),
                at_micros: value("at_micros")?.parse().ok()?,
                size: value("size")?.parse().ok()?,
                exact: value("exact")?.parse().ok()?,
            }),
            "node" => Some(Wanted::Node { key: value("key")? }),
            "face" => Some(Wanted::Face { key: value("key")? }),
            _ => None,
        }
    }

    /// Whether `newer` makes this one useless: the pointer has moved on.
    fn is_outdone_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Wanted::Clip { path, .. }, Wanted::Clip { path: other, .. }) => path == other,
            _ => false,
        }
    }

    fn make(&self, app: &App) -> Result<Arc<EncodedPicture>, AppError> {
        match self {
            Wanted::Thumbnail { path, size } => app.thumbnail(path, *size),
            Wanted::Frame {
                job,
                side,
                at_micros,
            } => app.job_frame(job, *side, *at_micros),
            Wanted::Clip {
                path,
                at_micros,
                size,
                exact,
            } => app
                .clip_frame(path, *at_micros, *size, *exact)
                .map(Arc::new),
            Wanted::Node { key } => app.node_picture(key),
            Wanted::Face { key } => app.face_picture(key),
        }
    }
}

struct Order {
    app: Arc<App>,
    wanted: Wanted,
    responder: UriSchemeResponder,
}

type Queue = (Mutex<VecDeque<Order>>, Condvar);

/// Takes orders for pictures.
pub(crate) struct Desk {
    queue: Arc<Queue>,
}

impl Desk {
    /// Starts the threads; they end with the program.
    pub(crate) fn start() -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        for n in 0..THREADS {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("preview{n}"))
                .spawn(move || work(&queue))?;
        }
        Ok(Self { queue })
    }

    /// Answers `request`, now or when its picture is made.
    pub(crate) fn answer(
        &self,
        app: Result<Arc<App>, AppError>,
        request: &Request<Vec<u8>>,
        responder: UriSchemeResponder,
    ) {
        let Some(wanted) = Wanted::parse(&request.uri().to_string()) else {
            return responder.respond(plain(StatusCode::BAD_REQUEST, "no such picture"));
        };
        let app = match app {
            Ok(app) => app,
            Err(error) => return responder.respond(refusal(&error)),
        };
        let first = !matches!(wanted, Wanted::Thumbnail { .. });
        let order = Order {
            app,
            wanted,
            responder,
        };
        let (orders, condition) = &*self.queue;
        let mut orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(at) = orders
            .iter()
            .position(|waiting| waiting.wanted.is_outdone_by(&order.wanted))
        {
            if let Some(outdone) = orders.remove(at) {
                outdone
                    .responder
                    .respond(plain(StatusCode::CONFLICT, "another place was asked for"));
            }
        }
        let at = match first {
            true => 0,
            // Behind the frames, before the thumbnails that were asked for earlier.
            false => orders
                .iter()
                .position(|order| matches!(order.wanted, Wanted::Thumbnail { .. }))
                .unwrap_or(orders.len()),
        };
        orders.insert(at, order);
        let dropped = (orders.len() > MAX_WAITING)
            .then(|| orders.pop_back())
            .flatten();
        condition.notify_one();
        drop(orders);
        if let Some(order) = dropped {
            let response = plain(StatusCode::SERVICE_UNAVAILABLE, "scrolled away");
            order.responder.respond(response);
        }
    }
}

fn work((orders, condition): &Queue) {
    loop {
        let order = {
            let guard = orders.lock().unwrap_or_else(PoisonError::into_inner);
            let mut guard = condition
                .wait_while(guard, |orders| orders.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            guard.pop_front()
        };
        let Some(order) = order else { continue };
        // Decoders meet hostile files here. Whatever happens, the window gets its answer and the
        // thread stays.
        let response = match catch_unwind(AssertUnwindSafe(|| order.wanted.make(&order.app))) {
            Ok(Ok(picture)) => found(&picture),
            Ok(Err(error)) => refusal(&error),
            Err(_) => {
                tracing::error!(wanted = ?order.wanted, "a preview ended in a panic");
                plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the preview could not be made",
                )
            }
        };
        order.responder.respond(response);
    }
}

fn found(picture: &EncodedPicture) -> Response<Vec<u8>> {
    Response::builder()
        .header(CONTENT_TYPE, picture.mime)
        // The app crate keeps pictures and knows when a file changed; the webview does not.
        .header(CACHE_CONTROL, "no-store")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(picture.bytes.clone())
        .unwrap_or_default()
}

fn refusal(error: &AppError) -> Response<Vec<u8>> {
    let status = match error.code {
        ErrorCode::InputNotFound | ErrorCode::JobNotFound => StatusCode::NOT_FOUND,
        ErrorCode::JobState => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    plain(status, &error.message)
}

fn plain(status: StatusCode, text: &str) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(text.as_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_spaces_accents_and_emoji_arrive_as_they_are() {
        let wanted = Wanted::parse(
            "loom://localhost/thumbnail?path=%2Ffilms%2Fng%C3%B5+nh%E1%BB%8F+%F0%9F%8E%AC%26.mp4&size=320",
        );
        assert_eq!(
            wanted,
            Some(Wanted::Thumbnail {
                path: "/films/ngõ nhỏ 🎬&.mp4".into(),
                size: 320,
            })
        );
    }

    #[test]
    fn a_frame_is_named_by_job_side_and_moment_on_either_kind_of_address() {
        for origin in ["loom://localhost", "http://loom.localhost"] {
            assert_eq!(
                Wanted::parse(&format!(
                    "{origin}/frame?job=j-1&side=after&at_micros=40000"
                )),
                Some(Wanted::Frame {
                    job: JobId("j-1".to_owned()),
                    side: Side::After,
                    at_micros: 40_000,
                })
            );
        }
    }

    #[test]
    fn of_a_clip_under_the_pointer_only_the_newest_place_counts() {
        let clip = |path: &str, at: u32| {
            let address =
                format!("loom://localhost/clip?path={path}&at_micros={at}&size=960&exact=false");
            Wanted::parse(&address).unwrap()
        };
        assert!(clip("%2Fa.mp4", 1).is_outdone_by(&clip("%2Fa.mp4", 2)));
        assert!(!clip("%2Fa.mp4", 1).is_outdone_by(&clip("%2Fb.mp4", 2)));
        let thumbnail = Wanted::parse("loom://localhost/thumbnail?path=%2Fa.mp4&size=320").unwrap();
        assert!(!thumbnail.is_outdone_by(&clip("%2Fa.mp4", 2)));
    }

    #[test]
    fn what_leaves_a_node_is_named_by_its_key() {
        assert_eq!(
            Wanted::parse("loom://localhost/node?key=5f0a"),
            Some(Wanted::Node {
                key: "5f0a".to_owned()
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for address in [
            "loom://localhost/node",
            "loom://localhost/",
            "loom://localhost/thumbnail?size=320",
            "loom://localhost/thumbnail?path=a&size=-1",
            "loom://localhost/frame?job=j&side=middle&at_micros=0",
            "loom://localhost/frame?job=j&side=after&at_micros=soon",
            "loom://localhost/clip?path=a&at_micros=0&size=960&exact=maybe",
            "not an address",
        ] {
            assert_eq!(Wanted::parse(address), None, "{address}");
        }
    }
}
