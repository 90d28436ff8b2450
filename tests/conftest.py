"""Shared fixtures: the compiled runtime, real recordings, hypothesis profiles."""

import ctypes
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.runtime import compile_runtime

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real recordings; its absence is a failure, not a skip."""
    folder = Path(os.environ.get("RNNEDGE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "csv").is_dir():
        pytest.fail(f"{folder}: no recordings; set RNNEDGE_DATA to the folder that has csv/")
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The C runtime as a shared library."""
    return compile_runtime(tmp_path_factory.mktemp("runtime"))
