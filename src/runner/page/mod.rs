//! Pages that show one run, or compare two: HTML that needs nothing but a browser.
//!
//! In: [`Record`]s of runs. Out: the text of a page without any reference to something outside of it. Never runs anything;
//! whatever the records say is escaped.
//!
//! | file | holds |
//! |---|---|
//! | `headline` | the figures at the top |
//! | `rows` | tables of layers |
//! | `memory` | pictures of arenas over time |
//! | `roofline` | operations per cycle over operations per byte |
//! | `timeline` | what the script draws: who did what when |

mod headline;
mod memory;
mod roofline;
mod rows;
mod timeline;

use handlebars::Handlebars;
use serde_json::{Value as Json, json};

use super::record::Record;
use super::result::Status;
use crate::diag::{Diagnostic, Result};

/// Layers of the largest run that a page takes.
const MOST_LAYERS: usize = 10_000;
/// Characters of a name that are shown.
const NAME: usize = 160;

/// A run and what to call it.
#[derive(Clone, Debug)]
pub struct Run {
    /// A short name, for comparisons.
    pub label: String,
    /// The run.
    pub record: Record,
}

/// Reads what `tilewright run --json` printed.
///
/// # Errors
/// It is no such record.
pub fn read(text: &str) -> Result<Record> {
    let record: Record = serde_json::from_str(text).map_err(|e| {
        Diagnostic::invalid(format!("is no record of a run: {e}"))
            .help("make one with `tilewright run … --json > run.json`")
    })?;
    if record.layers.is_empty() {
        return Err(Diagnostic::invalid("has no layers to show").into());
    }
    if record.layers.len() > MOST_LAYERS {
        let layers = record.layers.len();
        let message = format!("has {layers} layers; a page shows at most {MOST_LAYERS}");
        return Err(Diagnostic::invalid(message).into());
    }
    Ok(record)
}

/// The page of one run or of two.
///
/// # Errors
/// The page's template is faulty.
pub fn render(runs: &[Run]) -> Result<String> {
    let records: Vec<&Record> = runs.iter().map(|r| &r.record).collect();
    let letters = ["A", "B"];
    let heads: Vec<Json> = runs.iter().zip(letters).map(|(run, letter)| head(run, letter)).collect();
    let details: Vec<Json> = runs
        .iter()
        .zip(letters)
        .map(|(run, letter)| json!({ "letter": letter, "label": run.label, "table": rows::layers(&run.record) }))
        .collect();
    let titles: Vec<String> = records.iter().map(|r| title(r)).collect();
    let context = json!({
        "title": titles.join(" and "),
        "two": runs.len() > 1,
        "version": env!("CARGO_PKG_VERSION"),
        "runs": heads,
        "cards": headline::cards(&records),
        "shares": headline::shares(&records),
        "outside": records.iter().any(|r| r.totals.loaded_bytes.is_some() || r.totals.spilled_bytes.is_some()),
        "timeline": records.iter().any(|r| r.timeline.is_some()),
        "memories": memory::pictures(&records),
        "roofline": roofline::picture(&records),
        "comparison": if let [a, b] = records.as_slice() { rows::comparison(a, b) } else { Json::Null },
        "details": details,
        "css": include_str!("page.css"),
        "script": include_str!("page.js"),
        "data": embedded(&timeline::data(runs)),
    });
    // What a figure does not have is left out.
    Handlebars::new()
        .render_template(include_str!("page.html.hbs"), &context)
        .map_err(|e| Diagnostic::internal(format!("the template of report pages: {e}")).into())
}

/// JSON as it may stand in an HTML script: no tag can begin in it.
fn embedded(data: &Json) -> String {
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// A name that is not too long, and has no characters that turn text around or do nothing but surprise.
fn name(text: &str) -> String {
    let odd = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut short: String = text.chars().filter(odd).take(NAME).collect();
    if text.chars().count() > NAME {
        short.push('…');
    }
    short
}

/// A run's title: the last part of the case's path.
fn title(record: &Record) -> String {
    let path = record.result.name.trim_end_matches('/');
    let last = path.rsplit('/').find(|p| !p.is_empty()).unwrap_or("network");
    name(last)
}

fn head(run: &Run, letter: &str) -> Json {
    let result = &run.record.result;
    let (word, tone) = match result.status {
        Status::Pass => ("pass", "good"),
        Status::Fail => ("fail", "bad"),
        Status::Refused => ("refused", "caution"),
        Status::Skip => ("no goldens", "caution"),
    };
    let exact = match result.max_error {
        Some(0.0) => "exact".to_string(),
        Some(e) => format!("largest error {e:.2e}"),
        None => String::new(),
    };
    let cores = match result.cores {
        Some(1) => " · 1 core".to_string(),
        Some(n) => format!(" · {n} cores"),
        None => String::new(),
    };
    json!({
        "letter": letter, "label": name(&run.label), "title": title(&run.record), "name": name(&result.name),
        "target": name(&result.target), "cores": cores, "word": word, "tone": tone, "exact": exact,
        "reason": result.reason.as_deref().map(name), "layers": run.record.layers.len(),
        "version": name(&run.record.version),
    })
}
