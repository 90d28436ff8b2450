"""The server of firmware/serial as a process of this machine."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from rnnedge.spec import QuantizedModel
from rnnedge.targets.build import STRICT, firmware
from tests.runs import make_export

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")


def build_server(
    folder: Path,
    model: QuantizedModel,
    *,
    compiler: str = "cc",
    flags: Sequence[str] = ("-O2",),
    change: Callable[[str], str] | None = None,
) -> Path:
    """Compile the server for `model`; `change` is applied to the text of serial.c."""
    exported = make_export(folder / "export", model)
    serial = exported.folder / "src" / "rnnedge" / "serial"
    serial.mkdir(exist_ok=True)
    for path in firmware("serial").glob("*.[ch]"):
        (serial / path.name).write_text(path.read_text())
    source = serial / "serial.c"
    if change is not None:
        changed = change(source.read_text())
        assert changed != source.read_text(), "there is no such text any more"
        source.write_text(changed)
    # as in an exported folder: app/ beside serial/
    app = exported.folder / "src" / "rnnedge" / "app"
    app.mkdir(exist_ok=True)
    for path in firmware("app").glob("*.[ch]"):
        (app / path.name).write_text(path.read_text())
    sources = [*exported.runtime_sources, exported.model_source, app / "serial.c", app / "host.c"]
    sources += [] if source in sources else [source]
    program = folder / "server"
    command = [compiler, *flags, *STRICT, *(f"-I{path}" for path in exported.include_dirs)]
    command += [f'-DAPP_HEADER="{model.name}.h"', f"-DAPP_MODEL={model.name}"]
    command += [f"-DAPP_PREFIX={model.name.upper()}", *map(str, sources), "-o", str(program)]
    subprocess.run(command, check=True)
    return program
