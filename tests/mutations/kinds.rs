//! Kinds of changes to a plan: each changes one decision at random and says which, or finds nothing to change.

use tilewright::driver::Draft;
use tilewright::ir::{NodeId, TensorId};
use tilewright::runner::random::Random;
use tilewright::tiling::tiles::{Copy, Tiled};
use tilewright::tiling::{Home, Interface, Load, Plan, Spill, Staged};

/// Changes a plan.
pub type Change = fn(&Draft, &mut Plan, &mut Random) -> Option<String>;

/// All kinds.
pub const KINDS: &[(&str, Change)] = &[
    ("parts: rows of a copy", |_, p, r| copy(p, r, |c, r| c.rows = other(c.rows, r))),
    ("parts: stride of a copy", |_, p, r| copy(p, r, |c, r| c.stride = other(c.stride, r))),
    ("parts: row of a copy", |_, p, r| copy(p, r, |c, r| c.row = other(c.row, r))),
    ("parts: planes of a copy", |_, p, r| copy(p, r, |c, r| c.planes = other(c.planes, r))),
    ("parts: plane of a copy", |_, p, r| copy(p, r, |c, r| c.plane = other(c.plane, r))),
    ("parts: copy of another kind", |_, p, r| parts(p, r, other_copy)),
    ("parts: type of a part", |_, p, r| parts(p, r, other_type)),
    ("parts: kernel's call", |_, p, r| parts(p, r, other_call)),
    ("parts: operator", |_, p, r| parts(p, r, other_operator)),
    ("parts: kind of a part", |_, p, r| parts(p, r, other_kind)),
    ("parts: offset", |_, p, r| parts(p, r, other_offset)),
    ("parts: offsets swapped", |_, p, r| parts(p, r, swapped_offsets)),
    ("parts: slot", |_, p, r| parts(p, r, other_slot)),
    ("parts: load", |_, p, r| parts(p, r, other_load)),
    ("parts: one left out", |_, p, r| {
        parts(p, r, |t, r| some(t.tiles.len() > 1, || drop(t.tiles.remove(pick(t.tiles.len(), r)))))
    }),
    ("parts: one twice", |_, p, r| {
        parts(p, r, |t, r| some(true, || t.tiles.push(t.tiles[pick(t.tiles.len(), r)].clone())))
    }),
    ("parts: order", |_, p, r| parts(p, r, other_order)),
    ("parts: ahead", |_, p, r| parts(p, r, |t, _| some(!t.ahead && t.tiles.len() > 1, || t.ahead = true))),
    ("parts: place of a slot", |_, p, r| parts(p, r, other_place)),
    ("parts: bytes of a slot", |_, p, r| {
        parts(p, r, |t, r| {
            let s = pick(t.streams.len(), r);
            some(!t.streams[s].resident(), || t.streams[s].bytes = other(t.streams[s].bytes, r))
        })
    }),
    ("parts: stream", |_, p, r| {
        parts(p, r, |t, r| {
            let n = t.streams.len();
            let (a, b) = (pick(n, r), pick(n, r));
            some(t.streams[a] != t.streams[b], || t.streams.swap(a, b))
        })
    }),
    ("parts: base", |_, p, r| parts(p, r, |t, r| some(true, || t.base = other(t.base, r)))),
    ("parts: bytes", |_, p, r| parts(p, r, |t, _| some(true, || t.bytes -= 8))),
    ("parts: arena", |_, p, r| parts(p, r, |t, _| some(true, || t.arena = 0))),
    ("parts: scratch", |_, p, r| {
        parts(p, r, |t, r| {
            some(t.scratch.is_some(), || {
                t.scratch = if r.int(0, 1) == 0 { None } else { t.scratch.map(|s| other(s, r)) }
            })
        })
    }),
    ("parts: place of tables", |_, p, r| {
        parts(p, r, |t, r| some(true, || t.tables.at = other(t.tables.at, r)))
    }),
    ("parts: bytes of tables", |_, p, r| {
        parts(p, r, |t, r| some(true, || t.tables.bytes = other(t.tables.bytes, r)))
    }),
    ("parts: of another layer", other_layer),
    ("home: offset", |_, p, r| home(p, r, moved)),
    ("home: memory", |_, p, r| home(p, r, |h, _| elsewhere(h))),
    ("home: another tensor's", |_, p, r| {
        let list: Vec<TensorId> = p.homes.keys().copied().collect();
        let (a, b) = (list[pick(list.len(), r)], list[pick(list.len(), r)]);
        let to = p.homes[&b];
        let was = p.homes.insert(a, to);
        Some(format!("{a:?} from {was:?} to {to:?}"))
    }),
    ("home: none", |_, p, r| {
        let list: Vec<TensorId> = p.homes.keys().copied().collect();
        let t = list[pick(list.len(), r)];
        p.homes.remove(&t).map(|_| format!("{t:?}"))
    }),
    ("scratch", other_scratch),
    ("staged: start", |_, p, r| staged(p, r, |s, r| s.start = other(s.start, r))),
    ("staged: end", |_, p, r| staged(p, r, |s, r| s.end = other(s.end, r))),
    ("staged: home", |_, p, r| staged(p, r, |s, r| s.home = moved(s.home, r))),
    ("staged: memory", |_, p, r| staged(p, r, |s, _| s.home = elsewhere(s.home))),
    ("staged: bytes", |_, p, r| staged(p, r, |s, r| s.bytes = other(s.bytes, r))),
    ("staged: transfer", |_, p, r| staged(p, r, |s, r| s.transfer = pick(13, r))),
    ("staged: left out", |d, p, r| {
        let key = key(p, r)?;
        let computed = d.graph.node(key.0).inputs.len() <= key.1;
        p.staged.remove(&key).map(|s| format!("{key:?} {s:?} {computed}"))
    }),
    ("staged: another stream", |_, p, r| {
        let (n, s) = key(p, r)?;
        let was = p.staged.remove(&(n, s))?;
        p.staged.insert((n, s + 1), was);
        Some(format!("{n:?} {s} {was:?}"))
    }),
    ("load: start", |_, p, r| load(p, r, |l, r| l.start = other(l.start, r))),
    ("load: end", |_, p, r| load(p, r, |l, r| l.end = other(l.end, r))),
    ("load: channel", |_, p, r| load(p, r, |l, r| l.channel = other(l.channel, r))),
    ("load: from", |_, p, r| load(p, r, |l, r| l.from = other(l.from, r))),
    ("load: bytes", |_, p, r| load(p, r, |l, r| l.bytes = other(l.bytes, r))),
    ("load: home", |_, p, r| load(p, r, |l, r| l.home = moved(l.home, r))),
    ("load: left out", |_, p, r| {
        let n = p.loads.len();
        if n == 0 {
            return None;
        }
        Some(format!("{:?}", p.loads.remove(pick(n, r))))
    }),
    ("spill: start", |_, p, r| {
        spill(p, r, |s, r| {
            if pick(2, r) == 0 {
                s.out.start = other(s.out.start, r)
            } else {
                s.back.start = other(s.back.start, r)
            }
        })
    }),
    ("spill: end", |_, p, r| {
        spill(p, r, |s, r| {
            if pick(2, r) == 0 { s.out.end = other(s.out.end, r) } else { s.back.end = other(s.back.end, r) }
        })
    }),
    ("spill: channel", |_, p, r| {
        spill(
            p,
            r,
            |s, r| if pick(2, r) == 0 { s.out.channel = pick(9, r) } else { s.back.channel = pick(9, r) },
        )
    }),
    ("spill: place outside", |_, p, r| spill(p, r, |s, r| s.at = other(s.at, r))),
    ("spill: bytes", |_, p, r| spill(p, r, |s, r| s.bytes = other(s.bytes, r))),
    ("spill: home", |_, p, r| {
        spill(p, r, |s, r| {
            if pick(2, r) == 0 {
                s.out.home = moved(s.out.home, r)
            } else {
                s.back.home = moved(s.back.home, r)
            }
        })
    }),
    ("spill: memory", |_, p, r| spill(p, r, |s, _| s.back.home = elsewhere(s.back.home))),
    ("spill: a tensor's home", |_, p, r| {
        spill(p, r, |s, r| {
            let n = pick(s.tensors.len(), r);
            if let Some(home) = s.tensors.values_mut().nth(n) {
                *home = moved(*home, r);
            }
        })
    }),
    ("spill: a tensor left out", |_, p, r| {
        spill(p, r, |s, _| {
            let first = s.tensors.keys().next().copied();
            s.tensors.retain(|t, _| Some(*t) != first);
        })
    }),
    ("spill: two swapped", |_, p, r| {
        let (a, b) = (pick(p.spills.len(), r), pick(p.spills.len(), r));
        let (x, y) = (p.spills.get(a)?.at, p.spills.get(b)?.at);
        (p.spills[a].at, p.spills[b].at) = (y, x);
        Some(format!("{a} {b}"))
    }),
    ("spill: left out", |_, p, r| {
        let n = p.spills.len();
        (n > 0).then(|| format!("{:?}", p.spills.remove(pick(n, r))))
    }),
    ("memory: outside", |_, p, _| {
        p.outside.as_mut().map(|o| {
            o.bytes -= 8;
            o.level.clone()
        })
    }),
    ("constant: from", |_, p, r| {
        let keys: Vec<_> = p.external.keys().copied().collect();
        let k = *keys.get(pick(keys.len(), r))?;
        let e = p.external.get_mut(&k)?;
        e.from = other(e.from, r);
        Some(format!("{k:?} {e:?}"))
    }),
    ("constant: home", |_, p, r| {
        let keys: Vec<_> = p.external.keys().copied().collect();
        let k = *keys.get(pick(keys.len(), r))?;
        let e = p.external.get_mut(&k)?;
        e.home = moved(e.home, r);
        Some(format!("{k:?} {e:?}"))
    }),
    ("constant: two swapped", |_, p, r| {
        let keys: Vec<_> = p.external.keys().copied().collect();
        let (a, b) = (*keys.get(pick(keys.len(), r))?, *keys.get(pick(keys.len(), r))?);
        let (x, y) = (p.external[&a], p.external[&b]);
        p.external.insert(a, y);
        p.external.insert(b, x);
        Some(format!("{a:?} {b:?}"))
    }),
    ("order: two layers", |_, p, r| {
        let i = pick(p.order.len() - 1, r);
        p.order.swap(i, i + 1);
        Some(format!("{i}"))
    }),
    ("order: one left out", |_, p, r| {
        let i = pick(p.order.len(), r);
        Some(format!("{:?}", p.order.remove(i)))
    }),
    ("order: one twice", |_, p, r| {
        let i = pick(p.order.len(), r);
        p.order.push(p.order[i]);
        Some(format!("{i}"))
    }),
    ("no code: one more", |_, p, r| {
        let i = pick(p.order.len(), r);
        p.elided.insert(p.order[i]).then(|| format!("{i}"))
    }),
    ("no code: one less", |_, p, r| {
        let list: Vec<NodeId> = p.elided.iter().copied().collect();
        let id = *list.get(pick(list.len(), r))?;
        p.elided.remove(&id).then(|| format!("{id:?}"))
    }),
    ("memory: bytes", |_, p, r| {
        let i = pick(p.arenas.len(), r);
        p.arenas[i].bytes -= 4;
        Some(format!("{i}"))
    }),
    ("memory: too many bytes", |_, p, r| {
        let i = pick(p.arenas.len(), r);
        p.arenas[i].bytes += 1 << 24;
        p.arenas[i].capacity = None;
        Some(format!("{i}"))
    }),
    ("memory: name", |_, p, r| {
        let i = pick(p.arenas.len(), r);
        p.arenas[i].level.push('x');
        Some(format!("{i}"))
    }),
    ("memory: alignment", |_, p, r| {
        let i = pick(p.arenas.len(), r);
        p.arenas[i].alignment = 1;
        Some(format!("{i}"))
    }),
    ("memory: left out", |_, p, _| p.arenas.pop().map(|a| a.level)),
    ("interface", |_, p, _| {
        p.interface = Interface::Caller;
        Some(String::new())
    }),
];

