"""A quantised model: a list of layers that simulator, C emitter and TFLite writer read."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from rnnedge.errors import ModelError
from rnnedge.spec.cells import BidirectionalLayer, GruLayer, LstmLayer, RecurrentLayer, RnnLayer
from rnnedge.spec.input import EmbeddingLayer, InputLayer
from rnnedge.spec.output import DenseLayer, Detector, FeedbackLayer, OutputLayer, StartLayer
from rnnedge.spec.rate import rate_error

CONTRACT = 3
"""Version of the number formats; written into every file and checked on reading."""

MOST_UNITS = 65535 // 4
"""Units of a layer, and so outputs: rnnedge.h counts the rows of four gates with 16 bits."""

Recurrent = RecurrentLayer | BidirectionalLayer
Layer = RecurrentLayer | BidirectionalLayer | DenseLayer
LAYER_KINDS: dict[str, Any] = {
    layer.kind: layer for layer in (GruLayer, LstmLayer, RnnLayer, BidirectionalLayer, DenseLayer)
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantizedModel:
    """Everything that decides a bit on the device.

    A sequence starts from a zero state, or from the one that `start` or `encoder` makes. Every step
    takes one sample; where there is feedback (`feedback`, or an embedding: the row of the largest
    score), a step may take what the step before answered instead: the model then runs freely. Right
    behind a start the first such step takes x = 0.

    Attributes:
        name: C identifier, also the base name of exported files.
        task: one of rnnedge.tasks.TASKS, or "encode" of an encoder.
        window: time steps of one window.
        every: steps from one result to the next: 0: a result at the end of each window, which
            starts anew; n: the state runs on.
        channels: names of the numbers of a raw sample, in order; ("id",) with an embedding.
        channel_units: units of measure of the channels ("" if unknown).
        rate: samples per second, or None if unknown.
        classes: names of the outputs, in the order of the scores; of an encoder those of its ids,
            or none.
        input: raw sample to int16.
        layers: recurrent layers first, then dense ones; at least one of each. An encoder has no
            dense ones.
        output: what the scores of a regression mean; None: scores of classes.
        feedback: from scores to the next input, or None.
        detector: of the task "anomaly", else None.
        start: makes the first state, or None.
        encoder: makes the first state by running over a sequence of its own, in the same state:
            its recurrent layers have the same states, integer for integer. Or None.
    """

    name: str
    task: str
    window: int
    channels: tuple[str, ...]
    channel_units: tuple[str, ...]
    rate: float | None
    classes: tuple[str, ...]
    input: InputLayer | EmbeddingLayer
    layers: tuple[Layer, ...]
    every: int = 0
    output: OutputLayer | None = None
    feedback: FeedbackLayer | None = None
    detector: Detector | None = None
    start: StartLayer | None = None
    encoder: "QuantizedModel | None" = None

    def __post_init__(self) -> None:
        parts = self.recurrent + self.dense
        if not self.recurrent or self.layers != parts or bool(self.dense) == self.encodes:
            raise ModelError("a model is recurrent layers, then dense layers, at least one of each")
        if not all(layer.return_sequences for layer in self.recurrent[:-1]):
            raise ModelError("a recurrent layer below another one returns sequences")
        wrong = rate_error(self.rate)
        if wrong is not None:
            raise ModelError(wrong)
        named = self.input.raw_values
        if len(self.channels) != named or len(self.channel_units) != named:
            raise ModelError(f"{len(self.channels)} channel names for {named} channels")
        width = self.input.channels
        for index, layer in enumerate(self.layers):
            if layer.inputs != width:
                raise ModelError(
                    f"layer {index} ({layer.kind}) takes {layer.inputs} inputs, "
                    f"but {width} values arrive"
                )
            width = layer.outputs
        self._check_parts(width)

    def _check_parts(self, outputs: int) -> None:
        """Check what goes with the layers."""
        if not 0 <= self.every <= 65535 or (self.every and self.bidirectional):
            raise ModelError(f"every is {self.every}; a bidirectional model sees whole windows")
        if self.output is not None and self.output.mean.size != outputs:
            raise ModelError(f"{self.output.mean.size} targets for {outputs} outputs")
        back = self.feedback
        if back is not None and (
            back.source.size != self.input.channels
            or not ((back.source >= 0) & (back.source < outputs)).all()
        ):
            raise ModelError("the feedback does not fit the outputs and channels")
        if self.detector is not None and back is None:
            raise ModelError("a detector needs feedback: what the forecast says of each channel")
        if self.start is not None and self.start.dense.units != self.state_size:
            raise ModelError(f"a start of {self.start.dense.units} values for {self.state_size}")
        if self.encoder is not None and self.encoder.state_form != self.state_form:
            raise ModelError("the encoder's states are not those of the model")
        if self.bidirectional and (self.start or self.encoder or back):
            raise ModelError("a bidirectional model sees whole windows; it has no state to start")

    @property
    def encodes(self) -> bool:
        """True of an encoder: what counts is the state it leaves."""
        return self.task == "encode"

    @property
    def generates(self) -> bool:
        """True if steps can take what the step before answered."""
        return self.feedback is not None or (
            isinstance(self.input, EmbeddingLayer)
            and self.output is None
            and not self.encodes
            and self.outputs == self.input.rows
        )

    @property
    def state_form(self) -> tuple[tuple[str, int, int], ...]:
        """Kind, units and power of two of each recurrent layer's state."""
        return tuple(
            (layer.kind, layer.units, getattr(layer, "state_shift", 0)) for layer in self.recurrent
        )

    @property
    def recurrent(self) -> tuple[Recurrent, ...]:
        """The layers that keep a state; `step` runs them."""
        return tuple(
            layer for layer in self.layers if isinstance(layer, RecurrentLayer | BidirectionalLayer)
        )

    @property
    def cells(self) -> tuple[RecurrentLayer, ...]:
        """Every direction of every recurrent layer."""
        found: list[RecurrentLayer] = []
        for layer in self.recurrent:
            if isinstance(layer, BidirectionalLayer):
                found += [layer.forward, layer.backward]
            else:
                found.append(layer)
        return tuple(found)

    @property
    def dense(self) -> tuple[DenseLayer, ...]:
        """The layers without state behind them; `output` runs them."""
        return tuple(layer for layer in self.layers if isinstance(layer, DenseLayer))

    @property
    def bidirectional(self) -> bool:
        """True if the model sees whole windows and cannot stream."""
        return any(isinstance(layer, BidirectionalLayer) for layer in self.layers)

    @property
    def state_size(self) -> int:
        """Number of int16 state values of all layers; 0 if the model cannot stream."""
        return 0 if self.bidirectional else sum(layer.state_size for layer in self.recurrent)

    @property
    def layer_values(self) -> int:
        """int16 values of all layers' outputs over a window, of each or only its last step."""
        return sum(
            layer.outputs * (self.window if layer.return_sequences else 1)
            for layer in self.recurrent
        )

    @property
    def buffer_size(self) -> int:
        """int16 values of rnnedge_model_window's buffer: outputs and the state of one direction."""
        return self.layer_values + max(layer.state_size for layer in self.recurrent)

    @property
    def fraction_bits(self) -> int:
        """Of the scores."""
        return self.dense[-1].fraction_bits

    @property
    def outputs(self) -> int:
        """Number of scores."""
        return self.layers[-1].outputs

    def same_as(self, other: "QuantizedModel") -> bool:
        """Tell whether both models have equal fields and arrays."""
        mine, theirs = list(_leaves(self)), list(_leaves(other))
        return len(mine) == len(theirs) and all(
            a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(mine, theirs, strict=True)
        )


def _leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every scalar and array below a spec object."""
    if isinstance(item, tuple):
        for index, value in enumerate(item):
            yield from _leaves(value, f"{path}/{index}")
    elif is_dataclass(item):
        for field in fields(item):
            yield from _leaves(getattr(item, field.name), f"{path}/{field.name}")
    else:
        yield path, item
