//! The template environment: handlebars, strict, without escaping, with the helpers call templates use.
//!
//! In: template text and a context. Out: C text, and text hoisted to file scope. Never decides anything.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable, ScopedJson, handlebars_helper,
};
use serde_json::Value as Json;

use super::literal;
use crate::diag::{Diagnostic, Result};
use crate::targets::source::{offset_of, point_at};

/// Mark the start and end of hoisted text within a rendered template; cannot occur in C.
const HOIST: char = '\u{1}';
const END: char = '\u{2}';

/// A rendered call template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text that stays in place.
    pub text: String,
    /// The contents of `hoist` blocks, in order.
    pub hoisted: Vec<String>,
}

/// The environment. Templates are registered under the path a user knows them by.
pub struct Templates {
    handlebars: Handlebars<'static>,
}

impl Default for Templates {
    fn default() -> Self {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars.register_escape_fn(handlebars::no_escape);
        handlebars.register_helper("join", Box::new(Text(join)));
        handlebars.register_helper("float", Box::new(Text(float)));
        handlebars.register_helper("int", Box::new(Text(int)));
        handlebars.register_helper("hoist", Box::new(Hoist));
        handlebars.register_helper("indent", Box::new(indent));
        handlebars.register_helper("add", Box::new(Arithmetic("add", i64::checked_add)));
        handlebars.register_helper("sub", Box::new(Arithmetic("sub", i64::checked_sub)));
        handlebars.register_helper("mul", Box::new(Arithmetic("mul", i64::checked_mul)));
        Templates { handlebars }
    }
}

impl Templates {
    /// Adds a template, once per path.
    ///
    /// # Errors
    /// The template is malformed; shows where.
    pub fn add(&mut self, path: &str, text: &str) -> Result<()> {
        if self.handlebars.has_template(path) {
            return Ok(());
        }
        self.handlebars.register_template_string(path, text).map_err(|e| {
            let (line, column) = e.pos().unwrap_or((1, 1));
            fault(path, text, line, column, &e.reason().to_string())
        })?;
        Ok(())
    }
    /// Renders the template added as `path`, whose text is `text`.
    ///
    /// # Errors
    /// The template asks for something that is not there; shows where.
    pub fn render(&self, path: &str, text: &str, context: &Json) -> Result<Rendered> {
        let rendered = self.handlebars.render(path, context).map_err(|e| {
            let (line, column) = (e.line_no.unwrap_or(1), e.column_no.unwrap_or(1));
            fault(path, text, line, column, &reason(&e))
        })?;
        let mut result = Rendered::default();
        for (i, part) in rendered.split(HOIST).enumerate() {
            match part.split_once(END) {
                Some((hoisted, rest)) if i > 0 => {
                    result.hoisted.push(hoisted.trim_matches('\n').trim_end().to_string());
                    result.text.push_str(rest);
                }
                _ => result.text.push_str(part),
            }
        }
        Ok(result)
    }
}