fn pick(n: usize, random: &mut Random) -> usize {
    random.int(0, n.max(1) as i64 - 1) as usize
}

/// A number near `n`, but not it.
fn other(n: usize, random: &mut Random) -> usize {
    let by = [1, 1, 2, 4, 8, 16][pick(6, random)];
    if n >= by && random.int(0, 1) == 0 { n - by } else { n + by }
}

fn some(applies: bool, change: impl FnOnce()) -> Option<()> {
    applies.then(change)
}

/// Changes a layer in parts.
fn parts(
    plan: &mut Plan,
    random: &mut Random,
    change: fn(&mut Tiled, &mut Random) -> Option<()>,
) -> Option<String> {
    let list: Vec<NodeId> = plan.tiled.keys().copied().collect();
    let id = *list.get(pick(list.len(), random))?;
    change(plan.tiled.get_mut(&id)?, random).map(|()| format!("{id:?}"))
}

/// Changes one copy in a way that changes what it copies.
fn copy(plan: &mut Plan, random: &mut Random, change: fn(&mut Copy, &mut Random)) -> Option<String> {
    let list: Vec<NodeId> = plan.tiled.keys().copied().collect();
    let id = *list.get(pick(list.len(), random))?;
    let tiled = plan.tiled.get_mut(&id)?;
    let used: Vec<usize> = tiled.tiles.iter().map(|t| t.kind).collect();
    let kind = &mut tiled.kinds[used[pick(used.len(), random)]];
    let s = pick(kind.copies.len(), random);
    let mut new = kind.copies[s];
    change(&mut new, random);
    let rows = |c: &Copy| -> Vec<usize> {
        (0..c.planes).flat_map(|p| (0..c.rows).map(move |r| p * c.plane + r * c.stride)).collect()
    };
    if (rows(&new), new.row) == (rows(&kind.copies[s]), kind.copies[s].row) {
        return None;
    }
    let was = std::mem::replace(&mut kind.copies[s], new);
    Some(format!("{id:?} stream {s} from {was:?} to {new:?}"))
}

