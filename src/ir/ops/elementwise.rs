//! What elementwise operators share: result types, broadcasting on contiguous slices, and the macros that
//! declare one operator per file.
//!
//! In: operand types and values. Out: result types, result values, broadcast parameters for kernels. Never
//! knows a particular operator.

use std::borrow::Cow;

use ndarray::{ArrayD, IxDyn};
use serde_json::Value as Json;

use super::common::broadcast;
use super::{Identity, Op, Params};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// The elements in row-major order.
pub fn flat<T: Clone>(a: &ArrayD<T>) -> Cow<'_, [T]> {
    match a.as_slice() {
        Some(s) => Cow::Borrowed(s),
        None => Cow::Owned(a.iter().cloned().collect()),
    }
}

/// An array from row-major elements.
///
/// # Errors
/// The number of elements is not the shape's.
pub fn array<T>(shape: &[usize], data: Vec<T>) -> Result<ArrayD<T>, OpError> {
    ArrayD::from_shape_vec(IxDyn(shape), data).map_err(|e| OpError::invalid(e.to_string()))
}

/// The type of sums, differences, products and quotients: floats stay floats, integers of at most 16 bits
/// (and booleans) give s32 so that nothing is lost, wider ones keep their width.
pub fn arithmetic(a: DType, b: DType) -> DType {
    match (a, b) {
        (DType::F32, _) | (_, DType::F32) => DType::F32,
        (DType::S64, _) | (_, DType::S64) => DType::S64,
        (DType::U32, DType::U32) => DType::U32,
        _ => DType::S32,
    }
}

/// The type of a choice between values of two types: the narrower of the two that holds both ranges, else
/// the smallest of s32 and s64 that does.
pub fn common(a: DType, b: DType) -> DType {
    let (Some((al, ah)), Some((bl, bh))) = (a.range(), b.range()) else { return DType::F32 };
    let (lo, hi) = (al.min(bl), ah.max(bh));
    [a, b, DType::S32]
        .into_iter()
        .find(|d| d.range().is_some_and(|(l, h)| l <= lo && hi <= h))
        .unwrap_or(DType::S64)
}

/// Loops over a result and the operands broadcast to it, with as few dimensions as possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Extent of each loop, outermost first; at least one.
    pub dims: Vec<usize>,
    /// For each operand, its stride (in elements) per loop; 0 where it repeats.
    pub strides: Vec<Vec<usize>>,
}

impl Broadcast {
    /// The loops for operands of the given shapes, all of which broadcast to `out`.
    pub fn new(out: &[usize], operands: &[&[usize]]) -> Self {
        let mut dims: Vec<usize> = Vec::new();
        let mut repeats: Vec<Vec<bool>> = Vec::new();
        for (i, &n) in out.iter().enumerate().filter(|(_, n)| **n != 1) {
            let dim = |s: &&[usize]| if i + s.len() < out.len() { 1 } else { s[i + s.len() - out.len()] };
            let repeat: Vec<bool> = operands.iter().map(|s| dim(s) == 1).collect();
            match (dims.last_mut(), repeats.last()) {
                (Some(d), Some(r)) if *r == repeat => *d *= n,
                _ => {
                    dims.push(n);
                    repeats.push(repeat);
                }
            }
        }
        if dims.is_empty() {
            dims.push(1);
            repeats.push(vec![false; operands.len()]);
        }
        let strides = (0..operands.len())
            .map(|k| {
                let mut step = 1;
                let mut s = vec![0; dims.len()];
                for i in (0..dims.len()).rev().filter(|i| !repeats[*i][k]) {
                    s[i] = step;
                    step *= dims[i];
                }
                s
            })
            .collect();
        Broadcast { dims, strides }
    }

    /// Calls `row` with the operands' offsets at the start of each innermost row.
    fn rows(&self, mut row: impl FnMut(&[usize])) {
        let outer = self.dims.len() - 1;
        if self.dims.contains(&0) {
            return;
        }
        let mut index = vec![0; outer];
        let mut offsets = vec![0; self.strides.len()];
        loop {
            row(&offsets);
            let mut d = outer;
            loop {
                if d == 0 {
                    return;
                }
                d -= 1;
                index[d] += 1;
                for (o, s) in offsets.iter_mut().zip(&self.strides) {
                    *o += s[d];
                }
                if index[d] < self.dims[d] {
                    break;
                }
                for (o, s) in offsets.iter_mut().zip(&self.strides) {
                    *o -= s[d] * self.dims[d];
                }
                index[d] = 0;
            }
        }
    }

