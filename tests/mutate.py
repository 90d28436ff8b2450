"""`make mutate`: change one rounding, shift or index at a time; the comparison must notice each.

Every mutation changes one place of the runtime's C in an exported folder, before it is built for
the core whose kernel it belongs to. A mutation that still computes the simulator's bits on all
cases has survived, and the command fails.
"""

import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.errors import ToolError
from rnnedge.simulator import simulate
from rnnedge.targets import find_target
from tests.differential import Case
from tests.models import CELLS, extreme_inputs
from tests.runs import make_export


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change.

    Attributes:
        target: where it is run.
        file: below the exported runtime folder.
        old: text that occurs there; the occurrence numbered `nth` is changed.
        new: what takes its place.
        nth: from 0.
    """

    target: str
    file: str
    old: str
    new: str
    nth: int = 0


PORTABLE = [
    *(
        Mutation(target="host", file=f"src/{file}", old=old, new=new)
        for file, old, new in (
            # rounding
            ("fixed.h", "(v + 128) >> 8", "(v + 127) >> 8"),
            ("fixed.h", "* f + 128) >> 8", "* f + 127) >> 8"),
            ("fixed.h", "+ part + 0x8000u", "+ part + 0x7FFFu"),
            ("fixed.h", "+ (1 << 15)) >> 16", "+ (1 << 14)) >> 16"),
            ("lstm.c", "(sum + (1 << 14)) >> 15", "(sum + (1 << 13)) >> 15"),
            ("lstm.c", "<< s) + 128", "<< s) + 0"),
            # shifts
            ("fixed.h", "rnnedge_sat8(q >> 16)", "rnnedge_sat8(q >> 17)"),
            ("fixed.h", "(acc >> y) * m", "(acc >> (y + 1)) * m"),
            ("fixed.h", "(acc >> 1) + high", "(acc >> 2) + high"),
            ("fixed.h", "(32768 + t) >> 1", "(32767 + t) >> 1"),
            ("rnn.c", "5 + cell->state_shift", "6 + cell->state_shift"),
            ("kernel.h", "1u << shift", "2u << shift"),
            # indices
            ("gru.c", "m[stride + i], y)", "m[i], y)"),
            ("gru.c", "m += 3 * stride", "m += 2 * stride"),
            ("lstm.c", "mf = m + stride", "mf = m"),
            ("window.c", "w->steps - 1 - t", "w->steps - 2 - t"),
            ("model.c", "state += RNNEDGE_GET16(&layer->state_size)", "state += 0"),
        )
    ),
    Mutation(target="host", file="kernels/rows.c", old="w += columns", new="w += columns - 1"),
    Mutation(target="host", file="kernels/rows.c", old="*at->bias++", new="*at->bias"),
]
DSP, MVE, STEPS = "kernels/arm_dsp.c", "kernels/arm_mve.c", "kernels/arm_mve_steps.c"
KERNELS = [
    Mutation(target=target, file=file, old=old, new=new)
    for target, file, old, new in (
        # rounding: of a look-up, of the update, of narrowing
        (
            "cortex-m4",
            DSP,
            "const constants k = {held(32768), held(128)}",
            "const constants k = {held(32768), held(127)}",
        ),
        ("cortex-m4", DSP, "(uint32_t)k.one + part", "(uint32_t)k.one - 1 + part"),
        ("cortex-m4", DSP, "0x00800080", "0x00800000"),
        # shift: of a sum of pairs, of wide sums, of the reset gate, of the index
        ("cortex-m4", DSP, "asrs   r2, r2, #8", "asrs   r2, r2, #7"),
        ("cortex-m4", DSP, '"asrs   r3, r6 ', '"asrs   r3, r0 '),
        ("cortex-m4", DSP, "nx + (nh >> 1)", "nx + (nh >> 2)"),
        ("cortex-m4", DSP, "%1, asr #16", "%1, asr #17"),
        # index: of packed rows, of columns, of gates
        (
            "cortex-m4",
            DSP,
            'NARROW_COLUMNS("r10", "r11", "r7")',
            'NARROW_COLUMNS("r11", "r10", "r7")',
        ),
        ("cortex-m4", DSP, 'WIDE_ROW("r9", "r8", "r3")', 'WIDE_ROW("r9", "r8", "r2")'),
        ("cortex-m4", DSP, "(0 - steps) % STEPS", "(1 - steps) % STEPS"),
        ("cortex-m4", DSP, "m[2 * GROUP + i]", "m[GROUP + i]"),
        ("cortex-m55", STEPS, "vrmulh.u16 q2, q2, %q[fraction]", "vmulh.u16 q2, q2, %q[fraction] "),
        ("cortex-m55", STEPS, "vrmulh.u16 q1, q1, q3", "vmulh.u16 q1, q1, q3 "),
        ("cortex-m55", STEPS, "vshr.s32 q0, q0, #1", "vshr.s32 q0, q0, #2"),
        ("cortex-m55", STEPS, "vshr.s16 q2, %q[tf], #1", "vshr.s16 q2, %q[tf], #2"),
        ("cortex-m55", STEPS, "vldrb.u32 q3, [%[m]], #4", "vldrb.u32 q3, [%[m]], #8"),
        ("cortex-m55", MVE, "vldrb.u8 q2, [r2, #32]", "vldrb.u8 q2, [r2, #16]"),
        ("cortex-m55", MVE, "vldrb.u8 q6, [r1, #-16]", "vldrb.u8 q6, [r1, #-15]"),
        *(
            (target, "kernels/quad.h", old, new)
            for target in ("cortex-m3", "rv32")
            for old, new in (
                ("e + part + 0x8000", "e + part + 0x7F00"),
                ("(uint32_t)q & 0xFF00", "(uint32_t)q & 0x7F00"),
            )
        ),
        ("cortex-m3", "kernels/quad.h", "<< 15) + 0x8000", "<< 15) + 0x7FFF"),
        ("cortex-m3", "kernels/quad.h", "asr #16", "asr #17"),
        (
            "cortex-m3",
            "kernels/quad_v7m.c",
            "sub    r9, r3, r12, lsl #16",
            "sub    r9, r3, r12, lsl #15",
        ),
        ("cortex-m3", "kernels/quad_v7m.c", 'NARROW("r5", "r9")', 'NARROW("r5", "r8")'),
        ("cortex-m3", "kernels/quad_v7m.c", 'WIDE("r5", "r9")', 'WIDE("r5", "r8")'),
        (
            "cortex-m3",
            "kernels/quad_v7m.c",
            "sub    r8, r8, r9, asr #8",
            "sub    r8, r8, r9, asr #7",
        ),
        ("cortex-m0", "kernels/quad_v6m_steps.c", "opaque(0x8000)", "opaque(0x7FFF)"),
        ("cortex-m0", "kernels/quad_v6m_steps.c", "opaque(16384)", "opaque(16383)"),
        (
            "cortex-m0",
            "kernels/quad_v6m.c",
            'asrs   r3, r3, #8\\n" // s0',
            'asrs   r3, r3, #7\\n" // s0',
        ),
        ("cortex-m0", "kernels/quad_v6m.c", 'NARROW("r4", "r6")', 'NARROW("r4", "r5")'),
        ("cortex-m0", "kernels/quad_v6m.c", 'WIDE("r4", "r6")', 'WIDE("r4", "r5")'),
        ("rv32", "kernels/quad_rv32.c", "srli %[t], %[x], 16", "srli %[t], %[x], 15"),
        ("rv32", "kernels/quad_rv32.c", "w + 1, w2 + 1, at + 1", "w + 1, w2 + 1, at + 0"),
        ("rv32", "kernels/quad_sums.h", "s->a - (s->b << 16)", "s->a - (s->b << 15)"),
        *(
            ("avr", f"kernels/{file}", old, new)
            for file, old, new in (
                # rounding: of a look-up, of the update, of narrowing, of an LSTM's state
                ("avr_asm.h", 'LINE("subi " #difference_high ", 0x80")', 'LINE("nop")'),
                ("avr_gru.c", 'LINE("lsl r22")', 'LINE("clc")'),
                ("avr_gru.c", "/* round; past 255 is 0 */", 'LINE("clc")'),
                ("avr_gates.c", "ldi r18, 0x40", "ldi r18, 0x41"),
                # shift: of the two parts, of the reset, of a sign
                ("avr_gates.c", "f->between = (uint8_t)(", "f->between = (uint8_t)(1 + "),
                ("avr_gru.c", "sub r16, r17", "mov r16, r17"),
                ("avr_gru.c", 'LINE("sbrs r24, 0")', 'LINE("sbrs r24, 1")'),
                ("avr_gru.c", 'LINE("sbrs r23, 4")', 'LINE("sbrs r23, 2")'),
                # saturation, index
                ("avr_asm.h", 'LINE("ldi r30, 0")', 'LINE("ldi r30, 0x80")'),
                ("avr_asm.h", 'LINE("mul r30, r5")', 'LINE("mul r30, r4")'),
                ("avr_gates.c", "sbrc r18, 3", "sbrc r18, 2"),
                ("avr_gates.c", "*n = z + units", "*n = z + units - 1"),
                ("avr_gates.c", '"ldd r20, Y+2', '"ldd r20, Y+0'),
                ("avr_wide.c", "product(t, high) - less", "product(t, high) + less"),
                ("avr_wide.c", "sbrc %B[v], 7", "sbrc %B[v], 6"),
                ("avr.c", "adc r25, r17", "nop"),
            )
        ),
    )
]
MUTATIONS = PORTABLE + KERNELS

CASES = [
    *(Case(seed=7, shape={"cells": (cell,), "units": 17, "channels": 5}) for cell in CELLS),
    *(Case(seed=8, shape={"cells": (cell,), "units": 5, "channels": 3}, bits=16) for cell in CELLS),
    Case(seed=11, shape={"cells": ("gru",), "units": 64, "channels": 3}),
    Case(seed=12, shape={"cells": ("gru",), "units": 24, "channels": 5}),  # on AVR no code
    Case(seed=9, shape={"cells": ("gru", "lstm"), "units": 6, "channels": 2}),
    Case(seed=10, shape={"cells": ("gru",), "units": 4, "channels": 2, "bidirectional": True}),
]


def survives(mutation: Mutation) -> bool:
    """Tell whether the mutated runtime still gives the simulator's bits on all cases."""
    target = find_target(mutation.target)
    for case in CASES:
        model = case.model()
        if mutation.target == "avr" and model.state_size > 40:
            continue
        x = extreme_inputs(case.seed, 6, model.window, model.input.channels)
        expected = simulate(model, x)
        with tempfile.TemporaryDirectory() as folder:
            exported = make_export(Path(folder) / "export", model)
            path = exported.folder / "rnnedge" / mutation.file
            _change(path, mutation)
            (Path(folder) / "work").mkdir()
            program = target.build(exported, Path(folder) / "work")
            try:
                got = target.run(program, x).trace
            except ToolError:  # crashed, or hangs: noticed
                return False
        if not (
            np.array_equal(got.states, expected.states)
            and np.array_equal(got.scores, expected.scores)
        ):
            return False
    return True


def _change(path: Path, mutation: Mutation) -> None:
    parts = path.read_text().split(mutation.old)
    if len(parts) < mutation.nth + 2:
        raise SystemExit(f"{mutation}: there is no such text any more; mend tests/mutate.py")
    head = mutation.old.join(parts[: mutation.nth + 1])
    tail = mutation.old.join(parts[mutation.nth + 1 :])
    path.write_text(f"{head}{mutation.new}{tail}")


def main(only: str = "") -> int:
    """Try every mutation (whose target has `only` in its name); return the number of survivors."""
    survivors = 0
    chosen = [mutation for mutation in MUTATIONS if re.search(only, mutation.target)]
    with ThreadPoolExecutor(2) as pool:
        for mutation, survived in zip(chosen, pool.map(survives, chosen), strict=True):
            verdict = "SURVIVED" if survived else "noticed"
            print(f"{verdict:9} {mutation.target:11} {mutation.file}: {mutation.new}", flush=True)
            survivors += survived
    print(f"{len(chosen)} mutations, {survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:2]), 1))
