//! Kinds of operators that passes treat alike. In: an operator. Out: whether it is of the kind. Never looks at
//! operands.

use crate::ir::Op;

/// Whether every element of the result is the same function of the element of operand 0 in its place, and nothing
/// else is an operand (a table excepted).
pub fn is_unary(op: &Op) -> bool {
    matches!(
        op,
        Op::Abs(_)
            | Op::Acos(_)
            | Op::Asin(_)
            | Op::Atan(_)
            | Op::Cast(_)
            | Op::Ceil(_)
            | Op::Celu(_)
            | Op::Clip(_)
            | Op::Cos(_)
            | Op::Cosh(_)
            | Op::Elu(_)
            | Op::Erf(_)
            | Op::Exp(_)
            | Op::Floor(_)
            | Op::Gelu(_)
            | Op::HardSigmoid(_)
            | Op::HardSwish(_)
            | Op::IGelu(_)
            | Op::IHardswish(_)
            | Op::Identity(_)
            | Op::IsNaN(_)
            | Op::LeakyRelu(_)
            | Op::Log(_)
            | Op::Lookup(_)
            | Op::Mish(_)
            | Op::Neg(_)
            | Op::Not(_)
            | Op::Reciprocal(_)
            | Op::Relu(_)
            | Op::Round(_)
            | Op::Selu(_)
            | Op::Sigmoid(_)
            | Op::Sign(_)
            | Op::Sin(_)
            | Op::Sinh(_)
            | Op::Softplus(_)
            | Op::Softsign(_)
            | Op::Sqrt(_)
            | Op::Tan(_)
            | Op::Tanh(_)
            | Op::ThresholdedRelu(_)
            | Op::TrueIntegerDiv(_)
    )
}

/// Whether every element of the result is the same function of the operands' elements in its place, after
/// broadcasting (an Add's requantisation parameters excepted).
pub fn is_broadcasting(op: &Op) -> bool {
    matches!(
        op,
        Op::Add(_)
            | Op::And(_)
            | Op::BitShift(_)
            | Op::Div(_)
            | Op::Equal(_)
            | Op::Greater(_)
            | Op::GreaterOrEqual(_)
            | Op::IntegerDiv(_)
            | Op::Less(_)
            | Op::LessOrEqual(_)
            | Op::Max(_)
            | Op::Min(_)
            | Op::Mod(_)
            | Op::Mul(_)
            | Op::Or(_)
            | Op::PRelu(_)
            | Op::Pow(_)
            | Op::Sub(_)
            | Op::Where(_)
            | Op::Xor(_)
    )
}
