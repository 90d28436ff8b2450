"""The QEMU plugin that counts instructions between the two marker functions."""

import re
import subprocess
from pathlib import Path

from rnnedge.errors import ToolError
from rnnedge.targets.tools import require, run

_IMPOSSIBLE_VERSION = 9999
_SOURCE = Path(__file__).with_name("count_plugin.c")


def plugin(work: Path) -> Path:
    """Compile the plugin into `work` for the installed QEMU and return it.

    The functions that it uses are the same in all versions of the interface, but QEMU loads only
    plugins of a version that it knows: a first build with an impossible one makes it tell.

    Raises:
        ToolError: no C compiler or QEMU, or a QEMU without plugins.
    """
    library = _compile(work, _IMPOSSIBLE_VERSION)
    command = [require("qemu-system-arm", "count instructions"), "-M", "none", "-display", "none"]
    try:
        refused = subprocess.run(
            [*command, "-plugin", f"file={library}"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"qemu-system-arm: cannot count instructions: {error}") from None
    complaint = refused.stderr.decode(errors="replace").strip()
    version = re.search(r"up to version (\d+)", complaint)
    if version is None:
        raise ToolError(f"qemu-system-arm: cannot count instructions: {complaint or 'no plugins'}")
    return _compile(work, int(version.group(1)))


def _compile(work: Path, version: int) -> Path:
    library = work / "count_plugin.so"
    flags = ["-shared", "-fPIC", "-O2", f"-DPLUGIN_VERSION={version}"]
    run(["cc", *flags, _SOURCE, "-o", library], purpose="compile the instruction counter")
    return library


def read(path: Path) -> dict[int, int]:
    """Return {instructions of a step: number of steps} as the plugin wrote it.

    Raises:
        ToolError: nothing was counted.
    """
    try:
        rows = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        rows = []
    if not rows:
        raise ToolError("qemu-system-arm: the instruction counter wrote nothing")
    return {int(count): int(times) for count, times in rows}
