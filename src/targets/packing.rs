//! Re-laying constants for kernels that read them in another order than the graph has them.
//!
//! In: the `[pack.…]` table of a manifest, a node's parameters, a constant. Out: the constant as the kernel wants it.
//! Never decides where it lies; never touches the graph.

use ndarray::{ArrayD, IxDyn};
use serde::Deserialize;

use super::expr::{Expr, Scope};
use crate::ir::{TensorType, Value};
use crate::map_array;

/// The orders kernels may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Blocks of four rows; in a block the rows take turns, a word of four bytes at a time. Rows are filled to whole
    /// words and blocks to four rows, with zeros.
    Rows4,
    /// The same with vectors of sixteen bytes in the place of words.
    Vectors4,
    /// Blocks of eight rows, which take turns element by element; the last block is filled with zeros.
    Columns8,
}

impl Order {
    /// Rows that lie side by side in a block.
    fn block(self) -> usize {
        match self {
            Order::Rows4 | Order::Vectors4 => 4,
            Order::Columns8 => 8,
        }
    }
    /// The elements of so many bytes each that a row has in turn.
    fn unit(self, bytes: usize) -> usize {
        let turn = match self {
            Order::Rows4 => 4,
            Order::Vectors4 => 16,
            Order::Columns8 => 1,
        };
        (turn / bytes.max(1)).max(1)
    }
}

/// How a manifest says an operand is to be packed. The operand is a stack of matrices; the expressions see what the
/// manifest's predicates see.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The wanted order.
    pub order: Order,
    /// Rows of a matrix.
    pub rows: Expr,
    /// Columns of a matrix.
    pub columns: Expr,
    /// Elements from one row to the next.
    pub row_step: Expr,
    /// Elements from one column to the next.
    pub column_step: Expr,
    /// Columns of a run, each filled to whole words; without it all columns are one.
    pub run: Option<Expr>,
    /// Whether bytes have their sign bit turned over: signed ones become unsigned ones that are larger by 128.
    pub turn: Option<Expr>,
}

/// A [`Rule`] with the numbers of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packing {
    order: Order,
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
    run: usize,
    turn: bool,
}

impl Rule {
    /// The numbers for a node, whose operand has type `ty`.
    ///
    /// # Errors
    /// An expression fails, or the matrices it describes are not the operand.
    pub fn packing(&self, scope: &dyn Scope, ty: &TensorType) -> Result<Packing, String> {
        let size = |what: &str, e: &Expr| -> Result<usize, String> {
            let n = e.count(scope).map_err(|e| format!("{what}: {e}"))?;
            usize::try_from(n).map_err(|_| format!("{what}: {n} exceeds the address space"))
        };
        let columns = size("columns", &self.columns)?;
        let packing = Packing {
            order: self.order,
            rows: size("rows", &self.rows)?,
            columns,
            run: self.run.as_ref().map_or(Ok(columns), |e| size("run", e))?,
            row_step: size("row_step", &self.row_step)?,
            column_step: size("column_step", &self.column_step)?,
            turn: self.turn.as_ref().map_or(Ok(0), |e| size("turn", e))? != 0,
        };
        if packing.turn && ty.dtype.bytes() != 1 {
            return Err(format!("{ty} has no bytes to turn over"));
        }
        let Packing { rows, columns, row_step, column_step, run, .. } = packing;
        let matrix = rows.saturating_mul(columns);
        let reach = |n: usize, step: usize| n.saturating_sub(1).saturating_mul(step);
        let last = reach(rows, row_step).saturating_add(reach(columns, column_step));
        if matrix == 0 || ty.elements() % matrix != 0 || last >= matrix {
            return Err(format!(
                "{ty} is no stack of {rows} rows (every {row_step} elements) of {columns} columns (every {column_step})"
            ));
        }
        if run == 0 || columns % run != 0 {
            return Err(format!("{columns} columns are no runs of {run}"));
        }
        Ok(packing)
    }
}

