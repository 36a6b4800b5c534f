//! Assignment: which kernel computes which node.
//!
//! In: a graph, a [`Platform`] and its [`Library`]. Out: an [`Assignment`], or one diagnostic for every node
//! without a kernel. Never knows memory offsets or C text.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::assignment::{Assignment, Choice, KernelId, Rejection};
use super::expr::{Scope, Val};
use super::library::{Kernel, Library};
use super::manifest::{Manifest, Pattern};
use super::packing::Packing;
use super::platform::Platform;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::import::OpError;
use crate::ir::ops::{Chain, Params};
use crate::ir::ranges::Ranges;
use crate::ir::verify::Verified;
use crate::ir::{DType, Graph, Node, NodeId, Op, TensorType};

/// Parameters of every layer beside its operator's own: whether its requantisation fits 32 bits, and whether it does so
/// counted from its least result ([`Ranges::requant_fits_32`]).
pub const FITS: [&str; 2] = ["fits_32", "fits_from_lo"];

/// Chooses a kernel for every node that computes at least one element.
///
/// # Errors
/// One diagnostic per node that no kernel fits, naming the nearest kernel and what it lacks.
pub fn assign(graph: &Verified, platform: &Platform, library: &Library) -> Result<Assignment> {
    let mut by_op: BTreeMap<&str, Vec<KernelId>> = BTreeMap::new();
    for (id, kernel) in library.kernels() {
        for op in &kernel.manifest.ops {
            by_op.entry(op).or_default().push(id);
        }
    }
    let mut assignment = Assignment::default();
    let mut faults = Diagnostics::default();
    let ranges = Ranges::new(graph);
    for (id, node) in graph.nodes() {
        let facts = Facts::of(graph, node, &ranges);
        if facts.results.iter().all(|(_, ty)| ty.elements() == 0) {
            continue;
        }
        let candidates = by_op.get(node.op.name()).map_or(&[][..], Vec::as_slice);
        let mut best: Option<(u64, usize, Choice)> = None;
        let mut refused: Vec<(usize, Rejection)> = Vec::new();
        for kernel_id in candidates {
            let kernel = library.kernel(*kernel_id);
            match fit(&facts, *kernel_id, kernel) {
                Ok(choice) => {
                    let cycles = choice.engine_cycles.or(choice.cycles);
                    let key = (cycles.unwrap_or(u64::MAX), kernel.rank);
                    if best.as_ref().is_none_or(|(cost, rank, _)| key < (*cost, *rank)) {
                        best = Some((key.0, key.1, choice));
                    }
                }
                Err(reasons) => {
                    let reason = reasons.join("; ");
                    refused.push((reasons.len(), Rejection { kernel: kernel.manifest.name.clone(), reason }));
                }
            }
        }
        match best {
            Some((_, _, choice)) => {
                assignment.choices.insert(id, choice);
            }
            None => faults.push(no_kernel(&facts, node, platform, &refused)),
        }
        record(&mut assignment, id, refused);
    }
    faults.into_result(assignment)
}

fn record(assignment: &mut Assignment, id: NodeId, refused: Vec<(usize, Rejection)>) {
    if !refused.is_empty() {
        assignment.rejections.insert(id, refused.into_iter().map(|(_, r)| r).collect());
    }
}

/// What predicates may ask about a node.
struct Facts {
    params: Params,
    operands: Vec<(String, TensorType)>,
    constant: Vec<bool>,
    results: Vec<(String, TensorType)>,
    macs: u64,
}

impl Facts {
    fn of(graph: &Graph, node: &Node, ranges: &Ranges) -> Facts {
        let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
        let mut params = node.op.params(&inputs, &outputs);
        let fits = ranges.requant_fits_32(node);
        for (name, fits) in FITS.into_iter().zip([fits.scaled, fits.from_lo]) {
            params.insert(name.into(), u8::from(fits).into());
        }
        Facts {
            params,
            macs: node.op.macs(&inputs, &outputs),
            constant: node.inputs.iter().map(|t| graph.tensor(*t).is_constant()).collect(),
            operands: node.op.operand_names(inputs.len()).into_iter().zip(inputs).collect(),
            results: node.op.result_names().into_iter().zip(outputs).collect(),
        }
    }
    /// `s8[1x4], s8[4x4] -> s32[1x4]`.
    fn signature(&self) -> String {
        let list = |l: &[(String, TensorType)]| {
            l.iter().map(|(n, t)| format!("{n} {t}")).collect::<Vec<_>>().join(", ")
        };
        format!("{} -> {}", list(&self.operands), list(&self.results))
    }
}