    /// Applies `f` to every pair.
    pub fn zip2<A: Copy, B: Copy, R>(&self, a: &[A], b: &[B], f: impl Fn(A, B) -> R) -> Vec<R> {
        let n = self.dims[self.dims.len() - 1];
        let mut out = Vec::with_capacity(self.dims.iter().product());
        let (sa, sb) = (self.strides[0][self.dims.len() - 1], self.strides[1][self.dims.len() - 1]);
        self.rows(|o| match (sa, sb) {
            (1, 1) => out.extend(a[o[0]..o[0] + n].iter().zip(&b[o[1]..o[1] + n]).map(|(x, y)| f(*x, *y))),
            (0, 1) => out.extend(b[o[1]..o[1] + n].iter().map(|y| f(a[o[0]], *y))),
            _ => out.extend((0..n).map(|i| f(a[o[0] + i * sa], b[o[1] + i * sb]))),
        });
        out
    }

    /// Applies `f` to every triple.
    pub fn zip3<A: Copy, B: Copy, C: Copy, R>(
        &self,
        a: &[A],
        b: &[B],
        c: &[C],
        f: impl Fn(A, B, C) -> R,
    ) -> Vec<R> {
        let n = self.dims[self.dims.len() - 1];
        let mut out = Vec::with_capacity(self.dims.iter().product());
        let s: Vec<usize> = self.strides.iter().map(|s| s[self.dims.len() - 1]).collect();
        self.rows(|o| {
            out.extend((0..n).map(|i| f(a[o[0] + i * s[0]], b[o[1] + i * s[1]], c[o[2] + i * s[2]])));
        });
        out
    }

    /// `dims`, `NAME_strides` for each name, and `loops`.
    pub fn params(&self, names: &[&str]) -> Params {
        let mut p = Params::new();
        p.insert("loops".into(), self.dims.len().into());
        p.insert("dims".into(), json(&self.dims));
        for (name, s) in names.iter().zip(&self.strides) {
            p.insert(format!("{name}_strides"), json(s));
        }
        p
    }
}

/// A list of integers as JSON.
pub fn json(list: &[usize]) -> Json {
    list.iter().copied().map(Json::from).collect()
}

/// The shape of two broadcast operands.
///
/// # Errors
/// They do not broadcast.
pub fn binary_shape(inputs: &[TensorType]) -> Result<Vec<usize>, OpError> {
    broadcast(&inputs[0].shape, &inputs[1].shape)
}

/// What kernels of two-operand operators see: the loops, and whether an operand is one element or has the
/// result's shape. Operands beyond the second are not elementwise.
pub fn binary_params(inputs: &[TensorType], outputs: &[TensorType]) -> Params {
    let (a, b, y) = (&inputs[0], &inputs[1], &outputs[0]);
    let mut p = Broadcast::new(&y.shape, &[&a.shape, &b.shape]).params(&["a", "b"]);
    let full = a.elements() == y.elements() && b.elements() == y.elements();
    p.insert("elements".into(), y.elements().into());
    p.insert("same_shape".into(), full.into());
    p.insert("a_scalar".into(), (a.elements() == 1).into());
    p.insert("b_scalar".into(), (b.elements() == 1).into());
    p
}

/// Applies a float function to two broadcast operands.
///
/// # Errors
/// The result's shape is not the broadcast one.
pub fn binary_f32<R>(
    a: &Value,
    b: &Value,
    y: &TensorType,
    f: impl Fn(f32, f32) -> R,
) -> Result<ArrayD<R>, OpError> {
    let loops = Broadcast::new(&y.shape, &[a.shape(), b.shape()]);
    let (a, b) = (a.to_f32(), b.to_f32());
    array(&y.shape, loops.zip2(&flat(&a), &flat(&b), f))
}

/// Applies an integer function to two broadcast operands.
///
/// # Errors
/// The result's shape is not the broadcast one.
pub fn binary_i64<R>(
    a: &Value,
    b: &Value,
    y: &TensorType,
    f: impl Fn(i64, i64) -> R,
) -> Result<ArrayD<R>, OpError> {
    let loops = Broadcast::new(&y.shape, &[a.shape(), b.shape()]);
    let (a, b) = (a.to_i64(), b.to_i64());
    array(&y.shape, loops.zip2(&flat(&a), &flat(&b), f))
}

