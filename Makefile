# make demo    what is missing is installed, then a keyword spotter is compiled, built, run and checked
# make test    everything that CI checks
# make bench   compile times, memory, allocator; costs and speed of the simulator; instructions on microcontrollers
# SUITE=DIR    a folder with more cases (optional; default: ../shared/peer-suite if it is there)

CARGO ?= cargo
SUITE ?= $(wildcard ../shared/peer-suite)
CASES = DeployTest $(SUITE)
SOME = $(addprefix DeployTest/,Layouts Models Kernels/FP32/Conv Kernels/FP32/Gemm)
DEBUG = $(or $(CARGO_TARGET_DIR),target)/debug/tilewright
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release/tilewright

.PHONY: all demo test bench build setup setup-test format lint unit cases

all: setup
	$(CARGO) build --release

setup:
	@scripts/setup.sh certificates cc make size rust

setup-test: setup
	@scripts/setup.sh gcc clang sanitizers riscv arm qemu-system-riscv32 qemu-system-arm cmake chromium

demo: all
	$(RELEASE) run DeployTest/Models/Int8/KeywordSpotting

test: setup-test format lint unit cases

format:
	@if $(CARGO) fmt --version > /dev/null 2>&1; then echo "$(CARGO) fmt --check"; $(CARGO) fmt --check; \
	else echo "cargo fmt is not installed: formatting is not checked"; fi

lint:
	@if $(CARGO) clippy --version > /dev/null 2>&1; then $(CARGO) clippy --all-targets -- -D warnings; \
	else echo "cargo clippy is not installed: lints are not checked"; fi

unit:
	$(CARGO) test

# Every case, without and with the sanitizers, and the project's own with a second compiler and its sanitizers;
# warnings are errors, and a second compilation must give the same bytes. Then every case on the chips, with their simulator's
# checks, in parts on all cores, and untiled on one; the project's own on QEMU, some of them on the cores that are like another.
cases:
	$(CARGO) test --no-run
	$(DEBUG) test $(CASES) --twice
	$(DEBUG) test DeployTest --cc clang --io caller
	$(DEBUG) test $(CASES) --cc gcc --sanitize
	$(DEBUG) test DeployTest --cc clang --sanitize --io caller
	$(DEBUG) test $(CASES) --target siracusa
	$(DEBUG) test $(CASES) --target siracusa --untiled --cores 1 --io caller
	$(DEBUG) test DeployTest --target siracusa --l1 16KiB --default-level L3
	$(DEBUG) test DeployTest --target siracusa --l1 64000
	$(DEBUG) test DeployTest --target cortex-m4
	$(DEBUG) test $(SOME) --target cortex-m7
	$(DEBUG) test $(SOME) --target cortex-m55 --io caller
	$(DEBUG) test DeployTest --target rv32imc --io caller
	$(DEBUG) test $(SOME) --target rv32imfc

bench:
	$(CARGO) bench --bench compile -- $(CASES) $(wildcard ../shared/minimalloc)
	@scripts/setup.sh riscv
	$(CARGO) bench --bench predictions -- DeployTest
	$(CARGO) bench --bench siracusa_costs
	$(CARGO) bench --bench siracusa_kernels
	$(CARGO) bench --bench mcu
