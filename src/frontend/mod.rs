//! The front end: model files in, typed graphs out.
//!
//! In: an ONNX file and what the user says about its inputs. Out: an [`ir::Graph`](crate::ir::Graph) in which every type and
//! shape is static, shape arithmetic is folded away, functions and constant branches are inlined, and integers
//! stored in float tensors are integers. Never optimises (that is what passes do) and never knows targets.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diag::{Diagnostics, Result};
use crate::ir::{DType, Graph, Value};

mod attributes;
mod coerce;
pub mod data;
mod dialects;
mod expression;
mod file;
mod interface;
mod order;
pub mod proto;
mod subgraph;
mod suggest;
mod sweep;
pub mod tensor;

pub use dialects::infer_input_types;
pub use file::{ModelFile, parse_bytes, read_model};
pub use sweep::import;

/// What the user says about a model beyond its file.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// The network's name; without it, the file's.
    pub name: Option<String>,
    /// Element types of inputs, for integers that the file stores as floats.
    pub input_types: BTreeMap<String, DType>,
    /// Shapes of inputs, for dimensions the file leaves open.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// The element type of inputs nobody gave one, in networks of the integer dialect; without it such inputs are
    /// refused.
    pub default_integer: Option<DType>,
    /// Bytes that constants computed while loading may take in all.
    pub fold_limit: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            name: None,
            input_types: BTreeMap::new(),
            shapes: BTreeMap::new(),
            default_integer: None,
            fold_limit: 512 << 20,
        }
    }
}

impl LoadOptions {
    /// Fills in what test arrays (in input order) tell: element types of integers stored as floats, and the
    /// shapes of inputs that the model leaves open. What is already set stays.
    pub fn with_data(mut self, model: &ModelFile, arrays: &[(String, Value)]) -> Self {
        for (name, dtype) in infer_input_types(model, arrays) {
            self.input_types.entry(name).or_insert(dtype);
        }
        for (input, (_, array)) in interface::run_time_inputs(&model.proto).iter().zip(arrays) {
            if interface::Declared::of(input).fixed_shape().is_none() {
                self.shapes.entry(input.name().to_string()).or_insert_with(|| array.shape().to_vec());
            }
        }
        self
    }
}

/// A loaded network.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The network.
    pub graph: Graph,
    /// What is odd about the file, though the network is exact.
    pub warnings: Diagnostics,
    /// Whether the network is of the integer dialect (integers stored as floats).
    pub integer_dialect: bool,
}

/// Reads and imports a model file.
///
/// # Errors
/// The file is not a model, or the network is malformed or not supported: everything found.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded> {
    import(&read_model(path)?, options)
}
