"""Series and texts that a model makes, as the device would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.api.opened import Document, open_run
from rnnedge.arrays import F32, I32, I64
from rnnedge.errors import DataError
from rnnedge.plaintext import counted
from rnnedge.run import RunSpec
from rnnedge.simulator import check_generates, largest, quantize, run_free, softmax
from rnnedge.spec import EmbeddingLayer, QuantizedModel

END, UNKNOWN = "<end>", "<unknown>"
"""Classes of a text that are no characters or words of it (rnnedge.data.readers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What a generated series begins with; what is None or empty is left out.

    Attributes:
        values: samples in raw units, or ids, one after the other; with an encoder its sequence.
        text: the same as text, of a model of text.
        start: features in raw units, of a model with a start.
        data: data files; the first of their recordings gives values and start.
    """

    values: Sequence[Sequence[float]] | None = None
    text: str | None = None
    start: Sequence[float] | None = None
    data: Sequence[Path] = ()


@dataclass(slots=True)
class _Sampler:
    """Chooses ids by the device's probabilities; without a temperature the largest score."""

    fraction_bits: int
    temperature: float
    rng: np.random.Generator
    ids: list[int] = field(default_factory=list)

    def __call__(self, scores: I32) -> I64:
        """Return the id (1,) of scores (1, outputs), and keep it."""
        if self.temperature:
            share = softmax(scores[0], self.fraction_bits).astype(np.float64) / 2**15
            share = (share / share.max()) ** (1 / self.temperature)
            chosen = np.array([self.rng.choice(share.size, p=share / share.sum())], np.int64)
        else:
            chosen = largest(scores)
        self.ids.append(int(chosen[0]))
        return chosen


def generate(
    run: Path, steps: int, seed: Seed | None = None, *, temperature: float = 0.0, number: int = 0
) -> Document:
    """Let the integer simulator run freely.

    Args:
        run: run folder of a model that generates.
        steps: how many values, characters or words to make; a text may end before.
        seed: what it begins with; nothing: a zero state, and of lines of text what ends a line,
            else x = 0.
        temperature: 0: the largest score, as the device; above: ids are drawn, by the device's
            probabilities to the power of 1/temperature.
        number: seed of the drawing.

    Returns:
        run, task, outputs (names), fed (samples that were fed or encoded), and of values: series
        (rows of raw values); of classes: ids, names and, of a model of text, text.

    Raises:
        RnnedgeError: no such run, a model that does not generate, or a seed that does not fit it.
    """
    document = generate_several(run, steps, seed, count=1, temperature=temperature, number=number)
    (made,) = document.pop("made")
    return {**document, **made}


def generate_several(
    run: Path,
    steps: int,
    seed: Seed | None = None,
    *,
    count: int,
    temperature: float = 0.0,
    number: int = 0,
) -> Document:
    """Let the integer simulator run freely several times.

    Args:
        run: run folder of a model that generates.
        steps: as of `generate`.
        seed: what each begins with; of data the first recordings, one for each.
        count: how many to make.
        temperature: as of `generate`.
        number: seed of the first drawing; the next ones are drawn with number + 1, ...

    Returns:
        run, task, outputs, and made: for each what else `generate` returns.

    Raises:
        RnnedgeError: what `generate` raises; or all would be the same.
    """
    seed = seed or Seed()
    spec, model, _ = open_run(run)
    check_generates(model)
    if temperature and not _draws(model):
        raise DataError(
            f"model {model.name} answers values, not probabilities; leave --temperature out"
        )
    if count > 1 and not temperature and not seed.data:
        cure = "a --temperature above 0, or " if _draws(model) else ""
        raise DataError(
            f"all {count} would be the same; --count needs {cure}--data with several recordings"
        )
    begins = _from_data(spec, seed, count) if seed.data else [(seed.values, seed.start)] * count
    made = []
    for place, (values, start) in enumerate(begins):
        raw, features = _begin(spec, model, replace(seed, values=values, start=start))
        rng = np.random.default_rng(number + place)
        made.append(_made(spec, model, steps, raw, features, temperature, rng))
    return {"run": str(run), "task": model.task, "outputs": list(model.classes), "made": made}


def _draws(model: QuantizedModel) -> bool:
    """Tell whether its answers are classes, of which one can be drawn."""
    return isinstance(model.input, EmbeddingLayer) and model.feedback is None


def _made(
    spec: RunSpec,
    model: QuantizedModel,
    steps: int,
    raw: F32 | None,
    features: F32 | None,
    temperature: float,
    rng: np.random.Generator,
) -> Document:
    """Run a model freely, once."""
    encodes = model.encoder is not None
    # a reply begins with what ends it
    asked = _with_end(model) if encodes else raw
    fed = None if asked is None or not asked.shape[1] else quantize(model.input, asked)
    sampler = _Sampler(model.fraction_bits, temperature, rng)
    trace = run_free(
        model,
        steps if fed is not None else steps + 1,  # the last choice is made by the step behind it
        x=fed,
        features=features,
        encoder_raw=raw if encodes else None,
        pick=sampler,
    )
    about = {"fed": 0 if raw is None else raw.shape[1]}
    if not _draws(model):
        return {**about, "series": _raw_units(model, trace.scores[0, :steps]).tolist()}
    return {**about, **_named(spec, model, sampler.ids[:steps])}


def _with_end(model: QuantizedModel) -> F32 | None:
    """Return what begins a line or a reply: the id that ends it, (1, 1, 1); None: there is none."""
    if not isinstance(model.input, EmbeddingLayer) or END not in model.classes:
        return None
    return np.full((1, 1, 1), model.classes.index(END), np.float32)


def _begin(spec: RunSpec, model: QuantizedModel, seed: Seed) -> tuple[F32 | None, F32 | None]:
    """Return samples (1, steps, raw values) to feed or encode, and features (1, features)."""
    values, start = seed.values, seed.start
    if seed.text is not None:
        if not seed.text and model.encoder is not None:
            raise DataError("--text is empty; give at least one character")
        values = _ids(spec, model, seed.text)
    if model.start is not None and start is None:
        raise DataError(
            f"model {model.name} starts from features; give them with --start "
            f"{','.join(model.start.names)}, or with --data"
        )
    if model.encoder is not None and values is None:
        how = "--text" if spec.text else "--seed-values"
        raise DataError(
            f"model {model.name} answers a sequence; give it with {how}, or with --data"
        )
    features = None if start is None else np.asarray([start], np.float32)
    if values is None:
        return _with_end(model), features
    wanted = (model.encoder or model).input.raw_values
    for row in values:
        if len(row) != wanted:
            raise DataError(
                f"a sample of {len(row)} values; model {model.name} takes {wanted}: "
                f"{', '.join((model.encoder or model).channels)}"
            )
    return np.asarray(values, np.float32).reshape(1, -1, wanted), features


def _from_data(
    spec: RunSpec, seed: Seed, count: int
) -> list[tuple[Sequence[Sequence[float]] | None, Sequence[float] | None]]:
    """Return values and start of the first recordings."""
    from rnnedge.data.readers import read

    channels = [channel.name for channel in spec.encoder_channels or spec.channels]
    how: dict[str, Any] = {"channels": channels}
    if spec.text:
        how = {"vocabulary": spec.encoder_classes or spec.classes, "reply_vocabulary": spec.classes}
    items = read(seed.data, spec.data_format, labelled=False, **how).items
    if len(items) < count:
        raise DataError(f"{seed.data[0]}: {counted(len(items), 'recording')} for --count {count}")
    found: list[tuple[Sequence[Sequence[float]] | None, Sequence[float] | None]] = []
    for item in items[:count]:
        own = None if item.start is None else item.start.tolist()
        found.append((item.values.tolist(), own if seed.start is None else seed.start))
    return found


def _ids(spec: RunSpec, model: QuantizedModel, text: str) -> list[list[float]]:
    """Return the ids of a text; a text of lines begins with what ends a line."""
    source = model.encoder or model
    known = spec.classes if source is model else spec.encoder_classes
    if not spec.text or not isinstance(source.input, EmbeddingLayer) or not known:
        raise DataError(f"model {model.name} (task {model.task}) reads no text; give values")
    places = {name: place for place, name in enumerate(known)}
    parts = list(text) if spec.text == "characters" else _words(text, places)
    if source is model and END in places:
        parts = [END, *parts]
    for part in parts:
        if part not in places and UNKNOWN not in places:
            raise DataError(f"{part!r} is none of the {len(places)} {spec.text} of {model.name}")
    return [[float(places.get(part, places.get(UNKNOWN, 0)))] for part in parts]


def _words(text: str, places: Mapping[str, int]) -> list[str]:
    """Part a text at blanks; a line's end is a word where the vocabulary has it."""
    lines = text.split("\n") if "\n" in places else [text]
    parts = [word for line in lines for word in (*line.split(), "\n")]
    return parts[:-1]


def _named(spec: RunSpec, model: QuantizedModel, ids: list[int]) -> dict[str, Any]:
    """Return ids, their names and their text, up to the end of a line."""
    end = model.classes.index(END) if END in model.classes else -1
    if end in ids:
        ids = ids[: ids.index(end)]
    names = [model.classes[place] for place in ids]
    text = {"text": ("" if spec.text == "characters" else " ").join(names)} if spec.text else {}
    return {"ids": ids, "names": names, **text}


def _raw_units(model: QuantizedModel, scores: I32) -> Any:
    real = np.ldexp(scores.astype(np.float64), -model.fraction_bits)
    return real if model.output is None else real * model.output.std + model.output.mean
