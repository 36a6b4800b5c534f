//! The forward sweep: every node once, in execution order, from model records to IR.
//!
//! In: a model file and the user's options. Out: a typed graph, or every fault found. A node whose
//! operands failed is looked at as far as declared types allow, so that one run lists all faults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::interface::{self, Declared, Input};
use super::order::{self, label};
use super::proto::{FunctionProto, GraphProto, NodeProto};
use super::suggest::nearest;
use super::{LoadOptions, Loaded, ModelFile, attributes, dialects, tensor};
use crate::diag::{Diagnostic, Diagnostics, Kind, Result};
use crate::ir::{
    Attr, Attributes, DType, Graph, ImportNode, Op, OpError, Operand, Patch, Tensor, TensorId, TensorType,
    Value,
};

/// Nodes visited at most, inlined functions included.
const MAX_NODES: usize = 50_000;
/// Operands of one node at most (imports may nest one operator per operand).
const MAX_OPERANDS: usize = 512;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A tensor.
    Known(TensorId),
    /// An operand the caller of a function left out.
    Omitted,
    /// The result of a node that failed; the fault is already reported.
    Failed,
    /// A result the operator does not give: a fault only if somebody reads it.
    Missing(Box<Diagnostic>),
}

/// Names visible to a list of nodes.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub values: BTreeMap<String, Binding>,
    /// Whether names outside are invisible (function bodies; branches see outer names).
    pub sealed: bool,
}

/// What holds for a list of nodes.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Version of the default operator set.
    pub opset: i64,
    /// Put before names of nodes and tensors.
    pub prefix: String,
    /// How deep functions and branches are nested.
    pub depth: usize,
}

/// Why a node gave no results.
pub(super) enum Failure {
    /// A fault of this node.
    Fault(OpError),
    /// The fault is reported elsewhere.
    Reported,
}

impl From<OpError> for Failure {
    fn from(e: OpError) -> Self {
        Failure::Fault(e)
    }
}

/// The state of the sweep.
pub(super) struct Sweep<'m> {
    pub options: &'m LoadOptions,
    pub folder: Option<PathBuf>,
    pub functions: BTreeMap<(&'m str, &'m str, &'m str), &'m FunctionProto>,
    pub patch: Patch<'m>,
    pub found: Diagnostics,
    pub scopes: Vec<Scope>,
    /// Types the model declares, for the outermost graph.
    pub declared: BTreeMap<&'m str, Declared>,
    /// The model's numbers of the element types of inputs and initialisers.
    pub codes: BTreeMap<TensorId, i32>,
    /// Whether the model uses integer-dialect operators.
    pub integer: bool,
    /// Whether QuantLib's exporter wrote the model.
    pub quantlib: bool,
    /// Integer tensors that the model believes to be float.
    pub stored: BTreeSet<TensorId>,
    /// Tensors that stand in for results of failed nodes.
    pub stand_ins: BTreeSet<TensorId>,
    /// Run-time operands of the producer of each run-time tensor.
    pub behind: BTreeMap<TensorId, Vec<TensorId>>,
    /// Float inputs nobody gave an integer type, by tensor.
    pub untyped: BTreeMap<TensorId, String>,
    /// Those of them that integer operators need.
    pub need_type: BTreeMap<String, String>,
    /// Converted copies of tensors.
    pub converted: BTreeMap<(TensorId, DType), TensorId>,
    /// The integer type that holds a float constant, where it is integral.
    pub integral: BTreeMap<TensorId, Option<DType>>,
    /// Bytes computed constants may still take.
    pub fold_left: usize,
    visited: usize,
    mismatches: Vec<String>,
}

/// Imports a decoded model.
///
/// # Errors
/// The network is malformed or not supported: everything found.
pub fn import(model: &ModelFile, options: &LoadOptions) -> Result<Loaded> {
    import_unlocated(model, options).map_err(|e| match &model.path {
        Some(path) => {
            let (about_nodes, about_file) = e.0.into_iter().partition(|d| d.node.is_some());
            let mut all = Diagnostics(about_file).in_file(path).0;
            all.extend::<Vec<_>>(about_nodes);
            Diagnostics(all)
        }
        None => e,
    })
}

