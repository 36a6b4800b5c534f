//! Report pages, as a browser sees them: what they show, that nothing is fetched, and that names stay text.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::chip::{ready, repository};
use super::{seen, tilewright};

/// Whether there is a browser; a machine without one says so and tests less.
fn browser() -> bool {
    let found = Command::new("chromium").arg("--version").output().is_ok();
    if !found {
        eprintln!("chromium is not installed: pages are not opened (make setup-test installs it)");
    }
    found
}

/// Opens a page and gives what its own test saw.
fn open(page: &Path) -> Json {
    let profile = tempfile::tempdir().unwrap();
    let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=5000 --dump-dom";
    let output = Command::new("chromium")
        .args(flags.split_whitespace())
        // Browsers have business of their own on the network.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#test", page.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("CONSOLE"), "{said}");
    let dom = String::from_utf8_lossy(&output.stdout);
    let text = dom.split("<pre id=\"seen\">").nth(1).unwrap_or_else(|| panic!("no result: {dom} {said}"));
    let text = text.split("</pre>").next().unwrap();
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap()
}

fn numbers(list: &Json) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// What holds of every page.
fn check(seen: &Json, buffers: &[usize], runs: usize) {
    assert_eq!(seen["errors"], json!([]), "{seen}");
    assert_eq!(seen["requests"], json!([]), "{seen}");
    assert_eq!((&seen["scripts"], &seen["images"]), (&json!(2), &json!(0)), "{seen}");
    assert_eq!(seen["rectangles"], json!(buffers), "{seen}");
    assert_eq!(seen["lit"], json!(vec![true; runs]), "{seen}");
    assert_eq!(seen["wide"], false, "{seen}");
    for table in seen["tables"].as_array().unwrap() {
        let [before, down, up] = ["before", "down", "up"].map(|k| numbers(&table[k]));
        assert!(before.len() > 3 && down.is_sorted_by(|a, b| a >= b) && up.is_sorted(), "{table}");
        assert_ne!(before, up, "{table}");
        let (mut a, mut b) = (before, up);
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        assert_eq!(a, b);
    }
}

/// Buffers of each memory, in the order of the page.
fn buffers(records: &[&Json]) -> Vec<usize> {
    let mut levels: Vec<&Json> = Vec::new();
    for memory in records.iter().flat_map(|r| r["memories"].as_array().unwrap()) {
        if !levels.contains(&&memory["level"]) {
            levels.push(&memory["level"]);
        }
    }
    let count = |level: &Json, r: &Json| {
        r["buffers"].as_array().unwrap().iter().filter(|b| b["level"] == *level).count()
    };
    levels.iter().flat_map(|level| records.iter().map(|r| count(level, r))).collect()
}

/// A page of files in `dir`.
fn page(dir: &Path, runs: &[(&str, &Json)]) -> std::path::PathBuf {
    for (name, run) in runs {
        std::fs::write(dir.join(name), run.to_string()).unwrap();
    }
    let names: Vec<&str> = runs.iter().map(|(name, _)| *name).collect();
    let output = tilewright(dir, &[&["report"], &names[..], &["-o", "page.html"]].concat());
    assert!(output.status.success(), "{}", seen(dir, &output));
    let page = dir.join("page.html");
    assert!(std::fs::metadata(&page).unwrap().len() < 2_000_000);
    page
}

