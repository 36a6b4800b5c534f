//! What kernels that were not made for an engine cost on it.
//!
//! In: `costs.toml` beside an engine's call templates. Out: for kernels by name, a [`EngineCosts`]. Never knows what the kernels
//! compute.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::expr::Expr;
use super::source::point_at;
use crate::diag::{Diagnostic, Diagnostics, Result};

/// Name of the file.
pub const FILE: &str = "costs.toml";

/// The cost of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineCosts {
    /// Predicted cycles.
    pub cost: Expr,
    /// Cycles that a call takes longer if none of its code is in the instruction cache.
    pub cold: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    cost: Spanned<String>,
    cold: Option<u64>,
}

/// Parses the file; `origin` is the path a user knows it by.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, origin: &str) -> Result<BTreeMap<String, EngineCosts>> {
    let fault = |span: std::ops::Range<usize>, message: &str| {
        let shown = point_at(text, span, message);
        Diagnostic::invalid(format!("{origin}: error in costs {shown}"))
    };
    let entries: BTreeMap<String, Entry> =
        toml::from_str(text).map_err(|e| fault(e.span().unwrap_or(0..0), e.message()))?;
    let (mut costs, mut faults) = (BTreeMap::new(), Diagnostics::default());
    for (name, entry) in entries {
        match Expr::parse(entry.cost.get_ref()) {
            Ok(cost) => drop(costs.insert(name, EngineCosts { cost, cold: entry.cold })),
            Err(e) => {
                // Behind the opening quote.
                let at = (entry.cost.span().start + 1 + e.at).min(text.len());
                faults.push(fault(at..at, &e.message));
            }
        }
    }
    faults.into_result(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_by_name() {
        let costs = parse("[a]\ncost = 'x.elements * 2 / cores'\ncold = 7\n[b]\ncost = '1'\n", "o").unwrap();
        assert_eq!((costs["a"].cost.text(), costs["a"].cold), ("x.elements * 2 / cores", Some(7)));
        assert_eq!((costs.len(), costs["b"].cold), (2, None));
        for bad in ["[a]\ncost = 'x +'\n", "[a]\n", "[a]\ncost = '1'\nheat = 1\n", "cost"] {
            assert!(parse(bad, "o").unwrap_err().to_string().contains("o: error in costs"), "{bad}");
        }
    }
}
