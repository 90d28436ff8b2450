"""Several exported models and instances in one firmware, linked with one runtime."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from rnnedge.convert.c import export_c
from rnnedge.output import write_files
from rnnedge.targets.build import STRICT
from rnnedge.targets.exported import open_exported
from tests.models import float_model, quantized, raw_windows
from tests.streams import Found, oracle

PROGRAM = Path(__file__).with_name("several.c")
RULES = {"every": 3, "reject": 13107, "majority": 3}
PLAIN = {"every": 0, "reject": 0, "majority": 1}


@pytest.mark.parametrize("compiler", ["cc", "clang"])
def test_two_models_and_three_instances_interleave_in_one_program(
    tmp_path: Path, compiler: str
) -> None:
    sources = {
        "motor": float_model(1, channels=3, classes=4),
        "door": float_model(2, channels=2, classes=3, cells=("lstm", "gru"), bidirectional=True),
    }
    models = {name: quantized(source, name=name, window=6) for name, source in sources.items()}
    for name, model in models.items():
        write_files(tmp_path / name, export_c(model, raw_windows(sources[name], 5, 2, 6)))
    exported = {name: open_exported(tmp_path / name) for name in models}
    files = [PROGRAM, *exported["motor"].runtime_sources]
    for name, each in exported.items():
        files += [each.model_source, each.folder / "src" / name / f"{name}_golden.c"]
    includes = [f"-I{folder}" for each in exported.values() for folder in each.include_dirs]
    program = tmp_path / "several"
    subprocess.run([compiler, "-O1", *STRICT, *includes, *files, "-o", program], check=True)

    steps = 40
    raw = {name: raw_windows(source, 6, 1, steps)[0] for name, source in sources.items()}
    data = np.concatenate([raw["motor"], raw["door"]], axis=1).tobytes()
    done = subprocess.run([program], input=data, capture_output=True, check=False)
    assert done.returncode == 0

    def line(which: str, name: str, found: Found) -> str:
        label, best, probability, scores = found
        text = "none" if label < 0 else models[name].classes[label]
        return f"{which} {text} {best} {probability} {scores[0]}"

    expected: list[tuple[int, int, str]] = []
    for order, (which, name, chosen, later) in enumerate(
        (("f", "motor", PLAIN, 0), ("d", "door", PLAIN, 0), ("l", "motor", RULES, 2))
    ):
        stream = raw[name][: steps - later]
        for at, found in oracle(models[name], stream, **chosen):
            expected.append((at + later, order, line(which, name, found)))
    assert done.stdout.decode().splitlines() == [text for *_, text in sorted(expected)]
    assert {text[0] for *_, text in expected} == {"f", "d", "l"}