/// Names of a predicate: parameters, `macs`, `cores`, and facts of operands and results.
struct KernelScope<'a> {
    facts: &'a Facts,
    manifest: &'a Manifest,
    cores: u32,
}

impl Scope for KernelScope<'_> {
    fn get(&self, path: &str) -> std::result::Result<Option<Val>, String> {
        let int = |n: usize| i64::try_from(n).map(|i| Some(Val::Int(i))).map_err(|_| "too large".to_string());
        if let Some((name, field)) = path.split_once('.') {
            let tensors = self.facts.operands.iter().chain(&self.facts.results);
            let found = tensors.clone().position(|(n, _)| n == name);
            let listed = self.manifest.operand(name).is_some() || self.manifest.result(name).is_some();
            if found.is_some() || listed {
                let tensor = found.and_then(|i| tensors.clone().nth(i)).map(|(_, t)| t);
                if field == "present" {
                    return Ok(Some(Val::Int(i64::from(tensor.is_some()))));
                }
                let Some(tensor) = tensor else {
                    return Err(format!("the node has no `{name}`"));
                };
                return match field.split_once('.') {
                    None if field == "rank" => int(tensor.rank()),
                    None if field == "elements" => int(tensor.elements()),
                    None if field == "bytes" => int(tensor.bytes()),
                    None if field == "dtype" => Ok(Some(Val::Str(tensor.dtype.name().into()))),
                    None if field == "constant" => {
                        let constant = found.and_then(|i| self.facts.constant.get(i)).copied();
                        Ok(Some(Val::Int(i64::from(constant.unwrap_or(false)))))
                    }
                    Some(("shape", axis)) => match axis.parse().ok().and_then(|a: usize| tensor.shape.get(a))
                    {
                        Some(n) => int(*n),
                        None => Err(format!("`{name}` has rank {}", tensor.rank())),
                    },
                    _ => Err(format!(
                        "`{name}` has no `{field}`; known: rank, elements, bytes, dtype, constant, present, shape.N"
                    )),
                };
            }
        }
        if let Some(value) = param(&self.facts.params, path) {
            return to_val(path, value);
        }
        match path {
            "macs" => Ok(i64::try_from(self.facts.macs).map(Val::Int).ok()),
            "operands" => int(self.facts.operands.len()),
            "cores" => Ok(Some(Val::Int(i64::from(self.cores)))),
            _ => Ok(None),
        }
    }
}

/// A parameter by dotted path; list elements by number, or `last`.
fn param<'a>(params: &'a Params, path: &str) -> Option<&'a Json> {
    let mut parts = path.split('.');
    let mut value = params.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Json::Object(map) => map.get(part)?,
            Json::Array(list) if part == "last" => list.last()?,
            Json::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn to_val(path: &str, value: &Json) -> std::result::Result<Option<Val>, String> {
    match value {
        Json::Null => Ok(Some(Val::Int(0))),
        Json::Bool(b) => Ok(Some(Val::Int(i64::from(*b)))),
        Json::String(s) => Ok(Some(Val::Str(s.clone()))),
        Json::Number(n) => Ok(n.as_i64().map(Val::Int).or_else(|| n.as_f64().map(Val::Float))),
        Json::Array(_) => Err(format!("`{path}` is a list; ask for an element, `{path}.0`")),
        Json::Object(_) => Err(format!("`{path}` is a group of values; ask for one, `{path}.NAME`")),
    }
}