fn other_copy(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (a, b, s) = (pick(t.kinds.len(), random), pick(t.kinds.len(), random), pick(t.streams.len(), random));
    let copy = t.kinds[b].copies[s];
    some(copy != t.kinds[a].copies[s], || t.kinds[a].copies[s] = copy)
}

fn other_type(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (k, s) = (pick(t.kinds.len(), random), pick(t.streams.len(), random));
    let shape = &mut t.kinds[k].types[s].shape;
    let d = pick(shape.len(), random);
    some(!shape.is_empty(), || shape[d] = other(shape[d], random))
}

fn other_call(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (a, b) = (pick(t.kinds.len(), random), pick(t.kinds.len(), random));
    let choice = t.kinds[b].choice.clone();
    some(choice != t.kinds[a].choice, || t.kinds[a].choice = choice)
}

fn other_operator(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (a, b) = (pick(t.kinds.len(), random), pick(t.kinds.len(), random));
    let op = t.kinds[b].op.clone();
    some(op != t.kinds[a].op, || t.kinds[a].op = op)
}

fn other_kind(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (tile, kind) = (pick(t.tiles.len(), random), pick(t.kinds.len(), random));
    some(t.tiles[tile].kind != kind, || t.tiles[tile].kind = kind)
}

fn other_offset(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (tile, s) = (pick(t.tiles.len(), random), pick(t.streams.len(), random));
    let to = match random.int(0, 1) {
        0 => t.tiles[pick(t.tiles.len(), random)].offsets[s],
        _ => other(t.tiles[tile].offsets[s], random),
    };
    some(t.tiles[tile].offsets[s] != to, || t.tiles[tile].offsets[s] = to)
}