fn reason(e: &RenderError) -> String {
    match e.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}` here"),
        other => other.to_string(),
    }
}

fn fault(path: &str, text: &str, line: usize, column: usize, message: &str) -> Diagnostic {
    let at = offset_of(text, line, column);
    Diagnostic::invalid(format!("{path}: template error {}", point_at(text, at..at + 1, message)))
}

fn wrong(helper: &str, message: impl std::fmt::Display) -> RenderError {
    RenderErrorReason::Other(format!("`{helper}` {message}")).into()
}

fn argument<'a>(h: &'a Helper, helper: &str, i: usize) -> std::result::Result<&'a Json, RenderError> {
    let value = h.param(i).ok_or_else(|| wrong(helper, format!("needs argument {}", i + 1)))?;
    if value.is_value_missing() {
        let name = value.relative_path().map_or("its argument", String::as_str);
        return Err(wrong(helper, format!("is given `{name}`, which is not here")));
    }
    Ok(value.value())
}

/// A helper that writes text. Other than those of handlebars' macro it says what is wrong with what it is
/// given.
struct Text(fn(&Helper) -> std::result::Result<String, RenderError>);
impl HelperDef for Text {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        out.write(&(self.0)(h)?)?;
        Ok(())
    }
}

fn join(h: &Helper) -> std::result::Result<String, RenderError> {
    let Json::Array(list) = argument(h, "join", 0)? else {
        return Err(wrong("join", "needs a list"));
    };
    let separator = h.param(1).and_then(|p| p.value().as_str()).unwrap_or(", ");
    let items: Vec<String> = list
        .iter()
        .map(|v| match v {
            Json::String(s) => s.clone(),
            Json::Bool(b) => u8::from(*b).to_string(),
            other => other.to_string(),
        })
        .collect();
    Ok(items.join(separator))
}

fn float(h: &Helper) -> std::result::Result<String, RenderError> {
    let value = argument(h, "float", 0)?;
    let number = match value {
        Json::String(s) => s.parse::<f32>().ok(),
        Json::Number(n) => n.as_f64().map(|x| x as f32),
        _ => None,
    };
    let number = number.ok_or_else(|| wrong("float", format!("needs a number, not {value}")))?;
    Ok(literal::float(number))
}

fn int(h: &Helper) -> std::result::Result<String, RenderError> {
    Ok(literal::int(integer(h, "int", 0)?))
}

struct Hoist;
impl HelperDef for Hoist {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Some(block) = h.template() else {
            return Err(wrong("hoist", "is a block: {{#hoist}}…{{/hoist}}"));
        };
        out.write(&HOIST.to_string())?;
        block.render(registry, context, rc, out)?;
        out.write(&END.to_string())?;
        Ok(())
    }
}

/// Every line that holds something, four spaces further in.
fn indented(text: &str) -> String {
    let line = |l: &str| if l.trim().is_empty() { String::new() } else { format!("    {l}") };
    text.lines().map(line).collect::<Vec<_>>().join(
        "
",
    )
}

handlebars_helper!(indent: |text: str| indented(text));

struct Arithmetic(&'static str, fn(i64, i64) -> Option<i64>);
impl HelperDef for Arithmetic {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> std::result::Result<ScopedJson<'rc>, RenderError> {
        let (a, b) = (integer(h, self.0, 0)?, integer(h, self.0, 1)?);
        let result =
            (self.1)(a, b).ok_or_else(|| wrong(self.0, format!("of {a} and {b} exceeds 64 bits")))?;
        Ok(ScopedJson::Derived(Json::from(result)))
    }
}

fn integer(h: &Helper, helper: &str, i: usize) -> std::result::Result<i64, RenderError> {
    let value = argument(h, helper, i)?;
    value.as_i64().ok_or_else(|| wrong(helper, format!("needs integers, not {value}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(text: &str) -> Result<Rendered> {
        let mut templates = Templates::default();
        templates.add("k/t.hbs", text)?;
        let context = json!({
            "dims": [1, 2, 3], "lo": "-inf", "third": 0.333_333_34_f32, "n": 4, "big": i64::MIN, "bias": null,
            "x": { "ptr": "(const int8_t *)(arena + 4)" }, "lines": "a;\n\nb;"
        });
        templates.render("k/t.hbs", text, &context)
    }

    fn text(template: &str) -> String {
        render(template).unwrap().text
    }

    #[test]
    fn helpers_write_c() {
        assert_eq!(text("{ {{join dims}} }"), "{ 1, 2, 3 }");
        assert_eq!(text("{{join dims \" * \"}}"), "1 * 2 * 3");
        assert_eq!(text("{{float lo}} {{float third}} {{float n}}"), "(-INFINITY) 0.33333334f 4.0f");
        assert_eq!(text("{{add n 1}} {{sub n 5}} {{mul n (add n 1)}}"), "5 -1 20");
        assert_eq!(text("{{int big}}"), "(-INT64_C(9223372036854775807) - 1)");
        assert_eq!(text("{{#if bias}}{{bias.ptr}}{{else}}NULL{{/if}}"), "NULL");
        assert_eq!(text("f({{x.ptr}} & 1);"), "f((const int8_t *)(arena + 4) & 1);");
        assert_eq!(text("{\n{{indent lines}}\n}"), "{\n    a;\n\n    b;\n}");
    }

    #[test]
    fn hoisted_text_is_set_apart() {
        let r = render(
            "{{#hoist}}\nstatic const int d[3] = { {{join dims}} };\n{{/hoist}}\nf(d);\n{{#hoist}}int e;{{/hoist}}",
        );
        let r = r.unwrap();
        assert_eq!(r.hoisted, ["static const int d[3] = { 1, 2, 3 };", "int e;"]);
        assert_eq!(r.text.trim(), "f(d);");
    }

    #[test]
    fn faults_carry_file_line_and_caret() {
        let shown = render("f(1,\n  {{x.pointer}});\n").unwrap_err().to_string();
        assert!(shown.contains("k/t.hbs: template error at line 2"), "{shown}");
        assert!(shown.contains("2 |   {{x.pointer}});\n"), "{shown}");
        assert!(shown.contains("there is no `x.pointer` here"), "{shown}");
        let shown = render("a\n{{#if n}}\nb\n").unwrap_err().to_string();
        assert!(shown.contains("k/t.hbs: template error at line"), "{shown}");
        let shown = render("a\n{{nothing n}}").unwrap_err().to_string();
        assert!(shown.contains("line 2") && shown.contains("nothing"), "{shown}");
        let shown = render("\n{{add n lo}}").unwrap_err().to_string();
        assert!(shown.contains("line 2") && shown.contains("`add` needs integers, not \"-inf\""), "{shown}");
        let shown = render("\n{{join absent}}").unwrap_err().to_string();
        assert!(shown.contains("line 2") && shown.contains("absent"), "{shown}");
        let shown = render("\n{{indent n}}").unwrap_err().to_string();
        assert!(shown.contains("line 2") && shown.contains("indent") && shown.contains("text"), "{shown}");
        let shown = render("{{mul big big}}").unwrap_err().to_string();
        assert!(shown.contains("exceeds 64 bits"), "{shown}");
    }
}
