//! The interface of an emitted network, as data: what a program that calls it must know.
//!
//! In: graph inputs and outputs, the plan's interface. Out: [`Api`]. Never C text.

use serde::Serialize;

use super::names::Names;
use crate::ir::{Graph, QuantParams, TensorId, TensorType};
use crate::tiling::Interface;

/// An input or output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Port {
    /// The model's name for it.
    pub name: String,
    /// Its C name: the parameter of the run function, or the end of the accessor's name.
    pub symbol: String,
    /// Element type and shape.
    #[serde(flatten)]
    pub ty: TensorType,
    /// What the numbers mean, where the model says so.
    #[serde(rename = "quantisation")]
    pub quant: Option<QuantParams>,
    /// The tensor.
    #[serde(skip)]
    pub tensor: TensorId,
}

/// The interface of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Api {
    /// The prefix of every symbol: `<net>_init`, `<net>_run`, `<net>_input_<symbol>`, `<net>_output_<symbol>`.
    pub net: String,
    /// Whether the run function takes a pointer for each input, then each output.
    pub caller: bool,
    /// Inputs, in the model's order.
    pub inputs: Vec<Port>,
    /// Outputs, in the model's order.
    pub outputs: Vec<Port>,
}

impl Api {
    /// The interface of a graph. Parameters get none of the `taken` names.
    pub fn new(graph: &Graph, net: &str, interface: Interface, taken: Names) -> Api {
        let caller = interface == Interface::Caller;
        let port = |names: &mut Names, name: &str, id: TensorId| {
            let tensor = graph.tensor(id);
            let symbol = names.unique(name);
            Port { name: name.into(), symbol, ty: tensor.ty.clone(), quant: tensor.quant.clone(), tensor: id }
        };
        let mut names = if caller { taken } else { Names::default() };
        let inputs = graph.inputs().iter().map(|id| port(&mut names, &graph.tensor(*id).name, *id)).collect();
        if !caller {
            // Accessors of inputs and outputs differ anyway; parameters of one function must.
            names = Names::default();
        }
        let outputs = graph.outputs().iter().map(|o| port(&mut names, &o.name, o.tensor)).collect();
        Api { net: net.into(), caller, inputs, outputs }
    }
    /// Claims the names of all functions, without the network's prefix.
    pub fn reserve(&self, names: &mut Names) {
        for name in ["init", "run"] {
            names.unique(name);
        }
        for port in &self.inputs {
            names.unique(&format!("input_{}", port.symbol));
        }
        for port in &self.outputs {
            names.unique(&format!("output_{}", port.symbol));
        }
    }
}
