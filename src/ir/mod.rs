//! The intermediate representation: a typed graph of operators on tensors.
//!
//! In: what the front end builds and passes edit. Out: a [`Graph`], checked into a [`Verified`], printable
//! and parseable, executable by the reference interpreter. Never knows ONNX files, targets or C.

pub mod access;
pub mod dtype;
pub mod graph;
pub mod import;
pub mod interp;
pub mod ops;
pub mod patch;
pub mod ranges;
pub mod text;
pub mod value;
pub mod verify;

pub use dtype::DType;
pub use graph::{Graph, Layout, Node, NodeId, Output, QuantParams, Tensor, TensorId, TensorType, Uses};
pub use import::{Attr, Attributes, ImportNode, Imported, OpError, Operand, Source};
pub use ops::Op;
pub use patch::Patch;
pub use value::Value;
pub use verify::Verified;
