//! Or: `a | b` on booleans, with broadcasting.

use super::elementwise::logical;

logical!(Or, |a, b| a | b);
