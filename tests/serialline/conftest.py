"""The server as a library of this process, compiled once."""

import ctypes

import pytest

from tests.serialline.board import compile_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Runtime and server, by cc."""
    return compile_server(tmp_path_factory.mktemp("server"))
