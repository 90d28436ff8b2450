"""Where an exported model can be built and run: host, emulators, the TFLM interpreter."""

from collections.abc import Iterable

from rnnedge.errors import ToolError
from rnnedge.targets.emulated import EMULATED, with_clang
from rnnedge.targets.host import Host
from rnnedge.targets.target import CountingTarget, Target
from rnnedge.targets.tflmcompare import TFLM

COUNTING: dict[str, CountingTarget] = {target.name: target for target in EMULATED}
TARGETS: dict[str, Target] = {"host": Host(), **COUNTING}
ALL = "all"
_CLANG: dict[str, CountingTarget] = {
    clang.name: clang for target in EMULATED if (clang := with_clang(target)) is not None
}
_HOST_CLANG = Host(name="host:clang", compiler="clang")

__all__ = [
    "ALL",
    "COUNTING",
    "TARGETS",
    "TFLM",
    "Host",
    "find_counting_target",
    "find_counting_targets",
    "find_target",
    "find_targets",
]


def find_target(name: str) -> Target:
    """Return a target by name; with the suffix :clang host and Arm cores are compiled by clang.

    Raises:
        ToolError: unknown; lists the known ones.
    """
    known: dict[str, Target] = {**TARGETS, **_CLANG, _HOST_CLANG.name: _HOST_CLANG}
    if name not in known:
        raise ToolError(_unknown(name))
    return known[name]


def find_counting_target(name: str) -> CountingTarget:
    """Return a target that counts instructions or cycles by name, as `find_target` does.

    Raises:
        ToolError: unknown, or it cannot count; lists those that can.
    """
    if name in ("host", _HOST_CLANG.name, TFLM):
        raise ToolError(
            f"target {name!r} cannot be measured, nothing counts there; use {', '.join(COUNTING)}"
        )
    known = {**COUNTING, **_CLANG}
    if name not in known:
        raise ToolError(_unknown(name))
    return known[name]


def find_targets(names: Iterable[str]) -> list[Target]:
    """Return targets by name, each once; "all" stands for all of TARGETS."""
    return [find_target(name) for name in _expand(names, TARGETS)]


def find_counting_targets(names: Iterable[str]) -> list[CountingTarget]:
    """Return targets that count by name, each once; "all" stands for all of COUNTING."""
    return [find_counting_target(name) for name in _expand(names, COUNTING)]


def _expand(names: Iterable[str], known: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(x for name in names for x in (known if name == ALL else [name])))


def _unknown(name: str) -> str:
    if name.endswith(":clang") and name.removesuffix(":clang") in TARGETS:
        return f"target {name!r}: clang is there for host and the Arm cores only"
    return f"target {name!r} is not known; there are {', '.join(TARGETS)}, {TFLM} and {ALL}"
