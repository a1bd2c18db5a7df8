//! Documents of the canvas through the one door.

use frameloom_app::{App, CanvasSave, Places};
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::FaultKind;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

fn app(folder: &Path) -> Arc<App> {
    let places = Places::discover(Some(folder.to_owned())).expect("a data folder is enough");
    App::open(places).expect("a fresh folder opens")
}

fn document(ops: &[&str]) -> Value {
    let nodes: Vec<Value> = ops
        .iter()
        .enumerate()
        .map(|(i, op)| json!({"id": format!("{op}{i}"), "op": op}))
        .collect();
    json!({"version": 1, "graph": {"version": 2, "nodes": nodes, "edges": []}, "places": {}})
}

fn save(id: Option<String>, document: Value, keep: bool) -> CanvasSave {
    CanvasSave {
        id,
        name: "Kỳ nghỉ".to_owned(),
        document,
        keep,
    }
}

#[test]
fn an_unfinished_document_is_saved_as_it_is_and_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = document(&["source", "resize"]);
    let id = {
        let app = app(folder.path());
        let entry = app.save_canvas(&save(None, drawn.clone(), false)).unwrap();
        assert_eq!((entry.name.as_str(), entry.nodes), ("Kỳ nghỉ", 2));
        let faults = app.check_graph(&drawn["graph"]);
        assert!(faults.iter().any(|f| f.kind == FaultKind::ParamMissing
            && f.node.as_deref() == Some("resize1")
            && f.param.as_deref() == Some("width")));
        entry.id
    };
    let app = app(folder.path());
    assert_eq!(app.canvas_graphs().unwrap()[0].id, id);
    assert_eq!(app.canvas_graph(&id).unwrap().document, drawn);
}

#[test]
fn what_a_document_was_is_kept_and_can_be_read_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let first = document(&["source"]);
    let id = app
        .save_canvas(&save(None, first.clone(), false))
        .unwrap()
        .id;
    app.save_canvas(&save(Some(id.clone()), document(&["source", "sink"]), true))
        .unwrap();
    let versions = app.canvas_versions(&id).unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].nodes, 1);
    let found = app.canvas_version(&id, versions[0].saved_millis).unwrap();
    assert_eq!(found, first);
    app.remove_canvas(&id).unwrap();
    assert!(app.canvas_versions(&id).unwrap().is_empty());
    let gone = app.canvas_graph(&id).unwrap_err();
    assert_eq!(gone.code, ErrorCode::InvalidRequest);
    assert!(app.remove_canvas(&id).is_err());
}

#[test]
fn what_is_no_document_is_refused_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let drawn = document(&["source"]);
    let id = app
        .save_canvas(&save(None, drawn.clone(), false))
        .unwrap()
        .id;
    for wrong in [json!(null), json!({"graph": 7}), json!([])] {
        assert!(
            app.save_canvas(&save(Some(id.clone()), wrong, false))
                .is_err()
        );
    }
    let nameless = CanvasSave {
        name: "  ".to_owned(),
        ..save(Some(id.clone()), drawn.clone(), false)
    };
    assert!(app.save_canvas(&nameless).is_err());
    assert_eq!(app.canvas_graph(&id).unwrap().document, drawn);
}
