//! The operators: one file each, listed in one table.
//!
//! In: attributes, operand types, operand values. Out: results' types and values, and the parameters that
//! kernels are chosen and filled by. An operator never knows targets, kernels or C.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use super::access::View;

use super::access::Space;
use super::graph::TensorType;
use super::import::{ImportNode, Imported, OpError};
use super::value::Value;

mod abs;
mod acos;
mod add;
mod and;
mod arg_common;
mod arg_max;
mod arg_min;
mod asin;
mod atan;
mod average_pool;
mod batch_norm;
mod bit_shift;
mod cast;
mod ceil;
mod celu;
mod chain;
mod clip;
mod common;
mod concat;
mod contraction;
mod conv;
mod conv_transpose;
mod cos;
mod cosh;
mod cross_entropy;
mod cross_entropy_grad;
mod cum_sum;
mod dequantize;
mod div;
mod elementwise;
mod elu;
pub mod epilogue;
mod equal;
mod erf;
mod exp;
mod expand;
mod floats;
mod floor;
mod gather;
mod gather_elements;
mod gelu;
mod gelu_grad;
mod gemm;
mod greater;
mod greater_or_equal;
mod group_norm;
mod hard_sigmoid;
mod hard_swish;
mod hardmax;
mod i_gelu;
mod i_hardswish;
mod i_layer_norm;
mod i_no_norm;
mod i_rms_norm;
mod i_softmax;
mod identity;
mod integer_div;
mod integers;
mod is_nan;
mod ita_max;
mod ita_partial_max;
mod layer_norm;
mod layer_norm_grad;
mod leaky_relu;
mod less;
mod less_or_equal;
mod link;
mod log;
mod log_softmax;
mod lookup;
mod lp_norm;
mod lrn;
mod matmul;
mod max;
mod max_pool;
mod min;
mod mish;
mod modulo;
mod mul;
mod neg;
mod not;
mod one_hot;
mod or;
mod pad;
mod pow;
mod prelu;
mod product;
mod quantize;
mod reciprocal;
mod reduce_common;
mod reduce_l1;
mod reduce_l2;
mod reduce_log_sum;
mod reduce_log_sum_exp;
mod reduce_max;
mod reduce_mean;
mod reduce_min;
mod reduce_prod;
mod reduce_sum;
mod reduce_sum_square;
mod relu;
mod requant_shift;
mod reshape;
mod resize;
mod resize_linear;
mod rms_norm;
mod round;
mod round_to;
mod rows;
#[cfg(test)]
mod rows_tests;
mod select;
mod selu;
mod sgd;
mod sigmoid;
mod sign;
mod sin;
mod sinh;
mod slice;
mod softmax;
mod softmax_grad;
mod softplus;
mod softsign;
mod special;
mod split;
mod sqrt;
mod streamed;
mod strided;
mod sub;
mod tan;
mod tanh;
#[cfg(test)]
mod testing;
mod thresholded_relu;
mod transpose;
mod trilu;
mod true_integer_div;
mod window;
mod xor;

