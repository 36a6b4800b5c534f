//! Softmax: `exp(x) / sum(exp(x))` per row.
//!
//! A row runs along `span` axes from `axis` on. Before operator set 13 ONNX's operator flattens everything
//! from `axis` (default 1) on into one row; from 13 on a row is one axis (default the last).

use super::floats::softmax;
use super::rows::{self, row_function};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;

row_function!(Softmax, softmax, {
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, self.span))
    }
});