fn swapped_offsets(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (a, b, s) = (pick(t.tiles.len(), random), pick(t.tiles.len(), random), pick(t.streams.len(), random));
    let (x, y) = (t.tiles[a].offsets[s], t.tiles[b].offsets[s]);
    some(x != y, || (t.tiles[a].offsets[s], t.tiles[b].offsets[s]) = (y, x))
}

fn other_slot(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (tile, s) = (pick(t.tiles.len(), random), pick(t.streams.len(), random));
    some(true, || t.tiles[tile].slots[s] = 1 - t.tiles[tile].slots[s].min(1))
}

fn other_load(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (tile, s) = (pick(t.tiles.len(), random), pick(t.streams.len(), random));
    some(true, || t.tiles[tile].loads[s] = !t.tiles[tile].loads[s])
}

fn other_order(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let (a, b) = (pick(t.tiles.len(), random), pick(t.tiles.len(), random));
    some(a != b, || t.tiles.swap(a, b))
}

fn other_place(t: &mut Tiled, random: &mut Random) -> Option<()> {
    let s = pick(t.streams.len(), random);
    let slots = &mut t.streams[s].slots;
    let i = pick(slots.len(), random);
    some(!slots.is_empty(), || slots[i] = other(slots[i], random))
}

fn other_layer(_: &Draft, plan: &mut Plan, random: &mut Random) -> Option<String> {
    let list: Vec<NodeId> = plan.tiled.keys().copied().collect();
    let (a, b) = (*list.get(pick(list.len(), random))?, *list.get(pick(list.len(), random))?);
    let mut tiled = plan.tiled[&b].clone();
    let own = &plan.tiled[&a];
    if tiled.streams.len() == own.streams.len() {
        for (s, o) in tiled.streams.iter_mut().zip(&own.streams) {
            s.tensor = o.tensor;
        }
    }
    (a != b).then(|| plan.tiled.insert(a, tiled)).map(|_| format!("{a:?} as {b:?}"))
}