impl Packing {
    /// The packed constant, of shape [matrices, blocks, units of a row, rows of a block, elements of a unit].
    pub fn apply(&self, value: &Value) -> Value {
        let turned = match value {
            Value::S8(a) if self.turn => Value::S8(a.mapv(|v| v ^ i8::MIN)),
            Value::U8(a) if self.turn => Value::U8(a.mapv(|v| v ^ 0x80)),
            other => other.clone(),
        };
        map_array!(&turned, a => self.packed(a.iter().copied().collect(), value.dtype().bytes()))
    }
    /// The type of the packed constant.
    pub fn packed_type(&self, ty: &TensorType) -> TensorType {
        let elements = self.order.unit(ty.dtype.bytes());
        let matrices = ty.elements() / (self.rows * self.columns).max(1);
        let block = self.order.block();
        TensorType::new(
            ty.dtype,
            [matrices, self.rows.div_ceil(block), self.units(elements), block, elements],
        )
    }
    /// Rows `begin..end` of the packed constant, where rows are the indices of axis `axis` of an operand of type `ty`: offset
    /// and length in bytes. `None` unless they are whole blocks of its only matrix.
    pub fn rows_in(&self, ty: &TensorType, axis: usize, begin: usize, end: usize) -> Option<(usize, usize)> {
        let step: usize = ty.shape.get(axis + 1..)?.iter().product();
        let one = ty.elements() == self.rows * self.columns;
        let are_rows = ty.shape[axis] == self.rows && (self.rows == 1 || step == self.row_step);
        let rows = self.order.block();
        if !one || !are_rows || begin % rows != 0 || (end % rows != 0 && end != self.rows) {
            return None;
        }
        let block = self.packed_type(ty).bytes() / self.rows.div_ceil(rows).max(1);
        let (first, behind) = (begin / rows, end.div_ceil(rows));
        Some((first * block, (behind - first) * block))
    }
    /// Units of a row, of so many elements each.
    fn units(&self, elements: usize) -> usize {
        self.columns / self.run.max(1) * self.run.div_ceil(elements)
    }
    fn packed<T: Copy + Default>(&self, from: Vec<T>, bytes: usize) -> ArrayD<T> {
        let (block, elements) = (self.order.block(), self.order.unit(bytes));
        let run_units = self.run.div_ceil(elements).max(1);
        let matrix = (self.rows * self.columns).max(1);
        let shape = [from.len() / matrix, self.rows.div_ceil(block), self.units(elements), block, elements];
        ArrayD::from_shape_fn(IxDyn(&shape), |at| {
            let (row, in_run) = (at[1] * block + at[3], at[2] % run_units * elements + at[4]);
            let column = at[2] / run_units * self.run + in_run;
            let inside = row < self.rows && in_run < self.run;
            let i = at[0] * matrix + row * self.row_step + column * self.column_step;
            inside.then(|| from.get(i).copied()).flatten().unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    struct Nothing;
    impl Scope for Nothing {
        fn get(&self, _: &str) -> Result<Option<super::super::expr::Val>, String> {
            Ok(None)
        }
    }

    fn rule(rows: &str, columns: &str, row_step: &str, column_step: &str) -> Rule {
        let e = |s: &str| Expr::parse(s).unwrap();
        Rule {
            order: Order::Rows4,
            rows: e(rows),
            columns: e(columns),
            row_step: e(row_step),
            column_step: e(column_step),
            run: None,
            turn: None,
        }
    }

    fn bytes(n: i8) -> Value {
        Value::S8(ArrayD::from_shape_vec(IxDyn(&[n as usize]), (1..=n).collect()).unwrap())
    }

    #[test]
    fn rows_take_turns_and_gaps_are_zero() {
        let packing = rule("2", "5", "5", "1").packing(&Nothing, &TensorType::new(DType::S8, [10])).unwrap();
        let packed = packing.apply(&bytes(10));
        assert_eq!(packed.shape(), [1, 1, 2, 4, 4]);
        assert_eq!(packing.packed_type(&TensorType::new(DType::S8, [10])).shape, packed.shape());
        let found: Vec<i64> = packed.to_i64().iter().copied().collect();
        let first = [1, 2, 3, 4, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0, 0];
        let second = [5, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(found, [first, second].concat());
    }

    #[test]
    fn runs_are_filled_to_words() {
        let ty = TensorType::new(DType::S8, [6]);
        let rule = Rule { run: Some(Expr::parse("3").unwrap()), ..rule("1", "6", "6", "1") };
        let packing = rule.packing(&Nothing, &ty).unwrap();
        let found: Vec<i64> = packing.apply(&bytes(6)).to_i64().iter().copied().collect();
        assert_eq!(packing.packed_type(&ty).shape, [1, 1, 2, 4, 4]);
        assert_eq!((&found[..4], &found[16..20]), (&[1, 2, 3, 0][..], &[4, 5, 6, 0][..]));
        let rule = Rule { run: Some(Expr::parse("4").unwrap()), ..rule };
        assert!(rule.packing(&Nothing, &ty).unwrap_err().contains("no runs of 4"));
    }

    #[test]
    fn columns_may_be_contiguous_and_matrices_stacked() {
        // Two matrices of two rows and one column; then the transposed reading of one.
        let packing = rule("2", "1", "1", "1").packing(&Nothing, &TensorType::new(DType::S8, [4])).unwrap();
        let found: Vec<i64> = packing.apply(&bytes(4)).to_i64().iter().copied().collect();
        assert_eq!((found[0], found[4], found[16], found[20]), (1, 2, 3, 4));
        let packing = rule("2", "2", "1", "2").packing(&Nothing, &TensorType::new(DType::S8, [4])).unwrap();
        let found: Vec<i64> = packing.apply(&bytes(4)).to_i64().iter().copied().collect();
        assert_eq!(found[..8], [1, 3, 0, 0, 2, 4, 0, 0]);
    }

    #[test]
    fn vectors_take_turns_and_columns_lie_together() {
        let ty = TensorType::new(DType::S8, [6]);
        let rule = |order| Rule { order, ..rule("3", "2", "2", "1") };
        let packing = rule(Order::Vectors4).packing(&Nothing, &ty).unwrap();
        assert_eq!(packing.packed_type(&ty).shape, [1, 1, 1, 4, 16]);
        let found: Vec<i64> = packing.apply(&bytes(6)).to_i64().iter().copied().collect();
        assert_eq!(
            (found[..3].to_vec(), found[16..19].to_vec(), found[48]),
            (vec![1, 2, 0], vec![3, 4, 0], 0)
        );
        let packing = rule(Order::Columns8).packing(&Nothing, &ty).unwrap();
        assert_eq!(packing.packed_type(&ty).shape, [1, 1, 2, 8, 1]);
        let found: Vec<i64> = packing.apply(&bytes(6)).to_i64().iter().copied().collect();
        assert_eq!((&found[..4], &found[8..12]), (&[1, 3, 5, 0][..], &[2, 4, 6, 0][..]));
    }

    #[test]
    fn signs_are_turned_over() {
        let rule = Rule { turn: Some(Expr::parse("1").unwrap()), ..rule("1", "3", "3", "1") };
        let packing = rule.packing(&Nothing, &TensorType::new(DType::S8, [3])).unwrap();
        let found: Vec<i64> = packing.apply(&bytes(3)).to_i64().iter().copied().collect();
        assert_eq!(found[..4], [-127, -126, -125, 0]);
        assert!(rule.packing(&Nothing, &TensorType::new(DType::S16, [3])).unwrap_err().contains("no bytes"));
    }

    #[test]
    fn words_hold_one_float() {
        let packing = rule("2", "2", "2", "1").packing(&Nothing, &TensorType::new(DType::F32, [4])).unwrap();
        let packed = packing.apply(&Value::f32(&[4], vec![1.0, 2.0, 3.0, 4.0]).unwrap());
        assert_eq!(packed.shape(), [1, 1, 2, 4, 1]);
        let found: Vec<f32> = packed.to_f32().iter().copied().collect();
        assert_eq!(found, [1.0, 3.0, 0.0, 0.0, 2.0, 4.0, 0.0, 0.0]);
    }

    #[test]
    fn blocks_of_rows_are_contiguous() {
        let ty = TensorType::new(DType::S8, [10, 3]);
        let packing = rule("10", "3", "3", "1").packing(&Nothing, &ty).unwrap();
        assert_eq!(packing.rows_in(&ty, 0, 4, 10), Some((16, 32)));
        assert_eq!(packing.rows_in(&ty, 0, 0, 8), Some((0, 32)));
        assert_eq!(packing.rows_in(&ty, 0, 2, 8), None);
        assert_eq!(packing.rows_in(&ty, 0, 0, 6), None);
        assert_eq!(packing.rows_in(&ty, 1, 0, 4), None);
        let whole = packing.apply(&bytes(30).reshaped(&[10, 3]).unwrap());
        let part = rule("6", "3", "3", "1").packing(&Nothing, &TensorType::new(DType::S8, [6, 3])).unwrap();
        let rows = Value::s64(&[6, 3], (13..=30).collect()).unwrap().cast(DType::S8);
        let bytes: Vec<i64> = whole.to_i64().iter().copied().skip(16).collect();
        assert_eq!(part.apply(&rows).to_i64().iter().copied().collect::<Vec<_>>(), bytes);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let ty = TensorType::new(DType::S8, [10]);
        assert!(
            rule("3", "3", "3", "1").packing(&Nothing, &ty).unwrap_err().contains("is no stack of 3 rows")
        );
        assert!(rule("2", "5", "6", "1").packing(&Nothing, &ty).is_err());
        assert!(rule("0", "5", "5", "1").packing(&Nothing, &ty).is_err());
        assert!(rule("zero", "5", "5", "1").packing(&Nothing, &ty).unwrap_err().starts_with("rows: "));
    }
}
