#!/bin/sh
# Install the system packages that are missing: system-packages.sh python|demo|targets|test
#
# python: the interpreter. demo: host and Cortex-M4. targets: all cores. test: also what the tests
# need.
#
# As root or with password-less sudo this runs apt-get, and prints the command; otherwise it stops
# with the command.
set -eu

missing=""
need() { # need PACKAGE COMMAND...: PACKAGE is missing if COMMAND fails
    package=$1
    shift
    if ! "$@" >/dev/null 2>&1; then
        missing="$missing $package"
    fi
}

includes() { # includes HEADER COMPILER FLAG...: whether the compiler finds a header
    header=$1
    shift
    echo "#include <$header>" | "$@" -x c -E -
}

compiles() { # compiles COMPILER FLAG...: whether an empty program builds
    program=$(mktemp)
    echo 'int main(void) { return 0; }' | "$@" -x c - -o "$program"
    status=$?
    rm -f "$program"
    return $status
}

case "${1:-}" in
python)
    python=$(scripts/find-python.sh)
    need python3-venv "$python" -c 'import ensurepip, venv'
    ;;
demo | targets | test)
    need gcc cc --version
    need libc6-dev compiles cc
    need gcc-arm-none-eabi arm-none-eabi-gcc --version
    need libnewlib-arm-none-eabi compiles arm-none-eabi-gcc --specs=rdimon.specs
    need qemu-system-arm qemu-system-arm --version
    ;;
*)
    echo "usage: system-packages.sh python|demo|targets|test" >&2
    exit 2
    ;;
esac
if [ "$1" = targets ] || [ "$1" = test ]; then
    need clang clang --version
    need gcc-avr avr-gcc --version
    need avr-libc includes avr/io.h avr-gcc -mmcu=atmega328p
    need libsimavr-dev includes simavr/sim_avr.h cc
    need gcc-riscv64-unknown-elf riscv64-unknown-elf-gcc --version
    need qemu-system-misc qemu-system-riscv32 --version
fi
if [ "$1" = test ]; then
    need gcc gcc --version
    need g++ g++ --version
    need git git --version
    need arduino-builder command -v arduino-builder
    need arduino-core-avr test -e /usr/share/arduino/hardware/arduino/avr/boards.txt
    need avrdude command -v avrdude
    need openocd command -v openocd
    need simavr command -v simavr
    if ! compiles clang -fsanitize=address,undefined >/dev/null 2>&1; then
        # the sanitizers' library is named after clang's version, known once its list is there
        missing="$missing clang-sanitizers"
    fi
fi

[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif sudo -n true 2>/dev/null; then
    sudo="sudo "
else
    sudo="sudo "
    ask=yes
fi

if ! command -v apt-get >/dev/null; then
    echo "missing:$missing; this is not Debian or Ubuntu: install them by your system's means" >&2
    exit 1
fi

resolve() { # replace clang-sanitizers by the package of this system's clang
    version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
    echo "$missing" | sed "s/clang-sanitizers/libclang-rt-${version:-14}-dev/"
}

run() {
    echo "+ $*"
    "$@"
}

if [ "${ask:-no}" = yes ]; then
    echo "packages are missing; install them, then run make again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$(resolve)" >&2
    exit 1
fi
run ${sudo}apt-get update -qq
# shellcheck disable=SC2046,SC2086 -- words are meant to be split
DEBIAN_FRONTEND=noninteractive run ${sudo}apt-get install -y -qq --no-install-recommends $(resolve)