fn measured(dir: &Path, more: &[&str]) -> Json {
    let network = repository("DeployTest/Models/Int8/KeywordSpotting");
    let args = ["run", &network, "--target", "siracusa", "--no-checks", "--json"];
    let output = tilewright(dir, &[&args[..], more].concat());
    assert!(output.status.success(), "{}", seen(dir, &output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn pages_show_a_run_or_two() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let (near, parts) =
        (measured(tmp.path(), &["--report", "run.html"]), measured(tmp.path(), &["--l1", "12KiB"]));
    let one = page(tmp.path(), &[("parts.json", &parts)]);
    let text = std::fs::read_to_string(&one).unwrap();
    for outside in ["://", " src=", " href=", "url(", "@import", "fetch("] {
        assert!(!text.contains(outside), "{outside}");
    }
    for shown in ["KeywordSpotting", "exposed DMA cycles", "lower bound", "Conv_16", "32 MAC per cycle"] {
        assert!(text.contains(shown), "{shown}");
    }
    if browser() {
        check(&open(&one), &buffers(&[&parts]), 1);
        check(&open(&tmp.path().join("run.html")), &buffers(&[&near]), 1);
        let outside = measured(tmp.path(), &["--default-level", "L3"]);
        assert!(outside["buffers"].as_array().unwrap().iter().any(|b| b["kind"] == "load"));
        let seen = open(&page(tmp.path(), &[("outside.json", &outside)]));
        check(&seen, &buffers(&[&outside]), 1);
        assert_eq!(seen["spans"][0].as_array().unwrap().len(), 6);
        let two = page(tmp.path(), &[("near.json", &near), ("parts.json", &parts)]);
        let seen = open(&two);
        check(&seen, &buffers(&[&near, &parts]), 2);
        assert_eq!(seen["tables"].as_array().unwrap().len(), 3);
    }
}

/// A record that no run wrote: many layers, with the names that are given.
fn made(layers: usize, name: &str) -> Json {
    let name = |i: usize| format!("{name}{i}");
    let layer = |i: usize| {
        let part = json!({ "fetch": 50, "kernel": 90, "store": 10, "wait": 5, "fetched": 64, "stored": 32 });
        json!({
            "name": name(i), "operator": "Conv", "kernel": "conv", "engine": "cluster", "inputs": [], "outputs": [],
            "macs": (i * 7919) % 1000, "input_bytes": 1, "output_bytes": 1, "weight_bytes": 1, "scratch_bytes": 0,
            "predicted_cycles": 100, "mode": "parts", "moved": { "fetched": 64, "stored": 32, "least": 90 },
            "tiles": { "shape": [1, 8], "count": 20, "ahead": true, "bytes": 100 },
            "measured": { "cycles": 2000 - i * 13 % 100, "exposed": 100, "dma": 600, "fetched": 1280, "stored": 640, "outside": 0,
                "instructions": 5, "parts": vec![part; 20] },
        })
    };
    let spans = |n: usize, length: usize| -> Vec<Json> {
        (0..layers * n).map(|i| json!([i * 2000 / n, i * 2000 / n + length, i / n, i % n, 9])).collect()
    };
    let buffer = |i: usize| {
        json!({ "name": name(i), "kind": "part", "level": name(0), "offset": i % 5 * 100, "bytes": 100,
            "first": i / 4, "last": i / 4 + 1 })
    };
    json!({
        "name": name(0), "target": name(1), "status": "pass", "reason": name(2), "cycles": 2000 * layers,
        "totals": { "arena_bytes": 500, "weight_bytes": 1, "macs": 9, "nodes": layers, "elided": 0 },
        "memories": [{ "level": name(0), "bytes": 500, "capacity": 600, "lower_bound": 400, "gap": 100,
            "gap_reason": name(3) }],
        "layers": (0..layers).map(layer).collect::<Vec<_>>(),
        "buffers": (0..4 * layers).map(buffer).collect::<Vec<_>>(),
        "timeline": { "layers": spans(1, 2000), "kernels": spans(20, 90), "fetches": spans(20, 50),
            "stores": spans(20, 10), "outside": [], "waits": spans(20, 5) },
    })
}

#[test]
fn pages_of_many_layers_are_whole_and_small() {
    let tmp = tempfile::tempdir().unwrap();
    let (a, b) = (made(300, "/model/block/layer_"), made(330, "/model/block/layer_"));
    let two = page(tmp.path(), &[("a.json", &a), ("b.json", &b)]);
    if browser() {
        let seen = open(&two);
        check(&seen, &[1200, 1320], 2);
        let rows: Vec<usize> =
            seen["tables"].as_array().unwrap().iter().map(|t| t["up"].as_array().unwrap().len()).collect();
        assert_eq!(rows, [330, 300, 330]);
        assert_eq!(seen["spans"][0][0], 300);
    }
}

#[test]
fn hostile_names_stay_text() {
    let tmp = tempfile::tempdir().unwrap();
    let name = "</script></title><script>throw 1</script><img src=x onerror=\"throw 2\">'\"`{{{data}}}\u{202e}\u{0}&amp;";
    let hostile = made(8, name);
    let page = page(tmp.path(), &[("a.json", &hostile), ("<b>'.json", &hostile)]);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(!text.contains("<img") && !text.contains("<script>throw") && !text.contains('\u{202e}'));
    assert_eq!(text.matches("<script").count(), 2);
    if browser() {
        check(&open(&page), &[32, 32], 2);
    }
}

#[test]
fn files_that_are_no_runs_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let refused = |text: &str, code: i32, why: &str| {
        std::fs::write(tmp.path().join("run.json"), text).unwrap();
        let said = seen(tmp.path(), &tilewright(tmp.path(), &["report", "run.json", "-o", "page.html"]));
        assert!(said.starts_with(&format!("exit code {code}")) && said.contains(why), "{said}");
        assert!(!tmp.path().join("page.html").exists());
    };
    refused("", 3, "run.json");
    refused("{\"cases\": []}", 3, "is no record of a run");
    let mut empty = made(1, "x");
    empty["layers"] = json!([]);
    refused(&empty.to_string(), 3, "has no layers");
    let mut extreme = made(5, "x");
    for buffer in extreme["buffers"].as_array_mut().unwrap() {
        buffer["offset"] = u64::MAX.into();
        buffer["last"] = u32::MAX.into();
        buffer["first"] = 77.into();
    }
    extreme["layers"][0]["measured"]["cycles"] = u64::MAX.into();
    extreme["timeline"]["kernels"] = json!([[u64::MAX, 0, u32::MAX, 99, u64::MAX]]);
    extreme["platform"] =
        json!({ "memories": [], "engines": [{ "name": "", "cores": 9, "macs_per_cycle": -1e300 }] });
    page(tmp.path(), &[("extreme.json", &extreme)]);
}
