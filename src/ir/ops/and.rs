//! And: `a & b` on booleans, with broadcasting.

use super::elementwise::logical;

logical!(And, |a, b| a & b);