/// The same kernel for a part of a node: `op` on operands of types `inputs`. `whole` is the choice for the node.
///
/// # Errors
/// Everything that speaks against it.
pub fn fit_part(
    library: &Library,
    whole: &Choice,
    op: &Op,
    inputs: &[TensorType],
    constant: &[bool],
) -> std::result::Result<(Choice, Vec<TensorType>), Vec<String>> {
    if let Op::Chain(chain) = op {
        return fit_links(library, whole, chain, inputs, constant);
    }
    let outputs = op.infer(inputs).map_err(|e| vec![e.message])?;
    let mut params = op.params(inputs, &outputs);
    // What holds for all values holds for some.
    for name in FITS {
        if let Some(fits) = whole.params.get(name) {
            params.insert(name.into(), fits.clone());
        }
    }
    let facts = Facts {
        params,
        macs: op.macs(inputs, &outputs),
        constant: constant.to_vec(),
        operands: whole.operands.iter().cloned().zip(inputs.iter().cloned()).collect(),
        results: whole.results.iter().cloned().zip(outputs.iter().cloned()).collect(),
    };
    let choice = fit(&facts, whole.kernel, library.kernel(whole.kernel))?;
    Ok((choice, outputs))
}

/// The same for a chain: each link's kernel for its part.
fn fit_links(
    library: &Library,
    whole: &Choice,
    chain: &Chain,
    inputs: &[TensorType],
    constant: &[bool],
) -> std::result::Result<(Choice, Vec<TensorType>), Vec<String>> {
    let mut links = Vec::new();
    let operands: Vec<(TensorType, bool)> = inputs.iter().cloned().zip(constant.iter().copied()).collect();
    let result = chain.fold(&operands, |i, link, operands| {
        let (types, constant): (Vec<TensorType>, Vec<bool>) = operands.into_iter().unzip();
        let call = whole.links.get(i).ok_or_else(|| OpError::invalid("a link has no kernel"))?;
        let (choice, mut outputs) = fit_part(library, &call.choice, &link.op, &types, &constant)
            .map_err(|reasons| OpError::invalid(reasons.join("; ")))?;
        let result = outputs.pop().ok_or_else(|| OpError::invalid("a link has no result"))?;
        links.push((choice, result.clone()));
        Ok((result, false))
    });
    let (result, _) = result.map_err(|e| vec![e.message])?;
    Ok((Choice::chained(chain, links), vec![result]))
}

/// The choice of this kernel for the node, or everything that speaks against it.
fn fit(facts: &Facts, id: KernelId, kernel: &Kernel) -> std::result::Result<Choice, Vec<String>> {
    let manifest = &kernel.manifest;
    let mut reasons = Vec::new();
    let mut bound: BTreeMap<&str, DType> = BTreeMap::new();
    for (name, ty) in &facts.operands {
        match manifest.operand(name) {
            Some(pattern) => reasons.extend(bind(name, ty.dtype, pattern, manifest, &mut bound)),
            None => reasons.push(format!("takes no operand `{name}`")),
        }
    }
    for (name, ty) in &facts.results {
        match manifest.result(name) {
            Some(pattern) => reasons.extend(bind(name, ty.dtype, pattern, manifest, &mut bound)),
            None => reasons.push(format!("computes no result `{name}`")),
        }
    }
    let scope = KernelScope { facts, manifest, cores: kernel.cores };
    let shares =
        kernel.shared.as_ref().map(|s| s.shares.count(&scope).map_err(|e| vec![format!("shares: {e}")]));
    let shares = shares.transpose()?.filter(|shares| *shares > 1);
    let cores = if manifest.parallel || shares.is_some() { kernel.cores } else { 1 };
    let scope = KernelScope { facts, manifest, cores };
    reasons.extend(manifest.requires.iter().filter_map(|p| p.check(&scope).err()));
    let packs = packs(facts, manifest, &scope, &mut reasons);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let count = |what: &str, expr: &Option<super::expr::Expr>| match expr {
        None => Ok(None),
        Some(e) => e.count(&scope).map(Some).map_err(|e| vec![format!("{what}: {e}")]),
    };
    let scratch = count("scratch", &manifest.scratch)?.unwrap_or(0);
    let scratch_bytes =
        usize::try_from(scratch).map_err(|_| vec!["scratch exceeds the address space".into()])?;
    let types = manifest.types.iter().map(|(variable, allowed)| {
        // A variable that only stands on absent operands still needs a type for the source to compile.
        let dtype = bound.get(variable.as_str()).or(allowed.first()).copied();
        (variable.clone(), dtype.unwrap_or(DType::S8))
    });
    Ok(Choice {
        kernel: id,
        types: types.collect(),
        params: facts.params.clone(),
        operands: facts.operands.iter().map(|(n, _)| n.clone()).collect(),
        results: facts.results.iter().map(|(n, _)| n.clone()).collect(),
        scratch_bytes,
        inplace: inplace(facts, manifest),
        overlay: Vec::new(),
        streamed: false,
        packs,
        cycles: count("cost", &manifest.cost)?,
        links: Vec::new(),
        shares,
        engine_cycles: kernel.costs.as_ref().and_then(|s| s.cost.count(&scope).ok()),
    })
}

