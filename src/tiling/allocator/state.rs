//! A partial allocation and everything that follows from it.
//!
//! In: decisions (an item rests where it is, or does not). Out: bounds on every other item, or a
//! contradiction. Takes no decisions; undoes any suffix of them.
//!
//! The search looks for the solution whose offsets have the smallest sum. In it no item can be moved
//! to a lower free place, hence an item that does not lie on what is already below it must lie on a
//! neighbour that reaches into the place it left free: its "hole".

use super::instance::{Instance, Rows};

/// The live set of a section, as far as it has not been placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// No unplaced item of the section can lie lower.
    pub floor: u64,
    /// Memory that may still be wasted before the live set no longer fits.
    pub slack: u64,
    /// Unplaced items that can come next from below; zero if all items are placed.
    pub candidates: u32,
}

#[derive(Debug)]
enum Change {
    Rest(u32, u64),
    Bound(u32, u64),
    Hole(u32, u64),
    Section(u32, Section),
    Placed(u32),
}

/// The search found that no completion of the state exists.
#[derive(Debug)]
pub(super) struct Contradiction;

#[derive(Debug)]
pub(super) struct State<'a> {
    pub instance: &'a Instance,
    pub placed: Vec<bool>,
    /// Where each item lies if placed; else the lowest offset above all placed neighbours.
    pub rest: Vec<u64>,
    /// Lower bound on each offset.
    pub bound: Vec<u64>,
    /// If not zero, some unplaced neighbour must begin below this offset and carry the item.
    pub hole: Vec<u64>,
    pub sections: Vec<Section>,
    /// Sum of the sizes of the unplaced items, per section.
    total: Vec<u64>,
    /// Members of each section, kept sorted by bound as far as it costs nothing to restore.
    sorted: Rows,
    trail: Vec<Change>,
    /// Items whose bound has risen, with the bound before.
    raised: Vec<(u32, u64)>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    /// How often each section has proved a contradiction.
    pub failures: Vec<u64>,
}

impl<'a> State<'a> {
    pub fn new(instance: &'a Instance) -> Self {
        let (items, sections) = (instance.items.len(), instance.sections);
        let mut state = Self {
            instance,
            placed: vec![false; items],
            rest: vec![0; items],
            bound: vec![0; items],
            hole: vec![0; items],
            sections: vec![Section::default(); sections],
            total: vec![0; sections],
            sorted: instance.members.clone(),
            trail: Vec::new(),
            raised: Vec::new(),
            dirty: (0..sections as u32).collect(),
            is_dirty: vec![true; sections],
            failures: vec![1; sections],
        };
        for (index, item) in instance.items.iter().enumerate() {
            for section in instance.spans[index].clone() {
                state.total[section] += item.size;
            }
            if let Some(offset) = item.fixed {
                state.bound[index] = offset;
                state.raised.push((index as u32, 0));
            }
        }
        state
    }

    /// The position to give to `undo`.
    pub fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Where the item ends if it lies as low as its bound allows.
    pub fn top(&self, index: usize) -> u64 {
        self.bound[index] + self.instance.items[index].size
    }

    /// Decides that an item lies at `rest`.
    pub fn place(&mut self, index: usize) -> Result<(), Contradiction> {
        let instance = self.instance;
        let item = &instance.items[index];
        if let Some(offset) = item.fixed {
            if self.rest[index] > offset {
                return Err(Contradiction);
            }
            self.trail.push(Change::Rest(index as u32, self.rest[index]));
            self.rest[index] = offset;
        }
        let offset = self.rest[index];
        self.placed[index] = true;
        self.trail.push(Change::Placed(index as u32));
        for section in instance.spans[index].clone() {
            self.total[section] -= item.size;
            self.touch(section);
        }
        for &other in instance.neighbours.row(index) {
            let other = other as usize;
            if self.placed[other] {
                continue;
            }
            let top = instance.items[other].align(offset + item.size);
            if self.rest[other] < top {
                self.trail.push(Change::Rest(other as u32, self.rest[other]));
                self.rest[other] = top;
            }
            if offset < self.hole[other] {
                self.trail.push(Change::Hole(other as u32, self.hole[other]));
                self.hole[other] = 0;
            }
            self.raise(other, self.rest[other])?;
            if self.hole[other] > 0 {
                self.carry(other)?;
            }
        }
        self.propagate()
    }

    /// Decides that an item lies higher than at `rest`.
    pub fn reject(&mut self, index: usize) -> Result<(), Contradiction> {
        self.leave_hole(index)?;
        self.propagate()
    }

