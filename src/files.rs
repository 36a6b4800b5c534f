//! Writing single files that users ask for: all of a file or nothing.
//!
//! In: a path and bytes. Out: the file, or the old one as it was. Never knows what is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::diag::{Diagnostic, Result};

/// Writes a file, or replaces it once the new one is whole. Pipes and devices are written as they are; behind a link
/// the file it leads to is replaced.
///
/// # Errors
/// The folder or the disk does not take it, or the old file is write-protected; then the old one is as it was.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    replace(path, |file| file.write_all(bytes.as_ref()))
        .map_err(|e| Diagnostic::environment(format!("{}: cannot be written: {e}", path.display())).into())
}

fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let old = match OpenOptions::new().write(true).open(&target) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
        Ok(mut file) => {
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return fill(&mut file);
            }
            Some(metadata.permissions())
        }
    };
    // On the same file system as the result, so that the move cannot run out of room.
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Like any new file, and other than tempfile's own: readable by all, and errors without random names.
    let mut staged =
        tempfile::Builder::new().prefix(".tilewright-").make_in(folder, |p| File::create_new(p))?;
    fill(staged.as_file_mut())?;
    if let Some(permissions) = old {
        staged.as_file().set_permissions(permissions)?;
    }
    staged.persist(&target).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_whole() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("trace.json");
        write(&path, "old").unwrap();
        let half = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!(half.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1, "something was left behind");
        write(&path, "new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn the_path_and_the_cause_are_named() {
        let tmp = tempfile::tempdir().unwrap();
        let absent = tmp.path().join("absent/file");
        let shown = write(&absent, "x").unwrap_err().to_string();
        assert!(shown.contains(&format!("{}: cannot be written: No such file", absent.display())), "{shown}");
        assert!(!shown.contains(".tilewright"), "{shown}");
        assert!(write(tmp.path(), "x").is_err(), "a folder is no file");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let tmp = tempfile::tempdir().unwrap();
        let (file, link) = (tmp.path().join("file"), tmp.path().join("link"));
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        fs::write(tmp.path().join("plain"), "").unwrap();
        write(&file, "old").unwrap();
        assert_eq!(mode(&file), mode(&tmp.path().join("plain")), "a new file is like any other");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"new".to_vec(), 0o640));
        write(Path::new("/dev/null"), "new").unwrap();
    }
}
