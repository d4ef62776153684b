//! What holds of every picture, however large.

use proptest::prelude::*;

use super::*;

type Sizes = Vec<(f64, f64)>;
type Edges = Vec<(usize, usize)>;

/// Boxes, and edges without a cycle: some roots with boxes of their own, and
/// edges from anywhere to anything further on.
fn graphs() -> impl Strategy<Value = (Sizes, Edges)> {
    let size = (60_u16..240, 40_u16..100).prop_map(|(width, height)| (f64::from(width), f64::from(height)));
    let roots = prop::collection::vec(0_usize..12, 0..8);
    let more = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12);
    (roots, more, prop::collection::vec(size, 120)).prop_map(|(roots, more, mut sizes)| {
        let mut edges = Vec::new();
        let mut n_boxes = 0;
        for n_below in roots {
            edges.extend((1..=n_below).map(|below| (n_boxes, n_boxes + below)));
            n_boxes += n_below + 1;
        }
        n_boxes += 3;
        for (a, b) in more {
            let (a, b) = (a.index(n_boxes), b.index(n_boxes));
            if a != b {
                edges.push((a.min(b), a.max(b)));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        sizes.truncate(n_boxes);
        (sizes, edges)
    })
}

/// Panics unless every box has its size and its own place inside, and every
/// line leads from its box to its box.
fn check(layout: &Layout, sizes: &[(f64, f64)], edges: &[(usize, usize)]) {
    let is_inside = |x: f64, y: f64| (0.0..=layout.width).contains(&x) && (0.0..=layout.height).contains(&y);
    assert_eq!(layout.boxes.iter().map(|place| (place.width, place.height)).collect::<Vec<_>>(), sizes);
    for (position, a) in layout.boxes.iter().enumerate() {
        assert!(is_inside(a.x, a.y) && is_inside(a.x + a.width, a.y + a.height), "{a:?}");
        for b in &layout.boxes[position + 1..] {
            let is_apart =
                a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
            assert!(is_apart, "{a:?} {b:?}");
        }
    }
    let touches = |point: Point, place: Rect| {
        let (dx, dy) = (point.x - place.x, point.y - place.y);
        (-0.1..=place.width + 0.1).contains(&dx) && (-0.1..=place.height + 0.1).contains(&dy)
    };
    assert_eq!(layout.lines.len(), edges.len());
    for (&(from, to), line) in edges.iter().zip(&layout.lines) {
        assert!(line.points.len() >= 2 && line.points.iter().all(|point| is_inside(point.x, point.y)), "{line:?}");
        assert!(touches(line.points[0], layout.boxes[from]), "{line:?}");
        assert!(touches(line.points[line.points.len() - 1], layout.boxes[to]), "{line:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_box_covers_another_and_every_line_meets_its_boxes((sizes, edges) in graphs()) {
        let chosen = layout(&sizes, &edges);
        check(&chosen, &sizes, &edges);
        let again = layout(&sizes, &edges);
        prop_assert_eq!(format!("{:?}", chosen), format!("{:?}", again));
        check(&in_layers(&sizes, &edges, Direction::Down), &sizes, &edges);
        check(&in_layers(&sizes, &edges, Direction::Right), &sizes, &edges);
        check(&fans::layout(&sizes, &edges), &sizes, &edges);
        if let Some(in_blocks) = blocks::layout(&sizes, &edges) {
            check(&in_blocks, &sizes, &edges);
        }
    }
}

#[test]
fn a_small_graph_is_drawn_whole_from_top_to_bottom() {
    let sizes = [(100.0, 60.0); 3];
    let edges = [(0, 1), (0, 2)];
    let layout = layout(&sizes, &edges);
    check(&layout, &sizes, &edges);
    assert!(layout.frames.is_empty() && !layout.is_sideways);
    assert!(layout.boxes[0].y + 60.0 < layout.boxes[1].y);
    assert!((layout.boxes[1].y - layout.boxes[2].y).abs() < f64::EPSILON);
}

#[test]
fn many_boxes_for_one_stand_in_rows() {
    let sizes = [(150.0, 90.0); 31];
    let edges: Vec<(usize, usize)> = (1..31).map(|position| (0, position)).collect();
    let layout = layout(&sizes, &edges);
    check(&layout, &sizes, &edges);
    assert!(layout.width < layout.height * 3.0, "{} × {}", layout.width, layout.height);
    // Lines to lower rows pass between the boxes.
    for line in &layout.lines {
        for pair in line.points.windows(2).filter(|pair| (pair[0].x - pair[1].x).abs() < 0.5) {
            let (x, top, bottom) = (pair[0].x, pair[0].y + 1.0, pair[1].y - 1.0);
            let is_crossed = |place: &&Rect| {
                place.x < x && x < place.x + place.width && place.y < bottom && top < place.y + place.height
            };
            assert_eq!(layout.boxes.iter().find(is_crossed), None, "{line:?}");
        }
    }
}

#[test]
fn what_several_need_is_in_the_last_block() {
    // Twelve roots with five boxes each, and one box that all need.
    let n_boxes = 12 * 6 + 1;
    let sizes = vec![(150.0, 90.0); n_boxes];
    let mut edges = Vec::new();
    for root in (0..12).map(|number| number * 6) {
        edges.extend((1..=5).map(|below| (root, root + below)));
        edges.push((root, n_boxes - 1));
    }
    let layout = layout(&sizes, &edges);
    check(&layout, &sizes, &edges);
    let owners: Vec<Option<usize>> = layout.frames.iter().map(|frame| frame.owner).collect();
    let expected: Vec<Option<usize>> = (0..12).map(|number| Some(number * 6)).chain([None]).collect();
    assert_eq!(owners, expected);
    assert_eq!(layout.lines.iter().filter(|line| line.is_across).count(), 12);
    let shared = layout.boxes[n_boxes - 1];
    assert!(layout.boxes[..n_boxes - 1].iter().all(|place| place.y + place.height < shared.y));
}
