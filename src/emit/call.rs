//! Calls of kernels: the call templates, filled in.
//!
//! In: a node's operator and choice, and C expressions for its operands, results and scratch memory. Out: the text of each
//! call, in order, and what goes to file scope. Never decides where anything lies.

use serde_json::{Map, Value as Json, json};

use super::kernel::Kernels;
use super::network::Network;
use super::template::{Rendered, Templates};
use crate::diag::Result;
use crate::ir::{Node, Op, TensorType};
use crate::targets::Choice;

/// What is called, on what.
pub struct Site<'a> {
    /// The node; its operator may be another one than that of this part of it.
    pub node: &'a Node,
    /// The operator.
    pub op: &'a Op,
    /// Its kernels.
    pub choice: &'a Choice,
    /// A name for what the call needs at file scope.
    pub name: &'a str,
    /// What templates see of operands and results; see [`tensor`].
    pub operands: Vec<Json>,
    /// Results.
    pub results: Vec<Json>,
    /// A pointer to the scratch memory, or NULL.
    pub scratch: String,
}

/// A layer's calls.
#[derive(Debug, Default)]
pub struct Calls {
    /// The calls in order: their text, and whether all cores make them.
    pub list: Vec<Json>,
    /// Definitions at file scope.
    pub hoisted: Vec<String>,
}

/// What a template sees of an operand or result at `pointer`.
pub fn tensor(ty: &TensorType, pointer: &str) -> Json {
    json!({
        "ptr": pointer, "type": ty.dtype.c_type(), "dtype": ty.dtype.name(), "shape": ty.shape, "rank": ty.rank(),
        "elements": ty.elements(), "bytes": ty.bytes(),
    })
}

impl Network<'_> {
    /// The calls that compute a layer or a part of it.
    ///
    /// # Errors
    /// A call template or kernel source is faulty; names the node.
    pub fn calls(&self, site: &Site, kernels: &mut Kernels, templates: &mut Templates) -> Result<Calls> {
        let mut calls = Calls::default();
        let Op::Chain(chain) = site.op else {
            self.add_call(site, kernels, templates, &mut calls)?;
            return Ok(calls);
        };
        let place = |at: usize| format!("((uint8_t *){} + {at})", site.scratch);
        for (i, (link, streams)) in chain.links.iter().zip(chain.streams()).enumerate() {
            let Some(call) = site.choice.links.get(i) else { continue };
            let before = i.checked_sub(1).and_then(|i| site.choice.links[i].result_at).unwrap_or(0);
            let fed =
                |ty: &TensorType| tensor(ty, &format!("(const {} *){}", ty.dtype.c_type(), place(before)));
            let operand = |(s, ty): (Option<usize>, &TensorType)| match s {
                Some(s) => site.operands.get(s).cloned().unwrap_or_default(),
                None => fed(ty),
            };
            let results = match (call.result_at, chain.links.get(i + 1)) {
                (Some(at), Some(next)) => {
                    let ty = &next.operands[next.fed];
                    vec![tensor(ty, &format!("({} *){}", ty.dtype.c_type(), place(at)))]
                }
                _ => site.results.clone(),
            };
            let needs = call.choice.scratch_bytes > 0;
            let own = Site {
                node: site.node,
                op: &link.op,
                choice: &call.choice,
                name: &format!("{}_{i}", site.name),
                operands: streams.into_iter().zip(&link.operands).map(operand).collect(),
                results,
                scratch: if needs { format!("(void *){}", place(call.scratch_at)) } else { "NULL".into() },
            };
            self.add_call(&own, kernels, templates, &mut calls)?;
        }
        Ok(calls)
    }

    fn add_call(
        &self,
        site: &Site,
        kernels: &mut Kernels,
        templates: &mut Templates,
        calls: &mut Calls,
    ) -> Result<()> {
        let choice = site.choice;
        let symbol = kernels.add(self.net, self.library, choice)?;
        let mut context = self.call_context(choice, site.name, &symbol);
        let operands = choice.operands.iter().zip(&site.operands);
        for (name, value) in operands.chain(choice.results.iter().zip(&site.results)) {
            context.insert(name.clone(), value.clone());
        }
        context.insert("operands".into(), json!(site.operands));
        context.insert("results".into(), json!(site.results));
        context.insert("scratch".into(), json!({ "ptr": site.scratch, "bytes": choice.scratch_bytes }));
        let rendered = self.render_call(site, context, templates)?;
        calls.list.push(json!({ "text": rendered.text.trim(), "parallel": self.library.parallel(choice) }));
        calls.hoisted.extend(rendered.hoisted);
        Ok(())
    }

    /// What every call template sees, before operands and results; those that the node lacks are null.
    fn call_context(&self, choice: &Choice, name: &str, symbol: &str) -> Map<String, Json> {
        let manifest = &self.library.kernel(choice.kernel).manifest;
        let mut context = Map::new();
        context.insert("net".into(), json!(self.net));
        context.insert("id".into(), json!(name));
        context.insert("kernel".into(), json!(symbol));
        context.insert("p".into(), Json::Object(choice.params.clone()));
        let listed = manifest.operands.iter().chain(&manifest.results);
        for (absent, _) in listed.filter(|(n, _)| !n.ends_with('*')) {
            context.insert(absent.clone(), Json::Null);
        }
        context
    }

    /// Renders the call template of a choice.
    fn render_call(
        &self,
        site: &Site,
        context: Map<String, Json>,
        templates: &mut Templates,
    ) -> Result<Rendered> {
        let (text, path) =
            self.library.template(self.library.kernel(site.choice.kernel), site.choice.shares.is_some())?;
        templates.add(&path, text)?;
        templates.render(&path, text, &Json::Object(context)).map_err(|mut found| {
            found.0.iter_mut().for_each(|d| *d = d.clone().at(&site.node.name, site.op.name()));
            found
        })
    }
}
