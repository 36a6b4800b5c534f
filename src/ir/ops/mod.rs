//! The operators: one file each, listed in one table.
//!
//! In: attributes, operand types, operand values. Out: results' types and values, and the parameters that
//! kernels are chosen and filled by. An operator never knows targets, kernels or C.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::graph::TensorType;
use super::import::{ImportNode, Imported, OpError};
use super::value::Value;

mod average_pool;
mod common;
mod contraction;
mod conv;
mod conv_transpose;
pub mod epilogue;
mod gemm;
mod matmul;
mod max_pool;
mod product;
mod relu;
#[cfg(test)]
mod testing;
mod window;

pub use average_pool::AveragePool;
pub use common::Real;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use epilogue::{Activation, Requant};
pub use gemm::Gemm;
pub use matmul::MatMul;
pub use max_pool::MaxPool;
pub use relu::Relu;

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

/// Whether a result is just another name for bytes of the operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// It is computed.
    None,
    /// Result 0 has operand 0's bytes, `offset` elements in.
    Of {
        /// Elements skipped at the start of operand 0.
        offset: usize,
    },
    /// Result 0 is its operands end to end; operand `i` starts `offsets[i]` elements in.
    Joined {
        /// Start of each operand in the result, in elements.
        offsets: Vec<usize>,
    },
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
            /// See [`Operator::view`].
            pub fn view(&self, inputs: &[TensorType], outputs: &[TensorType]) -> View {
                match self { $(Op::$name(op) => op.view(inputs, outputs),)* }
            }
        }
    };
}

ops! {
    AveragePool,
    Conv,
    ConvTranspose,
    Gemm,
    MatMul,
    MaxPool,
    Relu,
}