pub use abs::Abs;
pub use acos::Acos;
pub use add::Add;
pub use and::And;
pub use arg_max::ArgMax;
pub use arg_min::ArgMin;
pub use asin::Asin;
pub use atan::Atan;
pub use average_pool::AveragePool;
pub use batch_norm::BatchNorm;
pub use bit_shift::BitShift;
pub use cast::Cast;
pub use ceil::Ceil;
pub use celu::Celu;
pub use chain::{Chain, Link};
pub use clip::Clip;
pub use common::{Bound, Real};
pub use concat::Concat;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use cos::Cos;
pub use cosh::Cosh;
pub use cross_entropy::{CrossEntropy, Reduction};
pub use cross_entropy_grad::CrossEntropyGrad;
pub use cum_sum::CumSum;
pub use dequantize::Dequantize;
pub use div::Div;
pub use elu::Elu;
pub use epilogue::{Activation, Requant};
pub use equal::Equal;
pub use erf::Erf;
pub use exp::Exp;
pub use expand::Expand;
pub use floor::Floor;
pub use gather::Gather;
pub use gather_elements::GatherElements;
pub use gelu::{Approximation, Gelu};
pub use gelu_grad::GeluGrad;
pub use gemm::Gemm;
pub use greater::Greater;
pub use greater_or_equal::GreaterOrEqual;
pub use group_norm::GroupNorm;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use hardmax::Hardmax;
pub use i_gelu::IGelu;
pub use i_hardswish::IHardswish;
pub use i_layer_norm::ILayerNorm;
pub use i_no_norm::INoNorm;
pub use i_rms_norm::IRmsNorm;
pub use i_softmax::ISoftmax;
pub use identity::Identity;
pub use integer_div::IntegerDiv;
pub use is_nan::IsNaN;
pub use ita_max::ItaMax;
pub use ita_partial_max::ItaPartialMax;
pub use layer_norm::LayerNorm;
pub use layer_norm_grad::LayerNormGrad;
pub use leaky_relu::LeakyRelu;
pub use less::Less;
pub use less_or_equal::LessOrEqual;
pub use log::Log;
pub use log_softmax::LogSoftmax;
pub use lookup::Lookup;
pub use lp_norm::LpNorm;
pub use lrn::Lrn;
pub use matmul::MatMul;
pub use max::Max;
pub use max_pool::MaxPool;
pub use min::Min;
pub use mish::Mish;
pub use modulo::Mod;
pub use mul::Mul;
pub use neg::Neg;
pub use not::Not;
pub use one_hot::OneHot;
pub use or::Or;
pub use pad::{Pad, PadMode};
pub use pow::Pow;
pub use prelu::PRelu;
pub use quantize::Quantize;
pub use reciprocal::Reciprocal;
pub use reduce_common::Reduction as ReducedAxes;
pub use reduce_l1::ReduceL1;
pub use reduce_l2::ReduceL2;
pub use reduce_log_sum::ReduceLogSum;
pub use reduce_log_sum_exp::ReduceLogSumExp;
pub use reduce_max::ReduceMax;
pub use reduce_mean::ReduceMean;
pub use reduce_min::ReduceMin;
pub use reduce_prod::ReduceProd;
pub use reduce_sum::ReduceSum;
pub use reduce_sum_square::ReduceSumSquare;
pub use relu::Relu;
pub use requant_shift::RequantShift;
pub use reshape::Reshape;
pub use resize::{Coordinates, Nearest, Resize, Scaling};
pub use resize_linear::ResizeLinear;
pub use rms_norm::RmsNorm;
pub use round::Round;
pub use round_to::{RoundTo, ShortFloat};
pub use select::Where;
pub use selu::Selu;
pub use sgd::Sgd;
pub use sigmoid::Sigmoid;
pub use sign::Sign;
pub use sin::Sin;
pub use sinh::Sinh;
pub use slice::Slice;
pub use softmax::Softmax;
pub use softmax_grad::SoftmaxGrad;
pub use softplus::Softplus;
pub use softsign::Softsign;
pub use split::Split;
pub use sqrt::Sqrt;
pub use streamed::{Source, StreamLink, Streamed};
pub use sub::Sub;
pub use tan::Tan;
pub use tanh::Tanh;
pub use thresholded_relu::ThresholdedRelu;
pub use transpose::Transpose;
pub use trilu::Trilu;
pub use true_integer_div::TrueIntegerDiv;
pub use xor::Xor;

/// Which numbers an operator works on; the front end converts operands accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numeric {
    /// Any element type, operand by operand (data movement).
    Any,
    /// All integer or all float: one float tensor makes integer operands float, and integral float
    /// constants next to integer tensors become integers.
    Unified,
    /// Floats only: integer operands are cast.
    Float,
    /// Integers only (the integer dialects): integral float constants become integers; a float tensor
    /// is an error.
    Integer,
}

