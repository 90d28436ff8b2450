"""Where an exported model can be built and run: host, emulators, the TFLM interpreter."""

from rnnedge.errors import ToolError
from rnnedge.targets.host import Host
from rnnedge.targets.qemu_arm import CORTEX_M4, QemuArm
from rnnedge.targets.target import CountingTarget, Target

COUNTING: dict[str, CountingTarget] = {target.name: target for target in (CORTEX_M4,)}
TARGETS: dict[str, Target] = {"host": Host(), **COUNTING}

__all__ = ["COUNTING", "TARGETS", "Host", "QemuArm", "find_counting_target", "find_target"]


def find_target(name: str) -> Target:
    """Return a target by name.

    Raises:
        ToolError: unknown; lists the known ones.
    """
    if name not in TARGETS:
        raise ToolError(f"target {name!r} is not known; there are {', '.join(TARGETS)}")
    return TARGETS[name]


def find_counting_target(name: str) -> CountingTarget:
    """Return a target that counts instructions by name.

    Raises:
        ToolError: unknown, or it cannot count; lists those that can.
    """
    if name not in COUNTING:
        raise ToolError(f"target {name!r} cannot be measured; there are {', '.join(COUNTING)}")
    return COUNTING[name]
