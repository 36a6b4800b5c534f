//! Layers by rows: which rows of its operands a layer needs for some rows of its result, and the call that computes them.
//!
//! In: a layer with its kernel. Out: [`Layer`], asked about ranges of rows. Never decides which.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Kind, ROWS};
use crate::ir::access::{Reach, Space, Span, region};
use crate::ir::{Graph, NodeId, TensorId, TensorType};
use crate::targets::{Assignment, Choice, Library, fit_part};

/// Bytes that a row is a multiple of: kernels may count on where tensors begin.
const ALIGNMENT: usize = 4;

/// What a layer takes of an operand to compute some rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All of it.
    Whole,
    /// Row i of the result needs `extent` rows, of `row` bytes, from `i * stride - before` on.
    Rows { stride: usize, before: usize, extent: usize, height: usize, row: usize },
}

impl Takes {
    /// The rows that rows `begin..end` need.
    pub fn span(self, begin: usize, end: usize) -> Span {
        match self {
            Takes::Whole => (0, 0),
            Takes::Rows { stride, before, extent, height, .. } => {
                let first = (begin * stride).saturating_sub(before).min(height);
                let behind = (end.saturating_sub(1) * stride + extent).saturating_sub(before).min(height);
                (first, behind.max(first))
            }
        }
    }

    /// The byte at which the rows begin that rows `begin..` need.
    pub fn first_byte(self, begin: usize) -> usize {
        match self {
            Takes::Whole => 0,
            Takes::Rows { row, .. } => self.span(begin, begin + 1).0 * row,
        }
    }

    /// Rows of padding above and below what rows `begin..end` reach.
    fn padding(self, begin: usize, end: usize) -> Span {
        match self {
            Takes::Whole => (0, 0),
            Takes::Rows { stride, before, extent, height, .. } => {
                let behind = end.saturating_sub(1) * stride + extent;
                (before.saturating_sub(begin * stride), behind.saturating_sub(before + height))
            }
        }
    }
}

/// A layer that can be computed by rows.
#[derive(Debug)]
pub struct Layer<'a> {
    /// The layer.
    pub id: NodeId,
    /// What it takes of each operand.
    pub takes: Vec<Takes>,
    /// Its result.
    pub output: TensorId,
    /// Rows of its result.
    pub height: usize,
    /// Bytes of a row of its result.
    pub row: usize,
    graph: &'a Graph,
    library: &'a Library,
    choice: &'a Choice,
    types: Vec<TensorType>,
    space: Space,
    axis: usize,
    /// Calls that were needed so far, and which of them by what they look like.
    forms: RefCell<Vec<Kind>>,
    known: RefCell<BTreeMap<Look, Option<usize>>>,
}

/// Rows of each operand, padding of the first, rows of the result.
type Look = (Vec<usize>, Span, usize);

/// Whether rows of a tensor lie one behind the other, aligned; gives bytes of one.
fn row_bytes(ty: &TensorType) -> Option<usize> {
    let rows = *ty.shape.get(ROWS)?;
    let one = ty.shape[..ROWS].iter().all(|n| *n == 1) && rows > 0 && ty.dtype.bytes() <= ALIGNMENT;
    let row = ty.bytes() / rows.max(1);
    (one && row > 0 && row % ALIGNMENT == 0).then_some(row)
}

