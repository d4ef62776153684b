//! Order of provisioning: waves by Kahn's algorithm, and the cycle when there
//! is no order (spec/resource-model.md §6.4–6.5).

use std::collections::BTreeMap;

/// The wave of each node: 0 without producers, else one more than its latest
/// producer. `edges[n]` are the producers of node `n`.
///
/// # Errors
/// One cycle, as the nodes along it.
pub(crate) fn waves(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut consumers = vec![Vec::new(); edges.len()];
    let mut missing: Vec<usize> = edges.iter().map(Vec::len).collect();
    for (node, producers) in edges.iter().enumerate() {
        for &producer in producers {
            consumers[producer].push(node);
        }
    }
    let mut waves = vec![0; edges.len()];
    let mut ready: Vec<usize> = (0..edges.len()).filter(|&node| missing[node] == 0).collect();
    let mut n_done = 0;
    while let Some(node) = ready.pop() {
        n_done += 1;
        for &consumer in &consumers[node] {
            waves[consumer] = waves[consumer].max(waves[node] + 1);
            missing[consumer] -= 1;
            if missing[consumer] == 0 {
                ready.push(consumer);
            }
        }
    }
    if n_done == edges.len() { Ok(waves) } else { Err(cycle(edges, &missing)) }
}

/// Walks producers among the nodes that never became ready. Each of them has
/// such a producer, so the walk must meet a node again; from there on it is a
/// cycle.
fn cycle(edges: &[Vec<usize>], missing: &[usize]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut seen_at = BTreeMap::new();
    let mut next = missing.iter().position(|&count| count > 0);
    while let Some(node) = next {
        if let Some(&start) = seen_at.get(&node) {
            return path.split_off(start);
        }
        seen_at.insert(node, path.len());
        path.push(node);
        next = edges[node].iter().copied().find(|&producer| missing[producer] > 0);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waves_count_the_longest_way_to_a_source() {
        assert_eq!(waves(&[vec![], vec![0], vec![0, 1], vec![]]), Ok(vec![0, 1, 2, 0]));
        assert_eq!(waves(&[]), Ok(vec![]));
    }

    #[test]
    fn a_cycle_is_found_even_when_other_nodes_lead_to_it() {
        assert_eq!(waves(&[vec![0]]), Err(vec![0]));
        let mut cycle = waves(&[vec![1], vec![2], vec![3], vec![1], vec![]]).unwrap_err();
        cycle.sort_unstable();
        assert_eq!(cycle, [1, 2, 3]);
    }

    fn edges() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1..12_usize).prop_flat_map(|n| {
            proptest::collection::vec(proptest::collection::btree_set(0..n, 0..3), n)
                .prop_map(|sets| sets.into_iter().map(|set| set.into_iter().collect()).collect())
        })
    }

    proptest! {
        #[test]
        fn petgraph_agrees_about_cycles_and_order(edges in edges()) {
            let graph = petgraph::graph::DiGraph::<(), ()>::from_edges(
                edges.iter().enumerate().flat_map(|(from, tos)| {
                    tos.iter().map(move |to| (u32::try_from(from).unwrap(), u32::try_from(*to).unwrap()))
                }),
            );
            match waves(&edges) {
                Ok(waves) => {
                    prop_assert!(!petgraph::algo::is_cyclic_directed(&graph));
                    for (node, producers) in edges.iter().enumerate() {
                        let expected = producers.iter().map(|&producer| waves[producer] + 1).max().unwrap_or(0);
                        prop_assert_eq!(waves[node], expected);
                    }
                }
                Err(cycle) => {
                    for (index, node) in cycle.iter().enumerate() {
                        let next = cycle[(index + 1) % cycle.len()];
                        prop_assert!(edges[*node].contains(&next));
                    }
                }
            }
        }
    }
}