/// Whether any operand holds floats.
pub fn any_float(inputs: &[&Value]) -> bool {
    inputs.iter().any(|v| v.dtype().is_float())
}

/// Checks that all operands are of one kind: all floats, or none.
///
/// # Errors
/// Floats and integers are mixed.
pub fn one_kind(inputs: &[TensorType]) -> Result<(), OpError> {
    let floats = inputs.iter().filter(|t| t.dtype.is_float()).count();
    if floats == 0 || floats == inputs.len() {
        Ok(())
    } else {
        Err(OpError::invalid("operands mix floats and integers"))
    }
}

/// Checks that a single operand holds floats.
///
/// # Errors
/// It does not.
pub fn float_operand(inputs: &[TensorType]) -> Result<(), OpError> {
    if inputs[0].dtype.is_float() {
        Ok(())
    } else {
        Err(OpError::invalid(format!("takes floats, not {}", inputs[0].dtype)))
    }
}

/// Checks that all operands are booleans.
///
/// # Errors
/// One is not.
pub fn bool_operands(inputs: &[TensorType]) -> Result<(), OpError> {
    match inputs.iter().find(|t| t.dtype != DType::Bool) {
        None => Ok(()),
        Some(t) => Err(OpError::invalid(format!("takes booleans, not {}", t.dtype))),
    }
}

/// Imports a node with exactly two operands.
///
/// # Errors
/// An operand is missing.
pub fn import_two(op: impl Into<Op>, node: &ImportNode) -> Result<Imported, OpError> {
    node.required(0)?;
    node.required(1)?;
    Ok(Imported::new(op, vec![Source::Input(0), Source::Input(1)]))
}

/// Imports a node with any number of operands as a chain `op(op(x0, x1), x2)…`; one operand is itself.
///
/// # Errors
/// There is no operand.
pub fn import_chain(op: impl Into<Op>, node: &ImportNode) -> Result<Imported, OpError> {
    node.required(0)?;
    let op: Op = op.into();
    let mut rest = node.all().into_iter();
    let mut left = rest.next();
    let mut chain = None;
    for right in rest {
        let first = left.take().or_else(|| chain.take().map(|c| Source::Node(Box::new(c))));
        chain = first.map(|first| Imported::new(op.clone(), vec![first, right]));
    }
    Ok(chain.unwrap_or_else(|| Imported::new(Identity {}, vec![Source::Input(0)])))
}

/// Declares an elementwise operator on floats: `Name, ["OnnxName"], { attribute = default }, |op, x| result`.
macro_rules! unary_float {
    ($name:ident, [$($onnx:literal),*], { $($attr:ident = $default:expr),* }, |$op:pat_param, $x:ident| $body:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                /// The attribute of the same name.
                pub $attr: super::common::Real,
            )*
        }

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[$($onnx),*];
            const NUMERIC: super::Numeric = super::Numeric::Float;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                node.required(0)?;
                let op = $name {
                    $($attr: super::common::Real(node.attributes.float_or(stringify!($attr), $default)?),)*
                };
                Ok(crate::ir::import::Imported::new(op, vec![crate::ir::import::Source::Input(0)]))
            }
            fn operand_names(&self, _count: usize) -> Vec<String> {
                vec!["x".into()]
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 1, 1)?;
                super::elementwise::float_operand(inputs)?;
                Ok(inputs.to_vec())
            }
            super::common::broadcasts!();
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                _outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                let $op = self;
                let y = inputs[0].to_f32().mapv(|$x: f32| -> f32 { $body });
                Ok(vec![crate::ir::value::Value::F32(y)])
            }
        }
    };
}
pub(super) use unary_float;

/// Within the `Operator` of one with two operands that broadcast: their names, and what follows from their shapes.
macro_rules! two_operands {
    () => {
        fn operand_names(&self, _count: usize) -> Vec<String> {
            vec!["a".into(), "b".into()]
        }
        super::common::broadcasts!();
        fn params(
            &self,
            inputs: &[crate::ir::graph::TensorType],
            outputs: &[crate::ir::graph::TensorType],
        ) -> super::Params {
            super::elementwise::binary_params(inputs, outputs)
        }
    };
}
pub(super) use two_operands;