fn import_unlocated(model: &ModelFile, options: &LoadOptions) -> Result<Loaded> {
    let empty = GraphProto::default();
    let graph = model.proto.graph.as_ref().unwrap_or(&empty);
    let opset = interface::opset(&model.proto.opset_import)?;
    let mut warnings = Diagnostics::default();
    let inputs = interface::inputs(&model.proto, options, &mut warnings)?;
    let name = options.name.clone().unwrap_or_else(|| network_name(model, graph));
    let mut base = Graph::new(name);
    let mut sweep = Sweep::new(model, graph, options, &base);
    sweep.found = warnings;
    sweep.inputs(inputs);
    sweep.initialisers(graph, "");
    let context = Context { opset, prefix: String::new(), depth: 0 };
    let outputs: Vec<&str> = graph.output.iter().map(|o| o.name()).collect();
    sweep.nodes(&graph.node, &outputs, &context);
    sweep.outputs(&outputs);
    let integer_dialect = sweep.integer;
    let (found, edits) = sweep.finish();
    if found.has_errors() {
        return Err(found);
    }
    base.apply(edits);
    Ok(Loaded { graph: base, warnings: found, integer_dialect })
}

fn network_name(model: &ModelFile, graph: &GraphProto) -> String {
    let stem = model.path.as_ref().and_then(|p| p.file_stem()).map(|s| s.to_string_lossy().into_owned());
    stem.or_else(|| Some(graph.name().to_string()))
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| "network".into())
}

impl<'m> Sweep<'m> {
    fn new(model: &'m ModelFile, graph: &'m GraphProto, options: &'m LoadOptions, base: &'m Graph) -> Self {
        let functions = &model.proto.functions;
        Sweep {
            options,
            folder: model.folder(),
            functions: functions
                .iter()
                .map(|f| ((interface::domain(f.domain()), f.name(), f.overload()), f))
                .collect(),
            patch: Patch::new(base),
            found: Diagnostics::default(),
            scopes: vec![Scope { sealed: true, ..Scope::default() }],
            declared: graph
                .value_info
                .iter()
                .chain(&graph.output)
                .map(|v| (v.name(), Declared::of(v)))
                .collect(),
            codes: BTreeMap::new(),
            integer: dialects::is_integer_dialect(&model.proto),
            quantlib: dialects::is_quantlib(&model.proto),
            stored: BTreeSet::new(),
            stand_ins: BTreeSet::new(),
            behind: BTreeMap::new(),
            untyped: BTreeMap::new(),
            need_type: BTreeMap::new(),
            converted: BTreeMap::new(),
            integral: BTreeMap::new(),
            fold_left: options.fold_limit,
            visited: 0,
            mismatches: Vec::new(),
        }
    }

    fn inputs(&mut self, inputs: Vec<Input>) {
        for mut input in inputs {
            if let Some(dtype) = self.options.default_integer.filter(|_| input.untyped && self.integer) {
                let message =
                    format!("nothing says which integers input `{}` holds; taken as {dtype}", input.name);
                self.found.push(Diagnostic::invalid(message).warning());
                input = Input { ty: TensorType { dtype, ..input.ty }, untyped: false, stored: true, ..input };
            }
            let id = self.patch.input(Tensor::new(input.name.clone(), input.ty));
            if input.stored {
                self.stored.insert(id);
                self.integer = true;
            }
            if input.untyped {
                self.untyped.insert(id, input.name.clone());
            }
            self.codes.insert(id, input.code);
            self.bind(&input.name, Binding::Known(id));
        }
    }

