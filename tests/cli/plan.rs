//! Saved plans: used again they give the same bytes; edited they are judged, and faults are the user's.

use std::fs;
use std::path::{Path, PathBuf};

use super::chip::repository;
use super::{seen, tilewright};

const KWS: &str = "DeployTest/Models/Int8/KeywordSpotting/network.onnx";
const MOBILE: &str = "DeployTest/Models/Int8/InvertedResiduals/network.onnx";
const CASES: [(&str, &[&str]); 8] = [
    (KWS, &["--target", "siracusa", "--l1", "12000"]),
    (KWS, &["--target", "siracusa", "--default-level", "l3"]),
    (KWS, &["--target", "siracusa", "--l1", "18000"]),
    (KWS, &["--target", "siracusa", "--io", "caller", "--untiled"]),
    (
        "DeployTest/Models/Int8/Attention/network.onnx",
        &["--target", "siracusa", "--l1", "5000", "--buffering", "single"],
    ),
    (
        "DeployTest/Models/Int8/AutoEncoder/network.onnx",
        &["--target", "siracusa", "--l1", "3000", "--default-level", "l3"],
    ),
    ("DeployTest/Models/Int8/AutoEncoder/network.onnx", &["--target", "host"]),
    (MOBILE, &["--target", "host", "--ram-budget", "9000"]),
];

/// A change to a plan.
type Edit<'a> = &'a dyn Fn(&mut serde_json::Value);

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(dir).unwrap().to_path_buf(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn compile(dir: &Path, model: &str, options: &[&str], more: &[&str]) -> String {
    let model = repository(model);
    seen(dir, &tilewright(dir, &[&["compile", &model], options, more].concat()))
}

#[test]
fn layers_are_computed_together_unless_told_otherwise() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let options = ["--target", "siracusa", "--l1", "17000"];
    compile(dir, KWS, &options, &["-o", "together", "--save-plan", "together.json"]);
    compile(dir, KWS, &options, &["-o", "apart", "--no-fusion", "--save-plan", "apart.json"]);
    let plan =
        |file| -> serde_json::Value { serde_json::from_slice(&fs::read(dir.join(file)).unwrap()).unwrap() };
    let fused = plan("together.json");
    assert_eq!(fused["fused"], serde_json::json!([["Conv_16", "IntegerMean_18"]]));
    assert!(plan("apart.json").get("fused").is_none());
    // A group that is none.
    let mut wrong = fused;
    wrong["fused"] = serde_json::json!([["IntegerMean_18", "Conv_16"]]);
    fs::write(dir.join("wrong.json"), wrong.to_string()).unwrap();
    let text = compile(dir, KWS, &options, &["-o", "wrong", "--plan", "wrong.json"]);
    assert!(text.starts_with("exit code 3"), "{text}");
    assert!(
        text.contains("wrong.json") && text.contains("cannot be computed part by part together"),
        "{text}"
    );
}

#[test]
fn a_plan_used_again_gives_the_same_sources() {
    for (model, options) in CASES {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        let text = compile(dir, model, options, &["-o", "made", "--save-plan", "plan.json"]);
        assert!(text.starts_with("exit code 0"), "{text}");
        let text = compile(dir, model, options, &["-o", "again", "--plan", "plan.json"]);
        assert!(text.starts_with("exit code 0"), "{text}");
        assert!(files(&dir.join("made")) == files(&dir.join("again")), "{model} {options:?}");
    }
}

#[test]
fn edited_plans_are_judged() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let (model, options) = CASES[0];
    compile(dir, model, options, &["-o", "made", "--save-plan", "plan.json"]);
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("plan.json")).unwrap()).unwrap();
    let layers = plan["layers"].as_array().unwrap();
    let at = layers.iter().position(|l| l["compute"] == "parts").unwrap();
    let replay = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut edited = plan.clone();
        edit(&mut edited);
        fs::write(dir.join("edited.json"), edited.to_string()).unwrap();
        compile(dir, model, options, &["-o", "again", "--force", "--plan", "edited.json"])
    };
    // A smaller part is another plan, and as good as any.
    let text = replay(&|p| {
        let parts = &mut p["layers"][at]["parts"];
        let axis = usize::try_from(parts["order"][0].as_u64().unwrap()).unwrap();
        parts["shape"][axis] = serde_json::json!(4);
        parts["ahead"] = serde_json::json!(false);
    });
    assert!(text.starts_with("exit code 0"), "{text}");
    let refused: [(Edit, i32, &str); 10] = [
        (&|p| p["target"] = "host".into(), 3, "for target `host`"),
        (&|p| p["format"] = 7.into(), 3, "of form 7"),
        (&|p| p["extra"] = 7.into(), 3, "unknown field `extra`"),
        (&|p| p["layers"][at]["node"] = "Nobody".into(), 3, "the network has no layer `Nobody`"),
        (&|p| drop(p["layers"].as_array_mut().unwrap().pop()), 3, "of the network is missing"),
        (&|p| p["layers"][at]["parts"]["shape"][1] = 1000.into(), 3, "is none of its"),
        (
            &|p| p["layers"][at]["parts"]["order"] = serde_json::json!([]),
            3,
            "does not list the axes that are cut",
        ),
        (&|p| p["layers"][at]["parts"]["at"] = "l9+0".into(), 3, "`l9+0` is no place"),
        (
            &|p| p["layers"][at]["parts"]["at"] = "l1+11000".into(),
            5,
            "bytes of `l1`, of which 12000 may be used",
        ),
        (&|p| p["layers"].as_array_mut().unwrap().swap(at, at + 1), 3, "whose result it reads"),
    ];
    for (edit, code, message) in refused {
        let text = replay(edit);
        assert!(
            text.starts_with(&format!("exit code {code}\n")) && text.contains(message),
            "{message}: {text}"
        );
        assert!(text.contains("help: ") && !text.contains("report it"), "{text}");
    }
}

#[test]
fn what_is_no_plan_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    compile(dir, CASES[4].0, CASES[4].1, &["-o", "made", "--save-plan", "other.json"]);
    fs::write(dir.join("broken.json"), "{\"format\": 1,").unwrap();
    for (file, code, message) in [
        ("none.json", 6, "none.json: cannot be read"),
        ("broken.json", 3, "this is no saved plan: EOF"),
        ("other.json", 3, "the network has no layer"),
    ] {
        let text = compile(dir, CASES[0].0, CASES[0].1, &["-o", "again", "--plan", file]);
        assert!(text.starts_with(&format!("exit code {code}\n")) && text.contains(message), "{text}");
    }
}
