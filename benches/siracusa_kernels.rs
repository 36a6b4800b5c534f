//! Prints the speed of the cluster's kernels with their operands in L1: MAC per cycle on one core and on eight. Results
//! must be those of the twins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/siracusa/chip.rs"]
mod chip;

fn main() {
    let folder = chip::Folder::new();
    let kernels = folder.kernels();
    let measure = |cores| {
        let report = folder.chip_program("on_chip", &kernels, cores).simulate();
        String::from_utf8_lossy(&report.stdout).into_owned()
    };
    let (one, all) = (measure(1), measure(8));
    let twins = chip::lines(&folder.twins());
    let (ones, alls) = (chip::lines(&one), chip::lines(&all));
    println!(
        "{:36}{:>10}{:>10}{:>8}{:>10}{:>8}{:>12}",
        "kernel, operands in L1", "MAC", "1 core", "MAC/c", "8 cores", "MAC/c", "efficiency"
    );
    for name in one.lines().filter_map(|l| l.rsplit_once(": ").map(|(name, _)| name)) {
        let (one, all) = (ones[name], alls[name]);
        assert_eq!((one.checksum, all.checksum), (twins[name].checksum, twins[name].checksum), "{name}");
        let speed = |m: chip::Measured| m.macs as f64 / m.cycles as f64;
        println!(
            "{name:36}{:>10}{:>10}{:>8.2}{:>10}{:>8.2}{:>12.2}",
            one.macs,
            one.cycles,
            speed(one),
            all.cycles,
            speed(all),
            one.cycles as f64 / all.cycles as f64 / 8.0
        );
    }
}