    /// Binds the constants of a graph in the current scope.
    pub(super) fn initialisers(&mut self, graph: &GraphProto, prefix: &str) {
        let folder = self.folder.clone();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let dense =
            graph.initializer.iter().map(|t| (t.name(), t.data_type(), tensor::value(t, folder.as_deref())));
        let limit = self.options.fold_limit;
        let sparse = graph.sparse_initializer.iter().map(|s| {
            let values = s.values.as_ref();
            let (name, code) = values.map_or(("", 0), |t| (t.name(), t.data_type()));
            (name, code, tensor::dense(s, folder.as_deref(), limit))
        });
        for (name, code, value) in dense.chain(sparse) {
            let binding = match value {
                _ if !seen.insert(name) => {
                    self.found.push(Diagnostic::invalid(format!("initialiser `{name}` is given twice")));
                    continue;
                }
                Ok(value) => {
                    let id = self.patch.constant(format!("{prefix}{name}"), value);
                    self.codes.insert(id, code);
                    Binding::Known(id)
                }
                Err(e) => {
                    let mut d = Diagnostic::new(e.kind, format!("initialiser `{name}` {}", e.message));
                    d.help = e.help;
                    self.found.push(d);
                    Binding::Failed
                }
            };
            self.bind(name, binding);
        }
    }

    /// Imports nodes in execution order.
    pub(super) fn nodes(&mut self, nodes: &[NodeProto], outputs: &[&str], context: &Context) {
        let order = match order::sort(nodes, &|name| self.find(name).is_some(), outputs) {
            Ok(order) => order,
            Err(e) => {
                self.found.0.extend(e.0);
                return;
            }
        };
        let read: BTreeSet<String> = {
            let mut read = BTreeSet::new();
            nodes.iter().for_each(|n| order::operands(n, &mut read));
            read.extend(outputs);
            read.into_iter().map(str::to_string).collect()
        };
        for i in order {
            let node = &nodes[i];
            let name = format!("{}{}", context.prefix, label(node, i));
            self.visited += 1;
            if self.visited > MAX_NODES {
                if self.visited == MAX_NODES + 1 {
                    self.found.push(Diagnostic::unsupported(format!(
                        "the network has more than {MAX_NODES} nodes"
                    )));
                }
                return;
            }
            match self.node(node, &name, &read, context) {
                Ok(results) => self.bind_results(node, &name, &results, context),
                Err(failure) => {
                    if let Failure::Fault(e) = failure {
                        self.fault(e, &name, node.op_type());
                    }
                    self.bind_failed(node, context);
                }
            }
        }
    }

    fn fault(&mut self, e: OpError, name: &str, op: &str) {
        let mut d = Diagnostic::new(e.kind, e.message).at(name, op);
        d.help = e.help;
        self.found.push(d);
    }

    /// What a name stands for, if it is visible.
    pub(super) fn find(&self, name: &str) -> Option<&Binding> {
        for scope in self.scopes.iter().rev() {
            if let Some(binding) = scope.values.get(name) {
                return Some(binding);
            }
            if scope.sealed {
                break;
            }
        }
        None
    }

