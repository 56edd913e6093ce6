//! Where the top-level statements of a text start: what has to be read to tell whether an edit broke it.

use crate::compile::Item;
use crate::sites::Shift;

/// Starts of top-level statements, kept up to date while functions inside them grow.
#[derive(Debug, Clone, Default)]
pub(super) struct Cuts {
    starts: Vec<u32>,
    shift: Shift,
    end: u32,
}

impl Cuts {
    pub(super) fn new(items: &[Item], end: u32) -> Cuts {
        Cuts { starts: items.iter().map(|it| it.start).collect(), shift: Shift::default(), end }
    }

    /// The text grew by `delta` bytes inside the statement that holds `at`.
    pub(super) fn grow(&mut self, at: u32, delta: i64) {
        let next = self.first_from(at + 1);
        let Cuts { starts, shift, end } = self;
        shift.grow(next, delta, |later, by| starts[later] = starts[later].wrapping_add(by));
        *end = end.wrapping_add(delta as u32);
    }

    /// Whole statements around `start..end`, of which the first and the last have nothing to do with it. Where a statement begins or
    /// ends may depend on its neighbour, but not on what is farther away.
    pub(super) fn around(&self, start: u32, end: u32) -> (u32, u32) {
        let from = self.first_from(start).checked_sub(2).map_or(0, |it| self.start(it));
        let after = self.first_from(end + 1) + 1;
        let to = if after < self.starts.len() { self.start(after) } else { self.end };
        (from, to)
    }

    /// The number of the statement that `at` is in, or behind, and whether it starts there.
    pub(super) fn number_at(&self, at: u32) -> (usize, bool) {
        let number = self.first_from(at + 1).saturating_sub(1);
        (number, number < self.starts.len() && self.start(number) == at)
    }

    /// The first statement that starts at `at` or later.
    fn first_from(&self, at: u32) -> usize {
        let (mut low, mut high) = (0, self.starts.len());
        while low < high {
            let mid = low.midpoint(high);
            if self.start(mid) < at {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        low
    }

    fn start(&self, index: usize) -> u32 {
        self.shift.apply(index, self.starts[index])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn growing_step_by_step_gives_the_fresh_starts(edits in prop::collection::vec((0usize..12, 0i64..5), 1..20)) {
            let mut fresh: Vec<u32> = (0..12).map(|it| it * 10).collect();
            let mut cuts = Cuts { starts: fresh.clone(), shift: Shift::default(), end: 120 };
            let mut end = 120;
            for (statement, delta) in edits {
                cuts.grow(fresh[statement] + 3, delta);
                fresh[statement + 1..].iter_mut().for_each(|it| *it += delta as u32);
                end += delta as u32;
                let starts: Vec<u32> = (0..12).map(|it| cuts.start(it)).collect();
                prop_assert_eq!(&starts, &fresh);
                prop_assert_eq!(cuts.end, end);
                let from = fresh[statement.saturating_sub(1)];
                let to = fresh.get(statement + 2).copied().unwrap_or(end);
                prop_assert_eq!(cuts.around(fresh[statement] + 3, fresh[statement] + 4), (from, to));
            }
        }
    }
}
