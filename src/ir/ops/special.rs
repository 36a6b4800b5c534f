//! Special functions the standard library lacks. In: a float. Out: the correctly rounded value, or very
//! nearly so. Never approximates below float precision.

/// The error function of a float, correctly rounded but for a few units in the last place of a double.
pub fn erf(x: f32) -> f32 {
    erf64(f64::from(x)) as f32
}

/// The error function, by `erf x = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1))`: all terms have one sign, so
/// nothing cancels.
pub fn erf64(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    // Beyond 6, 1 - erf is below half a unit in the last place of 1.
    if x.abs() >= 6.0 {
        return 1.0f64.copysign(x);
    }
    let mut term = x;
    let mut sum = x;
    let mut odd = 1.0;
    while term.abs() > 1e-18 * sum.abs() {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::erf;

    /// Values of C's `erf`.
    #[test]
    fn erf_matches_the_c_library() {
        for (x, y) in [
            (0.0, 0.0),
            (1e-5, 1.128_379_15e-5),
            (0.5, 0.520_499_9),
            (-1.0, -0.842_700_8),
            (2.5, 0.999_593_1),
            (3.9, 1.0),
            (f32::NEG_INFINITY, -1.0),
        ] {
            assert!((erf(x) - y).abs() <= 1.2e-7 * y.abs(), "erf({x}) = {}", erf(x));
        }
        assert!(erf(f32::NAN).is_nan());
    }
}
