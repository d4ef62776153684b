//! A picture in layers, where boxes that are there for one box alone, and need
//! nothing themselves, stand in several rows.
//!
//! In one layer, many of them would make the picture as wide as all together.
//! Here the layers have a single box in their place, large enough for all, and
//! lines reach the lower rows between the columns.

use std::collections::BTreeMap;

use super::{BOX_GAP, Direction, LAYER_GAP, Layout, Line, Point, Rect, WINDOW, in_layers};

/// Fewer boxes stay in their layer.
const SMALLEST_FAN: usize = 6;
/// Between rows of a fan.
const ROW_GAP: f64 = LAYER_GAP / 2.0;

/// Places boxes of these sizes in layers; edges lead down.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let fans = fans(sizes, edges);
    let mut fan_of: Vec<Option<usize>> = vec![None; sizes.len()];
    for (number, fan) in fans.iter().enumerate() {
        for &member in &fan.members {
            fan_of[member] = Some(number);
        }
    }
    // Boxes that stay, and a box for each fan.
    let staying: Vec<usize> = (0..sizes.len()).filter(|&position| fan_of[position].is_none()).collect();
    let reduced: BTreeMap<usize, usize> =
        staying.iter().enumerate().map(|(reduced, &outer)| (outer, reduced)).collect();
    let reduced_sizes: Vec<(f64, f64)> =
        staying.iter().map(|&outer| sizes[outer]).chain(fans.iter().map(Fan::size)).collect();
    let mut reduced_edges: Vec<(usize, usize)> = Vec::new();
    let mut is_reached = vec![false; fans.len()];
    for &(from, to) in edges {
        match fan_of[to] {
            None => reduced_edges.push((reduced[&from], reduced[&to])),
            Some(fan) if !std::mem::replace(&mut is_reached[fan], true) => {
                reduced_edges.push((reduced[&from], staying.len() + fan));
            }
            Some(_) => {}
        }
    }
    let inner = in_layers(&reduced_sizes, &reduced_edges, Direction::Down);

    let mut boxes = vec![Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 }; sizes.len()];
    for (&outer, &place) in staying.iter().zip(&inner.boxes) {
        boxes[outer] = place;
    }
    for (fan, place) in fans.iter().zip(&inner.boxes[staying.len()..]) {
        for (cell, &member) in fan.members.iter().enumerate() {
            boxes[member] = fan.place_of(cell, *place, sizes[member]);
        }
    }
    // The lines between boxes that stay are in the order of their edges.
    let mut inner_lines = reduced_edges.iter().zip(inner.lines).filter(|((_, to), _)| *to < staying.len());
    let lines = edges
        .iter()
        .filter_map(|&(from, to)| match fan_of[to] {
            None => inner_lines.next().map(|(_, line)| line),
            Some(fan) => Some(fans[fan].line(boxes[from], boxes[to], inner.boxes[staying.len() + fan])),
        })
        .collect();
    Layout { boxes, lines, width: inner.width, height: inner.height, is_sideways: false, frames: Vec::new() }
}

/// Boxes in rows.
struct Fan {
    members: Vec<usize>,
    n_columns: usize,
    /// Of the largest member.
    cell: (f64, f64),
}

/// Finds the boxes that one edge leads to and none leads on from, where enough
/// of them have the same box before them.
fn fans(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Vec<Fan> {
    let (mut n_before, mut n_behind) = (vec![0_usize; sizes.len()], vec![0_usize; sizes.len()]);
    for &(from, to) in edges {
        n_behind[from] += 1;
        n_before[to] += 1;
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(from, to) in edges {
        if n_before[to] == 1 && n_behind[to] == 0 {
            members.entry(from).or_default().push(to);
        }
    }
    members
        .into_values()
        .filter(|members| members.len() >= SMALLEST_FAN)
        .map(|members| Fan::new(members, sizes))
        .collect()
}

impl Fan {
    /// As many columns as give the fan the shape of the window.
    fn new(members: Vec<usize>, sizes: &[(f64, f64)]) -> Self {
        let largest =
            |values: fn(&(f64, f64)) -> f64| members.iter().map(|&member| values(&sizes[member])).fold(0.0, f64::max);
        let cell = (largest(|size| size.0), largest(|size| size.1));
        let shape = |n_columns: &usize| {
            let (width, height) = size(members.len(), *n_columns, cell);
            f64::max(width / WINDOW.0, height / WINDOW.1)
        };
        let n_columns = (1..=members.len()).min_by(|a, b| shape(a).total_cmp(&shape(b))).unwrap_or(1);
        Self { members, n_columns, cell }
    }

    fn size(&self) -> (f64, f64) {
        size(self.members.len(), self.n_columns, self.cell)
    }

    fn place_of(&self, cell: usize, fan: Rect, (width, height): (f64, f64)) -> Rect {
        #[expect(clippy::cast_precision_loss, reason = "nobody draws 2^52 boxes")]
        let (column, row) = ((cell % self.n_columns) as f64, (cell / self.n_columns) as f64);
        Rect {
            x: fan.x + column * (self.cell.0 + BOX_GAP) + BOX_GAP + (self.cell.0 - width) / 2.0,
            y: fan.y + row * (self.cell.1 + ROW_GAP),
            width,
            height,
        }
    }

    /// A line that goes down to the left of a column, when there are rows above its end.
    fn line(&self, from: Rect, to: Rect, fan: Rect) -> Line {
        let start = Point { x: from.x + from.width / 2.0, y: from.y + from.height };
        let end = Point { x: to.x + to.width / 2.0, y: to.y };
        let beside = end.x - f64::midpoint(self.cell.0, BOX_GAP);
        let points = if to.y > fan.y {
            vec![start, Point { x: beside, y: fan.y }, Point { x: beside, y: end.y - ROW_GAP }, end]
        } else {
            vec![start, end]
        };
        Line { points, is_across: false }
    }
}

/// A column has room for lines on its left.
fn size(n_members: usize, n_columns: usize, cell: (f64, f64)) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "nobody draws 2^52 boxes")]
    let (columns, rows) = (n_columns as f64, n_members.div_ceil(n_columns) as f64);
    (columns * (cell.0 + BOX_GAP), rows * (cell.1 + ROW_GAP) - ROW_GAP)
}
