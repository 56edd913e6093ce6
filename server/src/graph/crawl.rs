//! All modules that a page needs, compiled by several threads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustc_hash::FxHashSet;

use super::Graph;
use crate::wire::{ModuleDef, Target};

impl Graph {
    /// All modules that `entries` reach, but for those in `without`. Compiles on all cores.
    pub fn crawl(&self, entries: &[String], without: &FxHashSet<String>) -> Vec<Arc<ModuleDef>> {
        let work = Work::default();
        let found = Mutex::new(BTreeMap::new());
        for entry in entries {
            work.add(entry, without);
        }
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(8);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(id) = work.next() {
                        let def = self.define(&id);
                        for dep in def.deps.iter().chain(&def.dynamic) {
                            if let Target::Id(id) = &dep.target {
                                work.add(id, without);
                            }
                        }
                        lock(&found).insert(id, def);
                        work.done();
                    }
                });
            }
        });
        found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }
}

/// Modules still to be compiled by several threads.
#[derive(Default)]
struct Work {
    state: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    seen: FxHashSet<String>,
    busy: usize,
}

impl Work {
    fn add(&self, id: &str, without: &FxHashSet<String>) {
        let mut state = lock(&self.state);
        if !without.contains(id) && state.seen.insert(id.to_owned()) {
            state.waiting.push_back(id.to_owned());
            self.changed.notify_one();
        }
    }

    /// The next module; `None` when all are done.
    fn next(&self) -> Option<String> {
        let mut state = lock(&self.state);
        loop {
            if let Some(id) = state.waiting.pop_front() {
                state.busy += 1;
                return Some(id);
            }
            if state.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self) {
        let mut state = lock(&self.state);
        state.busy -= 1;
        if state.busy == 0 {
            self.changed.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
