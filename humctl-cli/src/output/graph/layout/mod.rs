//! Where the boxes and lines of a picture go.
//!
//! A graph that a window can show is drawn in layers. A larger one is drawn in
//! [`blocks`], and with [`fans`] of boxes in several rows. The layers, their order and the
//! coordinates are the work of the crate `dagre`, which only this file names.
//! Sizes and coordinates are in CSS pixels; the origin is the upper left corner.

mod blocks;
mod fans;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

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
/// The window that a picture is made for.
const WINDOW: (f64, f64) = (1280.0, 720.0);
/// A picture that a window shows at this scale or larger is left whole.
const READABLE_SCALE: f64 = 0.6;
/// Placing more boxes than this at once takes too long to only try it.
const MANY_BOXES: usize = 150;

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
    /// In the order of the edges that were given.
    pub(super) lines: Vec<Line>,
    /// None when the picture is whole.
    pub(super) frames: Vec<Frame>,
}

/// The frame of a block.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) place: Rect,
    /// The box that all others of the block are there for; `None` for the
    /// block of what several need.
    pub(super) owner: Option<usize>,
}

/// The line of an edge.
#[derive(Debug)]
pub(super) struct Line {
    /// Two or more. Between points on one level or plumb line it is straight,
    /// between others an S.
    pub(super) points: Vec<Point>,
    /// Leads from one block to another.
    pub(super) is_across: bool,
}

impl Layout {
    /// How large a window shows it, 1 being its own size.
    fn scale(&self) -> f64 {
        f64::min(WINDOW.0 / self.width, WINDOW.1 / self.height)
    }

    /// Moves everything by a distance.
    fn shift(&mut self, right: f64, down: f64) {
        for place in &mut self.boxes {
            *place = Rect { x: place.x + right, y: place.y + down, ..*place };
        }
        for point in self.lines.iter_mut().flat_map(|line| &mut line.points) {
            *point = Point { x: point.x + right, y: point.y + down };
        }
    }

    /// Lets the margin follow from all that is drawn: dagre forgets lines that
    /// lead around the boxes.
    fn trim(&mut self) {
        let corners = self.boxes.iter().flat_map(|place| {
            [Point { x: place.x, y: place.y }, Point { x: place.x + place.width, y: place.y + place.height }]
        });
        let points = corners.chain(self.lines.iter().flat_map(|line| line.points.iter().copied()));
        let (mut least, mut most) = (Point { x: f64::MAX, y: f64::MAX }, Point { x: f64::MIN, y: f64::MIN });
        for Point { x, y } in points {
            least = Point { x: least.x.min(x), y: least.y.min(y) };
            most = Point { x: most.x.max(x), y: most.y.max(y) };
        }
        if self.boxes.is_empty() {
            (least, most) = (Point { x: 0.0, y: 0.0 }, Point { x: 0.0, y: 0.0 });
        }
        self.shift(MARGIN - least.x, MARGIN - least.y);
        self.width = most.x - least.x + MARGIN * 2.0;
        self.height = most.y - least.y + MARGIN * 2.0;
    }
}

/// Where edges lead in a picture in layers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    Down,
    Right,
}

/// Places boxes of these sizes (width, height), so that a window shows them as
/// large as it can.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    if sizes.len() > MANY_BOXES {
        return blocks::layout(sizes, edges).unwrap_or_else(|| fans::layout(sizes, edges));
    }
    let is_better_right = is_better_right(sizes, edges);
    let plain = in_layers(sizes, edges, if is_better_right { Direction::Right } else { Direction::Down });
    if plain.scale() >= READABLE_SCALE {
        return plain;
    }
    // What people expect of a graph is left for a real gain only.
    let least = plain.scale() * 1.2;
    let others = blocks::layout(sizes, edges).into_iter().chain([fans::layout(sizes, edges)]);
    others.filter(|other| other.scale() > least).max_by(|a, b| a.scale().total_cmp(&b.scale())).unwrap_or(plain)
}

/// Places all boxes in layers.
fn in_layers(sizes: &[(f64, f64)], edges: &[(usize, usize)], direction: Direction) -> Layout {
    let is_sideways = direction == Direction::Right;
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
    let layers = Layers::new(&boxes, is_sideways);
    let lines: Vec<Line> = edges
        .iter()
        .map(|&(from, to)| {
            let points = graph.edge(&name(from), &name(to), None).map_or(&[][..], |edge| edge.points.as_slice());
            Line { points: layers.line(boxes[from], boxes[to], points), is_across: false }
        })
        .collect();
    let mut layout = Layout { width: 0.0, height: 0.0, is_sideways, boxes, lines, frames: Vec::new() };
    layout.trim();
    layout
}

/// The layers of a picture: the middle of each, in tenths of a pixel, with
/// half the depth of its deepest box. Down is here the direction of the edges.
struct Layers {
    half_depths: BTreeMap<i64, f64>,
    is_sideways: bool,
}

impl Layers {
    fn new(boxes: &[Rect], is_sideways: bool) -> Self {
        let mut layers = Self { half_depths: BTreeMap::new(), is_sideways };
        for &place in boxes {
            let half = layers.half_depths.entry(layers.key(layers.middle(place))).or_default();
            *half = f64::max(*half, if is_sideways { place.width } else { place.height } / 2.0);
        }
        layers
    }

    fn middle(&self, place: Rect) -> Point {
        Point { x: place.x + place.width / 2.0, y: place.y + place.height / 2.0 }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a picture is smaller than 2^63 pixels")]
    fn key(&self, middle: Point) -> i64 {
        (if self.is_sideways { middle.x } else { middle.y } * 10.0).round() as i64
    }

    /// The points where a line that goes straight down through `point` enters
    /// and leaves the layer around `middle`.
    fn crossing(&self, middle: Point) -> [Point; 2] {
        let half = self.half_depths.get(&self.key(middle)).copied().unwrap_or_default();
        self.moved(middle, half)
    }

    /// A point before and one after, at a distance.
    fn moved(&self, Point { x, y }: Point, by: f64) -> [Point; 2] {
        if self.is_sideways {
            [Point { x: x - by, y }, Point { x: x + by, y }]
        } else {
            [Point { x, y: y - by }, Point { x, y: y + by }]
        }
    }

    /// A line from the middle of a box's side to the middle of another's. It
    /// turns only between layers, and so runs over no box.
    fn line(&self, from: Rect, to: Rect, points: &[dagre::Point]) -> Vec<Point> {
        let sides = |place: Rect| {
            self.moved(self.middle(place), if self.is_sideways { place.width } else { place.height } / 2.0)
        };
        let mut line = vec![sides(from)[1], self.crossing(self.middle(from))[1]];
        // dagre has a point in each layer and one between each two: border, between, layer, between, border.
        for point in points.iter().skip(2).step_by(2).take(points.len().saturating_sub(2) / 2) {
            line.extend(self.crossing(Point { x: point.x, y: point.y }));
        }
        line.extend([self.crossing(self.middle(to))[0], sides(to)[0]]);
        line.dedup();
        line
    }
}

/// Compares how far a window must shrink the picture in either position. A
/// guess from the longest path to each box, because placing them twice would
/// take twice the time.
fn is_better_right(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> bool {
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
    let shrink = |width: f64, height: f64| f64::max(width / WINDOW.0, height / WINDOW.1);
    let upright = shrink(widest(|size| size.0), n_layers * (largest(|size| size.1) + LAYER_GAP));
    let sideways = shrink(n_layers * (largest(|size| size.0) + COLUMN_GAP), widest(|size| size.1));
    // Down is what people expect of a graph, so the gain has to be real.
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
