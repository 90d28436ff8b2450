"""The command line in a process of its own, as a user calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def rnnedge(*words: object, cwd: Path | None = None, **environment: str) -> "Done":
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rnnedge", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **environment},
    )  # fmt: skip
    return Done(done)


class Done:
    """A finished command."""

    def __init__(self, process: "subprocess.CompletedProcess[str]") -> None:
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def refused(self, *words: str) -> None:
        """Check that the command ended with one clear line that has these words."""
        assert self.code not in (0, -11), self.out
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert lines[-1].startswith("Error: "), self.err
        assert len(lines) == 1 or lines[0].startswith("Usage: "), self.err
        for word in words:
            assert word in lines[-1], lines[-1]

    @property
    def json(self) -> Any:
        """The document on standard output."""
        assert self.code in (0, 1), self.err
        return json.loads(self.out)
