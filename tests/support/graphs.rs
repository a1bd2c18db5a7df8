//! Graph documents as a user writes them, and the command that runs one.

use crate::Cli;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes a document of nodes and edges.
fn write(cli: &Cli, name: &str, nodes: &[Value], edges: &[Value]) -> PathBuf {
    let path = cli.folder().join(name);
    let document = json!({"version": 2, "nodes": nodes, "edges": edges});
    std::fs::write(&path, document.to_string()).expect("the graph can be written");
    path
}

/// Writes a graph of operations `(op, params)`, one behind the other. The node of the first is
/// called `op-0`.
pub fn chain(cli: &Cli, name: &str, ops: &[(&str, Value)]) -> PathBuf {
    let mut nodes = vec![json!({"id": "in", "op": "source"})];
    for (i, (op, params)) in ops.iter().enumerate() {
        nodes.push(json!({"id": format!("{op}-{i}"), "op": op, "params": params}));
    }
    nodes.push(json!({"id": "out", "op": "sink"}));
    let edges: Vec<Value> = nodes
        .windows(2)
        .map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]}))
        .collect();
    write(cli, name, &nodes, &edges)
}

/// Writes a graph of nodes `(id, op, params)` and wires `from[.port] to[.port]`.
pub fn wired(cli: &Cli, name: &str, nodes: &[(&str, &str, Value)], wires: &[&str]) -> PathBuf {
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|(id, op, params)| json!({"id": id, "op": op, "params": params}))
        .collect();
    let end = |text: &str| match text.split_once('.') {
        Some((id, port)) => (json!(id), json!(port)),
        None => (json!(text), Value::Null),
    };
    let edges: Vec<Value> = wires
        .iter()
        .map(|wire| {
            let (from, to) = wire.split_once(' ').expect("a wire has two ends");
            let ((from, from_port), (to, to_port)) = (end(from), end(to));
            json!({"from": from, "from_port": from_port, "to": to, "to_port": to_port})
        })
        .collect();
    write(cli, name, &nodes, &edges)
}

/// The words of `frameloom run`. An input is a path, with its name in the graph before it; the
/// first has none (`""`).
pub fn run_with(
    graph: &Path,
    inputs: &[(&str, &Path)],
    output: &Path,
    more: &[&str],
) -> Vec<String> {
    let text = |path: &Path| {
        path.to_str()
            .expect("test files have plain names")
            .to_owned()
    };
    let mut all = vec!["run".to_owned(), text(graph)];
    for (name, path) in inputs {
        let given = match name.is_empty() {
            true => text(path),
            false => format!("{name}={}", text(path)),
        };
        all.extend(["--in".to_owned(), given]);
    }
    all.extend(["--out".to_owned(), text(output)]);
    all.extend(more.iter().map(|word| (*word).to_owned()));
    all
}

/// The words of `frameloom run` with one input.
pub fn run_of(graph: &Path, input: &Path, output: &Path, more: &[&str]) -> Vec<String> {
    run_with(graph, &[("", input)], output, more)
}
