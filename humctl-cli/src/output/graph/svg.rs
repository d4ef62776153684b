//! A Resource Graph as an SVG file, and as the picture inside the page.

use std::fmt::Write as _;

use crate::output::graph::layout::{Layout, Point, Rect, layout};
use crate::output::graph::{GraphView, Vertex, VertexKind, escape_markup};

/// Colours and type of the picture, light and dark; the page uses them too.
pub(super) const STYLE: &str = include_str!("picture.css");

const LINE_HEIGHT: f64 = 17.0;
const PADDING: f64 = 14.0;
const MIN_WIDTH: f64 = 96.0;
const MAX_TEXT_WIDTH: f64 = 216.0;
/// An id that is wider is broken into two lines, where it has a dot.
const LONG_ID_WIDTH: f64 = 150.0;
/// Size of the first line of a box, in pixels; see `picture.css`.
const NAME_SIZE: f64 = 13.0;
/// Size of its other lines.
const DETAIL_SIZE: f64 = 11.5;

/// The picture without its frame.
pub(super) struct Picture {
    /// Whole pixels.
    pub(super) width: f64,
    /// Whole pixels.
    pub(super) height: f64,
    /// Elements for inside of `<svg>`.
    pub(super) elements: String,
}

/// Renders the graph as an SVG file that stands alone.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let picture = draw(view);
    let Picture { width, height, elements } = &picture;
    let title = escape_markup(&title(view));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" class=\"picture\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n{elements}</svg>\n"
    )
}

/// What the picture is of.
pub(super) fn title(view: &GraphView<'_>) -> String {
    format!("Resource Graph, app: {}, env: {}", view.app, view.env)
}

/// Draws lines first, so that boxes lie on them.
pub(super) fn draw(view: &GraphView<'_>) -> Picture {
    let labels: Vec<Vec<Line>> = view.vertices.iter().map(box_lines).collect();
    let sizes: Vec<(f64, f64)> = labels.iter().map(|lines| box_size(lines)).collect();
    let Layout { width, height, is_sideways, boxes, lines } = layout(&sizes, &view.edges);
    let mut elements = String::from(
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0,0.5 8,4 0,7.5z\"/></marker></defs>\n",
    );
    for (&(from, to), points) in view.edges.iter().zip(&lines) {
        let _ = writeln!(
            elements,
            "<path class=\"edge\" data-from=\"{from}\" data-to=\"{to}\" marker-end=\"url(#arrow)\" d=\"{}\"/>",
            curve(points, is_sideways)
        );
    }
    for (position, (vertex, lines)) in view.vertices.iter().zip(&labels).enumerate() {
        draw_box(position, vertex, lines, boxes[position], &mut elements);
    }
    Picture { width: width.ceil(), height: height.ceil(), elements }
}

fn draw_box(position: usize, vertex: &Vertex<'_>, lines: &[Line], place: Rect, out: &mut String) {
    let class = if vertex.is_virtual() { "virtual" } else { "resource" };
    // A virtual node is round at its sides, so that colour is not all that tells them apart.
    let radius = if vertex.is_virtual() { place.height / 2.0 } else { 8.0 };
    let _ = write!(
        out,
        "<g id=\"node-{position}\" class=\"node {class}\"><title>{}</title>\
         <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
        escape_markup(&tooltip(vertex)),
        number(place.x),
        number(place.y),
        number(place.width),
        number(place.height),
    );
    let mut baseline = place.y + PADDING + NAME_SIZE * 0.75;
    for line in lines {
        let class = if line.is_name { "name" } else { "detail" };
        let _ = write!(
            out,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            number(place.x + place.width / 2.0),
            number(baseline),
            escape_markup(&fit(&line.text, line.size())),
        );
        baseline += LINE_HEIGHT;
    }
    out.push_str("</g>\n");
}

/// A line of text in a box.
struct Line {
    text: String,
    /// Part of the name, which is larger than the rest.
    is_name: bool,
}

impl Line {
    fn size(&self) -> f64 {
        if self.is_name { NAME_SIZE } else { DETAIL_SIZE }
    }
}

