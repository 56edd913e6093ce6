//! Where a buffer differs from the last good text: pairs of ranges, sorted, never touching. Bytes.
//!
//! Normally there is none. An edit opens one; planning the function around it closes it again, or leaves it while the
//! text is broken there.

use std::ops::Range;

/// `buffer` is what stands where the good text has `good`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) good: Range<u32>,
    pub(crate) buffer: Range<u32>,
}

/// All differences of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drifts {
    list: Vec<Drift>,
}

impl Drifts {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Drift> {
        self.list.iter()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Drift> {
        self.list.get(index)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    pub(crate) fn push(&mut self, drift: Drift) {
        self.list.push(drift);
    }

    /// The buffer's text `start..old_end` was replaced by `new_len` bytes.
    pub(crate) fn edit(&mut self, start: u32, old_end: u32, new_len: u32) {
        let delta = i64::from(new_len) - i64::from(old_end - start);
        let first = self.list.partition_point(|it| it.buffer.end < start);
        let last = self.list.partition_point(|it| it.buffer.start <= old_end);
        let touched = &self.list[first..last];
        let buffer_start = touched.first().map_or(start, |it| it.buffer.start.min(start));
        let buffer_end = touched.last().map_or(old_end, |it| it.buffer.end.max(old_end));
        // The merged drift's ends are outside of every drift, or ends of one.
        let good = self.good_start(buffer_start)..self.good_end(buffer_end);
        let merged = Drift { good, buffer: buffer_start..moved(buffer_end, delta) };
        for later in &mut self.list[last..] {
            later.buffer = moved(later.buffer.start, delta)..moved(later.buffer.end, delta);
        }
        self.list.splice(first..last, [merged]);
    }

    /// The good text `range` became `new_len` bytes and is what the buffer has: drifts in it are gone, later ones move.
    pub(crate) fn settle(&mut self, range: Range<u32>, new_len: u32) {
        let delta = i64::from(new_len) - i64::from(range.end - range.start);
        self.list.retain(|it| it.good.start < range.start || it.good.end > range.end);
        for later in self.list.iter_mut().filter(|it| it.good.start >= range.end) {
            later.good = moved(later.good.start, delta)..moved(later.good.end, delta);
        }
    }

    /// Where the buffer has the good text's byte `at`, which is in no drift (or at the end of one).
    pub(crate) fn to_buffer(&self, at: u32) -> u32 {
        let mut delta = 0;
        for drift in self.list.iter().take_while(|it| it.good.end <= at) {
            delta = i64::from(drift.buffer.end) - i64::from(drift.good.end);
        }
        moved(at, delta)
    }

    /// As [`Drifts::to_buffer`], for the start of a range: what drifts exactly there comes after it.
    pub(crate) fn to_buffer_start(&self, at: u32) -> u32 {
        let mut delta = 0;
        for drift in self.list.iter().take_while(|it| it.good.end <= at && it.good.start < at) {
            delta = i64::from(drift.buffer.end) - i64::from(drift.good.end);
        }
        moved(at, delta)
    }

    /// Whether a place of the good text, `start` or `end`, is inside of a drift.
    pub(crate) fn cross(&self, start: u32, end: u32) -> bool {
        self.list.iter().any(|it| [start, end].iter().any(|at| it.good.start < *at && *at < it.good.end))
    }

    fn good_start(&self, buffer: u32) -> u32 {
        for drift in &self.list {
            if drift.buffer.start <= buffer && buffer <= drift.buffer.end {
                return drift.good.start;
            }
        }
        self.good_outside(buffer)
    }

    fn good_end(&self, buffer: u32) -> u32 {
        for drift in self.list.iter().rev() {
            if drift.buffer.start <= buffer && buffer <= drift.buffer.end {
                return drift.good.end;
            }
        }
        self.good_outside(buffer)
    }

    fn good_outside(&self, buffer: u32) -> u32 {
        let mut delta = 0;
        for drift in self.list.iter().take_while(|it| it.buffer.end <= buffer) {
            delta = i64::from(drift.good.end) - i64::from(drift.buffer.end);
        }
        moved(buffer, delta)
    }
}

fn moved(value: u32, delta: i64) -> u32 {
    u32::try_from((i64::from(value) + delta).max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Applies the drifts to the good text: that must give the buffer.
    fn rebuild(good: &str, buffer: &str, drifts: &Drifts) -> String {
        let mut out = String::new();
        let mut at = 0;
        for drift in drifts.iter() {
            out.push_str(&good[at..drift.good.start as usize]);
            out.push_str(&buffer[drift.buffer.start as usize..drift.buffer.end as usize]);
            at = drift.good.end as usize;
        }
        out.push_str(&good[at..]);
        out
    }

    proptest! {
        #[test]
        fn drifts_explain_the_buffer(edits in prop::collection::vec((0usize..60, 0usize..8, "[a-z]{0,5}"), 1..20)) {
            let good: String = ('0'..='9').cycle().take(60).collect();
            let mut buffer = good.clone();
            let mut drifts = Drifts::default();
            for (start, len, new) in edits {
                let start = start.min(buffer.len());
                let end = (start + len).min(buffer.len());
                buffer.replace_range(start..end, &new);
                drifts.edit(start as u32, end as u32, new.len() as u32);
                prop_assert_eq!(rebuild(&good, &buffer, &drifts), buffer.clone());
            }
        }
    }
}
