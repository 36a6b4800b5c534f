//! Div: `a / b` with broadcasting; integers truncate towards zero, and a zero divisor gives zero (ONNX leaves
//! it open). Integers with attribute `Delta` are divided QuantLib's way. `Mean` of any number of operands is their
//! sum over their number.

use super::elementwise::{arithmetic, binary, import_chain, import_two};
use super::{Add, IntegerDiv, Operator};
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

binary!(
    Div,
    ["Div", "Mean"],
    arithmetic,
    |a, b| a / b,
    |a, b| if b == 0 { 0 } else { a.wrapping_div(b) },
    import
);

fn import(op: Div, node: &ImportNode) -> Result<Imported, OpError> {
    if node.op_type == "Mean" {
        let count = Value::scalar_f32(node.all().len() as f32);
        let sum = import_chain(Add::default(), node)?;
        return Ok(Imported::new(op, vec![Source::Node(Box::new(sum)), Source::Constant(count)]));
    }
    // Float versions of integer networks keep the attribute, but divide.
    let integers = node.inputs.iter().flatten().any(|o| o.ty.dtype.is_int());
    if node.attributes.has("Delta") && integers {
        return IntegerDiv::import(node);
    }
    import_two(op, node)
}