fn bind<'a>(
    name: &str,
    dtype: DType,
    pattern: &'a Pattern,
    manifest: &'a Manifest,
    bound: &mut BTreeMap<&'a str, DType>,
) -> Option<String> {
    match pattern {
        Pattern::Type(wanted) if *wanted == dtype => None,
        Pattern::Type(wanted) => Some(format!("needs {name} of type {wanted}, has {dtype}")),
        Pattern::Variable(variable) => {
            let allowed = manifest.types.iter().find(|(v, _)| v == variable).map_or(&[][..], |(_, l)| l);
            if !allowed.contains(&dtype) {
                let list: Vec<&str> = allowed.iter().map(|d| d.name()).collect();
                return Some(format!("needs {name} of type {}, has {dtype}", list.join(" or ")));
            }
            let first = *bound.entry(variable.as_str()).or_insert(dtype);
            (first != dtype)
                .then(|| format!("needs {name} of type {first} like its other operands, has {dtype}"))
        }
    }
}

/// The operands to pack; only constants can be.
fn packs(
    facts: &Facts,
    manifest: &Manifest,
    scope: &KernelScope,
    reasons: &mut Vec<String>,
) -> Vec<(usize, Packing)> {
    let mut packs = Vec::new();
    for (name, rule) in &manifest.pack {
        let Some(i) = facts.operands.iter().position(|(n, _)| n == name) else { continue };
        if !facts.constant[i] {
            reasons.push(format!("needs {name} constant"));
            continue;
        }
        match rule.packing(scope, &facts.operands[i].1) {
            Ok(packing) => packs.push((i, packing)),
            Err(e) => reasons.push(format!("cannot pack {name}: {e}")),
        }
    }
    packs
}

/// The pairs that may really share memory: computed operands of the result's size, in bytes and in elements.
/// Few wide elements that repeat for many narrow ones would be overwritten before their last use.
fn inplace(facts: &Facts, manifest: &Manifest) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (x, y) in &manifest.inplace {
        for (i, (operand, xt)) in facts.operands.iter().enumerate() {
            for (o, (result, yt)) in facts.results.iter().enumerate() {
                let named =
                    super::manifest::matches_name(x, operand) && super::manifest::matches_name(y, result);
                let same_size = xt.bytes() == yt.bytes() && xt.elements() == yt.elements();
                if named && same_size && !facts.constant[i] {
                    pairs.push((i, o));
                }
            }
        }
    }
    pairs
}

/// The diagnostic for a node that nothing computes.
fn no_kernel(facts: &Facts, node: &Node, platform: &Platform, refused: &[(usize, Rejection)]) -> Diagnostic {
    let op = node.op.name();
    let signature = facts.signature();
    let diagnostic = match refused.iter().min_by_key(|(failed, _)| *failed) {
        None => Diagnostic::unsupported(format!(
            "target `{}` has no kernel for {op} ({signature})",
            platform.name
        ))
        .help(format!("write one: `tilewright new kernel NAME --op {op}` makes the files")),
        Some((_, nearest)) => Diagnostic::unsupported(format!(
            "no kernel of target `{}` fits {op} ({signature}); nearest: `{}` {}",
            platform.name, nearest.kernel, nearest.reason
        ))
        .help(format!(
            "change the model so that `{}` fits, or write a kernel: `tilewright new kernel NAME --op {op}`",
            nearest.kernel
        )),
    };
    diagnostic.at(&node.name, op)
}

#[cfg(test)]
#[path = "assign_tests.rs"]
mod tests;
