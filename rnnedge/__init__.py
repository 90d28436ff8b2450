"""rnnedge: small recurrent networks on microcontrollers, bit for bit."""

from importlib.metadata import version as _version

__version__ = _version("rnnedge")
