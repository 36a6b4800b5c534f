//! Parsing. In: text. Out: a graph, or where the text is wrong. Never checks what the verifier checks.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};
use serde_json::Value as Json;

use super::cursor::{Cursor, Parsed};
use crate::diag::Result;
use crate::ir::dtype::DType;
use crate::ir::graph::{Graph, Node, NodeId, Output, QuantParams, Tensor, TensorId, TensorType};
use crate::ir::ops::{Op, Params};
use crate::ir::value::Value;

/// Bytes of the largest constant `splat` may make: a short text must not exhaust memory.
const MAX_SPLAT: usize = 1 << 30;

/// Reads the text of one graph.
///
/// # Errors
/// The first place where the text is wrong: line, column, a caret and what was expected.
pub fn parse(text: &str) -> Result<Graph> {
    let mut cursor = Cursor::new(text);
    read(&mut cursor).map_err(|d| (*d).into())
}

/// A node whose operands may be defined further down.
struct Statement {
    name: String,
    op: Op,
    operands: Vec<(usize, String)>,
    results: Vec<(usize, String)>,
}

#[derive(Default)]
struct Reader {
    tensors: BTreeMap<String, (usize, Tensor)>,
    statements: Vec<Statement>,
}

fn read(c: &mut Cursor) -> Parsed<Graph> {
    let mut reader = Reader::default();
    if !c.eat_word("graph") {
        return Err(c.expected("`graph`"));
    }
    let graph = Graph::new(c.name("the graph's name")?);
    let mut inputs = Vec::new();
    list(c, |c| {
        inputs.push(reader.declaration(c)?);
        Ok(())
    })?;
    c.expect("->")?;
    let mut outputs = Vec::new();
    list(c, |c| {
        let name = c.name("an output's name")?;
        c.expect("=")?;
        outputs.push((name, (c.mark(), reference(c)?)));
        Ok(())
    })?;
    c.expect("{")?;
    while !c.eat("}") {
        reader.statement(c)?;
    }
    if !c.at_end() {
        return Err(c.expected("the end of the text"));
    }
    build(c, graph, reader, &inputs, outputs)
}

fn build(
    c: &Cursor,
    mut graph: Graph,
    reader: Reader,
    inputs: &[(usize, String)],
    outputs: Vec<(String, (usize, String))>,
) -> Parsed<Graph> {
    let mut ids: BTreeMap<&str, TensorId> = BTreeMap::new();
    let mut tensors: Vec<&(usize, Tensor)> = reader.tensors.values().collect();
    tensors.sort_by_key(|(position, _)| *position);
    for (_, tensor) in tensors {
        let id = TensorId(graph.next_tensor);
        graph.next_tensor += 1;
        ids.insert(&tensor.name, id);
        graph.tensors.insert(id, tensor.clone());
    }
    let find = |(pos, name): &(usize, String)| {
        ids.get(name.as_str()).copied().ok_or_else(|| c.error_at(*pos, format!("there is no tensor %{name}")))
    };
    for s in reader.statements {
        let inputs = s.operands.iter().map(find).collect::<Parsed<_>>()?;
        let outputs = s.results.iter().map(find).collect::<Parsed<_>>()?;
        graph.nodes.insert(NodeId(graph.next_node), Node { name: s.name, op: s.op, inputs, outputs });
        graph.next_node += 1;
    }
    graph.inputs = inputs.iter().map(find).collect::<Parsed<_>>()?;
    for (name, tensor) in outputs {
        graph.outputs.push(Output { name, tensor: find(&tensor)? });
    }
    Ok(graph)
}

/// `( item, item, … )`
fn list(c: &mut Cursor, mut item: impl FnMut(&mut Cursor) -> Parsed<()>) -> Parsed<()> {
    c.expect("(")?;
    if c.eat(")") {
        return Ok(());
    }
    loop {
        item(c)?;
        if c.eat(")") {
            return Ok(());
        }
        if !c.eat(",") {
            return Err(c.expected("`,` or `)`"));
        }
    }
}

fn reference(c: &mut Cursor) -> Parsed<String> {
    c.expect("%")?;
    c.name("a tensor's name")
}

impl Reader {
    /// `%name: type`, with `quant {…}` if the numbers mean something.
    fn declaration(&mut self, c: &mut Cursor) -> Parsed<(usize, String)> {
        let pos = c.mark();
        let name = reference(c)?;
        c.expect(":")?;
        let mut tensor = Tensor::new(&name, c.tensor_type()?);
        if c.eat_word("quant") {
            let start = c.mark();
            let map = Json::Object(c.object()?);
            let quant = serde_json::from_value::<QuantParams>(map);
            tensor.quant = Some(quant.map_err(|e| c.error_at(start, e.to_string()))?);
        }
        if let Some((_, known)) = self.tensors.get(&name) {
            if known.ty != tensor.ty {
                return Err(c.error_at(pos, format!("%{name} is {} elsewhere", known.ty)));
            }
        } else {
            self.tensors.insert(name.clone(), (pos, tensor));
        }
        Ok((pos, name))
    }

