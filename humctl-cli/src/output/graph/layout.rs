//! Where the boxes and lines of a picture go.
//!
//! The layers, their order and the coordinates are the work of the crate
//! `dagre`, which only this file names. Sizes and coordinates are in CSS
//! pixels; the origin is the upper left corner.

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};

/// Room around the picture.
const MARGIN: f64 = 24.0;
/// Between boxes of a layer.
const BOX_GAP: f64 = 26.0;
/// Between lines that pass a layer, and between them and boxes.
const LINE_GAP: f64 = 14.0;
/// Between layers that lie above each other.
const LAYER_GAP: f64 = 64.0;
/// Between layers that stand beside each other: lines turn less sharply.
const COLUMN_GAP: f64 = 96.0;
/// Width to height of the window that a picture is made for.
const WINDOW_RATIO: f64 = 1.6;

/// A place in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A box by its upper left corner and its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A picture's places.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// In the order of the sizes that were given.
    pub(super) boxes: Vec<Rect>,
    /// Edges lead to the right instead of down.
    pub(super) is_sideways: bool,
    /// An even number of points for each edge, two or more: curves from the
    /// first to the second of each pair, straight pieces between the pairs.
    pub(super) lines: Vec<Vec<Point>>,
}

/// Places boxes of these sizes (width, height). An edge leads from a box to
/// one further down, or further right when the layers are so wide that a
/// window shows more of the picture lying on its side.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let is_sideways = is_better_sideways(sizes, edges);
    let mut graph = Graph::<NodeLabel, EdgeLabel>::with_options(GraphOptions {
        directed: true,
        multigraph: false,
        compound: false,
    });
    let name = |position: usize| position.to_string();
    for (position, &(width, height)) in sizes.iter().enumerate() {
        graph.set_node(name(position), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    for &(from, to) in edges {
        let edge = EdgeLabel { label_offset: 0.0, ..EdgeLabel::default() };
        graph.set_edge(name(from), name(to), Some(edge), None);
    }
    let options = LayoutOptions {
        rankdir: if is_sideways { RankDir::LR } else { RankDir::TB },
        nodesep: BOX_GAP,
        edgesep: LINE_GAP,
        ranksep: if is_sideways { COLUMN_GAP } else { LAYER_GAP },
        marginx: MARGIN,
        marginy: MARGIN,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));

    let boxes: Vec<Rect> = sizes
        .iter()
        .enumerate()
        .map(|(position, &(width, height))| {
            let (x, y) = graph.node(&name(position)).map_or((None, None), |node| (node.x, node.y));
            Rect { x: x.unwrap_or_default() - width / 2.0, y: y.unwrap_or_default() - height / 2.0, width, height }
        })
        .collect();
    let depth = sizes.iter().map(|&(width, height)| if is_sideways { width } else { height }).fold(0.0, f64::max);
    let lines: Vec<Vec<Point>> = edges
        .iter()
        .map(|&(from, to)| {
            let points = graph.edge(&name(from), &name(to), None).map_or(&[][..], |edge| edge.points.as_slice());
            line(boxes[from], boxes[to], points, depth, is_sideways)
        })
        .collect();
    let corners = boxes.iter().map(|place| (place.x + place.width, place.y + place.height));
    let bends = lines.iter().flatten().map(|point| (point.x, point.y));
    let (width, height) =
        corners.chain(bends).fold((0.0, 0.0), |(width, height), (x, y)| (f64::max(width, x), f64::max(height, y)));
    Layout { width: width + MARGIN, height: height + MARGIN, is_sideways, boxes, lines }
}

/// A line from the middle of a box's side to the middle of another's. It
/// crosses each layer between them on a straight piece, as deep as the deepest
/// box, and so never runs over a box.
fn line(from: Rect, to: Rect, points: &[dagre::Point], depth: f64, is_sideways: bool) -> Vec<Point> {
    let middle = |place: Rect| Point { x: place.x + place.width / 2.0, y: place.y + place.height / 2.0 };
    // dagre has a point in each layer and one between each two: border, between, layer, between, border.
    let crossed = points.iter().skip(2).step_by(2).take((points.len().saturating_sub(2)) / 2);
    let half = depth / 2.0;
    if is_sideways {
        let start = Point { x: from.x + from.width, ..middle(from) };
        let end = Point { x: to.x, ..middle(to) };
        let bends = crossed.flat_map(|at| [Point { x: at.x - half, y: at.y }, Point { x: at.x + half, y: at.y }]);
        std::iter::once(start).chain(bends).chain([end]).collect()
    } else {
        let start = Point { y: from.y + from.height, ..middle(from) };
        let end = Point { y: to.y, ..middle(to) };
        let bends = crossed.flat_map(|at| [Point { x: at.x, y: at.y - half }, Point { x: at.x, y: at.y + half }]);
        std::iter::once(start).chain(bends).chain([end]).collect()
    }
}

/// Compares how far a window must shrink the picture in either position. A
/// guess from the longest path to each box, because placing them twice would
/// take twice the time.
fn is_better_sideways(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> bool {
    let mut layers: Vec<(f64, f64)> = Vec::new();
    let layer_of = longest_paths(sizes.len(), edges);
    for (&layer, &(width, height)) in layer_of.iter().zip(sizes) {
        if layers.len() <= layer {
            layers.resize(layer + 1, (0.0, 0.0));
        }
        layers[layer].0 += width + BOX_GAP;
        layers[layer].1 += height + BOX_GAP;
    }
    let widest = |values: fn(&(f64, f64)) -> f64| layers.iter().map(values).fold(0.0, f64::max);
    let largest = |values: fn(&(f64, f64)) -> f64| sizes.iter().map(values).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "nobody draws 2^52 layers")]
    let n_layers = layers.len() as f64;
    let shrink = |width: f64, height: f64| f64::max(width / WINDOW_RATIO, height);
    let upright = shrink(widest(|size| size.0), n_layers * (largest(|size| size.1) + LAYER_GAP));
    let sideways = shrink(n_layers * (largest(|size| size.0) + COLUMN_GAP), widest(|size| size.1));
    // Top to bottom is what people expect of a graph, so the gain has to be real.
    sideways * 1.5 < upright
}

/// The length of the longest path that ends at each box. Boxes of a cycle
/// stay at 0: the guess need not be right for them.
fn longest_paths(n_boxes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut next = vec![Vec::new(); n_boxes];
    let mut n_open = vec![0_usize; n_boxes];
    for &(from, to) in edges {
        next[from].push(to);
        n_open[to] += 1;
    }
    let mut length = vec![0; n_boxes];
    let mut ready: Vec<usize> = (0..n_boxes).filter(|&position| n_open[position] == 0).collect();
    while let Some(position) = ready.pop() {
        for &to in &next[position] {
            length[to] = length[to].max(length[position] + 1);
            n_open[to] -= 1;
            if n_open[to] == 0 {
                ready.push(to);
            }
        }
    }
    length
}