/// Named integers, floats, strings and lists: what manifests' predicates and call templates see.
pub type Params = Map<String, Json>;

/// What an operator must say about itself.
pub trait Operator: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Into<Op> {
    /// The IR's name of the operator.
    const NAME: &'static str;
    /// The names in models that import as this operator (possibly delegating to another one).
    const ONNX: &'static [&'static str];
    /// Which numbers it works on.
    const NUMERIC: Numeric;

    /// What a model's node of this name means.
    ///
    /// # Errors
    /// The node breaks the operator's definition or uses a form that is not supported.
    fn import(node: &ImportNode) -> Result<Imported, OpError>;

    /// Operand names, in order, given how many there are.
    fn operand_names(&self, count: usize) -> Vec<String>;

    /// Result names, in order.
    fn result_names(&self) -> Vec<String> {
        vec!["y".into()]
    }

    /// Types of the results.
    ///
    /// # Errors
    /// The operands' types or shapes do not fit the operator.
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError>;

    /// The definition: results from operands. `outputs` are the types from [`Operator::infer`].
    ///
    /// # Errors
    /// An operand's value is outside the definition (an index out of range, say).
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError>;

    /// What kernels need to know beyond operand types. The default is the attributes as they are.
    fn params(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        attributes(self)
    }

    /// Multiply-accumulates of one execution (0 for operators that are not contractions).
    fn macs(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> u64 {
        0
    }

    /// Whether the result needs no computation.
    fn view(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        View::None
    }

    /// The iteration space and what its parts reach; `None` if the results cannot be computed in parts.
    fn space(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> Option<Space> {
        None
    }

    /// The operator that computes a part from operands of types `inputs`, where windows reach `margins` elements of padding
    /// before and behind operand 0 along each axis.
    fn part(&self, _inputs: &[TensorType], _margins: &[(usize, usize)]) -> Self {
        self.clone()
    }
}

fn attributes<T: Serialize>(op: &T) -> Params {
    match serde_json::to_value(op) {
        Ok(Json::Object(map)) => map,
        _ => Params::new(),
    }
}

macro_rules! ops {
    ($($name:ident),* $(,)?) => {
        /// Any operator.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Op {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Op {
                Op::$name(op)
            }
        })*

        impl Op {
            /// The IR's names of all operators.
            pub const NAMES: &'static [&'static str] = &[$($name::NAME),*];

            /// The IR's name of the operator.
            pub fn name(&self) -> &'static str {
                match self { $(Op::$name(_) => $name::NAME,)* }
            }
            /// Every operator name that models may use, in table order.
            pub fn importable() -> impl Iterator<Item = &'static str> {
                [$($name::ONNX),*].into_iter().flatten().copied()
            }
            /// What a model's node means; `None` if no operator imports that name.
            pub fn import(node: &ImportNode) -> Option<Result<Imported, OpError>> {
                $(if $name::ONNX.contains(&node.op_type) {
                    return Some($name::import(node));
                })*
                None
            }
            /// Which numbers the operator works on.
            pub fn numeric(&self) -> Numeric {
                match self { $(Op::$name(_) => $name::NUMERIC,)* }
            }
            /// The attributes, for printing.
            pub fn attributes(&self) -> Params {
                match self { $(Op::$name(op) => attributes(op),)* }
            }
            /// The operator of that IR name with those attributes.
            ///
            /// # Errors
            /// No such operator, or the attributes are not its attributes.
            pub fn from_attributes(name: &str, attributes: Params) -> Result<Op, OpError> {
                $(if name == $name::NAME {
                    return serde_json::from_value::<$name>(Json::Object(attributes))
                        .map(Op::$name)
                        .map_err(|e| OpError::invalid(format!("attributes of {name}: {e}")));
                })*
                Err(OpError::unsupported(format!("there is no operator {name}")))
            }
            /// See [`Operator::operand_names`].
            pub fn operand_names(&self, count: usize) -> Vec<String> {
                match self { $(Op::$name(op) => op.operand_names(count),)* }
            }
            /// See [`Operator::result_names`].
            pub fn result_names(&self) -> Vec<String> {
                match self { $(Op::$name(op) => op.result_names(),)* }
            }
            /// See [`Operator::infer`].
            ///
            /// # Errors
            /// As there.
            pub fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
                match self { $(Op::$name(op) => op.infer(inputs),)* }
            }
            /// See [`Operator::reference`].
            ///
            /// # Errors
            /// As there.
            pub fn reference(
                &self,
                inputs: &[&Value],
                outputs: &[TensorType],
            ) -> Result<Vec<Value>, OpError> {
                match self { $(Op::$name(op) => op.reference(inputs, outputs),)* }
            }
            /// See [`Operator::params`].
            pub fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
                match self { $(Op::$name(op) => op.params(inputs, outputs),)* }
            }
            /// See [`Operator::macs`].
            pub fn macs(&self, inputs: &[TensorType], outputs: &[TensorType]) -> u64 {
                match self { $(Op::$name(op) => op.macs(inputs, outputs),)* }
            }
            /// See [`Operator::space`].
            pub fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
                match self { $(Op::$name(op) => op.space(inputs, outputs),)* }
            }
            /// See [`Operator::part`].
            pub fn part(&self, inputs: &[TensorType], margins: &[(usize, usize)]) -> Op {
                match self { $(Op::$name(op) => Op::$name(op.part(inputs, margins)),)* }
            }
            /// See [`Operator::view`].
            pub fn view(&self, inputs: &[TensorType], outputs: &[TensorType]) -> View {
                match self { $(Op::$name(op) => op.view(inputs, outputs),)* }
            }
        }
    };
}

