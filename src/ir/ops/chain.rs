//! Chain: operators one after the other, each fed by the result of the one before, as one node.
//!
//! Operands: all of the first link, then those of each further link but the one that is fed. The result is the last link's.
//! No model holds it: planning makes it of layers that are computed part by part together, so that what lies between them
//! never exists as a whole. A part of the result needs a larger part of what comes before (a halo), which is computed again
//! for each of the parts that share it.

use serde::{Deserialize, Serialize};

use super::{Numeric, Op, Operator, Params, link};
use crate::ir::access::{Reach, Space, Span, region};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The operators, in order; at least one.
    pub links: Vec<Link>,
}

/// One operator of a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The operator; it has one result.
    pub op: Op,
    /// Which of its operands is the result of the link before; of no meaning for the first.
    pub fed: usize,
    /// The types of its operands.
    pub operands: Vec<TensorType>,
}

/// What one link reaches from the iteration space of the last, and its own space.
struct Stage {
    space: Space,
    /// For each operand and dimension.
    operands: Vec<Vec<Reach>>,
    /// Shape of its result.
    result: Vec<usize>,
}

impl Chain {
    /// Goes through the links in order: `compute` gets a link's number, the link, and its operands, and gives its result.
    ///
    /// # Errors
    /// Those of `compute`; the operands are too few or too many.
    pub fn fold<T: Clone>(
        &self,
        operands: &[T],
        mut compute: impl FnMut(usize, &Link, Vec<T>) -> Result<T, OpError>,
    ) -> Result<T, OpError> {
        let count = || OpError::invalid(format!("a chain does not take {} operands", operands.len()));
        let mut rest = operands;
        let mut last: Option<T> = None;
        for (i, link) in self.links.iter().enumerate() {
            let fed = last.take();
            let own = link.operands.len().saturating_sub(usize::from(fed.is_some()));
            if rest.len() < own {
                return Err(count());
            }
            let (now, later) = rest.split_at(own);
            rest = later;
            let mut taken = now.to_vec();
            if let Some(fed) = fed {
                taken.insert(link.fed.min(taken.len()), fed);
            }
            last = Some(compute(i, link, taken)?);
        }
        last.filter(|_| rest.is_empty()).ok_or_else(count)
    }

    /// The operands by link: their numbers in the chain; `None` for the one that is fed.
    pub fn streams(&self) -> Vec<Vec<Option<usize>>> {
        let mut next = 0..;
        let of = |(i, link): (usize, &Link)| {
            let fed = |s: usize| i > 0 && s == link.fed;
            (0..link.operands.len()).map(|s| if fed(s) { None } else { next.next() }).collect()
        };
        self.links.iter().enumerate().map(of).collect()
    }

    /// The links' spaces in terms of the last one's, given the types of the chain's operands. `None` if a part of the result
    /// does not say which part of a link's result it needs, or a window moves over anything but the first operand.
    fn stages(&self, inputs: &[TensorType]) -> Option<Vec<Stage>> {
        let mut stages: Vec<Stage> = Vec::new();
        let made = self.fold(inputs, |i, link, types| {
            let outputs = link.op.infer(&types)?;
            let [result] = &outputs[..] else { return Err(OpError::invalid("a link has one result")) };
            let space = link.op.space(&types, &outputs);
            let space = space.ok_or_else(|| OpError::invalid("a link has no parts"))?;
            if i > 0 && link.fed > 0 && space.operands.iter().flatten().any(windowed) {
                return Err(OpError::invalid("a window moves over another operand"));
            }
            stages.push(Stage { operands: space.operands.clone(), space, result: result.shape.clone() });
            Ok(result.clone())
        });
        made.ok()?;
        let ends = stages.last()?.space.axes.clone();
        for i in (1..stages.len()).rev() {
            let wanted = stages[i].operands.get(self.links[i].fed)?.clone();
            let stage = &mut stages[i - 1];
            let made = stage.space.results.first()?;
            let axes = through(made, &wanted, stage.space.axes.len())?;
            // How far a window reaches beyond an operand is told by the first one alone.
            let fed = if i > 1 { self.links[i - 1].fed } else { 0 };
            let told = |axis: usize| {
                stage.operands[fed].iter().any(|r| matches!(r, Reach::Along { axis: a, .. } if *a == axis))
            };
            let plain = |(wanted, size): (&Reach, &usize)| match wanted {
                Reach::Along { axis, .. } => !windowed(wanted) && ends.get(*axis) == Some(size),
                Reach::Whole => true,
            };
            let hidden = |made: &Reach| matches!(made, Reach::Along { axis, .. } if !told(*axis));
            if made.iter().zip(wanted.iter().zip(&stage.result)).any(|(m, w)| hidden(m) && !plain(w)) {
                return None;
            }
            for reach in stage.operands.iter_mut().flatten() {
                *reach = compose(*reach, &axes)?;
            }
        }
        Some(stages)
    }
}

