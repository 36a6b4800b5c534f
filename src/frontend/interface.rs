//! A model's interface: operator sets, inputs and declared types.
//!
//! In: a model's records and the user's options. Out: the operator-set version, typed run-time inputs,
//! declared types. Never looks at nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::proto::{ModelProto, OperatorSetIdProto, ValueInfoProto, dimension, type_proto};
use super::suggest::nearest;
use super::{LoadOptions, tensor};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::{DType, OpError, TensorType};

/// Versions of the default operator set that are understood.
pub const OPSETS: std::ops::RangeInclusive<i64> = 7..=28;

/// Operator domains that are understood; operators are looked up by name in all of them alike.
const DOMAINS: [&str; 4] = ["", "com.microsoft", "PACTOps", "ai.onnx.contrib"];

/// The domain without its alternative spellings.
pub fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

/// Whether operators of that domain are understood.
pub fn is_known_domain(name: &str) -> bool {
    DOMAINS.contains(&domain(name))
}

/// The version of the default operator set.
///
/// # Errors
/// It is missing, or not supported.
pub fn opset(imports: &[OperatorSetIdProto]) -> std::result::Result<i64, Diagnostic> {
    let (oldest, newest) = (OPSETS.start(), OPSETS.end());
    let versions = imports.iter().filter(|o| domain(o.domain()).is_empty()).map(|o| o.version());
    let Some(version) = versions.max() else {
        // A file may use other domains only, or predate operator sets.
        return if imports.is_empty() {
            Err(Diagnostic::invalid("the model names no operator set")
                .help(format!("export it with an operator set from {oldest} to {newest}")))
        } else {
            Ok(*newest)
        };
    };
    if OPSETS.contains(&version) {
        Ok(version)
    } else {
        Err(Diagnostic::unsupported(format!(
            "the model uses operator set {version}; {oldest} to {newest} are supported"
        ))
        .help(format!(
            "convert it: onnx.version_converter.convert_version(model, {})",
            version.clamp(*oldest, *newest)
        )))
    }
}

/// A type as the file declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The file's number of the element type, 0 if there is none.
    pub code: i32,
    /// The element type.
    pub dtype: std::result::Result<DType, OpError>,
    /// Dimensions, `None` (or a name) where open; `None` when even the rank is.
    pub dims: Option<Vec<Dim>>,
}

/// A dimension as the file declares it.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim {
    /// A number.
    Fixed(i64),
    /// A name, or empty.
    Open(String),
}

impl Declared {
    /// What the record says.
    pub fn of(info: &ValueInfoProto) -> Declared {
        let not_a_tensor = || OpError::unsupported("is not a tensor");
        match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(type_proto::Value::TensorType(t)) => Declared {
                code: t.elem_type(),
                dtype: tensor::run_time_type(t.elem_type()),
                dims: t.shape.as_ref().map(|s| {
                    let dim = |d: &super::proto::Dimension| match &d.value {
                        Some(dimension::Value::DimValue(n)) => Dim::Fixed(*n),
                        Some(dimension::Value::DimParam(name)) => Dim::Open(name.clone()),
                        None => Dim::Open(String::new()),
                    };
                    s.dim.iter().map(dim).collect()
                }),
            },
            Some(_) => Declared { code: 0, dtype: Err(not_a_tensor()), dims: None },
            None => Declared { code: 0, dtype: Err(OpError::invalid("has no declared type")), dims: None },
        }
    }
    /// The shape, if every dimension is a number (negative ones count as open: some exporters write -1).
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        let fixed = |d: &Dim| match d {
            Dim::Fixed(n) => usize::try_from(*n).ok(),
            Dim::Open(_) => None,
        };
        self.dims.as_ref()?.iter().map(fixed).collect()
    }
    /// The type, if all of it is declared.
    pub fn fixed(&self) -> Option<TensorType> {
        let shape = self.fixed_shape().filter(|s| tensor::count(s).is_some())?;
        Some(TensorType::new(self.dtype.clone().ok()?, shape))
    }
    /// Whether `shape` contradicts the declaration.
    pub fn contradicts(&self, shape: &[usize]) -> bool {
        self.dims.as_ref().is_some_and(|dims| {
            dims.len() != shape.len()
                || dims
                    .iter()
                    .zip(shape)
                    .any(|(d, s)| matches!(d, Dim::Fixed(n) if *n >= 0 && *n as u64 != *s as u64))
        })
    }
}

impl std::fmt::Display for Dim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Dim::Fixed(n) => write!(f, "{n}"),
            Dim::Open(name) if name.is_empty() => f.write_str("?"),
            Dim::Open(name) => f.write_str(name),
        }
    }
}

/// The graph's inputs that are not initialisers, in order.
pub fn run_time_inputs(model: &ModelProto) -> Vec<&ValueInfoProto> {
    let Some(graph) = &model.graph else { return Vec::new() };
    let sparse = graph.sparse_initializer.iter().filter_map(|s| s.values.as_ref());
    let constants: BTreeSet<&str> = graph.initializer.iter().chain(sparse).map(|t| t.name()).collect();
    graph.input.iter().filter(|i| !constants.contains(i.name())).collect()
}