ops! {
    Abs,
    Acos,
    Add,
    And,
    ArgMax,
    ArgMin,
    Asin,
    Atan,
    AveragePool,
    BitShift,
    Cast,
    Ceil,
    Celu,
    Clip,
    Concat,
    Conv,
    ConvTranspose,
    Cos,
    Cosh,
    CumSum,
    Div,
    Elu,
    Equal,
    Erf,
    Exp,
    Expand,
    Floor,
    Gather,
    GatherElements,
    Gelu,
    Gemm,
    Greater,
    GreaterOrEqual,
    HardSigmoid,
    HardSwish,
    Identity,
    IsNaN,
    LeakyRelu,
    Less,
    LessOrEqual,
    Log,
    MatMul,
    Max,
    MaxPool,
    Min,
    Mish,
    Mod,
    Mul,
    Neg,
    Not,
    OneHot,
    Or,
    PRelu,
    Pad,
    Pow,
    Reciprocal,
    ReduceL1,
    ReduceL2,
    ReduceLogSum,
    ReduceLogSumExp,
    ReduceMax,
    ReduceMean,
    ReduceMin,
    ReduceProd,
    ReduceSum,
    ReduceSumSquare,
    Relu,
    Reshape,
    Resize,
    ResizeLinear,
    Round,
    RoundTo,
    Selu,
    Sigmoid,
    Sign,
    Sin,
    Sinh,
    Slice,
    Softplus,
    Softsign,
    Split,
    Sqrt,
    Sub,
    Tan,
    Tanh,
    ThresholdedRelu,
    Transpose,
    Trilu,
    Where,
    Xor,
    RequantShift,
    ISoftmax,
    IGelu,
    IHardswish,
    IRmsNorm,
    ILayerNorm,
    INoNorm,
    TrueIntegerDiv,
    IntegerDiv,
    ItaMax,
    ItaPartialMax,
    Lookup,
    Quantize,
    Dequantize,
    Softmax,
    LogSoftmax,
    Hardmax,
    LayerNorm,
    RmsNorm,
    GroupNorm,
    BatchNorm,
    LpNorm,
    Lrn,
    CrossEntropy,
    CrossEntropyGrad,
    SoftmaxGrad,
    GeluGrad,
    LayerNormGrad,
    Sgd,
    Chain,
    Streamed,
}
