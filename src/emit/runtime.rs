//! What a bare chip needs beside the network: start-up, linker script, main program.
//!
//! In: a platform's `[runtime]` and the context of the file templates. Out: files, and what `Network.c` includes
//! and puts around calls. Never knows a chip: everything comes from the platform's files.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::template::Templates;
use crate::diag::Result;
use crate::targets::{Library, Platform};

/// A file with the path a user knows it by.
pub type Named = (String, String);

/// The parts of a platform's runtime; empty for a platform without one.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The template around each call.
    pub call: Option<Named>,
    /// The template of a layer in parts.
    pub tiled: Option<Named>,
    /// The template of the Makefile.
    pub makefile: Option<Named>,
    /// Headers that `Network.c` includes.
    pub headers: Vec<String>,
    /// Path below the output folder, origin and text of every file; those of templates end in `.hbs`.
    files: Vec<(String, String, String)>,
}

impl Parts {
    /// Reads the files a platform names.
    ///
    /// # Errors
    /// One does not exist.
    pub fn of(library: &Library, platform: &Platform) -> Result<Parts> {
        let Some(runtime) = &platform.runtime else { return Ok(Parts::default()) };
        let tree = library.tree();
        let read = |path: &String| -> Result<Named> {
            let place = platform.file(tree, path)?;
            Ok((tree.origin(&place), tree.text(&place)?.to_string()))
        };
        let files =
            runtime.files.iter().map(|path| read(path).map(|(origin, text)| (path.clone(), origin, text)));
        Ok(Parts {
            call: runtime.call.as_ref().map(read).transpose()?,
            tiled: runtime.tiled.as_ref().map(read).transpose()?,
            makefile: runtime.makefile.as_ref().map(read).transpose()?,
            headers: runtime.headers.clone(),
            files: files.collect::<Result<_>>()?,
        })
    }

    /// Adds what the platform's templates may ask: memories by name, the runtime's sources, the linker's arguments.
    pub fn extend(&self, context: &mut Map<String, Json>, platform: &Platform) {
        let memory = |m: &crate::targets::platform::Memory| {
            let size = m.size.unwrap_or_default();
            (
                m.name.clone(),
                json!({ "base": format!("{:#x}", m.base), "size": format!("{size:#x}"), "bytes": size }),
            )
        };
        let memories: Map<String, Json> = platform.memories.iter().map(memory).collect();
        let paths = self.files.iter().map(|(path, ..)| path.trim_end_matches(".hbs"));
        let sources: Vec<&str> = paths.filter(|p| p.ends_with(".c") || p.ends_with(".S")).collect();
        context.insert("memories".into(), Json::Object(memories));
        context.insert("headers".into(), json!(self.headers));
        context.insert("runtime_sources".into(), json!(sources));
        context.insert("ldflags".into(), json!(platform.toolchain.ldflags.join(" ")));
        let argv = platform.simulator.as_ref().map(|s| s.argv.join(" ")).unwrap_or_default();
        context.insert("simulator".into(), json!(argv.replace("{elf}", "$<")));
    }

    /// The files to write.
    ///
    /// # Errors
    /// A template is malformed or asks for something that is not there.
    pub fn render(&self, templates: &mut Templates, context: &Json) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut written = BTreeMap::new();
        for (path, origin, text) in &self.files {
            match path.strip_suffix(".hbs") {
                None => written.insert(path.clone(), text.clone().into_bytes()),
                Some(path) => {
                    templates.add(origin, text)?;
                    let text = templates.render(origin, text, context)?.text;
                    written.insert(path.to_string(), text.into_bytes())
                }
            };
        }
        Ok(written)
    }
}
