//! Which line belongs to which, so that the sum of their scores is the largest.
//!
//! The Hungarian method by shortest augmenting paths (Jonker and Volgenant, 1987), in
//! integers, so that equal inputs give equal results on every machine.

/// The most steps of the exact method (rows² × columns); about 60 ms. Larger problems are
/// solved greedily: the best pair first, which is at least half of the best sum.
const MAX_STEPS: usize = 64_000_000;

/// Scores of rows against columns.
#[derive(Debug, Clone)]
pub(crate) struct Scores {
    rows: usize,
    columns: usize,
    cells: Vec<i64>,
}

impl Scores {
    /// All zero.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            cells: vec![0; rows * columns],
        }
    }

    /// Sets the score of a pair; 0 is none, and less than 0 counts as 0.
    pub fn set(&mut self, row: usize, column: usize, score: i64) {
        if column < self.columns
            && let Some(cell) = self.cells.get_mut(row * self.columns + column)
        {
            *cell = score.max(0);
        }
    }

    /// The score of a pair; 0 outside.
    pub fn get(&self, row: usize, column: usize) -> i64 {
        if column < self.columns {
            self.cells
                .get(row * self.columns + column)
                .copied()
                .unwrap_or(0)
        } else {
            0
        }
    }

    fn transposed(&self) -> Self {
        let mut other = Self::new(self.columns, self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                other.set(column, row, self.get(row, column));
            }
        }
        other
    }
}

/// For each row its column; only pairs that score more than 0, each column once at the most.
pub(crate) fn assign(scores: &Scores) -> Vec<Option<usize>> {
    if scores.rows == 0 || scores.columns == 0 {
        return vec![None; scores.rows];
    }
    let (small, large) = (
        scores.rows.min(scores.columns),
        scores.rows.max(scores.columns),
    );
    if small.saturating_mul(small).saturating_mul(large) > MAX_STEPS {
        return greedy(scores);
    }
    let columns = if scores.rows <= scores.columns {
        hungarian(scores)
    } else {
        let mut turned = vec![None; scores.rows];
        for (column, row) in hungarian(&scores.transposed()).into_iter().enumerate() {
            if let Some(place) = row.and_then(|row| turned.get_mut(row)) {
                *place = Some(column);
            }
        }
        turned
    };
    columns
        .into_iter()
        .enumerate()
        .map(|(row, column)| column.filter(|column| scores.get(row, *column) > 0))
        .collect()
}

/// The exact method, for no more rows than columns. Row and column 0 of the arrays stand for
/// "not assigned".
fn hungarian(scores: &Scores) -> Vec<Option<usize>> {
    let (rows, columns) = (scores.rows, scores.columns);
    let mut row_price = vec![0_i64; rows + 1];
    let mut column_price = vec![0_i64; columns + 1];
    let mut row_of = vec![0_usize; columns + 1];
    for row in 1..=rows {
        let mut came_from = vec![0_usize; columns + 1];
        let mut slack = vec![i64::MAX; columns + 1];
        let mut done = vec![false; columns + 1];
        let mut column = 0;
        row_of[0] = row;
        loop {
            done[column] = true;
            let current = row_of[column];
            let (mut step, mut next) = (i64::MAX, 0);
            for other in 1..=columns {
                if done[other] {
                    continue;
                }
                let cost = -scores.get(current - 1, other - 1);
                let reduced = cost - row_price[current] - column_price[other];
                if reduced < slack[other] {
                    slack[other] = reduced;
                    came_from[other] = column;
                }
                if slack[other] < step {
                    step = slack[other];
                    next = other;
                }
            }
            for other in 0..=columns {
                if done[other] {
                    row_price[row_of[other]] += step;
                    column_price[other] -= step;
                } else if slack[other] != i64::MAX {
                    slack[other] -= step;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    let mut result = vec![None; rows];
    for (column, row) in row_of.iter().enumerate().skip(1) {
        if let Some(place) = row.checked_sub(1).and_then(|row| result.get_mut(row)) {
            *place = Some(column - 1);
        }
    }
    result
}

fn greedy(scores: &Scores) -> Vec<Option<usize>> {
    let mut pairs: Vec<(i64, usize, usize)> = Vec::new();
    for row in 0..scores.rows {
        let scored = (0..scores.columns).map(|column| (scores.get(row, column), row, column));
        pairs.extend(scored.filter(|(score, ..)| *score > 0));
    }
    pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut result = vec![None; scores.rows];
    let mut taken = vec![false; scores.columns];
    for (_, row, column) in pairs {
        if let (Some(place @ None), Some(free @ false)) =
            (result.get_mut(row), taken.get_mut(column))
        {
            *place = Some(column);
            *free = true;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(rows: &[&[i64]]) -> Scores {
        let mut scores = Scores::new(rows.len(), rows.first().map_or(0, |row| row.len()));
        for (r, row) in rows.iter().enumerate() {
            for (c, score) in row.iter().enumerate() {
                scores.set(r, c, *score);
            }
        }
        scores
    }

    fn sum(scores: &Scores, result: &[Option<usize>]) -> i64 {
        let chosen = result.iter().enumerate();
        chosen
            .map(|(row, column)| column.map_or(0, |column| scores.get(row, column)))
            .sum()
    }

    /// The best sum by trying everything.
    fn best(scores: &Scores, row: usize, taken: u32) -> i64 {
        if row == scores.rows {
            return 0;
        }
        let free = (0..scores.columns).filter(|column| taken >> column & 1 == 0);
        let used =
            free.map(|column| scores.get(row, column) + best(scores, row + 1, taken | 1 << column));
        used.max().unwrap_or(0).max(best(scores, row + 1, taken))
    }

    #[test]
    fn the_best_pair_is_not_always_taken() {
        let scores = table(&[&[10, 9], &[9, 1]]);
        assert_eq!(assign(&scores), [Some(1), Some(0)]);
        assert_eq!(greedy(&scores), [Some(0), Some(1)]);
        assert_eq!(assign(&table(&[&[5], &[7], &[0]])), [None, Some(0), None]);
        assert_eq!(assign(&table(&[&[0, 0]])), [None]);
        assert_eq!(assign(&Scores::new(2, 0)), [None, None]);
        assert!(assign(&Scores::new(0, 2)).is_empty());
    }

    #[test]
    fn what_is_too_large_is_still_assigned() {
        let mut scores = Scores::new(700, 700);
        for row in 0..700 {
            scores.set(row, 699 - row, 5);
        }
        let result = assign(&scores);
        assert!(
            result
                .iter()
                .enumerate()
                .all(|(row, column)| *column == Some(699 - row))
        );
    }

    proptest! {
        #[test]
        fn as_good_as_trying_everything(
            rows in 1..6_usize, columns in 1..6_usize, cells in prop::collection::vec(-3..100_i64, 25)
        ) {
            let mut scores = Scores::new(rows, columns);
            for row in 0..rows {
                for column in 0..columns {
                    scores.set(row, column, cells[row * 5 + column]);
                }
            }
            let result = assign(&scores);
            prop_assert_eq!(sum(&scores, &result), best(&scores, 0, 0));
            let mut taken: Vec<usize> = result.iter().flatten().copied().collect();
            taken.sort_unstable();
            let before = taken.len();
            taken.dedup();
            prop_assert_eq!(taken.len(), before);
            prop_assert!(sum(&scores, &greedy(&scores)) * 2 >= best(&scores, 0, 0));
        }
    }
}
