//! Minimum cuts. In: a directed graph with capacities. Out: the source's side of a cheapest cut, as small as
//! possible. Never knows what is cut. (Dinic's algorithm: a pass over a network of n operators takes far less than
//! its bound of n² m steps, because few layouts are in conflict.)

use std::collections::VecDeque;

/// More than any sum of real capacities.
pub const INFINITE: u64 = u64::MAX / 4;

#[derive(Clone, Copy, Debug)]
struct Arc {
    to: usize,
    capacity: u64,
}

/// A graph whose vertices are numbers. Arc `2k + 1` is the reverse of arc `2k`.
#[derive(Clone, Debug, Default)]
pub struct Network {
    arcs: Vec<Arc>,
    leaving: Vec<Vec<usize>>,
}

impl Network {
    /// Adds a vertex.
    pub fn vertex(&mut self) -> usize {
        self.leaving.push(Vec::new());
        self.leaving.len() - 1
    }
    /// Adds an arc; cutting it costs `capacity`.
    pub fn arc(&mut self, from: usize, to: usize, capacity: u64) {
        for (from, to, capacity) in [(from, to, capacity), (to, from, 0)] {
            self.leaving[from].push(self.arcs.len());
            self.arcs.push(Arc { to, capacity });
        }
    }
    /// For each vertex, whether it is on the source's side of the cut.
    pub fn source_side(mut self, source: usize, sink: usize) -> Vec<bool> {
        loop {
            let levels = self.levels(source);
            if source == sink || levels[sink].is_none() {
                return levels.iter().map(Option::is_some).collect();
            }
            let mut next = vec![0; self.leaving.len()];
            while self.augment(source, sink, &levels, &mut next) {}
        }
    }
    /// Distance from the source over arcs that are not full.
    fn levels(&self, source: usize) -> Vec<Option<usize>> {
        let mut levels = vec![None; self.leaving.len()];
        levels[source] = Some(0);
        let mut todo = VecDeque::from([source]);
        while let Some(v) = todo.pop_front() {
            for arc in self.leaving[v].iter().map(|a| self.arcs[*a]) {
                if arc.capacity > 0 && levels[arc.to].is_none() {
                    levels[arc.to] = levels[v].map(|l| l + 1);
                    todo.push_back(arc.to);
                }
            }
        }
        levels
    }
    /// Sends flow along one shortest path; false if there is none left. `next` remembers arcs that lead nowhere.
    fn augment(&mut self, source: usize, sink: usize, levels: &[Option<usize>], next: &mut [usize]) -> bool {
        let mut path: Vec<usize> = Vec::new();
        let mut v = source;
        while v != sink {
            if let Some(&a) = self.leaving[v].get(next[v]) {
                let arc = self.arcs[a];
                if arc.capacity > 0 && levels[arc.to] == levels[v].map(|l| l + 1) {
                    path.push(a);
                    v = arc.to;
                } else {
                    next[v] += 1;
                }
            } else {
                // A dead end: step back, and never take this arc again.
                let Some(a) = path.pop() else { return false };
                v = self.arcs[a ^ 1].to;
                next[v] += 1;
            }
        }
        let flow = path.iter().map(|a| self.arcs[*a].capacity).min().unwrap_or(0);
        for a in path {
            self.arcs[a].capacity -= flow;
            self.arcs[a ^ 1].capacity += flow;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook network (Cormen et al., figure 26.6): maximum flow 23, cut {s, v1, v2, v4} | {v3, t}.
    #[test]
    fn cuts_where_the_textbook_does() {
        let mut n = Network::default();
        let [s, v1, v2, v3, v4, t] = [(); 6].map(|()| n.vertex());
        for (a, b, c) in [
            (s, v1, 16),
            (s, v2, 13),
            (v1, v3, 12),
            (v2, v1, 4),
            (v2, v4, 14),
            (v3, v2, 9),
            (v3, t, 20),
            (v4, v3, 7),
            (v4, t, 4),
        ] {
            n.arc(a, b, c);
        }
        assert_eq!(n.source_side(s, t), [true, true, true, false, true, false]);
    }

    #[test]
    fn source_side_is_smallest() {
        let mut n = Network::default();
        let [s, a, t] = [(); 3].map(|()| n.vertex());
        n.arc(s, a, 5);
        n.arc(a, t, 5);
        assert_eq!(n.source_side(s, t), [true, false, false]);
    }
}
