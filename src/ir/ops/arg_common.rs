//! What ArgMax and ArgMin share. In: a comparison. Out: an operator giving s64 indices. Never orders NaN.

/// Declares the operator: `Name, |candidate, best| candidate is better`.
macro_rules! arg_op {
    ($name:ident, |$x:ident, $best:ident| $better:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The axis searched.
            pub axis: usize,
            /// Whether it stays as an axis of extent 1.
            pub keepdims: bool,
            /// The last of several equals, not the first.
            pub select_last_index: bool,
        }

        impl $name {
            fn reduction(&self) -> super::reduce_common::Reduction {
                super::reduce_common::Reduction { axes: vec![self.axis], keepdims: self.keepdims }
            }
        }

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[stringify!($name)];
            const NUMERIC: super::Numeric = super::Numeric::Any;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                let rank = node.required(0)?.ty.rank();
                let op = $name {
                    axis: super::common::axis(node.attributes.int_or("axis", 0)?, rank)?,
                    keepdims: node.attributes.int_or("keepdims", 1)? != 0,
                    select_last_index: node.attributes.int_or("select_last_index", 0)? != 0,
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
                let shape = self.reduction().shape(&inputs[0])?;
                if inputs[0].shape[self.axis] == 0 {
                    return Err(crate::ir::import::OpError::invalid("searches an empty axis"));
                }
                Ok(vec![crate::ir::graph::TensorType::new(crate::ir::dtype::DType::S64, shape)])
            }
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                let last = self.select_last_index;
                fn find<T: PartialOrd + Copy>(row: &[T], last: bool) -> i64 {
                    let mut at = 0;
                    for (i, v) in row.iter().enumerate() {
                        let ($x, $best) = (*v, row[at]);
                        if $better || (last && $x == $best) {
                            at = i;
                        }
                    }
                    at as i64
                }
                let reduction = self.reduction();
                let y = &outputs[0].shape;
                Ok(vec![crate::ir::value::Value::S64(match inputs[0] {
                    crate::ir::value::Value::F32(a) => reduction.fold(a, y, |row| find(row, last))?,
                    other => reduction.fold(&other.to_i64(), y, |row| find(row, last))?,
                })])
            }
            fn params(
                &self,
                inputs: &[crate::ir::graph::TensorType],
                _outputs: &[crate::ir::graph::TensorType],
            ) -> super::Params {
                let shape = &inputs[0].shape;
                let mut p = super::attributes(self);
                p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
                p.insert("size".into(), shape[self.axis].into());
                p.insert("inner".into(), shape[self.axis + 1..].iter().product::<usize>().into());
                p
            }
        }
    };
}
pub(super) use arg_op;
