//! Test data: arrays of `.npz` archives and `.pb` tensor files.
//!
//! In: files. Out: named values in file order. Never trusts a header: elements must be there before they are
//! allocated. Doubles become 32-bit floats, but integers stored as doubles stay exact.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use prost::Message;

use super::proto::{TensorProto, data_type};
use super::tensor;
use crate::diag::{Diagnostic, Result};
use crate::ir::Value;
use crate::map_array;

/// The arrays of a NumPy archive, in the archive's order.
///
/// # Errors
/// The file cannot be read, is not such an archive, or holds arrays that are not numbers.
pub fn read_npz(path: &Path) -> Result<Vec<(String, Value)>> {
    let read = || -> Result<Vec<(String, Value)>> {
        let file = File::open(path).map_err(|e| Diagnostic::environment(format!("cannot be read: {e}")))?;
        let size =
            file.metadata().map_err(|e| Diagnostic::environment(format!("cannot be read: {e}")))?.len();
        let not_npz =
            |e: zip::result::ZipError| Diagnostic::invalid(format!("is not a NumPy archive (.npz): {e}"));
        let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(not_npz)?;
        let mut arrays = Vec::with_capacity(archive.len());
        for i in 0..archive.len() {
            let mut entry = archive.by_index(i).map_err(|e| match e {
                zip::result::ZipError::UnsupportedArchive(_) => {
                    Diagnostic::unsupported("is a compressed archive")
                        .help("write it with numpy.savez, not savez_compressed")
                }
                e => not_npz(e),
            })?;
            let name = entry.name().trim_end_matches(".npy").to_string();
            let mut bytes = Vec::new();
            // Entries are stored as they are, so none is larger than the file.
            (&mut entry)
                .take(size)
                .read_to_end(&mut bytes)
                .map_err(|e| Diagnostic::invalid(format!("array `{name}` cannot be read: {e}")))?;
            let value = npy(&bytes).map_err(|what| Diagnostic::invalid(format!("array `{name}` {what}")))?;
            arrays.push((name, value));
        }
        Ok(arrays)
    };
    read().map_err(|e| e.in_file(path))
}

/// A tensor file of the ONNX test layout, with the name it holds.
///
/// # Errors
/// The file cannot be read or is not such a tensor.
pub fn read_pb(path: &Path) -> Result<(String, Value)> {
    let read = || -> Result<(String, Value)> {
        let bytes =
            std::fs::read(path).map_err(|e| Diagnostic::environment(format!("cannot be read: {e}")))?;
        let t = TensorProto::decode(prost::bytes::Bytes::from(bytes))
            .map_err(|e| Diagnostic::invalid(format!("is not a tensor file: {e}")))?;
        let value = tensor::value(&t, path.parent()).map_err(|e| Diagnostic::new(e.kind, e.message))?;
        Ok((t.name().to_string(), value))
    };
    read().map_err(|e| e.in_file(path))
}

/// Writes arrays as a NumPy archive.
///
/// # Errors
/// The file cannot be written.
pub fn write_npz(path: &Path, arrays: &[(String, Value)]) -> Result<()> {
    let failed = |e: String| Diagnostic::environment(format!("{}: cannot be written: {e}", path.display()));
    let file = File::create(path).map_err(|e| failed(e.to_string()))?;
    let mut npz = ndarray_npy::NpzWriter::new(file);
    for (name, value) in arrays {
        let written = crate::with_array!(value, a => npz.add_array(name.as_str(), a));
        written.map_err(|e| failed(e.to_string()))?;
    }
    npz.finish().map_err(|e| failed(e.to_string()))?;
    Ok(())
}

/// Decodes one `.npy` file.
fn npy(bytes: &[u8]) -> std::result::Result<Value, String> {
    let cut = || "is cut off".to_string();
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("is not a NumPy array".into());
    }
    let (length, start) = match bytes.get(6).ok_or_else(cut)? {
        1 => (bytes.get(8..10).ok_or_else(cut)?.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)), 10),
        _ => (bytes.get(8..12).ok_or_else(cut)?.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)), 12),
    };
    let header = bytes.get(start..start + length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "has a malformed header".to_string())?;
    let header = Header::parse(header).ok_or_else(|| "has a malformed header".to_string())?;
    let data = &bytes[start + length..];
    let code = header.element_type()?;
    let n = tensor::count(&header.shape).ok_or("has more than 2^31 elements")?;
    let width = header.descr.get(2..).and_then(|w| w.parse::<usize>().ok()).unwrap_or(1);
    if data.len() != n * width {
        return Err(format!(
            "has {} bytes of data; its shape {:?} and type need {}",
            data.len(),
            header.shape,
            n * width
        ));
    }
    let value = match code {
        data_type::DOUBLE => doubles(&header.shape, data),
        code => tensor::from_raw(code, &header.shape, n, data),
    };
    let value = value.ok_or("has data that does not fit its shape")?;
    Ok(if header.fortran { transposed(value, &header.shape) } else { value })
}

/// Doubles as floats, unless they are integers that floats cannot hold.
fn doubles(shape: &[usize], data: &[u8]) -> Option<Value> {
    let read = || data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or([0; 8])));
    let integral = read().all(|x| x.fract() == 0.0 && x.abs() < 9.0e15);
    if integral && read().any(|x| f64::from(x as f32) != x) {
        return Value::s64(shape, read().map(|x| x as i64).collect());
    }
    Value::f32(shape, read().map(|x| x as f32).collect())
}

