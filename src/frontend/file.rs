//! Model files: bytes to records, with a useful answer when the bytes are something else.
//!
//! In: a path or bytes. Out: a [`ModelFile`]. Never interprets the graph.

use std::path::{Path, PathBuf};

use prost::Message;
use prost::bytes::Bytes;

use super::proto::ModelProto;
use crate::diag::{Diagnostic, Result};

/// A decoded model file.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// Its records.
    pub proto: ModelProto,
    /// Where it was read from; external data lies beside it.
    pub path: Option<PathBuf>,
}

impl ModelFile {
    /// Names of the run-time inputs (those that are not initialisers), in order.
    pub fn input_names(&self) -> Vec<&str> {
        super::interface::run_time_inputs(&self.proto).into_iter().map(|i| i.name()).collect()
    }
    /// The folder external data must lie in.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let parent = self.path.as_ref()?.parent()?;
        Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_path_buf() })
    }
}

/// Reads a model file.
///
/// # Errors
/// The file cannot be read, or is not an ONNX model.
pub fn read_model(path: &Path) -> Result<ModelFile> {
    let failed = |e: std::io::Error| Diagnostic::environment(format!("cannot be read: {e}"));
    let read = || -> Result<ModelFile> {
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(Diagnostic::invalid("is a folder, not an ONNX model")
                .help("name the .onnx file in it")
                .into());
        }
        let mut model = parse_bytes(std::fs::read(path).map_err(failed)?)?;
        model.path = Some(path.to_path_buf());
        Ok(model)
    };
    read().map_err(|e| e.in_file(path))
}

/// Decodes a model; external data cannot be found from bytes alone.
///
/// # Errors
/// The bytes are not an ONNX model.
pub fn parse_bytes(bytes: impl Into<Bytes>) -> Result<ModelFile> {
    let bytes: Bytes = bytes.into();
    if bytes.is_empty() {
        return Err(Diagnostic::invalid("the file is empty")
            .help("download or export the model again")
            .into());
    }
    if let Some((what, help)) = recognise(&bytes) {
        let mut d = Diagnostic::invalid(format!("is {what}, not an ONNX model"));
        if !help.is_empty() {
            d = d.help(help);
        }
        return Err(d.into());
    }
    // Every exporter writes the format version first: field 1, a small number.
    let plausible = bytes[0] == 0x08 && bytes.get(1).is_some_and(|v| (1..64).contains(v));
    match ModelProto::decode(bytes) {
        Ok(proto) if proto.graph.is_some() => Ok(ModelFile { proto, path: None }),
        Ok(_) if plausible => {
            Err(Diagnostic::invalid("the model holds no graph; the file is cut off or incomplete")
                .help("download or export the model again")
                .into())
        }
        Err(e) if plausible => {
            Err(Diagnostic::invalid(format!("the model is damaged or cut off ({})", reason(&e)))
                .help("download or export the model again")
                .into())
        }
        Ok(_) => Err(Diagnostic::invalid("is not an ONNX model: it holds no graph").into()),
        Err(e) => Err(Diagnostic::invalid(format!("is not an ONNX model ({})", reason(&e))).into()),
    }
}

/// The library's message without its own prefix.
fn reason(e: &prost::DecodeError) -> String {
    e.to_string().trim_start_matches("failed to decode Protobuf message: ").to_string()
}

/// What the file is, judged by its first bytes, and what to do; `None` if it may be an ONNX model.
fn recognise(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const PYTORCH: &str = "export the network with torch.onnx.export and pass the .onnx file";
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|b| b.starts_with(magic));
    let table: &[(usize, &[u8], &str, &str)] = &[
        (0, b"\x89PNG", "a PNG image", ""),
        (0, b"\xff\xd8\xff", "a JPEG image", ""),
        (0, b"GIF8", "a GIF image", ""),
        (0, b"%PDF", "a PDF document", ""),
        (0, b"PK\x03\x04", "a zip archive (PyTorch checkpoint, .npz or .keras)", PYTORCH),
        (0, b"\x80\x02", "a Python pickle", PYTORCH),
        (0, b"\x1f\x8b", "a gzip archive", "unpack it first"),
        (0, b"\x89HDF", "an HDF5 file (Keras)", "convert it with tf2onnx"),
        (0, b"\x7fELF", "an ELF program", ""),
        (0, b"\x93NUMPY", "a NumPy array", ""),
        (4, b"TFL3", "a TensorFlow Lite model", "convert it with tf2onnx --tflite"),
        (4, b"ORTM", "an onnxruntime (.ort) model", "pass the .onnx file it was made from"),
        (0, b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself with `git lfs pull`"),
        (
            0,
            b"<ir_version",
            "an ONNX model in text form",
            "convert it to binary with onnx.parser.parse_model and onnx.save",
        ),
        (0, b"<!DOCTYPE", "an HTML page", "the download gave a web page instead of the file"),
        (0, b"<html", "an HTML page", "the download gave a web page instead of the file"),
        (0, b"{", "a text file (JSON?)", "only the binary form of ONNX is read"),
        (0, b"ir_version", "a text file (protobuf text form?)", "only the binary form of ONNX is read"),
    ];
    table.iter().find(|(offset, magic, _, _)| at(*offset, magic)).map(|(_, _, what, help)| (*what, *help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        let e = parse_bytes(bytes.to_vec()).unwrap_err();
        assert_eq!(e.exit_code(), 3);
        e.to_string()
    }

    #[test]
    fn says_what_the_file_is_instead() {
        assert_eq!(
            message(b""),
            "error[invalid]: the file is empty\n  help: download or export the model again"
        );
        assert_eq!(
            message(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            "error[invalid]: is a PNG image, not an ONNX model"
        );
        assert!(message(b"\x1c\0\0\0TFL3\0\0").contains("a TensorFlow Lite model"));
        assert!(message(b"hello world").starts_with("error[invalid]: is not an ONNX model ("));
        assert!(message(b"\xff\xff\xff\xff\xff\xff").starts_with("error[invalid]: is not an ONNX model ("));
        assert!(message(&[8, 8]).contains("holds no graph"));
        // Graph of 100 bytes announced, 2 present.
        assert!(message(&[8, 8, 0x3a, 100, 1, 2]).contains("damaged or cut off"));
    }

    #[test]
    fn missing_file_is_the_environment() {
        let e = read_model(Path::new("/nonexistent/model.onnx")).unwrap_err();
        assert_eq!(e.exit_code(), 6);
        assert!(read_model(Path::new("/")).unwrap_err().to_string().contains("is a folder"));
    }
}