    fn leave_hole(&mut self, index: usize) -> Result<(), Contradiction> {
        if self.instance.items[index].fixed.is_some() {
            return Err(Contradiction);
        }
        self.trail.push(Change::Hole(index as u32, self.hole[index]));
        self.hole[index] = self.rest[index] + self.instance.items[index].size;
        self.carry(index)
    }

    /// Raises an item to the lowest neighbour that can fill its hole.
    fn carry(&mut self, index: usize) -> Result<(), Contradiction> {
        let instance = self.instance;
        let hole = self.hole[index];
        let mut lowest = u64::MAX;
        for &other in instance.neighbours.row(index) {
            let other = other as usize;
            if !self.placed[other] && self.bound[other] < hole {
                lowest = lowest.min(self.bound[other] + instance.items[other].size);
            }
        }
        if lowest == u64::MAX {
            return Err(Contradiction);
        }
        self.raise(index, instance.items[index].align(lowest))
    }

    fn raise(&mut self, index: usize, bound: u64) -> Result<(), Contradiction> {
        let old = self.bound[index];
        if bound <= old {
            return Ok(());
        }
        if bound > self.instance.limits[index] {
            return Err(Contradiction);
        }
        self.trail.push(Change::Bound(index as u32, old));
        self.bound[index] = bound;
        self.raised.push((index as u32, old));
        Ok(())
    }

    fn touch(&mut self, section: usize) {
        if !self.is_dirty[section] {
            self.is_dirty[section] = true;
            self.dirty.push(section as u32);
        }
    }

    /// Draws all conclusions. Also to be called once before the first decision.
    pub fn propagate(&mut self) -> Result<(), Contradiction> {
        let instance = self.instance;
        while let Some((index, old)) = self.raised.pop() {
            let index = index as usize;
            for section in instance.spans[index].clone() {
                self.touch(section);
            }
            let old_top = old + instance.items[index].size;
            for &other in instance.neighbours.row(index) {
                let other = other as usize;
                // Only an item that may have been the lowest carrier matters.
                if self.hole[other] > 0 && !self.placed[other] && old_top <= self.bound[other] {
                    self.carry(other)?;
                }
            }
            if let Some(above) = instance.twin_above[index] {
                let above = above as usize;
                if !self.placed[above] {
                    let top = self.top(index);
                    self.raise(above, instance.items[above].align(top))?;
                }
            }
        }
        while let Some(section) = self.dirty.pop() {
            self.is_dirty[section as usize] = false;
            if let Err(contradiction) = self.check_section(section as usize) {
                self.failures[section as usize] += 1;
                return Err(contradiction);
            }
        }
        Ok(())
    }

    /// The items of a section with a bound of at least any `b` need the memory from `b` upwards.
    fn check_section(&mut self, section: usize) -> Result<(), Contradiction> {
        let (bound, placed) = (&self.bound, &self.placed);
        let row = self.sorted.row_mut(section);
        for index in 1..row.len() {
            let mut at = index;
            while at > 0 && bound[row[at - 1] as usize] > bound[row[at] as usize] {
                row.swap(at - 1, at);
                at -= 1;
            }
        }
        let mut need = self.total[section];
        let mut summary = Section { floor: 0, slack: u64::MAX, candidates: 0 };
        for &index in row.iter() {
            let index = index as usize;
            if placed[index] {
                continue;
            }
            let low = bound[index];
            if low + need > self.instance.capacity {
                return Err(Contradiction);
            }
            if summary.candidates == 0 {
                summary.floor = low;
                summary.slack = self.instance.capacity - low - need;
            }
            if low <= summary.floor + summary.slack {
                summary.candidates += 1;
            }
            need -= self.instance.items[index].size;
        }
        if summary != self.sections[section] {
            self.trail.push(Change::Section(section as u32, self.sections[section]));
            self.sections[section] = summary;
        }
        Ok(())
    }

    /// Takes back every change since `mark`.
    pub fn undo(&mut self, mark: usize) {
        self.raised.clear();
        while let Some(section) = self.dirty.pop() {
            self.is_dirty[section as usize] = false;
        }
        while self.trail.len() > mark {
            match self.trail.pop() {
                Some(Change::Rest(index, old)) => self.rest[index as usize] = old,
                Some(Change::Bound(index, old)) => self.bound[index as usize] = old,
                Some(Change::Hole(index, old)) => self.hole[index as usize] = old,
                Some(Change::Section(section, old)) => self.sections[section as usize] = old,
                Some(Change::Placed(index)) => {
                    self.placed[index as usize] = false;
                    for section in self.instance.spans[index as usize].clone() {
                        self.total[section] += self.instance.items[index as usize].size;
                    }
                }
                None => {}
            }
        }
    }
}
