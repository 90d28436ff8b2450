"""Typed fields of a TOML table, with errors of one line."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rnnedge.errors import ToolError

_T = TypeVar("_T")


class Fields:
    """A table that is read field by field, and has no others."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._left = dict(table)
        self._where = where

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return a string that is not empty, or the default."""
        found = self._take(name, str, "a text", default)
        if not found and found != default:
            raise ToolError(f"{self._where}: {name} is empty")
        return found

    def choice(self, name: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """Return one of some strings."""
        found = self._take(name, str, "a text", default)
        if found not in choices:
            raise ToolError(f"{self._where}: {name} is {found!r}, not one of {', '.join(choices)}")
        return found

    def number(self, name: str, least: int, most: int) -> int:
        """Return a whole number between two limits."""
        found = self._take(name, int, "a whole number", None)
        if isinstance(found, bool) or not least <= found <= most:
            raise ToolError(f"{self._where}: {name} is {found}, expected {least} to {most}")
        return found

    def real(self, name: str) -> float:
        """Return a number above 0."""
        found = float(self._take(name, (int, float), "a number", None))
        if not 0 < found < float("inf"):
            raise ToolError(f"{self._where}: {name} is {found}, expected a number above 0")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        return self._take(name, bool, "true or false", default)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings; none if it is not there."""
        found = self._take(name, list, "a list of texts", [])
        if not all(isinstance(item, str) and item for item in found):
            raise ToolError(f"{self._where}: {name} is {found!r}, expected a list of texts")
        return tuple(found)

    def table(self, name: str) -> "Fields":
        """Return a table."""
        return Fields(self._take(name, dict, "a table", None), f"{self._where}: {name}")

    def optional_table(self, name: str) -> "Fields | None":
        """Return a table, or None if it is not there."""
        return self.table(name) if name in self._left else None

    def tables(self, name: str) -> list["Fields"]:
        """Return a list of tables; none if it is not there."""
        found = self._take(name, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in found):
            raise ToolError(f"{self._where}: {name} is no list of tables ([[{name}]])")
        return [
            Fields(item, f"{self._where}: {name} {index}") for index, item in enumerate(found, 1)
        ]

    def finish(self) -> None:
        """Check that nothing is left.

        Raises:
            ToolError: a field that nobody reads.
        """
        if self._left:
            raise ToolError(f"{self._where}: {', '.join(self._left)}: not known here")

    def _take(
        self, name: str, kind: type[_T] | tuple[type[_T], ...], what: str, default: _T | None
    ) -> _T:
        if name not in self._left:
            if default is None:
                raise ToolError(f"{self._where}: {name} is missing")
            return default
        found = self._left.pop(name)
        if not isinstance(found, kind):
            raise ToolError(f"{self._where}: {name} is {found!r}, expected {what}")
        return found
