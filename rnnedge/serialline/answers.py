"""What a board says of itself, and what it made of a window."""

from dataclasses import dataclass

from rnnedge.arrays import I16, I32


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What a board says of its firmware.

    Attributes:
        name: of the model.
        sha256: of the quantised model, hex.
        abi: version of the number formats.
        inputs: channels.
        outputs: scores.
        window: time steps of a training window.
        values: int16 values of the state; bidirectional models: of all layers' outputs.
        fraction_bits: of the scores.
        bidirectional: sees whole windows only.
        counts: takes samples in counts.
        stack: measures its stack.
        kernel: RNNEDGE_KERNEL of its runtime.
        cycles_hz: of its counter; 0: it has none.
    """

    name: str
    sha256: str
    abi: int
    inputs: int
    outputs: int
    window: int
    values: int
    fraction_bits: int
    bidirectional: bool
    counts: bool
    stack: bool
    kernel: int
    cycles_hz: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowResult:
    """What a board made of a window.

    Attributes:
        states: int16 (steps, values) after each step, first those of the encoder's; bidirectional
            models: (1, values), the outputs of all layers.
        scores: int32 (outputs,), after the last step.
        cycles: of each step, or of the window of a bidirectional model; 0 without a counter.
        free_states: int16 (free steps, values).
        free_scores: int32 (free steps, outputs), after each of them.
    """

    states: I16
    scores: I32
    cycles: tuple[int, ...]
    free_states: I16
    free_scores: I32