fn moved(home: Home, random: &mut Random) -> Home {
    match home {
        Home::Arena { arena, offset } => Home::Arena { arena, offset: other(offset, random) },
        Home::Input { index, offset } => Home::Input { index, offset: other(offset, random) },
        Home::Output { index, offset } => Home::Output { index, offset: other(offset, random) },
    }
}

fn elsewhere(home: Home) -> Home {
    match home {
        Home::Arena { arena, offset } => Home::Arena { arena: 1 - arena.min(1), offset },
        _ => Home::Arena { arena: 0, offset: 0 },
    }
}

fn home(plan: &mut Plan, random: &mut Random, change: fn(Home, &mut Random) -> Home) -> Option<String> {
    let list: Vec<TensorId> = plan.homes.keys().copied().collect();
    let t = list[pick(list.len(), random)];
    let home = plan.homes.get_mut(&t)?;
    let was = std::mem::replace(home, change(*home, random));
    Some(format!("{t:?} from {was:?} to {home:?}"))
}

fn other_scratch(_: &Draft, plan: &mut Plan, random: &mut Random) -> Option<String> {
    let list: Vec<NodeId> = plan.scratch.keys().copied().collect();
    let id = *list.get(pick(list.len(), random))?;
    let was = plan.scratch.remove(&id)?;
    match random.int(0, 2) {
        0 => None,
        1 => plan.scratch.insert(id, moved(was, random)),
        _ => plan.scratch.insert(id, elsewhere(was)),
    };
    Some(format!("{id:?} {was:?} to {:?}", plan.scratch.get(&id)))
}

fn key(plan: &Plan, random: &mut Random) -> Option<(NodeId, usize)> {
    let list: Vec<_> = plan.staged.keys().copied().collect();
    list.get(pick(list.len(), random)).copied()
}

fn staged(plan: &mut Plan, random: &mut Random, change: fn(&mut Staged, &mut Random)) -> Option<String> {
    let key = key(plan, random)?;
    let staged = plan.staged.get_mut(&key)?;
    let was = *staged;
    change(staged, random);
    (was != *staged).then(|| format!("{key:?} from {was:?} to {staged:?}"))
}

fn load(plan: &mut Plan, random: &mut Random, change: fn(&mut Load, &mut Random)) -> Option<String> {
    let i = pick(plan.loads.len(), random);
    let load = plan.loads.get_mut(i)?;
    let was = *load;
    change(load, random);
    Some(format!("{was:?} to {load:?}"))
}

fn spill(plan: &mut Plan, random: &mut Random, change: fn(&mut Spill, &mut Random)) -> Option<String> {
    let i = pick(plan.spills.len(), random);
    let spill = plan.spills.get_mut(i)?;
    let was = spill.clone();
    change(spill, random);
    (was != *spill).then(|| format!("{was:?} to {spill:?}"))
}
