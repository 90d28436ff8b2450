"""TensorFlow Lite Micro: which forms of a model are wanted, and their files, arenas and figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnedge.api.opened import Document
from rnnedge.errors import RangeError, UnsupportedLayerError
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.convert.tflite import Variant

FOLDER = "extras/tflite"
FORMS = ("window", "stream", "all", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTflite:
    """Which forms of a model are wanted.

    Attributes:
        form: of FORMS; "all": all that the model can have.
        state: of a stream, "io" or "variables"; None: io, of "all" both.
        precision: "16x8" or "8x8"; None: 16x8, of "all" both.
    """

    form: str = "window"
    state: str | None = None
    precision: str | None = None

    def variants(self, model: QuantizedModel) -> "tuple[list[Variant], list[Document]]":
        """Return the variants, and (variant, reason) of those that the model cannot have.

        The default is refused that way, too, so that an export goes on without it.

        Raises:
            ModelError: an unknown choice, or one that contradicts another.
            UnsupportedLayerError: the one form that was asked for is none of the model's.
        """
        from rnnedge.convert.tflite import Variant, unsupported
        from rnnedge.convert.tflite.variant import ALL

        if self.form == "none":
            return [], []
        if self.form != "all":
            state, precision = self.state or "io", self.precision or "16x8"
            one = Variant(form=self.form, state=state, precision=precision)
            reason = unsupported(model, one)
            if reason is not None and self == WantedTflite():
                return [], [{"variant": one.name, "reason": reason}]
            if reason is not None:
                raise UnsupportedLayerError(reason)
            return [one], []
        chosen = [
            variant
            for variant in ALL
            if self.precision in (None, variant.precision)
            and (variant.form == "window" or self.state in (None, variant.state))
        ]
        reasons = {variant: unsupported(model, variant) for variant in chosen}
        return (
            [variant for variant, reason in reasons.items() if reason is None],
            [{"variant": v.name, "reason": reason} for v, reason in reasons.items() if reason],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One form of a model, and the arena that it was seen to run in.

    Attributes:
        variant: the form.
        tflite: content of the file.
        arena: bytes.
    """

    variant: "Variant"
    tflite: bytes
    arena: int


def make(
    model: QuantizedModel, variants: "Sequence[Variant]", refused: list[Document]
) -> list[Made]:
    """Write variants and search their arenas; those whose ranges do not fit go to `refused`.

    Raises:
        ToolError: tflite-micro is missing or does not run one.
    """
    from rnnedge.convert.tflite import emit
    from rnnedge.targets.tflm import find_arena

    made = []
    for variant in variants:
        try:
            tflite = emit(model, variant)
        except RangeError as error:
            refused.append({"variant": variant.name, "reason": str(error)})
            continue
        made.append(Made(variant=variant, tflite=tflite, arena=find_arena(tflite)))
    return made


def tflite_files(
    model: QuantizedModel, wanted: WantedTflite
) -> tuple[dict[str, bytes], list[Document], list[Document]]:
    """Return what an export has of TensorFlow Lite Micro.

    Args:
        model: any model.
        wanted: its forms.

    Returns:
        Files by path: of each variant <name>.tflite, <name>_tflite.h, <name>_tflite.cc and main.cc;
        of several, <name> has the variant's name, too, and so has main.cc. Then a row for each
        variant: file, variant, form, state, precision, tflite_bytes, bare_bytes (without metadata),
        arena_bytes, state_bytes (0 of a window) and operators. Then what the model cannot have.

    Raises:
        RnnedgeError: as `WantedTflite.variants` and `make`.
    """
    from rnnedge.convert.tflite import c_array, emit, main_cc, operators

    variants, refused = wanted.variants(model)
    files: dict[str, bytes] = {}
    rows = []
    for made in make(model, variants, refused):
        variant, tflite = made.variant, made.tflite
        name, main = model.name, "main.cc"
        if len(variants) > 1:
            name = f"{model.name}_{variant.name.replace('-', '_')}"
            main = f"{name}_main.cc"
        header, source = c_array(name, tflite, made.arena, model, variant, suffix="cc")
        files |= {
            f"{FOLDER}/{name}.tflite": tflite,
            f"{FOLDER}/{name}_tflite.h": header.encode(),
            f"{FOLDER}/{name}_tflite.cc": source.encode(),
            f"{FOLDER}/{main}": main_cc(name, tflite, model, variant).encode(),
        }
        rows.append(
            {
                "file": f"{FOLDER}/{name}.tflite",
                "variant": variant.name,
                "form": variant.form,
                "state": variant.state if variant.form == "stream" else None,
                "precision": variant.precision,
                "tflite_bytes": len(tflite),
                "bare_bytes": len(emit(model, variant, metadata=False)),
                "arena_bytes": made.arena,
                "state_bytes": state_bytes(model, variant),
                "operators": list(operators(tflite)),
            }
        )
    return files, rows, refused


def state_bytes(model: QuantizedModel, variant: "Variant") -> int:
    """Return what a stream keeps from step to step; a window keeps nothing."""
    from rnnedge.convert.tflite.stream import states

    return 0 if variant.form == "window" else sum(2 * state.units for state in states(model))


def with_tflite(manifest: bytes, rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return an export's manifest with its .tflite files."""
    return (json.dumps({**json.loads(manifest), "tflite": rows}, indent=2) + "\n").encode()
