#!/bin/sh
# Installs what is missing: `scripts/setup.sh TOOL…`, each tool one of the names in `package`.
# Says what it does. Needs apt (Debian, Ubuntu) and root or sudo; elsewhere it names what to install.
set -eu

wanted_rust="1.85"

package() {
    case "$1" in
        cc | gcc) echo "gcc libc6-dev" ;;
        clang) echo "clang" ;;
        sanitizers) echo "gcc libc6-dev clang $(clang_runtime)" ;;
        make) echo "make" ;;
        size) echo "binutils" ;;
        certificates) echo "ca-certificates" ;;
        qemu-system-riscv32) echo "qemu-system-misc" ;;
        riscv) echo "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" ;;
        arm) echo "gcc-arm-none-eabi picolibc-arm-none-eabi" ;;
        *) echo "$1" ;;
    esac
}

# Debian splits the sanitizers off clang.
clang_runtime() {
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    [ -n "$version" ] && echo "libclang-rt-$version-dev"
}

present() {
    case "$1" in
        # A compiler without the C library's headers is not one.
        cc | gcc) command -v "$1" > /dev/null && echo '#include <stdio.h>' | "$1" -E - > /dev/null 2>&1 ;;
        sanitizers)
            for cc in gcc clang; do
                echo 'int main(void) { return 0; }' |
                    $cc -fsanitize=address,undefined -x c - -o /dev/null 2> /dev/null || return 1
            done ;;
        certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] ;;
        riscv)
            command -v riscv64-unknown-elf-gcc > /dev/null &&
                echo '#include <math.h>' | riscv64-unknown-elf-gcc --specs=picolibc.specs -E - > /dev/null 2>&1 ;;
        arm)
            command -v arm-none-eabi-gcc > /dev/null &&
                echo '#include <math.h>' | arm-none-eabi-gcc --specs=picolibc.specs -E - > /dev/null 2>&1 ;;
        rust) rust_is_new_enough ;;
        *) command -v "$1" > /dev/null ;;
    esac
}

at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

rust_is_new_enough() {
    command -v cargo > /dev/null || return 1
    at_least "$(rustc --version | cut -d' ' -f2)" "$wanted_rust"
}

# Debian carries a current Rust beside its own in some releases (rustc-web).
rust_packages() {
    for pair in "rustc cargo" "rustc-web cargo-web"; do
        candidate=$(apt-cache policy "${pair%% *}" 2>/dev/null | sed -n 's/ *Candidate: //p')
        if [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && at_least "${candidate%%+*}" "$wanted_rust"; then
            echo "$pair"
            return
        fi
    done
}

install() {
    echo "setup: apt-get install $*"
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" > /dev/null
}

missing=""
for tool in "$@"; do
    present "$tool" || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "setup: please install:$missing (Rust $wanted_rust or newer: https://rustup.rs)" >&2
    exit 6
fi
echo "setup: missing:$missing"
if [ "$(id -u)" = 0 ]; then apt-get update -q > /dev/null; else sudo apt-get update -q > /dev/null; fi
for tool in $missing; do
    if [ "$tool" = rust ]; then
        packages=$(rust_packages)
        if [ -z "$packages" ]; then
            echo "setup: this system's Rust is older than $wanted_rust; install one from https://rustup.rs" >&2
            exit 6
        fi
        install $packages
    else
        install $(package "$tool")
    fi
done
