//! Which declarations and statements of two texts have no counterpart in the other.

use crate::compile::Item;

/// Which of two lists, whose order counts, have no counterpart in the other: by the longest common subsequence.
pub(super) fn unmatched(old: &[Item], new: &[Item], a: &[usize], b: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let same = |x: usize, y: usize| old[x].kind == new[y].kind && old[x].hash == new[y].hash;
    let start = a.iter().zip(b).take_while(|(x, y)| same(**x, **y)).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| same(**x, **y)).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    if a.len() * b.len() > 250_000 {
        return (a.to_vec(), b.to_vec());
    }
    let mut table = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = if same(a[i], b[j]) { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    let (mut gone, mut come, mut i, mut j) = (Vec::new(), Vec::new(), 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && same(a[i], b[j]) {
            i += 1;
            j += 1;
        } else if j == b.len() || i < a.len() && table[i + 1][j] >= table[i][j + 1] {
            gone.push(a[i]);
            i += 1;
        } else {
            come.push(b[j]);
            j += 1;
        }
    }
    (gone, come)
}

pub(super) fn unmatched_unordered(old: &[Item], new: &[Item], a: &[usize], b: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut gone = a.to_vec();
    let come = b
        .iter()
        .copied()
        .filter(|y| match gone.iter().position(|x| old[*x].hash == new[*y].hash) {
            Some(found) => {
                gone.remove(found);
                false
            }
            None => true,
        })
        .collect();
    (gone, come)
}
