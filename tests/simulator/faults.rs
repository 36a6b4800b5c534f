//! Programs that do something wrong: what the simulator says about them.

use tilewright::sim::{self, Label, Options, Report, Status};

use super::build;

fn run(case: u32, options: &Options) -> Report {
    let elf = build::program("faults", &[&format!("-DCASE={case}")]);
    sim::simulate(&elf, &sim::soc("siracusa").unwrap(), options).unwrap()
}

fn options() -> Options {
    Options { max_cycles: Some(200_000), ..Options::default() }
}

/// The message of a case; it must contain all of `parts`, and time, function and line.
fn says(case: u32, parts: &[&str]) {
    let more = ["cycle ", " in ", "faults.c:"];
    contains(case, &parts.iter().chain(&more).copied().collect::<Vec<_>>());
}

fn contains(case: u32, parts: &[&str]) {
    let report = run(case, &options());
    let Status::Fault(message) = &report.status else { panic!("case {case}: {:?}", report.status) };
    println!("case {case}: {message}");
    for part in parts {
        assert!(message.contains(part), "case {case}: no `{part}` in: {message}");
    }
}

#[test]
fn accesses_outside_memory() {
    says(1, &["cluster core 0 writes 4 bytes at 0x10040000, where nothing is mapped", "in culprit"]);
    says(2, &["cluster core 0 writes 1 bytes at 0x1c200000, where nothing is mapped"]);
    says(3, &["reads 4 bytes at 0x20000000, where nothing is mapped"]);
    says(4, &["0x1003fffe, across the end of a memory"]);
}

#[test]
fn accesses_outside_what_the_program_owns() {
    says(5, &["writes 1 bytes", "no section of the program covers", "16 bytes behind the end of behind"]);
    says(6, &["writes 4 bytes", "a section that may not be written", "the address is constants + 4"]);
    contains(7, &["executes memory that no section of the program covers"]);
}

#[test]
fn values_that_were_never_written() {
    says(
        8,
        &["uses a value that the instruction at", "which nobody has written", "the address is table + 12"],
    );
    // Copying them is allowed: structures have holes.
    assert_eq!(run(9, &options()).status, Status::Exit(0));
    says(10, &["uses a value that", "which nobody has written"]);
}

#[test]
fn races() {
    says(11, &["which cluster core 0 wrote without a barrier", "; cluster core 0 wrote it in cycle "]);
    says(12, &["reads 1 bytes", "which cluster core 0 wrote without a barrier"]);
    says(13, &["writes 1 bytes", "which cluster core 1 read without a barrier", "the address is bytes + 5"]);
    // Neighbouring bytes, a mutex, a barrier: no race.
    assert_eq!(run(14, &options()).status, Status::Exit(0));
    assert_eq!(run(15, &options()).status, Status::Exit(0));
    // Without checks the race has no consequence.
    assert_eq!(run(11, &Options { check: false, ..options() }).status, Status::Exit(0));
}

#[test]
fn transfers() {
    says(20, &["reads 4 bytes", "that a DMA transfer is still writing"]);
    says(21, &["writes 4 bytes", "that a DMA transfer is still reading"]);
    says(22, &["starts a transfer to 4096 bytes at 0x1003ff00, where no memory is"]);
    says(23, &["starts a transfer from 64 bytes at 0x1d000000, where no memory is"]);
    says(24, &["starts a transfer to 64 bytes", "no section of the program covers"]);
    says(25, &["without having allocated a counter"]);
    says(26, &["to 128 bytes", "another transfer is still moving"]);
    says(27, &["or whose end nobody has waited for"]);
    says(28, &["while its clock is off"]);
    says(29, &["of a HyperBus memory of 16777216 bytes"]);
    // Bytes of the HyperRAM that nobody has written.
    says(30, &["uses a value that", "which nobody has written"]);
    // Bytes that are still on their way there.
    says(31, &["from 32 bytes at 0x100 of a HyperBus memory", "another transfer is still moving"]);
}

#[test]
fn cores_and_devices() {
    says(40, &["executes an instruction it does not have"]);
    says(41, &["executes an instruction it does not have"]);
    says(42, &["reads the NEUREKA accelerator, which this simulator does not model yet"]);
    says(43, &["reads the event unit at offset 0x18, where it has no register"]);
    says(44, &["executes ecall"]);
    says(45, &["from outside the cluster", "fabric controller"]);
}

#[test]
fn programs_that_do_not_end() {
    let report = run(50, &options());
    assert_eq!((report.status, report.cycles), (Status::TimeOut, 200_000));
    let report = run(51, &Options::default());
    assert_eq!(report.status, Status::Deadlock);
    assert!(
        report.positions.iter().any(|p| p.contains("cluster core 1 sleeps (barrier)")),
        "{:?}",
        report.positions
    );
    assert!(
        report.positions.iter().any(|p| p.contains("fabric controller sleeps (wfi)")),
        "{:?}",
        report.positions
    );
    assert_eq!(run(52, &Options::default()).status, Status::Exit(42));
}

#[test]
fn labels_name_tensors_of_the_layer_that_runs() {
    let elf = build::program("faults", &["-DCASE=5"]);
    let soc = sim::soc("siracusa").unwrap();
    let Status::Fault(message) = sim::simulate(&elf, &soc, &options()).unwrap().status else { panic!() };
    // The address from the message, as the runner knows its arena's.
    let at = message.find("0x1").map(|i| &message[i + 2..i + 10]).unwrap();
    let addr = u32::from_str_radix(at, 16).unwrap();
    let label = |name: &str, layers| Label { name: name.into(), start: addr - 100, size: 64, layers };
    let labels = vec![label("tensor early", (0, 2)), label("tensor y", (3, 5))];
    let options = Options { labels, ..options() };
    let Status::Fault(message) = sim::simulate(&elf, &soc, &options).unwrap().status else { panic!() };
    assert!(message.contains("36 bytes behind the end of tensor y"), "{message}");
}
