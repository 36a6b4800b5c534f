//! Imported expressions into the graph: conversion, inference and folding, operator by operator.
//!
//! In: what an operator's import answered. Out: result tensors; constants where all operands are constant.
//! Never looks at the model file.

use super::sweep::{Failure, Sweep};
use super::tensor;
use crate::ir::{DType, Imported, Op, OpError, Source, Tensor, TensorId, TensorType, Value};

/// Constants that would take more multiply-accumulates stay in the network.
const MAX_FOLD_MACS: u64 = 1 << 32;
/// Nesting of one node's expression at most.
const MAX_NESTING: usize = 600;

impl Sweep<'_> {
    /// Adds an expression for node `name`; its results get `names`, as far as they are given and not empty.
    pub(super) fn expression(
        &mut self,
        imported: Imported,
        operands: &[Option<TensorId>],
        name: &str,
        names: &[String],
    ) -> Result<Vec<TensorId>, Failure> {
        self.nested(imported, operands, name, names, 0)
    }

    fn nested(
        &mut self,
        imported: Imported,
        operands: &[Option<TensorId>],
        name: &str,
        names: &[String],
        depth: usize,
    ) -> Result<Vec<TensorId>, Failure> {
        if depth > MAX_NESTING {
            return Err(OpError::unsupported("expands to too many nested operators").into());
        }
        let Imported { op, operands: sources } = imported;
        let mut ids = Vec::with_capacity(sources.len());
        for source in sources {
            ids.push(match source {
                Source::Input(i) => operands
                    .get(i)
                    .copied()
                    .flatten()
                    .ok_or_else(|| OpError::invalid(format!("operand {i} is missing")))?,
                Source::Constant(value) => {
                    self.charge(TensorType::of(&value).bytes())?;
                    self.constant(&format!("{name}_constant"), value)
                }
                Source::Node(inner) => {
                    let inner_name = format!("{name}_{}", inner.op.name().to_lowercase());
                    let results = self.nested(*inner, operands, &inner_name, &[], depth + 1)?;
                    *results.first().ok_or_else(|| OpError::invalid("has an operand without results"))?
                }
            });
        }
        self.apply(op, ids, name, names)
    }

    /// Adds one operator on tensors.
    fn apply(
        &mut self,
        op: Op,
        mut operands: Vec<TensorId>,
        name: &str,
        names: &[String],
    ) -> Result<Vec<TensorId>, Failure> {
        self.coerce(&op, &mut operands)?;
        if let Some(same) = self.cast_of_stored(&op, &operands) {
            return Ok(vec![same]);
        }
        let types: Vec<TensorType> = operands.iter().map(|t| self.patch.get(*t).ty.clone()).collect();
        let results = op.infer(&types)?;
        for ty in &results {
            if tensor::count(&ty.shape).is_none() {
                return Err(OpError::unsupported(format!(
                    "has a result of shape {:?}, more than 2^31 elements",
                    ty.shape
                ))
                .into());
            }
        }
        let stored = self.stays_stored(&op, &operands);
        let ids = match self.fold(&op, &operands, &types, &results)? {
            Some(values) => values
                .into_iter()
                .enumerate()
                .map(|(i, v)| self.constant(&result_name(name, names, i), v))
                .collect(),
            None => self.run_time(op, operands, results, name, names),
        };
        for id in &ids {
            if stored && self.patch.get(*id).ty.dtype.is_int() {
                self.stored.insert(*id);
            }
        }
        Ok(ids)
    }

    /// Adds a node that runs on the target.
    fn run_time(
        &mut self,
        op: Op,
        operands: Vec<TensorId>,
        results: Vec<TensorType>,
        name: &str,
        names: &[String],
    ) -> Vec<TensorId> {
        let behind: Vec<TensorId> =
            operands.iter().copied().filter(|id| !self.patch.get(*id).is_constant()).collect();
        let ids: Vec<TensorId> = results
            .into_iter()
            .enumerate()
            .map(|(i, ty)| self.patch.tensor(Tensor::new(result_name(name, names, i), ty)))
            .collect();
        for id in &ids {
            self.behind.insert(*id, behind.clone());
        }
        self.patch.node_into(name, op, operands, ids.clone());
        ids
    }

    /// The results, if they can be computed now.
    fn fold(
        &mut self,
        op: &Op,
        operands: &[TensorId],
        types: &[TensorType],
        results: &[TensorType],
    ) -> Result<Option<Vec<Value>>, Failure> {
        let tensors: Vec<&Tensor> = operands.iter().map(|id| self.patch.get(*id)).collect();
        let Some(values) = tensors.iter().map(|t| t.value.as_deref()).collect::<Option<Vec<&Value>>>() else {
            return Ok(None);
        };
        if op.macs(types, results) > MAX_FOLD_MACS {
            return Ok(None);
        }
        // Refused before it is computed.
        let bytes: usize = results.iter().map(TensorType::bytes).sum();
        if bytes > self.fold_left {
            return Err(self.too_large(bytes));
        }
        let values = op.reference(&values, results)?;
        self.charge(bytes)?;
        Ok(Some(values))
    }

    /// Takes the bytes of a new constant off the allowance.
    fn charge(&mut self, bytes: usize) -> Result<(), Failure> {
        self.fold_left = self.fold_left.checked_sub(bytes).ok_or_else(|| self.too_large(bytes))?;
        Ok(())
    }

    fn too_large(&self, bytes: usize) -> Failure {
        Failure::Fault(OpError::unsupported(format!(
            "is a constant of {bytes} bytes; constants computed while loading may take {} in all",
            self.options.fold_limit
        )))
    }

    /// A conversion to float of integers the model believes to be floats already does nothing.
    fn cast_of_stored(&self, op: &Op, operands: &[TensorId]) -> Option<TensorId> {
        let [operand] = operands else { return None };
        (matches!(op, Op::Cast(c) if c.to == DType::F32) && self.stored.contains(operand)).then_some(*operand)
    }

    /// Whether the model believes integer results of the operator to be floats.
    fn stays_stored(&self, op: &Op, operands: &[TensorId]) -> bool {
        !matches!(op, Op::Cast(_)) && operands.iter().any(|id| self.stored.contains(id))
    }
}

/// The model's name of a result; else the node's, numbered from the second on.
fn result_name(name: &str, names: &[String], i: usize) -> String {
    match names.get(i).filter(|n| !n.is_empty()) {
        Some(given) => given.clone(),
        None if i == 0 => name.to_string(),
        None => format!("{name}_{i}"),
    }
}