/// A run-time input with its resolved type.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: TensorType,
    /// The file's number of its element type.
    pub code: i32,
    /// The file declares floats and the user said nothing about them.
    pub untyped: bool,
    /// The file declares floats, the user says integers.
    pub stored: bool,
}

/// The run-time inputs.
///
/// # Errors
/// Open dimensions, unsupported types, duplicates, options that name no input: all of them.
pub fn inputs(model: &ModelProto, options: &LoadOptions, warnings: &mut Diagnostics) -> Result<Vec<Input>> {
    let infos = run_time_inputs(model);
    let mut found = Diagnostics::default();
    let names: BTreeMap<&str, usize> = infos.iter().enumerate().map(|(i, info)| (info.name(), i)).collect();
    for (option, name) in (options.shapes.keys().map(|n| ("--shape", n)))
        .chain(options.input_types.keys().map(|n| ("--input-type", n)))
        .filter(|(_, n)| !names.contains_key(n.as_str()))
    {
        found.push(unknown_input(option, name, &names));
    }
    let mut inputs = Vec::with_capacity(infos.len());
    for (i, info) in infos.iter().enumerate() {
        if names.get(info.name()) != Some(&i) {
            found.push(Diagnostic::invalid(format!("input `{}` is declared twice", info.name())));
            continue;
        }
        match input(info, options, warnings) {
            Ok(input) => inputs.push(input),
            Err(d) => found.push(d),
        }
    }
    found.into_result(inputs)
}

fn unknown_input(option: &str, name: &str, names: &BTreeMap<&str, usize>) -> Diagnostic {
    let d = Diagnostic::invalid(format!("{option} names `{name}`, which is not an input of the model"));
    match nearest(name, names.keys().copied()) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => {
            let some: Vec<String> = names.keys().take(8).map(|n| format!("`{n}`")).collect();
            d.help(format!("its inputs are {}", some.join(", ")))
        }
    }
}

fn input(
    info: &ValueInfoProto,
    options: &LoadOptions,
    warnings: &mut Diagnostics,
) -> std::result::Result<Input, Diagnostic> {
    let name = info.name();
    let declared = Declared::of(info);
    let asked = options.input_types.get(name).copied();
    let about = |e: OpError| Diagnostic::new(e.kind, format!("input `{name}` {}", e.message));
    let dtype = match (&declared.dtype, asked) {
        (_, Some(dtype)) => dtype,
        (Ok(dtype), None) => *dtype,
        (Err(e), None) => {
            let widened = tensor::element_type(declared.code);
            let help = |dtype| format!("--input-type {name}={dtype} takes the same numbers in a wider type");
            let d = about(e.clone());
            return Err(widened.map_or(d.clone(), |dtype| d.help(help(dtype))));
        }
    };
    let floats = declared.dtype == Ok(DType::F32);
    let shape = match options.shapes.get(name) {
        Some(shape) => {
            if declared.dims.as_ref().is_some_and(|d| d.len() != shape.len()) {
                return Err(Diagnostic::invalid(format!(
                    "input `{name}` has {} dimensions; --shape gives {}",
                    declared.dims.as_ref().map_or(0, Vec::len),
                    shape.len()
                )));
            }
            if declared.contradicts(shape) {
                let said = declared.dims.iter().flatten().map(Dim::to_string).collect::<Vec<_>>().join(",");
                warnings.push(
                    Diagnostic::invalid(format!("input `{name}` is declared {said}; --shape overrides it"))
                        .warning(),
                );
            }
            shape.clone()
        }
        None => declared.fixed_shape().ok_or_else(|| open_shape(name, &declared))?,
    };
    if tensor::count(&shape).is_none() {
        return Err(Diagnostic::invalid(format!(
            "input `{name}` has shape {shape:?}, more than 2^31 elements"
        )));
    }
    Ok(Input {
        name: name.to_string(),
        ty: TensorType::new(dtype, shape),
        code: declared.code,
        untyped: floats && asked.is_none(),
        stored: floats && dtype.is_int(),
    })
}

fn open_shape(name: &str, declared: &Declared) -> Diagnostic {
    let Some(dims) = &declared.dims else {
        return Diagnostic::invalid(format!("input `{name}` has no declared shape"))
            .help(format!("say what it is, for example --shape {name}=1,3,32,32"));
    };
    let said: Vec<String> = dims.iter().map(Dim::to_string).collect();
    let example: Vec<String> = (dims.iter())
        .map(|d| match d {
            Dim::Fixed(n) if *n >= 0 => n.to_string(),
            _ => "1".to_string(),
        })
        .collect();
    Diagnostic::invalid(format!("input `{name}` has the dynamic shape [{}]", said.join(", ")))
        .help(format!("bind it, for example --shape {name}={}", example.join(",")))
}