/// Whether more than one element is reached, or others than those one beside the other.
fn windowed(reach: &Reach) -> bool {
    matches!(reach, Reach::Along { stride, before, extent, .. } if *stride != 1 || *before > 0 || *extent != 1)
}

/// What each axis of a link's space is reached by, if its result is reached by `wanted`.
fn through(made: &[Reach], wanted: &[Reach], axes: usize) -> Option<Vec<Option<Reach>>> {
    let mut reached = vec![None; axes];
    for (made, wanted) in made.iter().zip(wanted) {
        match (*made, *wanted) {
            (Reach::Along { axis, stride: 1, before: 0, extent: 1 }, wanted) => {
                *reached.get_mut(axis)? = Some(wanted);
            }
            (Reach::Whole, Reach::Whole) => {}
            _ => return None,
        }
    }
    Some(reached)
}

/// A reach along an axis that is itself reached.
fn compose(reach: Reach, axes: &[Option<Reach>]) -> Option<Reach> {
    let Reach::Along { axis, stride, before, extent } = reach else { return Some(reach) };
    Some(match (*axes.get(axis)?)? {
        Reach::Whole => Reach::Whole,
        Reach::Along { axis, stride: outer, before: first, extent: span } => Reach::Along {
            axis,
            stride: outer * stride,
            before: first * stride + before,
            extent: span.saturating_sub(1) * stride + extent,
        },
    })
}

impl Stage {
    /// Of the padding that windows of this link and all behind it reach along each dimension of operand `fed`: this link's own,
    /// and what is left for its result.
    ///
    /// The chain's windows begin `before = first * stride + own` elements early; where they reach further out than this link's
    /// own padding, whole elements of its result are padding of the next link.
    fn split(&self, fed: usize, shape: &[usize], margins: &[(usize, usize)]) -> Option<[Vec<Span>; 2]> {
        let whole: Vec<Span> = self.space.axes.iter().map(|n| (0, *n)).collect();
        let own = self.space.operands.get(fed)?;
        let all = region(own, shape, &whole).margins;
        let mut mine = vec![(0, 0); shape.len()];
        let mut next = vec![(0, 0); self.result.len()];
        for (dim, (reach, margin)) in own.iter().zip(margins).enumerate() {
            let Reach::Along { axis, stride, before, extent } = *reach else { continue };
            if self.operands[fed].get(dim) == Some(&Reach::Whole) {
                mine[dim] = all[dim];
                continue;
            }
            let made = |r: &Reach| matches!(r, Reach::Along { axis: a, .. } if *a == axis);
            let to = self.space.results.first()?.iter().position(made)?;
            let outputs = *self.result.get(to)?;
            // How far the last window reaches beyond the operand; less than nothing if it leaves some out.
            let beyond = (outputs.saturating_sub(1) * stride + extent) as i64 - (before + shape[dim]) as i64;
            let stride = stride.max(1) as i64;
            let (low, high) = (margin.0 as i64, margin.1 as i64);
            let first = ((low - before as i64) / stride).max(0);
            let behind = if high > 0 { ((high - beyond) / stride).max(0) } else { 0 };
            mine[dim] = ((low - first * stride).max(0) as usize, (high - behind * stride).max(0) as usize);
            next[to] = (first as usize, behind as usize);
        }
        Some([mine, next])
    }
}

