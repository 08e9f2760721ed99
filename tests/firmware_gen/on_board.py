# SPDX-License-Identifier: Apache-2.0
"""Runs many generated models in one program on an emulated board, against what the reference kernels said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, engine_sources, kernel_sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from dimmer.targets import load_target
from tests.firmware_gen.harness import Case
from tests.firmware_gen.runtime.c_library import TRAPPING

_MAIN = """
#include <string.h>
#include "dimmer.h"
#include "dimmer_tables.h"
#include "platform.h"

typedef struct {
    const char *wrong;
    const dimmer_model_t *model;
    const uint8_t *inputs;
    const uint8_t *outputs;
    unsigned count;
} case_t;
%s
static uint8_t arena[%d] __attribute__((aligned(16)));
static const case_t cases[] = {%s};

int main(void) {
    unsigned i;
    unsigned j;

    for (i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const dimmer_dims_t *n = &cases[i].model->dims;
        dimmer_t d;

        if (dimmer_init(&d, cases[i].model, arena, sizeof arena) != DIMMER_OK) {
            return 1;
        }
        for (j = 0; j < cases[i].count; ++j) {
            memcpy(dimmer_input(&d), cases[i].inputs + j * n->input.size, n->input.size);
            (void)dimmer_invoke(&d);
            if (memcmp(dimmer_output(&d), cases[i].outputs + j * n->output.size, n->output.size) != 0) {
                platform_print(cases[i].wrong, strlen(cases[i].wrong));
                break;
            }
        }
    }
    platform_print("{\\"ran\\": true}\\n", 14u);
    return 0;
}
"""


def assert_exact_on(target_name: str, cases: Sequence[Case], work: Path) -> None:
    """Every case's outputs on a board, by its core's variants of kernels, equal the reference kernels' bit for bit."""
    target = load_target(target_name)
    modes = [case.modes or (ModeSource(case.name, case.path),) for case in cases]
    expected = run_oracle(
        [OracleJob(case.path, case.inputs, mode.reference) for case, (mode, *_) in zip(cases, modes, strict=True)]
    )
    models = [
        generate(these, work / f"case_{number}", name=f"case {number}", core=target.core)
        for number, these in enumerate(modes)
    ]
    tables, entries, kernels = [], [], set()
    for number, (case, model, want) in enumerate(zip(cases, models, expected, strict=True)):
        assert isinstance(want, bytes), f"{case.name}: the oracle failed: {want.reason}"
        tables += [f"extern const dimmer_model_t {model.symbol};"]
        for what, data in (("inputs", case.inputs), ("outputs", want)):
            # Floats are compared where they lie, aligned.
            tables += [
                f"static const uint8_t {what}_{number}[] __attribute__((aligned(4))) = {{",
                ",".join(map(str, data)) + "};",
            ]
        count = len(case.inputs) // model.input_bytes
        said = f'"{{\\"wrong\\": \\"{case.name}\\"}}\\n"'
        entries += [f"{{{said}, &{model.symbol}, inputs_{number}, outputs_{number}, {count}u}}"]
        kernels |= {*model.kernels}
    program = work / "cases.c"
    arena = max(model.arena for model in models)
    program.write_text(_MAIN % ("\n".join(tables), arena, ",\n".join(entries)))
    sources = [program, *(path for model in models for path in model.sources), *engine_sources()]
    elf = target.compile([*sources, *kernel_sources(sorted(kernels))], [INCLUDE], work / "built", TRAPPING)
    done = target.run(elf, [], work)
    said = done.stdout
    assert done.returncode == 0, said
    assert said.strip() == '{"ran": true}', said
