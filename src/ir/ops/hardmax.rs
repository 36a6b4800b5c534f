//! Hardmax: 1 at the first maximum of each row, 0 elsewhere.
//!
//! A row runs along `span` axes from `axis` on. Before operator set 13 ONNX's operator flattens everything
//! from `axis` (default 1) on into one row; from 13 on a row is one axis (default the last).

use super::rows::{self, row_function};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;

row_function!(Hardmax, first_maximum, {
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, self.span))
    }
});

fn first_maximum(row: &[f64]) -> Vec<f64> {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = i;
        }
    }
    (0..row.len()).map(|i| f64::from(u8::from(i == best))).collect()
}
