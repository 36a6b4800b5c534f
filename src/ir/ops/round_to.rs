//! RoundTo: floats to the nearest number that a 16-bit float type holds (half to even, too large ones become
//! infinite). What a cast to such a type does; the numbers stay f32.

use half::{bf16, f16};
use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::float_operand;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// A float type of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortFloat {
    /// IEEE half precision.
    Float16,
    /// The upper half of an f32.
    Bfloat16,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTo {
    /// The type that holds the results.
    pub format: ShortFloat,
}

impl RoundTo {
    /// The rounding of a cast to ONNX's element type number `code`; `None` for types that are not short floats.
    pub(super) fn of_code(code: i64) -> Option<RoundTo> {
        let format = match code {
            10 => ShortFloat::Float16,
            16 => ShortFloat::Bfloat16,
            _ => return None,
        };
        Some(RoundTo { format })
    }
}

impl Operator for RoundTo {
    const NAME: &'static str = "RoundTo";
    const ONNX: &'static [&'static str] = &[];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(_node: &ImportNode) -> Result<Imported, OpError> {
        let op = RoundTo { format: ShortFloat::Float16 };
        Ok(Imported::new(op, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        float_operand(inputs)?;
        Ok(inputs.to_vec())
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let round = |x: f32| match self.format {
            ShortFloat::Float16 => f16::from_f32(x).to_f32(),
            ShortFloat::Bfloat16 => bf16::from_f32(x).to_f32(),
        };
        Ok(vec![Value::F32(inputs[0].to_f32().mapv(round))])
    }
    /// The attribute; `drop`, the bits cut off; and as bits of f32, `normal`, below which steps are 2^-24, and
    /// the `largest` finite number.
    fn params(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let (drop, normal, largest) = match self.format {
            ShortFloat::Float16 => (13u32, 0x3880_0000u32, 0x477f_e000u32),
            ShortFloat::Bfloat16 => (16, 0, 0x7f7f_0000),
        };
        p.insert("drop".into(), drop.into());
        p.insert("normal".into(), normal.into());
        p.insert("largest".into(), largest.into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results as numpy's float16 and ml_dtypes' bfloat16 give them.
    #[test]
    fn numbers_are_rounded() {
        let x = [0.478_221_6, 65519.0, 65520.0, 6.0e-8, -1.0e-8, 1.0e-5, 3.0];
        let value = Value::f32(&[7], x.to_vec()).unwrap();
        let rounded = |format| {
            let y = RoundTo { format }.reference(&[&value], &[]).unwrap();
            y[0].to_f32().iter().copied().collect::<Vec<f32>>()
        };
        assert_eq!(
            rounded(ShortFloat::Float16),
            [0.478_271_48, 65504.0, f32::INFINITY, 5.960_464_5e-8, -0.0, 1.001_358e-5, 3.0]
        );
        assert_eq!(rounded(ShortFloat::Bfloat16)[..3], [0.478_515_63, 65536.0, 65536.0]);
    }
}
