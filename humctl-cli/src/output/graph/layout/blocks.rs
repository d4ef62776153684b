//! A picture of many boxes, in blocks.
//!
//! Layers grow with every Workload until a window shows a thin strip. But most
//! resources are there for one Workload alone. These make a block with it, and
//! the blocks fill rows like words of a text. What several need makes a block
//! of its own below them, and lines lead down to it.

use std::collections::BTreeMap;

use super::{Frame, Layout, Line, MARGIN, Point, Rect, WINDOW, fans};

/// Between blocks.
const BLOCK_GAP: f64 = 28.0;

/// Places boxes of these sizes in blocks; `None` where there are not two.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Option<Layout> {
    let owners = owners(sizes.len(), edges);
    let mut members: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (position, owner) in owners.iter().enumerate() {
        members.entry(*owner).or_default().push(position);
    }
    let shared = members.remove(&None);
    if members.len() < 2 {
        return None;
    }
    let mut blocks: Vec<Block> =
        members.into_iter().map(|(owner, members)| Block::new(owner, members, sizes, edges)).collect();
    // Blocks of about the same height in a row waste less of it.
    blocks.sort_by(|a, b| b.inner.height.total_cmp(&a.inner.height));
    let shared = shared.map(|members| Block::new(None, members, sizes, edges));
    let (places, width, height) = best_rows(&blocks, shared.as_ref());
    blocks.extend(shared);

    let mut layout = Layout {
        width,
        height,
        is_sideways: false,
        boxes: vec![Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 }; sizes.len()],
        lines: Vec::new(),
        frames: Vec::new(),
    };
    let mut inner_lines: BTreeMap<usize, Line> = BTreeMap::new();
    for (Block { owner, members, edges, mut inner }, corner) in blocks.into_iter().zip(places) {
        inner.shift(corner.x, corner.y);
        let place = Rect { x: corner.x, y: corner.y, width: inner.width, height: inner.height };
        layout.frames.push(Frame { place, owner });
        for (position, place) in members.into_iter().zip(inner.boxes) {
            layout.boxes[position] = place;
        }
        inner_lines.extend(edges.into_iter().zip(inner.lines));
    }
    layout.lines = edges
        .iter()
        .enumerate()
        .map(|(edge, &(from, to))| {
            inner_lines.remove(&edge).unwrap_or_else(|| line_across(layout.boxes[from], layout.boxes[to]))
        })
        .collect();
    Some(layout)
}

/// Boxes that stand together.
struct Block {
    /// The box that the others are there for.
    owner: Option<usize>,
    /// Positions of the boxes in the whole.
    members: Vec<usize>,
    /// Positions of the edges between them in the whole.
    edges: Vec<usize>,
    inner: Layout,
}

impl Block {
    fn new(owner: Option<usize>, members: Vec<usize>, sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Self {
        let inner_position: BTreeMap<usize, usize> =
            members.iter().enumerate().map(|(inner, &outer)| (outer, inner)).collect();
        let (edges, inner_edges): (Vec<usize>, Vec<(usize, usize)>) = edges
            .iter()
            .enumerate()
            .filter_map(|(edge, (from, to))| Some((edge, (*inner_position.get(from)?, *inner_position.get(to)?))))
            .unzip();
        let inner_sizes: Vec<(f64, f64)> = members.iter().map(|&position| sizes[position]).collect();
        let inner = fans::layout(&inner_sizes, &inner_edges);
        Self { owner, members, edges, inner }
    }
}

/// For each box the one box from which alone it can be reached, itself for
/// one that no edge leads to. `None` for what several reach, and for cycles.
fn owners(n_boxes: usize, edges: &[(usize, usize)]) -> Vec<Option<usize>> {
    let mut next = vec![Vec::new(); n_boxes];
    let mut before = vec![Vec::new(); n_boxes];
    for &(from, to) in edges {
        next[from].push(to);
        before[to].push(from);
    }
    let mut n_open: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut owners = vec![None; n_boxes];
    let mut ready: Vec<usize> = (0..n_boxes).filter(|&position| n_open[position] == 0).collect();
    while let Some(position) = ready.pop() {
        owners[position] = match before[position].as_slice() {
            [] => Some(position),
            [first, rest @ ..] => owners[*first].filter(|_| rest.iter().all(|other| owners[*other] == owners[*first])),
        };
        for &to in &next[position] {
            n_open[to] -= 1;
            if n_open[to] == 0 {
                ready.push(to);
            }
        }
    }
    owners
}

/// The corners of the blocks, with those of the shared block last, and the
/// size of the whole: of all widths of a row, the one with which a window
/// shows most.
fn best_rows(blocks: &[Block], shared: Option<&Block>) -> (Vec<Point>, f64, f64) {
    let widest = blocks.iter().map(|block| block.inner.width).fold(0.0, f64::max);
    let total: f64 = blocks.iter().map(|block| block.inner.width + BLOCK_GAP).sum();
    let scale = |(_, width, height): &(Vec<Point>, f64, f64)| f64::min(WINDOW.0 / width, WINDOW.1 / height);
    (1..=blocks.len().min(40))
        .map(|n_rows| {
            #[expect(clippy::cast_precision_loss, reason = "at most 40")]
            let width = f64::max(widest, total / n_rows as f64);
            rows(blocks, shared, width)
        })
        .reduce(|best, other| if scale(&other) > scale(&best) { other } else { best })
        .unwrap_or_default()
}

/// Fills rows of a width, from the left.
fn rows(blocks: &[Block], shared: Option<&Block>, row_width: f64) -> (Vec<Point>, f64, f64) {
    let mut corners = Vec::new();
    let (mut x, mut y, mut row_height, mut width) = (MARGIN, MARGIN, 0.0, 0.0);
    for Block { inner, .. } in blocks {
        if x > MARGIN && x + inner.width > MARGIN + row_width {
            y += row_height + BLOCK_GAP;
            (x, row_height) = (MARGIN, 0.0);
        }
        corners.push(Point { x, y });
        x += inner.width + BLOCK_GAP;
        row_height = f64::max(row_height, inner.height);
        width = f64::max(width, x - BLOCK_GAP);
    }
    y += row_height;
    if let Some(Block { inner, .. }) = shared {
        y += BLOCK_GAP * 3.0;
        corners.push(Point { x: f64::max(MARGIN, (MARGIN + width - inner.width) / 2.0), y });
        width = f64::max(width, MARGIN + inner.width);
        y += inner.height;
    }
    (corners, width + MARGIN, y + MARGIN)
}

/// A line from a block down to the shared one.
fn line_across(from: Rect, to: Rect) -> Line {
    let start = Point { x: from.x + from.width / 2.0, y: from.y + from.height };
    let end = Point { x: to.x + to.width / 2.0, y: to.y };
    Line { points: vec![start, end], is_across: true }
}
