//! PRelu: `a`, or `a*b` below zero, where the slope `b` broadcasts to `a`.

use super::elementwise::{arithmetic, binary, import_two};

binary!(
    PRelu,
    ["PRelu"],
    arithmetic,
    |a, b| if a < 0.0 { a * b } else { a },
    |a, b| if a < 0 { a.wrapping_mul(b) } else { a },
    import_two
);
