//! Wires that lead in a circle.

use super::{Graph, GraphError};
use std::collections::{BTreeMap, BTreeSet};

/// The nodes that wires lead to from each, and what was seen of them.
struct Search<'a> {
    next: BTreeMap<&'a str, Vec<&'a str>>,
    /// From the node that the search began at to the one in hand.
    way: Vec<&'a str>,
    /// Nodes from which no way leads in a circle.
    done: BTreeSet<&'a str>,
}

impl<'a> Search<'a> {
    /// Nodes of a circle that can be reached from `id`, the first one again at the end.
    fn from(&mut self, id: &'a str) -> Option<Vec<&'a str>> {
        if let Some(begin) = self.way.iter().position(|&passed| passed == id) {
            let mut circle = self.way.split_off(begin);
            circle.push(id);
            return Some(circle);
        }
        if self.done.contains(id) {
            return None;
        }
        self.way.push(id);
        for next in self.next.get(id).cloned().unwrap_or_default() {
            if let Some(circle) = self.from(next) {
                return Some(circle);
            }
        }
        self.way.pop();
        self.done.insert(id);
        None
    }
}

impl Graph {
    /// Refuses wires that lead in a circle, wherever in the graph. No deeper than there are nodes.
    pub(super) fn check_circles(&self) -> Result<(), GraphError> {
        let mut search = Search {
            next: BTreeMap::new(),
            way: Vec::new(),
            done: BTreeSet::new(),
        };
        for edge in &self.edges {
            search.next.entry(&edge.from).or_default().push(&edge.to);
        }
        for node in &self.nodes {
            if let Some(circle) = search.from(&node.id) {
                return Err(GraphError::Circle {
                    ids: circle.join(" -> "),
                });
            }
        }
        Ok(())
    }
}
