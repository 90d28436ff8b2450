"""What a package says of its model, and its templates filled in."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import rnnedge
from rnnedge.convert.c.text import comment_text
from rnnedge.spec import BidirectionalLayer, QuantizedModel

AUTHOR = "The rnnedge authors"
LICENSE = "Apache-2.0"
# no project has this address: whoever publishes a package names its own
URL = "https://example.org/{library}"

_FREE_TASKS = ("generate", "translate", "next")
_CLASSES_WIDTH = 300  # package managers have limits
_PLACE = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A model on its way into a package.

    Attributes:
        model: the quantised model.
        sources: the C and assembler files of the runtime, paths in the package.
        runtime_hash: what tells this runtime from another one.
        figures: what was measured (rnnedge.api.figures).
        counts_per_unit: raw int16 counts per unit of each channel, or None.
    """

    model: QuantizedModel
    sources: Sequence[str]
    runtime_hash: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    counts_per_unit: Sequence[float] | None = None

    @property
    def library(self) -> str:
        """The package's name, as package managers see it."""
        return f"rnnedge_{self.model.name}"

    @property
    def runs_freely(self) -> bool:
        """True if it is there to go on by itself: its examples begin a sequence."""
        return self.model.generates and self.model.task in _FREE_TASKS

    @property
    def examples(self) -> tuple[str, str, str]:
        """Golden vectors; a sensor or a sequence; the serial protocol, which plain C has not."""
        return ("verify", "generate" if self.runs_freely else "stream", "serial")

    @property
    def sentence(self) -> str:
        """What it is, in one sentence of plain ASCII."""
        model = self.model
        outputs = counted(model.outputs, "value")
        if model.output is None:
            outputs = counted(model.outputs, "class", "classes")
        return (
            f"{layers(model)} in int8: {counted(len(model.channels), 'channel')} in, {outputs} out."
        )

    @property
    def paragraph(self) -> str:
        """More of it, in plain ASCII."""
        what = "Classes" if self.model.output is None else "Values"
        classes = ", ".join(map(comment_text, self.model.classes))
        classes = textwrap.shorten(classes, _CLASSES_WIDTH, placeholder=" ...")
        return (
            f"{what}: {classes}. The same bits as the simulator's, proven by golden vectors; "
            "C99 without heap, for AVR, Cortex-M, RISC-V, Xtensa and hosts."
        )

    @property
    def url(self) -> str:
        """An address that cannot be mistaken for a project's."""
        return URL.format(library=self.library)


def layers(model: QuantizedModel) -> str:
    """Return the recurrent layers as people say them.

    >>> from rnnedge.benchmark import random_model
    >>> layers(random_model("gru", units=4, inputs=2, layers=2)[0])
    'GRU-4, GRU-4'
    """
    return ", ".join(
        f"bidirectional {layer.forward.kind.upper()}-{layer.units}"
        if isinstance(layer, BidirectionalLayer)
        else f"{layer.kind.upper()}-{layer.units}"
        for layer in model.recurrent
    )


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "class", "classes"), counted(3, "channel")
    ('1 class', '3 channels')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def fill(name: str, package: Package, **more: str) -> bytes:
    """Return a template with its places (@NAME@) filled in.

    Args:
        name: file in templates/.
        package: gives NAME, PREFIX, LIBRARY, VERSION, SENTENCE, EXAMPLE, EXAMPLE_OF.
        more: further places.

    Raises:
        KeyError: a place that nobody fills; a bug.
    """
    model = package.model
    places = {
        "NAME": model.name,
        "PREFIX": model.name.upper(),
        "LIBRARY": package.library,
        "VERSION": rnnedge.__version__,
        "SENTENCE": package.sentence,
        "EXAMPLE": package.examples[1],
        "EXAMPLE_OF": "a sequence" if package.runs_freely else "a sensor",
        **more,
    }
    text = resources.files("rnnedge.convert.packages").joinpath("templates", name).read_text()
    return _PLACE.sub(lambda place: places[place[1]], text).encode()
