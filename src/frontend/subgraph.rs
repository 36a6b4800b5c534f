//! Nodes whose meaning lies in the graph's structure: constants, constant branches, function calls.
//!
//! In: such a node. Out: tensors; bodies are inlined through the sweep. Never handles an operator that computes.

use std::collections::BTreeMap;

use super::attributes;
use super::interface;
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto};
use super::sweep::{Binding, Context, Failure, Scope, Sweep};
use crate::ir::{Attr, Attributes, OpError, TensorId, Value};

/// Functions and branches nested at most.
const MAX_DEPTH: usize = 24;

impl Sweep<'_> {
    /// Handles a structural node; `None` if it is an ordinary one.
    pub(super) fn structural(
        &mut self,
        node: &NodeProto,
        name: &str,
        context: &Context,
    ) -> Result<Option<Vec<TensorId>>, Failure> {
        if !matches!(interface::domain(node.domain()), "") {
            return Ok(None);
        }
        let value = match node.op_type() {
            "Constant" => {
                constant(&attributes::convert(node, self.folder.as_deref(), self.options.fold_limit)?)?
            }
            "If" => return self.branch(node, name, context).map(Some),
            "Loop" | "Scan" | "SequenceMap" => {
                return Err(OpError::unsupported("loops in the graph are not supported")
                    .help("export the network with the loop unrolled")
                    .into());
            }
            _ => return Ok(None),
        };
        let label = node.output.first().filter(|o| !o.is_empty()).map_or(name, String::as_str);
        Ok(Some(vec![self.constant(label, value)]))
    }

    /// Inlines the branch a constant condition chooses.
    fn branch(&mut self, node: &NodeProto, name: &str, context: &Context) -> Result<Vec<TensorId>, Failure> {
        let condition = self.resolve(node.input.first().map_or("", String::as_str))?;
        let value = condition.and_then(|id| self.patch.get(id).value.as_deref().and_then(Value::scalar_i64));
        let chosen = match value {
            Some(0) => "else_branch",
            Some(_) => "then_branch",
            None => {
                return Err(OpError::unsupported("the condition is only known at run time").into());
            }
        };
        let graph = node.attribute.iter().find(|a| a.name() == chosen).and_then(|a| a.g.as_deref());
        let graph = graph.ok_or_else(|| OpError::invalid(format!("has no {chosen}")))?;
        let outputs: Vec<&str> = graph.output.iter().map(|o| o.name()).collect();
        self.body(Scope::default(), Some(graph), &graph.node, &outputs, name, context.opset, context)
    }

    /// Inlines a call of a function.
    pub(super) fn call(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        name: &str,
        context: &Context,
    ) -> Result<Vec<TensorId>, Failure> {
        let opset = interface::opset(&function.opset_import).map_err(|d| OpError {
            kind: d.kind,
            message: format!("the function's body: {}", d.message),
            help: d.help,
        })?;
        if node.input.len() > function.input.len() {
            let message = format!(
                "the function takes {} operands, {} are given",
                function.input.len(),
                node.input.len()
            );
            return Err(OpError::invalid(message).into());
        }
        let mut scope = Scope { sealed: true, ..Scope::default() };
        for (i, formal) in function.input.iter().enumerate() {
            let actual = node.input.get(i).map_or("", String::as_str);
            let binding = self.resolve(actual)?.map_or(Binding::Omitted, Binding::Known);
            scope.values.insert(formal.clone(), binding);
        }
        let mut given: BTreeMap<&str, &AttributeProto> = BTreeMap::new();
        given.extend(function.attribute_proto.iter().map(|a| (a.name(), a)));
        given.extend(node.attribute.iter().map(|a| (a.name(), a)));
        let body: Vec<NodeProto> = function.node.iter().map(|n| bound(n, &given)).collect();
        let outputs: Vec<&str> = function.output.iter().map(String::as_str).collect();
        self.body(scope, None, &body, &outputs, name, opset, context)
    }

    /// Imports a body in its own scope; its results, up to the first that is missing.
    #[allow(clippy::too_many_arguments)] // one call each for branches and functions
    fn body(
        &mut self,
        scope: Scope,
        graph: Option<&GraphProto>,
        nodes: &[NodeProto],
        outputs: &[&str],
        name: &str,
        opset: i64,
        context: &Context,
    ) -> Result<Vec<TensorId>, Failure> {
        if context.depth >= MAX_DEPTH {
            return Err(OpError::unsupported(format!(
                "functions and branches are nested more than {MAX_DEPTH} deep (or recursive)"
            ))
            .into());
        }
        let inner = Context { opset, prefix: format!("{name}/"), depth: context.depth + 1 };
        self.scopes.push(scope);
        if let Some(graph) = graph {
            self.initialisers(graph, &inner.prefix);
        }
        self.nodes(nodes, outputs, &inner);
        let results: Vec<_> = outputs.iter().map(|o| self.resolve(o)).collect();
        self.scopes.pop();
        let results: Result<Vec<Option<TensorId>>, Failure> = results.into_iter().collect();
        Ok(results?.into_iter().map_while(|r| r).collect())
    }
}

/// A function body's node with the caller's attributes put in; attributes the caller left out are left out.
fn bound(node: &NodeProto, given: &BTreeMap<&str, &AttributeProto>) -> NodeProto {
    let mut node = node.clone();
    node.attribute = std::mem::take(&mut node.attribute)
        .into_iter()
        .filter_map(|mut a| match a.ref_attr_name.as_deref() {
            Some(reference) if !reference.is_empty() => {
                let mut actual = (*given.get(reference)?).clone();
                actual.name = a.name;
                Some(actual)
            }
            _ => {
                for g in a.g.iter_mut().map(|g| &mut **g).chain(&mut a.graphs) {
                    g.node = g.node.iter().map(|n| bound(n, given)).collect();
                }
                Some(a)
            }
        })
        .collect();
    node
}

/// The value of a Constant node, whichever attribute holds it.
fn constant(attributes: &Attributes) -> Result<Value, OpError> {
    let (name, value) = match attributes.0.iter().next() {
        Some((name, value)) if attributes.0.len() == 1 => (name.as_str(), value),
        _ => return Err(OpError::invalid("must have exactly one attribute, its value")),
    };
    let unfit = || OpError::invalid(format!("attribute `{name}` does not fit"));
    match (name, value) {
        ("value" | "sparse_value", Attr::Tensor(v)) => Ok(v.clone()),
        ("value_float", Attr::Float(x)) => Ok(Value::scalar_f32(*x)),
        ("value_int", Attr::Int(x)) => Value::s64(&[], vec![*x]).ok_or_else(unfit),
        ("value_floats", _) => match value {
            Attr::Floats(v) => Value::f32(&[v.len()], v.clone()).ok_or_else(unfit),
            _ => Err(unfit()),
        },
        ("value_ints", _) => {
            let v = attributes.ints(name)?.ok_or_else(unfit)?;
            Value::s64(&[v.len()], v).ok_or_else(unfit)
        }
        ("value_string" | "value_strings", _) => {
            Err(OpError::unsupported("holds strings; only numbers are supported"))
        }
        _ => Err(unfit()),
    }
}
