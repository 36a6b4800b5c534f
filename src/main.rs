//! The `tilewright` program; everything is in the library.

fn main() -> std::process::ExitCode {
    tilewright::cli::main()
}