/// The lines in a box: id, type and class of a resource; the rest is in the
/// tooltip.
fn box_lines(vertex: &Vertex<'_>) -> Vec<Line> {
    let name = |text: String| Line { text, is_name: true };
    let detail = |text: String| Line { text, is_name: false };
    match vertex.kind {
        VertexKind::Environment | VertexKind::Workload => vec![name(vertex.key.clone())],
        VertexKind::Resource(node) => {
            let mut lines: Vec<Line> = break_id(node.id.as_str()).into_iter().map(name).collect();
            lines.push(detail(format!("type: {}", node.res_type)));
            lines.push(detail(format!("class: {}", node.class)));
            lines
        }
    }
}

/// An id that is long goes on in a second line: `modules.web.` and
/// `externals.db`.
fn break_id(id: &str) -> Vec<String> {
    if text_width(id, NAME_SIZE) <= LONG_ID_WIDTH {
        return vec![id.to_owned()];
    }
    let breaks = id.match_indices('.').map(|(offset, _)| offset + 1).filter(|&offset| offset < id.len());
    match breaks.min_by_key(|offset| offset.abs_diff(id.len() - offset)) {
        Some(offset) => vec![id[..offset].to_owned(), id[offset..].to_owned()],
        None => vec![id.to_owned()],
    }
}

/// What a pointer that rests on a box is told.
pub(super) fn tooltip(vertex: &Vertex<'_>) -> String {
    match vertex.kind {
        VertexKind::Environment => "Environment".to_owned(),
        VertexKind::Workload => format!("Workload {}", vertex.key.trim_start_matches("workload.")),
        VertexKind::Resource(node) => {
            format!("{}\nDefinition: {}\nDriver: {}", vertex.key, node.def_id, node.driver_type)
        }
    }
}

fn box_size(lines: &[Line]) -> (f64, f64) {
    let mut width = MIN_WIDTH;
    let mut height = PADDING * 2.0 - LINE_HEIGHT + NAME_SIZE;
    for line in lines {
        width = width.max(text_width(&line.text, line.size()).min(MAX_TEXT_WIDTH) + PADDING * 2.0);
        height += LINE_HEIGHT;
    }
    (width.ceil(), height.ceil())
}

/// Cuts the middle out of text that is too long: of a resource id, both ends
/// say more.
fn fit(text: &str, size: f64) -> String {
    if text_width(text, size) <= MAX_TEXT_WIDTH {
        return text.to_owned();
    }
    let room = (MAX_TEXT_WIDTH - text_width("…", size)) / 2.0;
    let head = longest_prefix(text.chars(), size, room);
    let tail: String = longest_prefix(text.chars().rev(), size, room).chars().rev().collect();
    format!("{head}…{tail}")
}

fn longest_prefix(chars: impl Iterator<Item = char>, size: f64, room: f64) -> String {
    let mut width = 0.0;
    chars
        .take_while(|c| {
            width += char_width(*c) * size;
            width <= room
        })
        .collect()
}

/// Width in pixels, rather too much: fonts differ, and text may not leave its box.
fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(char_width).sum::<f64>() * size
}

/// Width of a character in parts of the font size, of the widest of the usual
/// sans-serif fonts.
fn char_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.35,
        'f' | 't' | 'r' | '-' | '/' | '(' | ')' | '[' | ']' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | '#' | '&' | '<' | '>' | '=' | '+' | '…' => 0.8,
        ' '..='~' => 0.64,
        // Scripts from Hangul on, and emoji, take a square each.
        '\u{1100}'.. => 1.05,
        _ => 0.75,
    }
}

/// A smooth line that leaves and meets every point in the direction of the
/// layers.
fn curve(points: &[Point], is_sideways: bool) -> String {
    let mut path = String::new();
    for pair in points.chunks_exact(2) {
        let (a, b) = (pair[0], pair[1]);
        let (ax, ay, bx, by) = (number(a.x), number(a.y), number(b.x), number(b.y));
        let _ = write!(path, "{}{ax},{ay}", if path.is_empty() { 'M' } else { 'L' });
        let _ = match is_sideways {
            _ if (ax - bx) * (ay - by) == 0.0 => write!(path, "L{bx},{by}"),
            true => write!(path, "C{x},{ay} {x},{by} {bx},{by}", x = number(f64::midpoint(a.x, b.x))),
            false => write!(path, "C{ax},{y} {bx},{y} {bx},{by}", y = number(f64::midpoint(a.y, b.y))),
        };
    }
    path
}

/// A coordinate to a tenth of a pixel, in its shortest form.
fn number(value: f64) -> f64 {
    // Adding zero turns -0.0 into 0.0.
    (value * 10.0).round() / 10.0 + 0.0
}
