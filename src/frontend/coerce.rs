//! Numeric coercion: which operands become integers, which become floats.
//!
//! In: an operator and its operands. Out: operands of the types the operator wants; constants are converted at
//! once, other tensors through a Cast. Models of the integer dialect declare all tensors as floats; here, what
//! holds integers becomes integers. Never changes a value.

use std::collections::BTreeSet;

use super::sweep::{Failure, Sweep};
use crate::ir::ops::{Cast, Numeric};
use crate::ir::{DType, Op, OpError, Tensor, TensorId, TensorType, Value};

impl Sweep<'_> {
    /// Converts operands as [`Op::numeric`] asks.
    pub(super) fn coerce(&mut self, op: &Op, operands: &mut [TensorId]) -> Result<(), Failure> {
        let stored = operands.iter().any(|id| self.stored.contains(id));
        match op.numeric() {
            // The model means real division, whatever its tensors hold.
            _ if stored && matches!(op, Op::Div(_)) => self.all_float(operands),
            Numeric::Any => self.moved_table(operands),
            Numeric::Float => self.all_float(operands),
            Numeric::Integer => return self.all_integer(op, operands),
            Numeric::Unified => self.unify(op, operands),
        }
        Ok(())
    }

    fn dtype(&self, id: TensorId) -> DType {
        self.patch.get(id).ty.dtype
    }

    fn is_constant(&self, id: TensorId) -> bool {
        self.patch.get(id).is_constant()
    }

    fn all_float(&mut self, operands: &mut [TensorId]) {
        for id in operands {
            if self.dtype(*id).is_int() {
                *id = self.convert(*id, DType::F32);
            }
        }
    }

    /// Data movement keeps types, but a table of integers looked up by computed indices is one of integers.
    fn moved_table(&mut self, operands: &mut [TensorId]) {
        let [first, rest @ ..] = operands else { return };
        if !self.integer || rest.iter().all(|id| self.patch.get(*id).is_constant()) {
            return;
        }
        if let Some(dtype) = self.integral_type(*first) {
            *first = self.convert(*first, dtype);
        }
    }

    /// All integer or all float. Booleans (conditions) take no part.
    fn unify(&mut self, op: &Op, operands: &mut [TensorId]) {
        let any_int = operands.iter().any(|id| self.dtype(*id).is_int());
        let floats: Vec<TensorId> =
            operands.iter().copied().filter(|id| self.dtype(*id).is_float()).collect();
        if !any_int {
            return;
        }
        let types: Option<Vec<DType>> = floats.iter().map(|id| self.integral_type(*id)).collect();
        let Some(types) = types else {
            self.all_float(operands);
            return;
        };
        for (float, dtype) in floats.into_iter().zip(types) {
            let integers = self.convert(float, dtype);
            operands.iter_mut().filter(|id| **id == float).for_each(|id| *id = integers);
        }
        self.widen_bias(op, operands);
        if matches!(op, Op::Concat(_)) {
            self.one_type(operands);
        }
    }

    /// Accumulators have 32 bits, and so has what is added to them.
    fn widen_bias(&mut self, op: &Op, operands: &mut [TensorId]) {
        let names = op.operand_names(operands.len());
        for (id, _) in operands.iter_mut().zip(names).filter(|(_, name)| name == "bias") {
            if self.is_constant(*id) && self.dtype(*id).bytes() < 4 {
                *id = self.convert(*id, DType::S32);
            }
        }
    }

    /// One integer type that holds all operands' types; empty operands have no say.
    fn one_type(&mut self, operands: &mut [TensorId]) {
        let ranges = |id: &&TensorId| self.patch.get(**id).ty.elements() > 0;
        let dtypes: BTreeSet<DType> = operands.iter().filter(ranges).map(|id| self.dtype(*id)).collect();
        let bounds: Vec<(i64, i64)> = dtypes.iter().filter_map(|d| d.range()).collect();
        let common = match (bounds.iter().map(|r| r.0).min(), bounds.iter().map(|r| r.1).max()) {
            _ if dtypes.len() == 1 => dtypes.first().copied(),
            (Some(lo), Some(hi)) => Some(DType::smallest_int(lo, hi)),
            _ => operands.first().map(|id| self.dtype(*id)),
        };
        let Some(common) = common else { return };
        for id in operands {
            *id = self.convert(*id, common);
        }
    }

    fn all_integer(&mut self, op: &Op, operands: &mut [TensorId]) -> Result<(), Failure> {
        let names = op.operand_names(operands.len());
        for (i, id) in operands.iter_mut().enumerate() {
            if !self.dtype(*id).is_float() {
                continue;
            }
            if let Some(dtype) = self.integral_type(*id) {
                *id = self.convert(*id, dtype);
                continue;
            }
            let name = names.get(i).map_or("?", String::as_str);
            if self.is_constant(*id) {
                let message =
                    format!("operand `{name}` must hold integers, but is a constant with fractions");
                return Err(OpError::invalid(message).into());
            }
            if self.stand_ins.contains(id) || self.blame_inputs(*id, op) {
                return Err(Failure::Reported);
            }
            return Err(OpError::invalid(format!(
                "operand `{name}` is float32, but {} computes on integers",
                op.name()
            ))
            .help("requantise before this node, or give the inputs integer types with --input-type NAME=int8")
            .into());
        }
        Ok(())
    }

    /// Notes the untyped float inputs that `id` is computed from; whether there are any.
    fn blame_inputs(&mut self, id: TensorId, op: &Op) -> bool {
        let (mut seen, mut todo, mut any) = (BTreeSet::new(), vec![id], false);
        while let Some(id) = todo.pop() {
            if !self.dtype(id).is_float() || !seen.insert(id) {
                continue;
            }
            if let Some(input) = self.untyped.get(&id) {
                self.need_type.entry(input.clone()).or_insert_with(|| op.name().to_string());
                any = true;
            }
            todo.extend(self.behind.get(&id).into_iter().flatten().copied());
        }
        any
    }

    /// The smallest integer type that holds a float constant; `None` if it is no constant or has fractions.
    fn integral_type(&mut self, id: TensorId) -> Option<DType> {
        if let Some(known) = self.integral.get(&id) {
            return *known;
        }
        let dtype = match self.patch.get(id).value.as_deref() {
            Some(Value::F32(a)) => {
                let mut range = Some((0.0f32, 0.0f32));
                for x in a {
                    // Beyond 2^53 a float is hardly meant as an integer (masks are: -3.4e38).
                    range = range.filter(|_| x.fract() == 0.0 && x.abs() < 9.0e15);
                    range = range.map(|(lo, hi)| (lo.min(*x), hi.max(*x)));
                    if range.is_none() {
                        break;
                    }
                }
                range.map(|(lo, hi)| DType::smallest_int(lo as i64, hi as i64))
            }
            _ => None,
        };
        self.integral.insert(id, dtype);
        dtype
    }

    /// The tensor with another element type; each conversion is made once.
    fn convert(&mut self, id: TensorId, dtype: DType) -> TensorId {
        if self.dtype(id) == dtype {
            return id;
        }
        if let Some(done) = self.converted.get(&(id, dtype)) {
            return *done;
        }
        let tensor = self.patch.get(id);
        let name = format!("{}_{dtype}", tensor.name);
        let converted = match tensor.value.as_deref() {
            Some(value) => {
                let value = value.cast(dtype);
                self.constant(&name, value)
            }
            None => {
                let ty = TensorType::new(dtype, tensor.ty.shape.clone());
                let result = self.patch.tensor(Tensor::new(name.clone(), ty));
                self.patch.node_into(name, Op::Cast(Cast { to: dtype }), vec![id], vec![result]);
                self.behind.insert(result, vec![id]);
                result
            }
        };
        // Integers made from a float constant, or from such integers, are floats to the model still.
        if dtype.is_int() && (self.dtype(id).is_float() || self.stored.contains(&id)) {
            self.stored.insert(converted);
        }
        self.converted.insert((id, dtype), converted);
        converted
    }
}