/// The same elements read as column-major.
fn transposed(value: Value, shape: &[usize]) -> Value {
    map_array!(value, a => {
        let flat = a.into_raw_vec_and_offset().0;
        match ArrayD::from_shape_vec(IxDyn(shape).f(), flat) {
            Ok(columns) => columns.as_standard_layout().into_owned(),
            // The count was checked, so this cannot be.
            Err(_) => ArrayD::from_shape_simple_fn(IxDyn(&[0]), Default::default),
        }
    })
}

/// A `.npy` header: a Python dictionary.
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Header> {
        let after = |key: &str| {
            let quoted = [format!("'{key}'"), format!("\"{key}\"")];
            let (at, len) = quoted.iter().find_map(|q| Some((text.find(q)?, q.len())))?;
            text[at + len..].trim_start().strip_prefix(':').map(str::trim_start)
        };
        let descr = after("descr")?;
        let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let descr = descr[1..].split(quote).next()?.to_string();
        let fortran = after("fortran_order")?.starts_with("True");
        let shape = after("shape")?.strip_prefix('(')?.split(')').next()?;
        let dims = shape.split(',').map(|d| d.trim().trim_end_matches('L')).filter(|d| !d.is_empty());
        Some(Header { descr, fortran, shape: dims.map(|d| d.parse().ok()).collect::<Option<_>>()? })
    }

    fn element_type(&self) -> std::result::Result<i32, String> {
        use data_type::*;
        let kind = self.descr.get(1..).unwrap_or("");
        if self.descr.starts_with('>') {
            return Err(format!("is big endian (`{}`)", self.descr));
        }
        Ok(match kind {
            "f4" => FLOAT,
            "f8" => DOUBLE,
            "f2" => FLOAT16,
            "i1" => INT8,
            "u1" => UINT8,
            "i2" => INT16,
            "u2" => UINT16,
            "i4" => INT32,
            "u4" => UINT32,
            "i8" | "u8" => INT64,
            "b1" => BOOL,
            _ => return Err(format!("has elements of type `{}`; numbers are needed", self.descr)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `.npy` file with the given header text and data.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn arrays_of_every_kind() {
        let header = |descr: &str, shape: &str| {
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
        };
        let read = |descr: &str, shape: &str, data: &[u8]| npy(&file(&header(descr, shape), data));
        assert_eq!(
            read("<f4", "(2,)", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]),
            Ok(Value::f32(&[2], vec![1.0, -2.0]).unwrap())
        );
        assert_eq!(read("<i8", "()", &(-5i64).to_le_bytes()), Ok(Value::s64(&[], vec![-5]).unwrap()));
        assert_eq!(read("|b1", "(1, 2)", &[1, 0]).map(|v| v.to_i64().sum()), Ok(1));
        assert_eq!(read("<f8", "(1,)", &2.5f64.to_le_bytes()), Ok(Value::f32(&[1], vec![2.5]).unwrap()));
        // An integer that a float cannot hold.
        let large = 16_777_217f64;
        assert_eq!(
            read("<f8", "(1,)", &large.to_le_bytes()),
            Ok(Value::s64(&[1], vec![16_777_217]).unwrap())
        );
        assert_eq!(read("<f4", "(1, 16, 0, 4)", &[]).map(|v| v.shape().to_vec()), Ok(vec![1, 16, 0, 4]));
        assert_eq!(
            read("<f4", "(2,)", &[0; 4]),
            Err("has 4 bytes of data; its shape [2] and type need 8".into())
        );
        assert_eq!(read("<f4", "(9999999999999,)", &[]), Err("has more than 2^31 elements".into()));
        assert_eq!(
            read("<U4", "(1,)", &[0; 16]),
            Err("has elements of type `<U4`; numbers are needed".into())
        );
        assert_eq!(read(">f4", "(1,)", &[0; 4]), Err("is big endian (`>f4`)".into()));
        assert_eq!(npy(b"\x93NUMPY\x01\x00\xff\xff{}"), Err("is cut off".into()));
        assert_eq!(npy(&file("nonsense", &[])), Err("has a malformed header".into()));
    }

    #[test]
    fn columns_first_arrays_are_turned() {
        let header = "{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }";
        // numpy: asfortranarray([[1,2,3],[4,5,6]]) is stored 1 4 2 5 3 6.
        let v = npy(&file(header, &[1, 4, 2, 5, 3, 6])).unwrap();
        assert_eq!(v.to_i64().iter().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn archives_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let arrays = vec![
            ("z".to_string(), Value::f32(&[1, 2], vec![1.0, 2.5]).unwrap()),
            ("a".to_string(), Value::s64(&[], vec![-1]).unwrap()),
            ("m".to_string(), Value::zeros(crate::ir::DType::U8, &[3])),
        ];
        write_npz(&path, &arrays).unwrap();
        assert_eq!(read_npz(&path), Ok(arrays));
        std::fs::write(&path, b"no archive").unwrap();
        let e = read_npz(&path).unwrap_err();
        assert_eq!(e.exit_code(), 3);
        assert!(e.to_string().contains("is not a NumPy archive (.npz)"));
        assert_eq!(read_npz(&folder.path().join("none.npz")).unwrap_err().exit_code(), 6);
    }
}
