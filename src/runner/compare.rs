//! Comparison of computed outputs with expected ones.
//!
//! In: two tensors. Out: the largest error and the number of elements that differ. Integers must be equal;
//! floats may differ by an absolute tolerance, and infinities and NaNs must be in the same places.

use crate::diag::{Diagnostic, Result};
use crate::ir::Value;

/// The absolute error below which two floats count as equal.
pub const FLOAT_TOLERANCE: f64 = 1e-4;

/// How two sets of outputs differ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Largest absolute difference; infinite where a NaN or infinity has no counterpart.
    pub max_error: f64,
    /// Elements that differ by more than allowed.
    pub mismatches: u64,
    /// Elements compared.
    pub elements: u64,
}

impl Comparison {
    /// Whether every element is as expected.
    pub fn equal(&self) -> bool {
        self.mismatches == 0
    }
    /// Joins the figures of two comparisons.
    pub fn merge(self, other: Comparison) -> Comparison {
        Comparison {
            max_error: self.max_error.max(other.max_error),
            mismatches: self.mismatches + other.mismatches,
            elements: self.elements + other.elements,
        }
    }
}

/// Compares output by output, in order. Shapes may differ as long as the element counts agree: a scalar
/// golden stands for a tensor of one element.
///
/// # Errors
/// There are more or fewer expected outputs than computed ones, or their sizes differ.
pub fn compare_all(
    names: &[String],
    actual: &[Value],
    expected: &[Value],
    tolerance: f64,
) -> Result<Comparison> {
    if actual.len() != expected.len() {
        return Err(Diagnostic::invalid(format!(
            "the network has {} output{}, but {} golden array{} given",
            actual.len(),
            if actual.len() == 1 { "" } else { "s" },
            expected.len(),
            if expected.len() == 1 { " is" } else { "s are" },
        ))
        .into());
    }
    let mut total = Comparison::default();
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        if a.len() != e.len() {
            let name = names.get(i).map_or("?", String::as_str);
            return Err(Diagnostic::invalid(format!(
                "output `{name}` has shape {:?} ({} elements), but the golden has shape {:?} ({} elements)",
                a.shape(),
                a.len(),
                e.shape(),
                e.len(),
            ))
            .into());
        }
        total = total.merge(compare(a, e, tolerance));
    }
    Ok(total)
}

/// What a float golden may itself be off by, relative to its size: four units in its last place. Without it an
/// absolute tolerance would be finer than 32-bit floats are beyond about 1000.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// Compares two tensors of equally many elements. `actual` decides what is compared: integers exactly,
/// floats within `tolerance` and four units in the last place (exactly if it is 0).
pub fn compare(actual: &Value, expected: &Value, tolerance: f64) -> Comparison {
    let mut c = Comparison { elements: actual.len() as u64, ..Comparison::default() };
    let mut note = |error: f64, allowed: f64| {
        if error > 0.0 {
            c.max_error = c.max_error.max(error);
        }
        if error > allowed {
            c.mismatches += 1;
        }
    };
    if actual.dtype().is_float() || expected.dtype().is_float() {
        let allowed = if actual.dtype().is_float() { tolerance } else { 0.0 };
        for (a, e) in actual.to_f64().iter().zip(expected.to_f64().iter()) {
            note(
                float_error(*a, *e),
                if allowed > 0.0 { allowed + e.abs().min(f32::MAX.into()) * ROUNDING } else { 0.0 },
            );
        }
    } else {
        for (a, e) in actual.to_i64().iter().zip(expected.to_i64().iter()) {
            note(a.abs_diff(*e) as f64, 0.0);
        }
    }
    c
}

/// The distance of two floats: zero for equal infinities and for two NaNs, infinite where only one of
/// them is special.
fn float_error(a: f64, e: f64) -> f64 {
    if a == e || (a.is_nan() && e.is_nan()) {
        0.0
    } else if a.is_finite() && e.is_finite() {
        (a - e).abs()
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    fn floats(v: &[f32]) -> Value {
        Value::f32(&[v.len()], v.to_vec()).unwrap()
    }

    #[test]
    fn floats_within_tolerance_are_equal() {
        let c = compare(&floats(&[1.0, 2.0]), &floats(&[1.00005, 2.0]), 1e-4);
        assert!(c.equal() && c.max_error > 4e-5);
        assert_eq!(compare(&floats(&[1.0, 2.0]), &floats(&[1.001, 2.0]), 1e-4).mismatches, 1);
    }

    #[test]
    fn large_floats_may_be_off_by_their_rounding() {
        let next = f32::from_bits(10_000f32.to_bits() + 4);
        assert!(compare(&floats(&[10_000.0]), &floats(&[next]), 1e-4).equal());
        assert_eq!(compare(&floats(&[10_000.0]), &floats(&[next]), 0.0).mismatches, 1);
        assert_eq!(compare(&floats(&[10_000.0]), &floats(&[10_000.01]), 1e-4).mismatches, 1);
    }

    #[test]
    fn special_floats_need_a_counterpart() {
        let inf = f32::INFINITY;
        assert!(compare(&floats(&[inf, -inf, f32::NAN]), &floats(&[inf, -inf, f32::NAN]), 0.0).equal());
        let c = compare(&floats(&[inf, 1.0, 0.0]), &floats(&[-inf, f32::NAN, 0.0]), 1e-4);
        assert_eq!((c.mismatches, c.max_error), (2, f64::INFINITY));
    }

    #[test]
    fn integers_compare_exactly_even_above_2_to_53() {
        let a = Value::s64(&[2], vec![(1 << 53) + 1, 7]).unwrap();
        let b = Value::s64(&[2], vec![1 << 53, 7]).unwrap();
        assert_eq!(compare(&a, &b, 1e-4).mismatches, 1);
        assert!(compare(&a, &a, 0.0).equal());
    }

    #[test]
    fn integers_stored_as_floats_compare_exactly() {
        let a = Value::s64(&[2], vec![5, -7]).unwrap().cast(DType::S8);
        assert!(compare(&a, &floats(&[5.0, -7.0]), 1e-4).equal());
        assert_eq!(compare(&a, &floats(&[5.00001, -7.0]), 1e-4).mismatches, 1);
    }

    #[test]
    fn scalars_match_one_element_tensors_but_counts_must_agree() {
        let names = vec!["y".to_string()];
        let scalar = Value::scalar_f32(1.0);
        assert!(compare_all(&names, &[floats(&[1.0])], std::slice::from_ref(&scalar), 1e-4).is_ok());
        let e = compare_all(&names, &[floats(&[1.0, 2.0])], &[scalar], 1e-4).unwrap_err();
        assert!(e.to_string().contains("output `y` has shape [2]"), "{e}");
        let e = compare_all(&names, &[floats(&[1.0])], &[], 1e-4).unwrap_err();
        assert!(e.to_string().contains("1 output, but 0 golden arrays are given"), "{e}");
    }
}
