//! Operators that take something fused behind them. In: an operator. Out: the same with another epilogue.
//! Never decides whether that is a good idea.

use crate::ir::Op;
use crate::ir::ops::{Activation, Requant};

/// Runs `$body` with `$op` bound to the operator, if it may carry a requantisation and an activation.
macro_rules! with_epilogue {
    ($value:expr, $op:ident => $body:expr) => {
        match $value {
            Op::Conv($op) => $body,
            Op::Gemm($op) => $body,
            Op::MatMul($op) => $body,
            Op::Add($op) => $body,
            _ => return None,
        }
    };
}

/// Whether the operator could carry an epilogue and has none yet.
pub fn is_free(op: &Op) -> bool {
    fn get(op: &Op) -> Option<bool> {
        match op {
            Op::ConvTranspose(op) => return Some(op.act == Activation::None),
            Op::IntegerDiv(op) => return Some(op.requant.is_none()),
            _ => {}
        }
        Some(with_epilogue!(op, op => op.requant.is_none() && op.act == Activation::None))
    }
    get(op).unwrap_or(false)
}

/// The operator with a float activation; `None` if it takes none.
pub fn with_activation(op: &Op, act: Activation) -> Option<Op> {
    let mut op = op.clone();
    if let Op::ConvTranspose(op) = &mut op {
        op.act = act;
    } else {
        with_epilogue!(&mut op, op => op.act = act);
    }
    Some(op)
}

/// The operator's requantisation, if it has one.
pub fn requant(op: &Op) -> Option<Requant> {
    match op {
        Op::RequantShift(op) => return Some(op.requant),
        Op::IntegerDiv(op) => return op.requant,
        _ => {}
    }
    with_epilogue!(op, op => op.requant)
}

/// The operator with a requantisation; `None` if it takes none. Its operands `mul` and `add` come last.
pub fn with_requant(op: &Op, requant: Requant) -> Option<Op> {
    let mut op = op.clone();
    match &mut op {
        Op::RequantShift(op) => op.requant = requant,
        Op::IntegerDiv(op) => op.requant = Some(requant),
        other => with_epilogue!(other, op => op.requant = Some(requant)),
    }
    Some(op)
}
