"""What a model that generates is to be run through: starts, encoder sequences and free steps."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F32
from rnnedge.errors import ModelError
from rnnedge.simulator import Trace, quantize, run_free
from rnnedge.spec import QuantizedModel
from rnnedge.targets.stream import Request, has_phases

_MOST_FREE = 64  # free steps of a window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """What a program is asked, and what it should answer.

    Attributes:
        request: windows, or windows with what is before and behind them.
        expected: the simulator's answer.
        named: begins a sentence on a difference.
    """

    request: Request
    expected: Trace
    named: str = ""


def free_checks(
    model: QuantizedModel, raw: F32, features: F32 | None, encoder: F32 | None
) -> list[Check]:
    """Return the free runs of a model; none of one without free steps, start or encoder.

    First each window starts, encodes, is fed its first half and runs on freely; then, the same
    without being fed: the first free step takes x = 0.

    Args:
        model: the quantised model.
        raw: float32 (windows, steps, raw values).
        features: float32 (windows, features), or None: from a zero state.
        encoder: float32 (windows, encoder steps, raw values), or None.

    Raises:
        ModelError: the model has a start or encoder, and there is no data for it.
    """
    if not has_phases(model):
        return []
    for what, has, given in (
        ("start", model.start, features),
        ("encoder", model.encoder, encoder),
    ):
        if has is not None and given is None:
            raise ModelError(f"model {model.name}: the run has no data for its {what}; train again")
    features = features if model.start is not None else None
    encoder = encoder if model.encoder is not None else None
    steps = raw.shape[1]
    free = min(steps, _MOST_FREE) if model.generates else 0
    fed_steps: tuple[int, ...] = ((steps + 1) // 2, 0)
    if not free and encoder is None:
        fed_steps = fed_steps[:1]  # a start alone gives no answer
    return [_check(model, raw[:, :fed], features, encoder, free) for fed in fed_steps]


def _check(
    model: QuantizedModel, raw: F32, features: F32 | None, encoder: F32 | None, free: int
) -> Check:
    x = quantize(model.input, raw)
    found = run_free(model, free, x=x, features=features, encoder_raw=encoder)
    fed = raw.shape[1]
    return Check(
        request=Request(
            x=np.ascontiguousarray(raw), free=True, features=features, encoder=encoder, back=free
        ),
        expected=Trace(states=found.states, scores=found.scores),
        named=f"free run behind {fed} steps: " if free else f"run from a start, {fed} steps: ",
    )
