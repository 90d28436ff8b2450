"""The forms in which a model becomes a .tflite file, and which of them a model can take."""

from dataclasses import dataclass

from rnnedge.errors import ModelError, UnsupportedLayerError
from rnnedge.spec import InputLayer, LstmLayer, QuantizedModel

FORMS = ("window", "stream")
STATES = ("io", "variables")
PRECISIONS = ("16x8", "8x8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One form of a model.

    Attributes:
        form: "window": a whole window in, from a zero state; "stream": one step.
        state: of a stream: "io": the states are inputs and outputs of the graph, which the
            application feeds back; "variables": they stay inside, as resource variables.
        precision: "16x8": int16 activations; "8x8": the products see int8 input and state. The
            weights are int8, states and scores int16 in both.
    """

    form: str = "window"
    state: str = "io"
    precision: str = "16x8"

    def __post_init__(self) -> None:
        for name, known in (("form", FORMS), ("state", STATES), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise ModelError(
                    f"a .tflite file's {name} is {getattr(self, name)!r}; "
                    f"it is one of {', '.join(known)}"
                )
        if self.form == "window" and self.state != "io":
            raise ModelError("a .tflite window keeps no state; state=variables is for streams")

    @property
    def name(self) -> str:
        """All three choices in one word, as in "stream-variables-16x8"."""
        state = f"-{self.state}" if self.form == "stream" else ""
        return f"{self.form}{state}-{self.precision}"


ALL = tuple(
    Variant(form=form, state=state, precision=precision)
    for form, state in (("window", "io"), ("stream", "io"), ("stream", "variables"))
    for precision in PRECISIONS
)
"""Every variant, the default first."""


def variants(model: QuantizedModel) -> tuple[Variant, ...]:
    """Return the variants that the model's layers support, the default first."""
    return tuple(variant for variant in ALL if unsupported(model, variant) is None)


def unsupported(model: QuantizedModel, variant: Variant) -> str | None:
    """Say in one line why a model cannot take a variant; None if it can."""
    for part, has in (
        ("an embedding", not isinstance(model.input, InputLayer)),
        ("a first state from features", model.start is not None),
        ("an encoder", model.encoder is not None),
    ):
        if has:
            return (
                f"model {model.name}: {part} has no .tflite form; "
                "the C export has it, take --tflite none"
            )
    if model.encodes:
        return f"model {model.name}: an encoder alone gives no scores; .tflite files need some"
    if variant.form == "stream" and model.bidirectional:
        return (
            f"model {model.name}: a bidirectional layer reads whole windows and cannot stream; "
            "take the window form"
        )
    return None


def check(model: QuantizedModel, variant: Variant) -> None:
    """Refuse a variant that the model cannot take.

    Raises:
        UnsupportedLayerError: with the reason.
    """
    reason = unsupported(model, variant)
    if reason is not None:
        raise UnsupportedLayerError(reason)


def sampled(model: QuantizedModel) -> InputLayer:
    """Return the input of a model that takes a variant: samples, not ids.

    Raises:
        UnsupportedLayerError: ids.
    """
    if not isinstance(model.input, InputLayer):
        raise UnsupportedLayerError(f"model {model.name}: an embedding has no .tflite form")
    return model.input


def fused(model: QuantizedModel) -> bool:
    """Tell whether a window runs through the fused LSTM instead of a loop: LSTMs and no others.

    A stream never does: the reference kernels keep the fused operator's state between
    invocations, those of CMSIS-NN do not.
    """
    return all(isinstance(layer, LstmLayer) for layer in model.recurrent)
