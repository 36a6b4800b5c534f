//! Test data becomes what the network takes and gives.
//!
//! In: arrays as files hold them. Out: values of exactly the types of the graph's inputs. Never guesses: an
//! array that does not fit is an error that says how.

use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::frontend::data::{read_npz, read_pb};
use crate::ir::{Graph, TensorType, Value};

use super::cases::DataSet;

/// Arrays by name, in file order.
pub type Arrays = Vec<(String, Value)>;

/// The inputs of a data set.
///
/// # Errors
/// A file cannot be read or holds no arrays.
pub fn read_inputs(set: &DataSet) -> Result<Arrays> {
    match set {
        DataSet::Npz { inputs, .. } => read_npz(inputs),
        DataSet::Protobuf { inputs, .. } => inputs.iter().map(|p| read_pb(p)).collect(),
    }
}

/// The expected outputs of a data set; `None` if it brings none.
///
/// # Errors
/// As [`read_inputs`].
pub fn read_outputs(set: &DataSet) -> Result<Option<Vec<Value>>> {
    let arrays: Arrays = match set {
        DataSet::Npz { outputs: None, .. } => return Ok(None),
        DataSet::Npz { outputs: Some(path), .. } => read_npz(path)?,
        DataSet::Protobuf { outputs, .. } if outputs.is_empty() => return Ok(None),
        DataSet::Protobuf { outputs, .. } => outputs.iter().map(|p| read_pb(p)).collect::<Result<_>>()?,
    };
    Ok(Some(arrays.into_iter().map(|(_, v)| v).collect()))
}

/// Fits arrays to the graph's inputs: by name if every input's name occurs, else in order. Arrays beyond the
/// inputs (values of initialisers, say) are left out with a note.
///
/// # Errors
/// Every array that is missing, has another shape, or holds values its input cannot take.
pub fn bind(graph: &Graph, arrays: &Arrays) -> Result<(Vec<Value>, Diagnostics)> {
    let wanted: Vec<_> = graph.inputs().iter().map(|t| graph.tensor(*t)).collect();
    let mut notes = Diagnostics::default();
    if arrays.len() < wanted.len() {
        let names: Vec<_> = wanted.iter().map(|t| format!("`{}` {}", t.name, t.ty)).collect();
        return Err(Diagnostic::invalid(format!(
            "the network has {} input{}, but {} array{} given",
            wanted.len(),
            if wanted.len() == 1 { "" } else { "s" },
            arrays.len(),
            if arrays.len() == 1 { " is" } else { "s are" },
        ))
        .help(format!("the inputs are {}", names.join(", ")))
        .into());
    }
    if arrays.len() > wanted.len() {
        let extra: Vec<_> = arrays[wanted.len()..].iter().map(|(n, _)| format!("`{n}`")).collect();
        notes.push(
            Diagnostic::invalid(format!(
                "arrays beyond the network's inputs are ignored: {}",
                extra.join(", ")
            ))
            .note(),
        );
    }
    let by_name = wanted.iter().all(|t| arrays.iter().any(|(n, _)| *n == t.name));
    let mut faults = Diagnostics::default();
    let mut values = Vec::new();
    for (i, tensor) in wanted.iter().enumerate() {
        let named = arrays.iter().find(|(n, _)| by_name && *n == tensor.name);
        let (_, array) = named.unwrap_or(&arrays[i]);
        match fit(&tensor.name, &tensor.ty, array) {
            Ok(value) => values.push(value),
            Err(d) => faults.push(d),
        }
    }
    faults.into_result((values, notes))
}

fn fit(name: &str, ty: &TensorType, array: &Value) -> std::result::Result<Value, Diagnostic> {
    if array.shape() != ty.shape {
        return Err(Diagnostic::invalid(format!(
            "input `{name}` has shape {:?}, but its array has shape {:?}",
            ty.shape,
            array.shape()
        )));
    }
    let Some((lo, hi)) = ty.dtype.range() else {
        return Ok(array.cast(ty.dtype));
    };
    if !array.is_integral() {
        let odd = array.to_f64().into_iter().find(|x| x.fract() != 0.0).unwrap_or(f64::NAN);
        return Err(Diagnostic::invalid(format!(
            "input `{name}` is {}, but its array holds {odd}",
            ty.dtype
        ))
        .help(format!(
            "--input-type {name}=float32 makes it a float input, if the network is one of floats"
        )));
    }
    if let Some((min, max)) = array.int_range().filter(|(min, max)| *min < lo || *max > hi) {
        return Err(Diagnostic::invalid(format!(
            "input `{name}` is {} ({lo} to {hi}), but its array holds {min} to {max}",
            ty.dtype
        ))
        .help(format!("--input-type {name}=TYPE chooses another type")));
    }
    Ok(array.cast(ty.dtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text;

    fn graph() -> Graph {
        text::parse("graph g(%a: u8[2], %b: f32[1x2]) -> (y = %y) { %y: f32[1x2] = Relu(%b) }").unwrap()
    }
    fn array(name: &str, shape: &[usize], data: &[f32]) -> (String, Value) {
        (name.to_string(), Value::f32(shape, data.to_vec()).unwrap())
    }

    #[test]
    fn arrays_fit_in_order_or_by_name() {
        let (values, notes) =
            bind(&graph(), &vec![array("x", &[2], &[1.0, 255.0]), array("y", &[1, 2], &[0.5, 1.0])]).unwrap();
        assert_eq!(values[0].int_range(), Some((1, 255)));
        assert!(notes.0.is_empty());
        let (values, notes) = bind(
            &graph(),
            &vec![
                array("b", &[1, 2], &[0.5, 1.0]),
                array("a", &[2], &[1.0, 2.0]),
                array("weights", &[1], &[0.0]),
            ],
        )
        .unwrap();
        assert_eq!(values[0].int_range(), Some((1, 2)));
        assert!(notes.to_string().contains("ignored: `weights`"), "{notes}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let message = |arrays: Vec<(String, Value)>| bind(&graph(), &arrays).unwrap_err().to_string();
        let good = array("y", &[1, 2], &[0.5, 1.0]);
        let m = message(vec![array("x", &[2], &[0.5, 1.0]), good.clone()]);
        assert!(m.contains("input `a` is u8, but its array holds 0.5"), "{m}");
        let m = message(vec![array("x", &[2], &[-1.0, 256.0]), good.clone()]);
        assert!(m.contains("input `a` is u8 (0 to 255), but its array holds -1 to 256"), "{m}");
        let m = message(vec![array("x", &[2, 1], &[1.0, 1.0]), array("y", &[2], &[1.0, 2.0])]);
        assert!(m.contains("`a` has shape [2]") && m.contains("`b` has shape [1, 2]"), "{m}");
        let m = message(vec![good]);
        assert!(m.contains("2 inputs, but 1 array is given") && m.contains("`b` f32[1x2]"), "{m}");
    }
}