    /// A declaration, a constant or a node.
    fn statement(&mut self, c: &mut Cursor) -> Parsed<()> {
        let mut results = vec![self.declaration(c)?];
        while c.eat(",") {
            results.push(self.declaration(c)?);
        }
        if !c.eat("=") {
            return Ok(());
        }
        let start = c.mark();
        let op = c.name("an operator or `const`")?;
        if op == "const" {
            return self.constant(c, start, &results);
        }
        let mut operands = Vec::new();
        list(c, |c| {
            operands.push((c.mark(), reference(c)?));
            Ok(())
        })?;
        let at = c.mark();
        let braces = c.peek("{");
        let attributes = if braces { c.object()? } else { Params::new() };
        let op = Op::from_attributes(&op, attributes)
            .map_err(|e| c.error_at(if braces { at } else { start }, e.message))?;
        let name = if c.eat("@") { c.name("the node's name")? } else { results[0].1.clone() };
        self.statements.push(Statement { name, op, operands, results });
        Ok(())
    }

    fn constant(&mut self, c: &mut Cursor, start: usize, results: &[(usize, String)]) -> Parsed<()> {
        let entry = match results {
            [(_, name)] => self.tensors.get_mut(name),
            _ => return Err(c.error_at(start, "a constant has one result")),
        };
        let Some((_, tensor)) = entry else { return Ok(()) };
        if tensor.is_constant() {
            return Err(c.error_at(start, format!("constant %{} is given twice", tensor.name)));
        }
        let value = constant(c, &tensor.ty)?;
        tensor.value = Some(std::sync::Arc::new(value));
        Ok(())
    }
}

/// What stands after `const`.
fn constant(c: &mut Cursor, ty: &TensorType) -> Parsed<Value> {
    let start = c.mark();
    if c.eat_word("splat") {
        if ty.bytes() > MAX_SPLAT {
            return Err(c.error_at(start, "this constant is too large"));
        }
        let one = element(c, ty.dtype)?;
        return value(c, start, ty, &one.repeat(ty.elements()));
    }
    if c.eat_word("hex") {
        let text = c.string()?;
        let digits: Option<Vec<u8>> = text.chars().map(|d| d.to_digit(16).map(|d| d as u8)).collect();
        let digits = digits.filter(|d| d.len() % 2 == 0);
        let digits = digits.ok_or_else(|| c.error_at(start, "these are not pairs of hexadecimal digits"))?;
        let bytes: Vec<u8> = digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect();
        return value(c, start, ty, &bytes);
    }
    if c.eat_word("digest") {
        return Err(c.error_at(start, "only a digest of this constant was printed; print the graph in full"));
    }
    c.expect("[")?;
    let mut bytes = Vec::new();
    while !c.eat("]") {
        bytes.extend(element(c, ty.dtype)?);
        if !c.eat(",") {
            c.expect("]")?;
            break;
        }
    }
    value(c, start, ty, &bytes)
}

/// One element as little-endian bytes.
fn element(c: &mut Cursor, dtype: DType) -> Parsed<Vec<u8>> {
    let start = c.mark();
    let text = c.number()?;
    if dtype == DType::F32 {
        let x: f32 = text.parse().map_err(|_| c.error_at(start, format!("`{text}` is not a number")))?;
        return Ok(x.to_le_bytes().to_vec());
    }
    let x = text.parse::<i64>().ok().filter(|x| dtype.range().is_some_and(|(lo, hi)| (lo..=hi).contains(x)));
    let x = x.ok_or_else(|| c.error_at(start, format!("`{text}` is not an element of type {dtype}")))?;
    Ok(x.to_le_bytes()[..dtype.bytes()].to_vec())
}

fn value(c: &Cursor, start: usize, ty: &TensorType, bytes: &[u8]) -> Parsed<Value> {
    if bytes.len() != ty.bytes() {
        let (given, wanted) = (bytes.len() / ty.dtype.bytes(), ty.elements());
        return Err(c.error_at(start, format!("{given} elements given, {ty} has {wanted}")));
    }
    fn array<T, const N: usize>(ty: &TensorType, bytes: &[u8], read: fn([u8; N]) -> T) -> Option<ArrayD<T>> {
        let elements = bytes.chunks_exact(N).filter_map(|b| Some(read(b.try_into().ok()?)));
        ArrayD::from_shape_vec(IxDyn(&ty.shape), elements.collect()).ok()
    }
    let value = match ty.dtype {
        DType::F32 => array(ty, bytes, f32::from_le_bytes).map(Value::F32),
        DType::S8 => array(ty, bytes, i8::from_le_bytes).map(Value::S8),
        DType::U8 => array(ty, bytes, u8::from_le_bytes).map(Value::U8),
        DType::S16 => array(ty, bytes, i16::from_le_bytes).map(Value::S16),
        DType::U16 => array(ty, bytes, u16::from_le_bytes).map(Value::U16),
        DType::S32 => array(ty, bytes, i32::from_le_bytes).map(Value::S32),
        DType::U32 => array(ty, bytes, u32::from_le_bytes).map(Value::U32),
        DType::S64 => array(ty, bytes, i64::from_le_bytes).map(Value::S64),
        DType::Bool => array(ty, bytes, |b: [u8; 1]| b[0] != 0).map(Value::Bool),
    };
    value.ok_or_else(|| c.error_at(start, "this constant does not fit its shape"))
}
