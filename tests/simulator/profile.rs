//! Profiles and traces: they say where time went, and change nothing.

use tilewright::sim::{self, Options, Report, Status};

use super::build;

fn run() -> Report {
    let elf = build::program("layers", &[]);
    let options = Options { profile: true, trace: true, max_cycles: Some(1_000_000), ..Options::default() };
    let report = sim::simulate(&elf, &sim::soc("siracusa").unwrap(), &options).unwrap();
    assert_eq!(report.status, Status::Exit(0));
    report
}

#[test]
fn functions_and_layers_take_what_they_should() {
    let report = run();
    let function = |name: &str| report.functions.iter().find(|f| f.name == name).unwrap();
    let long = function("kernel_long");
    // 300 x 5 cycles (a taken branch costs 3) less one, and little else; cold lines at first.
    assert!((1500..1600).contains(&long.longest), "{long:?}");
    assert!((4 * 1500..4 * 1600).contains(&long.cycles), "{long:?}");
    assert_eq!((long.calls, long.asleep, long.controller), (4, 0, false));
    assert!((4 * 902..4 * 910).contains(&long.instructions), "{long:?}");
    // The run function waits at its barriers, and the kernels are not its own time.
    let net_run = function("net_run");
    assert!(net_run.asleep > 300 && net_run.longest < 400, "{net_run:?}");
    let controller = function("fc_main");
    assert!(controller.controller && controller.asleep > 1000, "{controller:?}");
    let layers: Vec<u32> = report.layers.iter().map(|l| l.number).collect();
    assert_eq!(layers, [0, 1]);
    let [first, second] = [&report.layers[0], &report.layers[1]];
    assert!((1500..1700).contains(&first.cycles), "{first:?}");
    // The transfer: 33 + 1024 / 8 cycles; three cores wait for it.
    assert!((161..300).contains(&second.cycles), "{second:?}");
    assert!(second.asleep > 3 * 120, "{second:?}");
    // One kernel per layer; the transfer is seen, and so is who waits for it.
    assert_eq!((first.parts.len(), first.exposed, first.dma), (1, 0, 0), "{first:?}");
    assert!((1500..1600).contains(&first.parts[0].kernel), "{first:?}");
    assert_eq!(second.fetched + second.stored, 1024, "{second:?}");
    assert!((120..=180).contains(&second.dma), "{second:?}");
    assert_eq!((report.unaligned, report.unaligned_at.iter().map(|(_, n)| n).sum::<u64>()), (3, 3));
    assert!(report.unaligned_at[0].0.contains("core_main (layers.c:"), "{:?}", report.unaligned_at);
}

#[test]
fn traces_hold_kernels_transfers_and_waits() {
    let json: serde_json::Value = serde_json::from_str(&run().trace.unwrap()).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let tracks: Vec<(u64, &str)> = events
        .iter()
        .filter(|e| e["name"] == "thread_name")
        .map(|e| (e["tid"].as_u64().unwrap(), e["args"]["name"].as_str().unwrap()))
        .collect();
    let on = |track: &str, name: &str| {
        let tid = tracks.iter().find(|(_, t)| *t == track).unwrap_or_else(|| panic!("{track}: {tracks:?}")).0;
        let all = events.iter().filter(|e| e["ph"] == "X" && e["tid"] == tid && e["name"] == name);
        all.map(|e| (e["ts"].as_u64().unwrap(), e["dur"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    for core in 0..4 {
        let core = format!("cluster core {core}");
        let kernels = on(&core, "kernel_long");
        assert!(kernels.len() == 1 && (1500..1600).contains(&kernels[0].1), "{core}: {kernels:?}");
        assert!(on(&core, "barrier").len() >= 3, "{core}");
    }
    let transfers = on("DMA into L1", "1024 bytes for core 0");
    assert!(transfers.len() == 1 && (140..170).contains(&transfers[0].1), "{transfers:?}");
    // The transfer lies in its layer.
    let layer = on("layers", "layer 1")[0];
    assert!(layer.0 <= transfers[0].0 && transfers[0].0 + transfers[0].1 <= layer.0 + layer.1);
    assert_eq!(on("layers", "layer 0").len(), 1);
}