impl Operator for Chain {
    const NAME: &'static str = "Chain";
    const ONNX: &'static [&'static str] = &[];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(_node: &ImportNode) -> Result<Imported, OpError> {
        Err(OpError::unsupported("no model holds chains"))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for (i, (link, streams)) in self.links.iter().zip(self.streams()).enumerate() {
            let own = link.op.operand_names(link.operands.len());
            let named = own.into_iter().zip(streams).filter(|(_, s)| s.is_some());
            names.extend(named.map(|(name, _)| if i == 0 { name } else { format!("{name}_{}", i + 1) }));
        }
        names
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![self.fold(inputs, |_, link, types| link::infer(&link.op, &types))?])
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let operands: Vec<Value> = inputs.iter().map(|v| (*v).clone()).collect();
        Ok(vec![self.fold(&operands, |_, link, values| link::reference(&link.op, &values))?])
    }
    fn params(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        Params::new()
    }
    fn macs(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> u64 {
        let mut macs = 0;
        let walked = self.fold(inputs, |_, link, types| {
            let output = link::infer(&link.op, &types)?;
            macs += link.op.macs(&types, std::slice::from_ref(&output));
            Ok(output)
        });
        walked.map_or(0, |_| macs)
    }
    fn space(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Option<Space> {
        let stages = self.stages(inputs)?;
        let last = stages.last()?;
        let (axes, results) = (last.space.axes.clone(), last.space.results.clone());
        let streams = self.streams();
        let links = stages.into_iter().zip(streams);
        let operands = links.flat_map(|(stage, streams)| {
            stage.operands.into_iter().zip(streams).filter(|(_, s)| s.is_some()).map(|(reach, _)| reach)
        });
        Some(Space { axes, operands: operands.collect(), results })
    }
    fn part(&self, inputs: &[TensorType], margins: &[(usize, usize)]) -> Chain {
        let streams = self.streams();
        let whole: Vec<TensorType> = self
            .links
            .iter()
            .zip(&streams)
            .flat_map(|(link, own)| {
                link.operands.iter().zip(own).filter(|(_, s)| s.is_some()).map(|(ty, _)| ty.clone())
            })
            .collect();
        // A part that cannot be has no links, and infers nothing.
        let none = || Chain { links: Vec::new() };
        let Some(stages) = self.stages(&whole) else { return none() };
        let mut margins = margins.to_vec();
        let mut links = Vec::new();
        let made = self.fold(inputs, |i, link, types| {
            let fed = if i > 0 { link.fed } else { 0 };
            let invalid = || OpError::invalid("a window moves over another operand");
            let shape = &link.operands.get(fed).ok_or_else(invalid)?.shape;
            let [mine, next] = stages[i].split(fed, shape, &margins).ok_or_else(invalid)?;
            margins = next;
            let own = if fed == 0 { mine } else { vec![(0, 0); types.first().map_or(0, TensorType::rank)] };
            let op = link.op.part(&types, &own);
            let outputs = op.infer(&types)?;
            links.push(Link { op, fed: link.fed, operands: types });
            outputs.into_iter().next().ok_or_else(invalid)
        });
        made.map_or_else(|_| none(), |_| Chain { links })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::dtype::DType;
    use crate::ir::graph::Layout;
    use crate::ir::ops::{Activation, Conv, MaxPool};

    fn bytes(shape: &[usize]) -> TensorType {
        TensorType::new(DType::S8, shape)
    }

    /// A 3x3 convolution with padding, then a 2x2 pool.
    fn conv_and_pool() -> (Chain, Vec<TensorType>) {
        let layout = Layout::ChannelsLast;
        let conv = Conv {
            group: 1,
            strides: vec![1, 1],
            dilations: vec![1, 1],
            pads: vec![1; 4],
            layout,
            requant: None,
            act: Activation::None,
        };
        let pool = MaxPool {
            kernel: vec![2, 2],
            strides: vec![2, 2],
            dilations: vec![1, 1],
            pads: vec![0; 4],
            ceil: false,
            layout,
        };
        let (x, w) = (bytes(&[1, 8, 8, 4]), bytes(&[6, 3, 3, 4]));
        let y = TensorType::new(DType::S32, [1, 8, 8, 6]);
        let links = vec![
            Link { op: conv.into(), fed: 0, operands: vec![x.clone(), w.clone()] },
            Link { op: pool.into(), fed: 0, operands: vec![y] },
        ];
        (Chain { links }, vec![x, w])
    }

    #[test]
    fn windows_of_windows_are_wider() {
        let (chain, types) = conv_and_pool();
        let outputs = chain.infer(&types).unwrap();
        assert_eq!(outputs, [TensorType::new(DType::S32, [1, 4, 4, 6])]);
        let space = chain.space(&types, &outputs).unwrap();
        assert_eq!(space.operands[0][1], Reach::Along { axis: 1, stride: 2, before: 1, extent: 4 });
        assert_eq!(space.operands[1], [Reach::same(3), Reach::Whole, Reach::Whole, Reach::Whole]);
        assert_eq!(chain.operand_names(2), ["x", "w"]);
        assert_eq!(chain.streams(), [vec![Some(0), Some(1)], vec![None]]);
    }

    #[test]
    fn only_parts_at_borders_are_padded() {
        let (chain, types) = conv_and_pool();
        let space = chain.space(&types, &chain.infer(&types).unwrap()).unwrap();
        let pads = |rows: Span| {
            let part = [(0, 1), rows, (0, 4), (0, 6)];
            let x = region(&space.operands[0], &types[0].shape, &part);
            let inputs = [bytes(&x.shape()), types[1].clone()];
            let part = chain.part(&inputs, &x.margins);
            assert_eq!(part.infer(&inputs).unwrap()[0].shape, [1, rows.1 - rows.0, 4, 6]);
            let Op::Conv(conv) = &part.links[0].op else { panic!("{part:?}") };
            conv.pads.clone()
        };
        assert_eq!(pads((0, 4)), [1, 1, 1, 1]);
        assert_eq!(pads((0, 2)), [1, 1, 0, 1]);
        assert_eq!(pads((1, 3)), [0, 1, 0, 1]);
        assert_eq!(pads((3, 4)), [0, 1, 1, 1]);
    }

    #[test]
    fn what_cannot_be_a_part_infers_nothing() {
        let (chain, types) = conv_and_pool();
        assert!(chain.part(&types[..1], &[(0, 0); 4]).links.is_empty());
        assert!(chain.infer(&types[..1]).is_err());
    }
}
