//! A problem prepared for searching: one component of time, cut into sections.
//!
//! In: buffers that conflict with one another directly or through others. Out: index tables in
//! which every lifetime is a range of sections, time slices in which the live set is constant.
//! Never changes during a search.

/// What the search needs to know of a buffer; all amounts in units of the caller's choice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub lower: i64,
    pub upper: i64,
    pub size: u64,
    pub alignment: u64,
    pub fixed: Option<u64>,
    /// Bytes before they were rounded up to units: fewer may lie higher.
    pub bytes: u64,
}

impl Item {
    /// The lowest aligned offset that is not below `offset`.
    pub fn align(&self, offset: u64) -> u64 {
        if self.alignment == 1 { offset } else { offset.next_multiple_of(self.alignment) }
    }

    /// Whether both are ever live at the same time.
    pub fn meets(&self, other: &Item) -> bool {
        self.lower < other.upper && other.lower < self.upper
    }
}

/// Lists of indices, one per row, in one allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    starts: Vec<usize>,
    entries: Vec<u32>,
}

impl Rows {
    fn new(rows: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut table = Self { starts: vec![0], entries: Vec::new() };
        for row in rows {
            table.entries.extend(row);
            table.starts.push(table.entries.len());
        }
        table
    }

    /// The positions of a row in `entry`.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row]..self.starts[row + 1]
    }

    /// The indices of a row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.entries[self.range(row)]
    }

    /// The indices of a row, to be reordered.
    pub fn row_mut(&mut self, row: usize) -> &mut [u32] {
        let range = self.range(row);
        &mut self.entries[range]
    }
}

/// The tables of one component.
#[derive(Debug)]
pub(super) struct Instance {
    pub items: Vec<Item>,
    /// Items end here at the latest.
    pub capacity: u64,
    /// The highest offset allowed, per item.
    pub limits: Vec<u64>,
    /// Sections in which each item is live.
    pub spans: Vec<std::ops::Range<usize>>,
    pub sections: usize,
    /// Items live at a common time, per item.
    pub neighbours: Rows,
    /// Items live, per section.
    pub members: Rows,
    /// An interchangeable item that must lie below.
    pub twin_below: Vec<Option<u32>>,
    /// The reverse of `twin_below`.
    pub twin_above: Vec<Option<u32>>,
}

impl Instance {
    /// The tables for `items`, which have limits of their own once `limit` has been called.
    pub fn new(items: Vec<Item>) -> Self {
        let mut times: Vec<i64> = items.iter().map(|item| item.lower).collect();
        times.sort_unstable();
        times.dedup();
        // A section starts wherever a buffer starts: ends alone never give a larger live set.
        let section = |time: i64| times.partition_point(|&start| start < time);
        let spans: Vec<_> = items.iter().map(|i| section(i.lower)..section(i.upper)).collect();
        let indices = 0..items.len() as u32;
        let neighbours = Rows::new(items.iter().enumerate().map(|(index, item)| {
            let met = |&o: &u32| o as usize != index && items[o as usize].meets(item);
            indices.clone().filter(met).collect()
        }));
        let members = Rows::new(
            (0..times.len())
                .map(|section| indices.clone().filter(|&i| spans[i as usize].contains(&section)).collect()),
        );
        let (twin_below, twin_above) = twins(&items);
        let sections = times.len();
        let (capacity, limits) = (0, Vec::new());
        Self { items, capacity, limits, spans, sections, neighbours, members, twin_below, twin_above }
    }

    /// Sets how much memory there is: `limit` is the highest offset of an item that is not fixed.
    pub fn limit(&mut self, capacity: u64, limit: impl Fn(usize) -> u64) {
        let limits = self.items.iter().enumerate().map(|(i, item)| item.fixed.unwrap_or(limit(i)));
        self.limits = limits.collect();
        self.capacity = capacity;
    }
}

/// Chains items that take equal room: where one of them lies the other could, unless it has more bytes and would end behind
/// the capacity. So the search may keep the one with more bytes below, then the one of lower index.
fn twins(items: &[Item]) -> (Vec<Option<u32>>, Vec<Option<u32>>) {
    let key = |i: &u32| {
        let item = &items[*i as usize];
        (item.lower, item.upper, item.size, item.alignment, std::cmp::Reverse(item.bytes), *i)
    };
    let mut order: Vec<u32> =
        (0..items.len() as u32).filter(|&i| items[i as usize].fixed.is_none()).collect();
    order.sort_unstable_by_key(key);
    let (mut below, mut above) = (vec![None; items.len()], vec![None; items.len()]);
    for pair in order.windows(2) {
        let (a, b) = (key(&pair[0]), key(&pair[1]));
        if (a.0, a.1, a.2, a.3) == (b.0, b.1, b.2, b.3) {
            above[pair[0] as usize] = Some(pair[1]);
            below[pair[1] as usize] = Some(pair[0]);
        }
    }
    (below, above)
}
