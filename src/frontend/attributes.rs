//! Attributes of a model file's nodes, free of the file format.
//!
//! In: attribute records. Out: [`Attributes`]. Subgraphs are left to the control-flow code. Never
//! gives defaults: operators do.

use std::path::Path;

use super::proto::{AttributeProto, NodeProto, attribute_type as kind};
use super::tensor;
use crate::ir::{Attr, Attributes, OpError};

/// All attributes of a node but its subgraphs; sparse tensors above `limit` bytes are refused.
///
/// # Errors
/// An attribute is malformed or of a kind that is not supported.
pub fn convert(node: &NodeProto, folder: Option<&Path>, limit: usize) -> Result<Attributes, OpError> {
    let mut attributes = Attributes::default();
    for a in &node.attribute {
        let about = |mut e: OpError| {
            e.message = format!("attribute `{}` {}", a.name(), e.message);
            e
        };
        let Some(value) = attribute(a, folder, limit).map_err(about)? else { continue };
        if attributes.0.insert(a.name().to_string(), value).is_some() {
            return Err(OpError::invalid(format!("attribute `{}` is given twice", a.name())));
        }
    }
    Ok(attributes)
}

/// The kind of an attribute; files older than format version 2 leave it to be guessed.
fn kind_of(a: &AttributeProto) -> i32 {
    match a.r#type {
        Some(known) if known != 0 => known,
        _ if a.f.is_some() => kind::FLOAT,
        _ if a.i.is_some() => kind::INT,
        _ if a.s.is_some() => kind::STRING,
        _ if a.t.is_some() => kind::TENSOR,
        _ if a.g.is_some() => kind::GRAPH,
        _ if !a.floats.is_empty() => kind::FLOATS,
        _ if !a.strings.is_empty() => kind::STRINGS,
        _ => kind::INTS,
    }
}

fn attribute(a: &AttributeProto, folder: Option<&Path>, limit: usize) -> Result<Option<Attr>, OpError> {
    if let Some(name) = a.ref_attr_name.as_deref().filter(|n| !n.is_empty()) {
        return Err(OpError::invalid(format!("refers to the attribute `{name}` outside of a function")));
    }
    let text = |s: &[u8]| {
        std::str::from_utf8(s).map(str::to_string).map_err(|_| OpError::invalid("is not UTF-8 text"))
    };
    let missing = || OpError::invalid("has no value");
    Ok(Some(match kind_of(a) {
        // Numbers that are zero may be left out of the file.
        kind::FLOAT => Attr::Float(a.f.unwrap_or(0.0)),
        kind::INT => Attr::Int(a.i.unwrap_or(0)),
        kind::STRING => Attr::Str(text(a.s.as_deref().unwrap_or(&[]))?),
        kind::TENSOR => Attr::Tensor(tensor::value(a.t.as_ref().ok_or_else(missing)?, folder)?),
        kind::SPARSE_TENSOR => {
            Attr::Tensor(tensor::dense(a.sparse_tensor.as_ref().ok_or_else(missing)?, folder, limit)?)
        }
        kind::FLOATS => Attr::Floats(a.floats.clone()),
        kind::INTS => Attr::Ints(a.ints.clone()),
        kind::STRINGS => Attr::Strs(a.strings.iter().map(|s| text(s)).collect::<Result<_, _>>()?),
        kind::GRAPH => return Ok(None),
        other => return Err(OpError::unsupported(format!("is of kind {other}, which is not supported"))),
    }))
}