impl<'a> Layer<'a> {
    /// The layer, if it has rows that its kernel can compute apart.
    pub fn new(
        graph: &'a Graph,
        assignment: &'a Assignment,
        library: &'a Library,
        id: NodeId,
    ) -> Option<Layer<'a>> {
        let node = graph.node(id);
        let choice = assignment.choices.get(&id)?;
        let [output] = node.outputs[..] else { return None };
        let (types, results) = (graph.types(&node.inputs), graph.types(&node.outputs));
        let space = node.op.space(&types, &results)?;
        let result = results.first()?;
        let row = row_bytes(result)?;
        let Reach::Along { axis, stride: 1, before: 0, extent: 1 } = *space.results.first()?.get(ROWS)?
        else {
            return None;
        };
        let mut takes = Vec::new();
        for ((reaches, ty), t) in space.operands.iter().zip(&types).zip(&node.inputs) {
            let along = |r: &Reach| matches!(r, Reach::Along { axis: a, .. } if *a == axis);
            takes.push(match reaches.get(ROWS) {
                Some(Reach::Along { axis: a, stride, before, extent }) if *a == axis => {
                    // Constants are packed as a whole.
                    let row = row_bytes(ty).filter(|_| !graph.tensor(*t).is_constant())?;
                    let height = ty.shape[ROWS];
                    Takes::Rows { stride: *stride, before: *before, extent: *extent, height, row }
                }
                _ if reaches.iter().any(along) => return None,
                _ => Takes::Whole,
            });
        }
        let height = result.shape[ROWS];
        let (known, forms) = (RefCell::default(), RefCell::default());
        let layer = Layer {
            id,
            takes,
            output,
            height,
            row,
            graph,
            library,
            choice,
            types,
            space,
            axis,
            forms,
            known,
        };
        // The whole, as one part, must be what it is.
        layer.form((0, layer.height)).is_some().then_some(layer)
    }

    /// Which of the layer's forms computes rows `span` of the result; `None` if the kernel cannot.
    pub fn form(&self, span: Span) -> Option<usize> {
        let rows = |takes: &Takes| {
            let (first, behind) = takes.span(span.0, span.1);
            behind - first
        };
        let padding = self.takes.first().map_or((0, 0), |t| t.padding(span.0, span.1));
        let look = (self.takes.iter().map(rows).collect(), padding, span.1 - span.0);
        if let Some(known) = self.known.borrow().get(&look) {
            return *known;
        }
        let form = self.fit(span, &look).map(|kind| {
            self.forms.borrow_mut().push(kind);
            self.forms.borrow().len() - 1
        });
        self.known.borrow_mut().insert(look, form);
        form
    }

    /// The call of a form as that of link `link`.
    pub fn kind(&self, form: usize, link: usize) -> Option<Kind> {
        self.forms.borrow().get(form).map(|kind| Kind { link, ..kind.clone() })
    }

    /// Bytes of working memory that a form needs.
    pub fn scratch(&self, form: usize) -> usize {
        self.forms.borrow().get(form).map_or(0, |kind| kind.choice.scratch_bytes)
    }

    fn fit(&self, span: Span, look: &Look) -> Option<Kind> {
        let node = self.graph.node(self.id);
        let mut part: Vec<Span> = self.space.axes.iter().map(|n| (0, *n)).collect();
        *part.get_mut(self.axis)? = span;
        let first = self.space.operands.first().zip(self.types.first());
        let margins = first.map_or_else(Vec::new, |(r, ty)| region(r, &ty.shape, &part).margins);
        let mut types: Vec<TensorType> = self.types[..node.inputs.len()].to_vec();
        for ((ty, takes), rows) in types.iter_mut().zip(&self.takes).zip(&look.0) {
            if matches!(takes, Takes::Rows { .. }) {
                if *rows == 0 {
                    return None;
                }
                ty.shape[ROWS] = *rows;
            }
        }
        let op = node.op.part(&types, &margins);
        let constant: Vec<bool> = node.inputs.iter().map(|t| self.graph.tensor(*t).is_constant()).collect();
        let (choice, outputs) = fit_part(self.library, self.choice, &op, &types, &constant).ok()?;
        let mut result = self.graph.tensor(self.output).ty.clone();
        result.shape[ROWS] = look.2;
        // All calls read the same packed constants.
        if outputs != [result] || choice.packs != self.choice.packs {
            return None;
        }
        types.extend(outputs);
        Some(Kind { link: 0, op, types, choice })
    }
}