/// Declares a two-operand operator on all floats or all integers (computed in 64 bits, then wrapped):
/// `Name, ["OnnxName"], result_type, |a, b| float, |a, b| integer, import_function`.
macro_rules! binary {
    ($name:ident, [$($onnx:literal),*], $dtype:expr, |$a:ident, $b:ident| $float:expr, |$i:ident, $j:ident| $int:expr, $import:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[$($onnx),*];
            const NUMERIC: super::Numeric = super::Numeric::Unified;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                $import($name {}, node)
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 2, 2)?;
                super::elementwise::one_kind(inputs)?;
                let shape = super::elementwise::binary_shape(inputs)?;
                let dtype = $dtype(inputs[0].dtype, inputs[1].dtype);
                Ok(vec![crate::ir::graph::TensorType::new(dtype, shape)])
            }
            super::elementwise::two_operands!();
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                use crate::ir::value::Value;
                let (a, b, y) = (inputs[0], inputs[1], &outputs[0]);
                Ok(vec![if super::elementwise::any_float(inputs) {
                    let f = |$a: f32, $b: f32| -> f32 { $float };
                    Value::F32(super::elementwise::binary_f32(a, b, y, f)?)
                } else {
                    let f = |$i: i64, $j: i64| -> i64 { $int };
                    Value::from_i64_wrapping(super::elementwise::binary_i64(a, b, y, f)?, y.dtype)
                }])
            }
        }
    };
}
pub(super) use binary;

/// Declares a comparison of two operands (all floats or all integers) giving booleans:
/// `Name, |a, b| result`.
macro_rules! comparison {
    ($name:ident, |$a:ident, $b:ident| $body:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[stringify!($name)];
            const NUMERIC: super::Numeric = super::Numeric::Unified;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                super::elementwise::import_two($name {}, node)
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 2, 2)?;
                super::elementwise::one_kind(inputs)?;
                let shape = super::elementwise::binary_shape(inputs)?;
                Ok(vec![crate::ir::graph::TensorType::new(crate::ir::dtype::DType::Bool, shape)])
            }
            super::elementwise::two_operands!();
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                let (a, b, y) = (inputs[0], inputs[1], &outputs[0]);
                let bits = if super::elementwise::any_float(inputs) {
                    super::elementwise::binary_f32(a, b, y, |$a: f32, $b: f32| $body)?
                } else {
                    super::elementwise::binary_i64(a, b, y, |$a: i64, $b: i64| $body)?
                };
                Ok(vec![crate::ir::value::Value::Bool(bits)])
            }
        }
    };
}
pub(super) use comparison;

/// Declares a logical operator on two boolean operands: `Name, |a, b| result`.
macro_rules! logical {
    ($name:ident, |$a:ident, $b:ident| $body:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[stringify!($name)];
            const NUMERIC: super::Numeric = super::Numeric::Any;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                super::elementwise::import_two($name {}, node)
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 2, 2)?;
                super::elementwise::bool_operands(inputs)?;
                let shape = super::elementwise::binary_shape(inputs)?;
                Ok(vec![crate::ir::graph::TensorType::new(crate::ir::dtype::DType::Bool, shape)])
            }
            super::elementwise::two_operands!();
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                let f = |$a: i64, $b: i64| ($body) != 0;
                let bits = super::elementwise::binary_i64(inputs[0], inputs[1], &outputs[0], f)?;
                Ok(vec![crate::ir::value::Value::Bool(bits)])
            }
        }
    };
}
pub(super) use logical;

/// Declares an elementwise operator on any numbers: `Name, |dtype| result_type, |x| float, |x| integer`.
macro_rules! unary_any {
    ($name:ident, $dtype:expr, |$x:ident| $float:expr, |$i:ident| $int:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[stringify!($name)];
            const NUMERIC: super::Numeric = super::Numeric::Any;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                node.required(0)?;
                Ok(crate::ir::import::Imported::new($name {}, vec![crate::ir::import::Source::Input(0)]))
            }
            fn operand_names(&self, _count: usize) -> Vec<String> {
                vec!["x".into()]
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 1, 1)?;
                let dtype = $dtype(inputs[0].dtype);
                Ok(vec![crate::ir::graph::TensorType::new(dtype, inputs[0].shape.clone())])
            }
            super::common::broadcasts!();
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                use crate::ir::value::Value;
                Ok(vec![match inputs[0] {
                    Value::F32(a) => Value::F32(a.mapv(|$x: f32| -> f32 { $float })),
                    other => {
                        let y = other.to_i64().mapv(|$i: i64| -> i64 { $int });
                        Value::from_i64_wrapping(y, outputs[0].dtype)
                    }
                }])
            }
        }
    };
}
pub(super) use unary_any;
