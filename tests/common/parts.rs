//! One random part of an operator's results against that part of the whole.

use tilewright::ir::access::{Region, Span, region};
use tilewright::ir::{Op, TensorType, Value};
use tilewright::map_array;
use tilewright::runner::random::Random;

fn below(random: &mut Random, n: usize) -> usize {
    random.int(0, n as i64 - 1) as usize
}

fn cut(value: &Value, region: &Region) -> Value {
    map_array!(value, a => {
        let mut part = a.view();
        for (axis, (begin, end)) in region.spans.iter().enumerate() {
            part.slice_axis_inplace(ndarray::Axis(axis), ndarray::Slice::from(*begin..*end));
        }
        part.to_owned()
    })
}

fn same(a: &Value, b: &Value) -> bool {
    if let (Value::F32(a), Value::F32(b)) = (a, b) {
        return a.shape() == b.shape()
            && a.iter()
                .zip(b)
                .all(|(x, y)| (x - y).abs() <= 1e-6 * x.abs() || x == y || (x.is_nan() && y.is_nan()));
    }
    a == b
}

/// Compares one random part of an operator's results; false if it has no parts.
///
/// # Panics
/// They differ: says how, with `context`.
pub fn check(
    op: &Op,
    inputs: &[&Value],
    results: &[&Value],
    random: &mut Random,
    context: &dyn Fn() -> String,
) -> bool {
    let types = |values: &[&Value]| -> Vec<TensorType> { values.iter().map(|v| TensorType::of(v)).collect() };
    let Some(space) = op.space(&types(inputs), &types(results)) else { return false };
    if space.axes.contains(&0) {
        return false;
    }
    let part: Vec<Span> = (space.axes.iter())
        .map(|n| {
            let begin = below(random, *n);
            (begin, begin + 1 + below(random, n - begin))
        })
        .collect();
    let reached = |(reaches, value): (&Vec<_>, &&Value)| region(reaches, value.shape(), &part);
    let regions: Vec<Region> = space.operands.iter().zip(inputs).map(reached).collect();
    assert_eq!(regions.len(), inputs.len(), "{}", op.name());
    // A window that lies wholly in the padding has no operand.
    if regions.iter().any(|r| r.shape().contains(&0)) {
        return false;
    }
    let operands: Vec<Value> = inputs.iter().zip(&regions).map(|(v, r)| cut(v, r)).collect();
    let operands: Vec<&Value> = operands.iter().collect();
    let types = types(&operands);
    let of_part = op.part(&types, regions.first().map_or(&[], |r| &r.margins));
    let context = || format!("{types:?} part {part:?} of {space:?}\n{}", context());
    let made = match of_part.infer(&types) {
        Ok(made) => made,
        // A link of which this part needs nothing but padding.
        Err(_) if matches!(of_part, Op::Chain(_)) => return false,
        Err(e) => panic!("{e:?}\n{}", context()),
    };
    let found = of_part.reference(&operands, &made).unwrap();
    for ((reaches, whole), found) in space.results.iter().zip(results).zip(&found) {
        let expected = cut(whole, &region(reaches, whole.shape(), &part));
        assert!(same(found, &expected), "{found:?}\n{expected:?}\n{}", context());
    }
    true
}
