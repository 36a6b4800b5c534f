//! C literals that compile without a warning and mean exactly the value.
//!
//! In: numbers and constant tensors. Out: text. Never rounds.

use std::io::Write;

use crate::ir::Value;

/// Columns after which a row of numbers breaks.
const WIDTH: usize = 100;

/// An integer of at most 64 bits, typed so that `-std=c99 -pedantic` has nothing to say.
pub fn int(v: i64) -> String {
    match v {
        i64::MIN => "(-INT64_C(9223372036854775807) - 1)".into(),
        v if v == i64::from(i32::MIN) => "(-2147483647 - 1)".into(),
        v if i32::try_from(v).is_ok() => v.to_string(),
        v if v < 0 => format!("(-INT64_C({}))", v.unsigned_abs()),
        v => format!("INT64_C({v})"),
    }
}

/// A float: the shortest decimal that reads back as the same number.
pub fn float(v: f32) -> String {
    if v.is_nan() {
        "NAN".into()
    } else if v.is_infinite() {
        if v > 0.0 { "INFINITY".into() } else { "(-INFINITY)".into() }
    } else {
        let text = format!("{v:?}");
        let point = if text.contains(['.', 'e']) { "" } else { ".0" };
        format!("{text}{point}f")
    }
}

/// The elements of a constant as the inside of an initialiser, in rows. An empty tensor gets one zero,
/// because C has no empty arrays.
pub fn elements(value: &Value) -> Vec<u8> {
    let mut rows = Rows::default();
    match value {
        Value::F32(a) => a.iter().for_each(|x| rows.push(float(*x).as_bytes())),
        Value::U32(a) => a.iter().for_each(|x| rows.format(format_args!("{x}u"))),
        Value::S32(a) => a.iter().for_each(|x| rows.push(int(i64::from(*x)).as_bytes())),
        Value::S64(a) => a.iter().for_each(|x| rows.push(int(*x).as_bytes())),
        Value::Bool(a) => a.iter().for_each(|x| rows.push(if *x { b"1" } else { b"0" })),
        Value::S8(a) => a.iter().for_each(|x| rows.format(format_args!("{x}"))),
        Value::U8(a) => a.iter().for_each(|x| rows.format(format_args!("{x}"))),
        Value::S16(a) => a.iter().for_each(|x| rows.format(format_args!("{x}"))),
        Value::U16(a) => a.iter().for_each(|x| rows.format(format_args!("{x}"))),
    }
    if value.is_empty() {
        rows.push(b"0");
    }
    rows.text.push(b'\n');
    rows.text
}

#[derive(Default)]
struct Rows {
    text: Vec<u8>,
    column: usize,
    scratch: Vec<u8>,
}

impl Rows {
    fn push(&mut self, item: &[u8]) {
        if self.text.is_empty() || self.column + item.len() + 2 > WIDTH {
            if !self.text.is_empty() {
                self.text.push(b'\n');
            }
            self.text.extend_from_slice(b"    ");
            self.column = 4;
        } else {
            self.text.push(b' ');
            self.column += 1;
        }
        self.text.extend_from_slice(item);
        self.text.push(b',');
        self.column += item.len() + 1;
    }
    fn format(&mut self, item: std::fmt::Arguments) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        // Writing to memory cannot fail.
        let _ = scratch.write_fmt(item);
        self.push(&scratch);
        self.scratch = scratch;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_integers_are_legal_c() {
        assert_eq!(int(-128), "-128");
        assert_eq!(int(i64::from(i32::MIN)), "(-2147483647 - 1)");
        assert_eq!(int(i64::MIN), "(-INT64_C(9223372036854775807) - 1)");
        assert_eq!(int(2_147_483_648), "INT64_C(2147483648)");
        assert_eq!(int(-2_147_483_649), "(-INT64_C(2147483649))");
    }

    #[test]
    fn floats_read_back_as_themselves() {
        assert_eq!(float(0.1), "0.1f");
        assert_eq!(float(-0.0), "-0.0f");
        assert_eq!(float(1e30), "1e30f");
        assert_eq!(float(f32::MIN_POSITIVE / 8.0), "1.469368e-39f");
        assert_eq!(float(f32::INFINITY), "INFINITY");
        assert_eq!(float(f32::NEG_INFINITY), "(-INFINITY)");
        assert_eq!(float(f32::NAN), "NAN");
        for x in [f32::MAX, f32::MIN_POSITIVE, 1.0 / 3.0, 16_777_217.0, 1e-45] {
            let text = float(x);
            assert_eq!(
                text.trim_end_matches('f').parse::<f32>().map(f32::to_bits),
                Ok(x.to_bits()),
                "{text}"
            );
        }
    }

    #[test]
    fn rows_break_before_the_margin() {
        let value = Value::s64(&[40], (0..40).map(|i| i * 1_000_000).collect()).unwrap();
        let text = String::from_utf8(elements(&value)).unwrap();
        assert!(text.lines().all(|l| l.len() <= WIDTH && l.starts_with("    ") && l.ends_with(',')));
        assert_eq!(text.matches(',').count(), 40);
        assert_eq!(elements(&Value::s64(&[0, 3], vec![]).unwrap()), b"    0,\n");
    }
}
