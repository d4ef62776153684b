//! A Resource Graph as an indented tree for the terminal, as `cargo tree` has it.

use crate::output::graph::{GraphView, Vertex, VertexKind};

/// Renders what each vertex depends on below it. What nothing depends on
/// stands at the left; a vertex that was shown before ends in `(*)` when there
/// is something below it, which is not repeated.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let dependencies = view.dependencies();
    let mut has_dependent = vec![false; view.vertices.len()];
    for &(_, to) in &view.edges {
        has_dependent[to] = true;
    }
    let roots = (0..view.vertices.len()).filter(|&position| !has_dependent[position]);
    let mut tree = Tree { view, dependencies: &dependencies, is_shown: vec![false; view.vertices.len()] };
    let mut out = String::new();
    for root in roots {
        tree.write(root, &mut out);
    }
    // Only a cycle, which no planned graph has, is still missing here.
    for position in 0..view.vertices.len() {
        if !tree.is_shown[position] {
            tree.write(position, &mut out);
        }
    }
    out
}

struct Tree<'t, 'g> {
    view: &'t GraphView<'g>,
    dependencies: &'t [Vec<usize>],
    is_shown: Vec<bool>,
}

impl Tree<'_, '_> {
    /// Writes a vertex and what is below it. An explicit stack, because a long
    /// chain would need as many calls.
    fn write(&mut self, root: usize, out: &mut String) {
        let mut open = vec![(root, String::new(), String::new())];
        while let Some((position, branch, indent)) = open.pop() {
            let below = &self.dependencies[position];
            let is_repeated = std::mem::replace(&mut self.is_shown[position], true) && !below.is_empty();
            let mark = if is_repeated { " (*)" } else { "" };
            out.push_str(&format!("{branch}{}{mark}\n", line(&self.view.vertices[position])));
            if is_repeated {
                continue;
            }
            for (number, &dependency) in below.iter().enumerate().rev() {
                let (branch, more) = if number + 1 == below.len() { ("`-- ", "    ") } else { ("|-- ", "|   ") };
                open.push((dependency, format!("{indent}{branch}"), format!("{indent}{more}")));
            }
        }
    }
}

/// A resource with its Resource Definition, as a package with its version.
fn line(vertex: &Vertex<'_>) -> String {
    match vertex.kind {
        VertexKind::Resource(node) => format!("{} [{}]", vertex.key, node.def_id),
        VertexKind::Environment | VertexKind::Workload => vertex.key.clone(),
    }
}
