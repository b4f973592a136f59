//! Which counts of people can be published: none of few, and none that those could be reckoned from.
//!
//! Counts hang together: what was received is what was decided so, so and so. Of a sum and all its
//! parts but one, that one can be reckoned. So more is left out, until nothing that is published tells
//! a count of few, neither by any combination of the sums nor by the bounds that they set.

/// The least number of people that is shown: of fewer, it may tell who they were.
pub const LEAST: usize = 10;

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The number.
    pub count: i64,
    /// What it is to readers.
    pub role: Role,
    is_hidden: bool,
}

/// What a count is to readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A part of a sum, published where that tells of nobody.
    Part,
    /// A sum of parts, likewise; rather a part is left out.
    Sum,
    /// What is left of a sum, never published; readers know that there is nothing where there is none.
    Rest,
}

/// Counts, and what they come to: in each equation, the cells with their sign sum up to nothing.
#[derive(Clone, Debug, Default)]
pub struct Table {
    cells: Vec<Cell>,
    equations: Vec<Vec<(usize, i64)>>,
}

impl Table {
    /// Adds a count; its place.
    pub fn cell(&mut self, count: usize, role: Role) -> usize {
        let is_few = count < LEAST;
        self.cells.push(Cell {
            count: i64::try_from(count).unwrap_or(i64::MAX),
            role,
            is_hidden: match role {
                Role::Rest => count > 0,
                Role::Part | Role::Sum => is_few,
            },
        });
        self.cells.len() - 1
    }

    /// Says that cells, each with its sign, sum up to nothing.
    pub fn equation(&mut self, terms: Vec<(usize, i64)>) {
        self.equations.push(terms);
    }

    /// Whether a cell may be published.
    pub fn is_shown(&self, place: usize) -> bool {
        !self.cells[place].is_hidden
    }

    /// Leaves out more, until no count of few is told by the others.
    pub fn protect(&mut self) {
        while let Some(told) = self.told() {
            let shares = |place: &usize| {
                self.equations.iter().any(|terms| {
                    let has = |wanted: usize| terms.iter().any(|(place, _)| *place == wanted);
                    has(told) && has(*place)
                })
            };
            let mut shown: Vec<usize> = (0..self.cells.len())
                .filter(|place| !self.cells[*place].is_hidden)
                .filter(|place| self.cells[*place].role != Role::Rest)
                .collect();
            shown.sort_by_key(|place| {
                let cell = &self.cells[*place];
                (!shares(place), cell.role, cell.count, *place)
            });
            let Some(first) = shown.first().copied() else {
                return;
            };
            let helps = |place: &&usize| {
                let mut other = self.clone();
                other.cells[**place].is_hidden = true;
                !other.is_told(told)
            };
            let place = shown.iter().find(helps).copied().unwrap_or(first);
            self.cells[place].is_hidden = true;
        }
    }

    /// A count of few that the others tell.
    fn told(&self) -> Option<usize> {
        let exact = self.exact();
        let bounds = self.bounds();
        (0..self.cells.len()).find(|place| self.tells(*place, &exact, &bounds))
    }

    fn is_told(&self, place: usize) -> bool {
        self.tells(place, &self.exact(), &self.bounds())
    }

    fn tells(&self, place: usize, exact: &[bool], bounds: &[(i64, i64)]) -> bool {
        let cell = &self.cells[place];
        let (lo, hi) = bounds[place];
        let is_few = usize::try_from(cell.count).is_ok_and(|count| count < LEAST);
        cell.is_hidden && is_few && (exact[place] || cell.count > 0 && lo == hi)
    }

    /// Which hidden cells some combination of equations fixes: those that stand alone in a row of the
    /// equations once all that can be is eliminated.
    fn exact(&self) -> Vec<bool> {
        let width = self.cells.len();
        let mut rows: Vec<Vec<i64>> = self
            .equations
            .iter()
            .map(|terms| {
                let mut row = vec![0; width];
                for (place, sign) in terms {
                    if self.cells[*place].is_hidden {
                        row[*place] += sign;
                    }
                }
                row
            })
            .collect();
        let mut done = 0;
        for column in 0..width {
            let Some(found) = (done..rows.len()).find(|row| rows[*row][column] != 0) else {
                continue;
            };
            rows.swap(done, found);
            let pivot = rows[done].clone();
            for (place, row) in rows.iter_mut().enumerate() {
                if place != done && row[column] != 0 {
                    let (a, b) = (pivot[column], row[column]);
                    for (value, by) in row.iter_mut().zip(&pivot) {
                        *value = (*value * a - by * b).rem_euclid(PRIME);
                    }
                }
            }
            done += 1;
        }
        let mut found = vec![false; width];
        for row in &rows {
            let mut places = (0..width).filter(|place| row[*place].rem_euclid(PRIME) != 0);
            if let (Some(only), None) = (places.next(), places.next()) {
                found[only] = true;
            }
        }
        found
    }