    pub(super) fn bind(&mut self, name: &str, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.values.insert(name.to_string(), binding);
        }
    }

    /// The tensor of a name; `None` if it is omitted.
    pub(super) fn resolve(&mut self, name: &str) -> std::result::Result<Option<TensorId>, Failure> {
        if name.is_empty() {
            return Ok(None);
        }
        match self.find(name).cloned() {
            Some(Binding::Known(id)) => Ok(Some(id)),
            Some(Binding::Omitted) => Ok(None),
            Some(Binding::Missing(d)) => {
                self.found.push(*d);
                self.bind(name, Binding::Failed);
                Err(Failure::Reported)
            }
            Some(Binding::Failed) | None => Err(Failure::Reported),
        }
    }

    fn node(
        &mut self,
        node: &NodeProto,
        name: &str,
        read: &BTreeSet<String>,
        context: &Context,
    ) -> std::result::Result<Vec<TensorId>, Failure> {
        let domain = interface::domain(node.domain());
        let op = node.op_type();
        if let Some(function) = self.functions.get(&(domain, op, node.overload())).copied() {
            return self.call(function, node, name, context);
        }
        if !interface::is_known_domain(domain) {
            return Err(OpError::unsupported(format!(
                "operators of the domain `{domain}` are not supported"
            ))
            .into());
        }
        if let Some(results) = self.structural(node, name, context)? {
            return Ok(results);
        }
        if !Op::importable().any(|known| known == op) {
            return Err(unknown_operator(op).into());
        }
        if node.input.len() > MAX_OPERANDS {
            return Err(OpError::unsupported(format!(
                "has {} operands, at most {MAX_OPERANDS} are supported",
                node.input.len()
            ))
            .into());
        }
        let operands = self.operands(node)?;
        let mut attributes = attributes::convert(node, self.folder.as_deref(), self.options.fold_limit)?;
        self.result_type(node, &operands, context, &mut attributes);
        if self.quantlib && dialects::complete(op, context.opset, &mut attributes) {
            let note = "has no axis; taken along the last one, as QuantLib does";
            self.found.push(Diagnostic::invalid(note).at(name, op).note());
        }
        let imported = {
            let operand = |id: &TensorId| {
                let t = self.patch.get(*id);
                Operand { ty: &t.ty, value: t.value.as_deref() }
            };
            let rank = |o: &String| {
                Some(self.declared.get(o.as_str()).filter(|_| context.depth == 0)?.dims.as_ref()?.len())
            };
            let view = ImportNode {
                op_type: op,
                opset: context.opset,
                attributes: &attributes,
                inputs: operands.iter().map(|o| o.as_ref().map(operand)).collect(),
                outputs_used: node.output.iter().map(|o| !o.is_empty() && read.contains(o)).collect(),
                output_ranks: node.output.iter().map(rank).collect(),
            };
            Op::import(&view).unwrap_or_else(|| Err(unknown_operator(op)))
        };
        let named = |o: &String| if o.is_empty() { String::new() } else { format!("{}{o}", context.prefix) };
        let names: Vec<String> = node.output.iter().map(named).collect();
        let doubtful = operands.iter().flatten().any(|id| self.stand_ins.contains(id));
        let results = imported
            .map_err(|e| if doubtful && e.kind != Kind::Unsupported { Failure::Reported } else { e.into() })
            .and_then(|imported| self.expression(imported, &operands, name, &names));
        match results {
            Err(Failure::Fault(e)) if doubtful && e.kind != Kind::Unsupported => Err(Failure::Reported),
            Ok(ids) if doubtful => {
                self.stand_ins.extend(&ids);
                Ok(ids)
            }
            other => other,
        }
    }

    /// Results of the type of an operand, which here may be a wider one: the model's type becomes an attribute.
    fn result_type(
        &self,
        node: &NodeProto,
        operands: &[Option<TensorId>],
        context: &Context,
        attributes: &mut Attributes,
    ) {
        let (operand, attribute) = match node.op_type() {
            "CastLike" => (1, "to"),
            "QuantizeLinear" => (2, "output_dtype"),
            _ => return,
        };
        let Some(Some(id)) = operands.get(operand) else { return };
        let declared = || self.declared.get(node.input[operand].as_str()).filter(|_| context.depth == 0);
        let code = self.codes.get(id).copied().or_else(|| declared().map(|d| d.code));
        let differs = |code: &i32| tensor::run_time_type(*code).is_err() || attribute == "to";
        if let Some(code) = code.filter(|code| *code != 0 && differs(code) && !self.stored.contains(id)) {
            attributes.0.entry(attribute.into()).or_insert(Attr::Int(code.into()));
        }
    }

    /// The tensors a node reads. All are looked up, so that every missing one is reported.
    fn operands(&mut self, node: &NodeProto) -> std::result::Result<Vec<Option<TensorId>>, Failure> {
        let found: Vec<_> = node.input.iter().map(|name| self.resolve(name)).collect();
        found.into_iter().collect()
    }

    fn bind_results(&mut self, node: &NodeProto, name: &str, results: &[TensorId], context: &Context) {
        for (i, output) in node.output.iter().enumerate().filter(|(_, o)| !o.is_empty()) {
            let binding = match results.get(i) {
                Some(id) => {
                    self.check_declared(output, *id, context);
                    Binding::Known(*id)
                }
                None => Binding::Missing(Box::new(
                    Diagnostic::unsupported(format!("result {i} (`{output}`) is used, but not supported"))
                        .at(name, node.op_type())
                        .help("only the first results of this operator are computed"),
                )),
            };
            self.bind(output, binding);
        }
    }

    /// Lets the sweep go on behind a failed node where the model declares what the results would be.
    fn bind_failed(&mut self, node: &NodeProto, context: &Context) {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            let declared = self.declared.get(output.as_str()).filter(|_| context.depth == 0);
            let binding = match declared.and_then(Declared::fixed) {
                Some(ty) => {
                    let id = self.patch.tensor(Tensor::new(output.clone(), ty));
                    self.stand_ins.insert(id);
                    Binding::Known(id)
                }
                None => Binding::Failed,
            };
            self.bind(output, binding);
        }
    }

    fn check_declared(&mut self, output: &str, id: TensorId, context: &Context) {
        let shape = &self.patch.get(id).ty.shape;
        let declared = self.declared.get(output).filter(|d| context.depth == 0 && d.contradicts(shape));
        if let Some(dims) = declared.and_then(|d| d.dims.as_ref()) {
            let said: Vec<String> = dims.iter().map(|d| d.to_string()).collect();
            self.mismatches.push(format!("`{output}` is declared [{}], but is {shape:?}", said.join(", ")));
        }
    }

    fn outputs(&mut self, outputs: &[&str]) {
        if outputs.is_empty() {
            self.found.push(Diagnostic::invalid("the graph has no outputs"));
        }
        for name in outputs {
            if let Ok(Some(id)) = self.resolve(name) {
                self.patch.output(*name, id);
            }
        }
    }

    fn finish(mut self) -> (Diagnostics, crate::ir::patch::Edits) {
        for (input, user) in &self.need_type {
            self.found.push(
                Diagnostic::invalid(format!(
                    "input `{input}` is declared float32, but {user} computes on integers stored as floats"
                ))
                .help(format!("say which integers it holds: --input-type {input}=uint8 (or int8, int32)")),
            );
        }
        let shown = 5;
        for m in self.mismatches.iter().take(shown) {
            self.found.push(Diagnostic::invalid(format!("{m}; the declaration is ignored")).warning());
        }
        if self.mismatches.len() > shown {
            let more = self.mismatches.len() - shown;
            self.found.push(
                Diagnostic::invalid(format!("{more} more tensors have wrong declared shapes")).warning(),
            );
        }
        (self.found, self.patch.finish())
    }

    /// Adds a computed constant.
    pub(super) fn constant(&mut self, name: &str, value: Value) -> TensorId {
        self.patch.constant(name, value)
    }
}

fn unknown_operator(op: &str) -> OpError {
    let e = OpError::unsupported("this operator is not supported");
    let advice = match op {
        "LSTM" | "GRU" | "RNN" => Some("export the network unrolled, as MatMul, Sigmoid and Tanh nodes"),
        "NonMaxSuppression" | "NonZero" | "Unique" | "Compress" => {
            Some("its result has no static shape: cut the network before it and do this in the application")
        }
        "Loop" | "Scan" => Some("export the network with the loop unrolled"),
        _ => None,
    };
    match (advice, nearest(op, Op::importable())) {
        (Some(advice), _) => e.help(advice),
        (None, Some(near)) => e.help(format!("the nearest supported operator is {near}")),
        (None, None) => e,
    }
}
