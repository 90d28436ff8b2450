"""The errors that rnnedge raises on purpose.

::

    RnnedgeError              exit 1; one line that names what, where and what to do
    x DataError               a data file: missing, empty, ragged, not a number, too short
      x NoLabelsError         no column of labels in data that needs them
    x ModelError              a run folder, .keras or quantised model file is missing or damaged
    x UnsupportedLayerError   a layer that rnnedge cannot quantise; lists what it can
    x RangeError              a value does not fit its number format; names layer and row
    x ToolError               a compiler or emulator is missing or fails; says how to install it
      x FitError              a program is larger than the memory of its board
    x DeviceError             a serial port or the board behind it: missing, silent, another model
    x OutputError             a file or folder cannot be written

Every other exception is a bug in rnnedge.
"""

from collections.abc import Mapping


class RnnedgeError(Exception):
    """Base of all expected errors; the message is one line for the user."""


class DataError(RnnedgeError):
    """The user's data cannot be used: file, row and column are named."""


class NoLabelsError(DataError):
    """Data that is to be read with labels has no column of them."""


class ModelError(RnnedgeError):
    """A run folder or model file is missing, damaged or of another version."""


class UnsupportedLayerError(RnnedgeError):
    """A Keras layer has no integer counterpart."""


class RangeError(RnnedgeError):
    """A value cannot be held by its number format (layer and row are named)."""


class ToolError(RnnedgeError):
    """An external tool is missing or failed."""


class FitError(ToolError):
    """A program does not fit into its board.

    Attributes:
        over: the full memories, "flash" and "RAM", each with the bytes that it lacks; 0: unknown.
    """

    def __init__(self, message: str, over: Mapping[str, int]) -> None:
        super().__init__(message)
        self.over = over


class DeviceError(RnnedgeError):
    """A serial port cannot be used, or the board behind it does not answer as it should."""


class OutputError(RnnedgeError):
    """A file or folder cannot be written."""