    /// What readers know of each cell: that it is few, or not, and what the equations leave of that.
    fn bounds(&self) -> Vec<(i64, i64)> {
        let all: i64 = self.cells.iter().map(|cell| cell.count).sum();
        let least = i64::try_from(LEAST).unwrap_or(i64::MAX);
        let mut found: Vec<(i64, i64)> = self
            .cells
            .iter()
            .map(|cell| match (cell.is_hidden, cell.role) {
                (false, _) => (cell.count, cell.count),
                (true, Role::Rest) => (0, all),
                (true, _) if cell.count < least => (0, least - 1),
                (true, _) => (least, all),
            })
            .collect();
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for terms in &self.equations {
                for (place, sign) in terms {
                    // The others sum up to what this one is, with its sign turned.
                    let (mut lo, mut hi) = (0, 0);
                    for (other, of) in terms.iter().filter(|(other, _)| other != place) {
                        let (least, most) = found[*other];
                        let (least, most) = match of * sign > 0 {
                            true => (-most, -least),
                            false => (least, most),
                        };
                        (lo, hi) = (lo + least, hi + most);
                    }
                    let (least, most) = found[*place];
                    let now = (least.max(lo), most.min(hi));
                    if now != found[*place] {
                        found[*place] = now;
                        has_changed = true;
                    }
                }
            }
        }
        found
    }
}

/// Equations are solved in whole numbers modulo this: it is greater than any that comes up.
const PRIME: i64 = 1_000_003;

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum of parts and what is left of it: which of them are shown.
    fn shown(sum: usize, parts: &[usize]) -> Vec<bool> {
        let mut table = Table::default();
        let rest = sum - parts.iter().sum::<usize>();
        let mut terms = vec![(table.cell(sum, Role::Sum), 1)];
        terms.extend(parts.iter().map(|part| (table.cell(*part, Role::Part), -1)));
        let rest = table.cell(rest, Role::Rest);
        let places: Vec<usize> = terms.iter().map(|(place, _)| *place).collect();
        terms.push((rest, -1));
        table.equation(terms);
        table.protect();
        places.iter().map(|place| table.is_shown(*place)).collect()
    }

    #[test]
    fn a_part_is_not_what_is_left_of_a_sum() {
        assert_eq!(shown(60, &[10, 20, 30]), [true; 4]);
        assert_eq!(shown(60, &[20, 33, 7]), [true, false, true, false]);
        assert_eq!(shown(60, &[50, 3, 7]), [true, true, false, false]);
        assert_eq!(shown(9, &[9, 0, 0]), [false; 4]);
        // What is open is left of the sum too, published or not.
        assert_eq!(shown(60, &[25, 20, 12]), [true, true, true, false]);
        assert_eq!(shown(60, &[20, 20, 10]), [true; 4]);
        // Nine is the most that each of two can be.
        assert_eq!(shown(28, &[10, 9, 9]), [true, false, false, false]);
    }

    #[test]
    fn sums_of_two_tables_are_held_together() {
        // 100 less 50, 25 and 22 would be 3; each 20 is known from its own row.
        let mut table = Table::default();
        let mut terms = Vec::new();
        for _ in 0..5 {
            let row = [60, 20, 20].map(|count| table.cell(count, Role::Part));
            let denied = table.cell(20, Role::Part);
            table.equation(vec![(row[0], 1), (row[1], -1), (row[2], -1), (denied, -1)]);
            terms.push((denied, 1));
        }
        let bases = [50, 25, 22, 3].map(|count| table.cell(count, Role::Part));
        terms.extend(bases.map(|base| (base, -1)));
        table.equation(terms);
        table.protect();
        assert_eq!(
            bases.map(|base| table.is_shown(base)),
            [true, true, false, false]
        );
        assert_eq!(table.told(), None);
    }

    #[test]
    fn nothing_of_few_is_told_whatever_the_counts() {
        for seed in 0..400_usize {
            let count = |place: usize| (seed * 7919 + place * 104_729) / 13 % 23;
            let mut table = Table::default();
            let mut terms = Vec::new();
            for row in 0..3 {
                let parts = [0, 1, 2].map(|part| count(row * 5 + part));
                let rest = count(row * 5 + 3) % 4;
                let sum = parts.iter().sum::<usize>() + rest;
                let of = parts.map(|part| table.cell(part, Role::Part));
                let mut row = vec![(table.cell(sum, Role::Sum), 1)];
                row.extend(of.map(|part| (part, -1)));
                row.push((table.cell(rest, Role::Rest), -1));
                table.equation(row);
                terms.push((of[2], 1));
            }
            let all: i64 = terms
                .iter()
                .map(|(place, _)| table.cells[*place].count)
                .sum();
            let all = usize::try_from(all).unwrap();
            let first = all / 3;
            terms.push((table.cell(first, Role::Part), -1));
            terms.push((table.cell(all - first, Role::Part), -1));
            table.equation(terms);
            table.protect();
            assert_eq!(table.told(), None, "{seed}");
        }
    }
}
