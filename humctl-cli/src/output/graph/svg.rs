//! A Resource Graph as an SVG file, and as the picture inside the page.

use std::fmt::Write as _;

use crate::output::graph::layout::{Frame, Layout, Point, Rect, layout};
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
/// Size of the name of a block where it has room.
const MAX_BLOCK_NAME_SIZE: f64 = 54.0;

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

/// Draws lines first, so that boxes lie on them; lines between blocks pass
/// behind the blocks in their way.
pub(super) fn draw(view: &GraphView<'_>) -> Picture {
    let labels: Vec<Vec<Line>> = view.vertices.iter().map(box_lines).collect();
    let sizes: Vec<(f64, f64)> = labels.iter().map(|lines| box_size(lines)).collect();
    let Layout { width, height, is_sideways, boxes, lines, frames } = layout(&sizes, &view.edges);
    let mut elements = String::from(
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0,0.5 8,4 0,7.5z\"/></marker></defs>\n",
    );
    let draw_lines = |is_across: bool, elements: &mut String| {
        for (&(from, to), line) in view.edges.iter().zip(&lines).filter(|(_, line)| line.is_across == is_across) {
            let _ = writeln!(
                elements,
                "<path class=\"edge{}\" data-from=\"{from}\" data-to=\"{to}\" marker-end=\"url(#arrow)\" d=\"{}\"/>",
                if is_across { " across" } else { "" },
                curve(&line.points, is_sideways)
            );
        }
    };
    draw_lines(true, &mut elements);
    for frame in &frames {
        let _ = writeln!(elements, "<rect class=\"block\"{} rx=\"14\"/>", rect(frame.place));
    }
    draw_lines(false, &mut elements);
    for (position, (vertex, lines)) in view.vertices.iter().zip(&labels).enumerate() {
        let is_named = frames.iter().any(|frame| frame.owner == Some(position));
        draw_box(position, vertex, is_named, lines, boxes[position], &mut elements);
    }
    for Frame { place, owner } in &frames {
        if let Some(owner) = owner {
            draw_block_name(*place, &view.vertices[*owner].key, &mut elements);
        }
    }
    Picture { width: width.ceil(), height: height.ceil(), elements }
}

/// The name of the box that a block is there for, large: the page shows it in
/// place of the box while names of boxes are too small to read.
fn draw_block_name(place: Rect, name: &str, out: &mut String) {
    let size = f64::min((place.width - PADDING * 2.0) / text_width(name, 1.0), MAX_BLOCK_NAME_SIZE);
    let _ = writeln!(
        out,
        "<text class=\"block-name\" font-size=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
        number(size),
        number(place.x + place.width / 2.0),
        number(place.y + 24.0 + size * 0.75),
        escape_markup(name)
    );
}

/// `is_named`: the name of its block stands in for it.
fn draw_box(position: usize, vertex: &Vertex<'_>, is_named: bool, lines: &[Line], place: Rect, out: &mut String) {
    let class = if vertex.is_virtual() { "virtual" } else { "resource" };
    let named = if is_named { " named" } else { "" };
    // A virtual node is round at its sides, so that colour is not all that tells them apart.
    let radius = if vertex.is_virtual() { place.height / 2.0 } else { 8.0 };
    let _ = write!(
        out,
        "<g id=\"node-{position}\" class=\"node {class}{named}\"><title>{}</title>\
         <rect{} rx=\"{radius}\"/>",
        escape_markup(&tooltip(vertex)),
        rect(place),
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
fn tooltip(vertex: &Vertex<'_>) -> String {
    match vertex.kind {
        VertexKind::Environment => "Environment".to_owned(),
        VertexKind::Workload => format!("Workload {}", vertex.key.strip_prefix("workload.").unwrap_or(&vertex.key)),
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
    let mut before: Option<(f64, f64)> = None;
    for point in points {
        let (x, y) = (number(point.x), number(point.y));
        let _ = match before {
            None => write!(path, "M{x},{y}"),
            // A bend of half a pixel is none.
            Some((from_x, from_y)) if f64::min((from_x - x).abs(), (from_y - y).abs()) < 0.5 => {
                write!(path, "L{x},{y}")
            }
            Some((from_x, from_y)) if is_sideways => {
                write!(path, "C{middle},{from_y} {middle},{y} {x},{y}", middle = number(f64::midpoint(from_x, x)))
            }
            Some((from_x, from_y)) => {
                write!(path, "C{from_x},{middle} {x},{middle} {x},{y}", middle = number(f64::midpoint(from_y, y)))
            }
        };
        before = Some((x, y));
    }
    path
}

/// The attributes of a rectangle.
fn rect(Rect { x, y, width, height }: Rect) -> String {
    let [x, y, width, height] = [x, y, width, height].map(number);
    format!(" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

/// A coordinate to a tenth of a pixel, in its shortest form.
fn number(value: f64) -> f64 {
    // Adding zero turns -0.0 into 0.0.
    (value * 10.0).round() / 10.0 + 0.0
}
