"""A user's own Keras model as a run: quantised with data to calibrate it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import rnnedge
from rnnedge import run as runs
from rnnedge.arrays import F32, I64
from rnnedge.errors import DataError
from rnnedge.modelfile import save_model
from rnnedge.spec import QuantizedModel, rate_error

_MOST_WINDOWS = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Imported:
    """A quantised model with what a run folder needs.

    Attributes:
        run: description.
        model: integers.
        windows: those of the calibration; they serve as test windows, too.
        source: the .keras file.
    """

    run: runs.RunSpec
    model: QuantizedModel
    windows: runs.Windows
    source: Path

    def save(self, folder: Path) -> None:
        """Write the files of a run into an existing, empty folder."""
        shutil.copyfile(self.source, folder / runs.KERAS_FILE)
        save_model(self.model, folder / runs.QUANTIZED_FILE)
        self.windows.save(folder)
        runs.seal(folder, self.run)


def import_keras(
    path: Path,
    data: Sequence[Path],
    *,
    name: str,
    form: runs.DataFormat | None = None,
    window: int | None = None,
    classes: Sequence[str] = (),
    rate: float | None = None,
    input_bits: int | None = None,
) -> Imported:
    """Quantise a Keras model.

    read weights -> read data -> cut windows -> calibrate -> quantise -> prove

    Args:
        path: a .keras file of supported layers, raw or normalised values in.
        data: CSV files, folders or .npz files with what the model's input looks like; labels are
            not needed.
        name: C identifier.
        form: columns of the data.
        window: time steps of a window; None: the model's, or the recordings' length.
        classes: names of the outputs, in order; empty: "class 0", ...
        rate: samples per second, for the export's documentation.
        input_bits: 8 or 16 to fix the width of the input, None to choose it by calibration.

    Raises:
        UnsupportedLayerError: a layer without integer counterpart; says what has one.
        DataError: data that cannot be read, or has other channels than the model.
        RangeError: a value does not fit its format.
    """
    from rnnedge.convert.build import quantize_and_tell
    from rnnedge.convert.extract import extract
    from rnnedge.convert.inputbits import KEY

    wrong = rate_error(rate)
    if wrong is not None:
        raise DataError(wrong)
    if len(set(classes)) < len(classes):
        raise DataError(f"classes are {', '.join(classes)}; give each output a name of its own")
    source = extract(path)
    form = form or runs.DataFormat()
    raw, labels, channels, window = _windows(data, form, window or source.window)
    if len(channels) != source.mean.size:
        raise DataError(
            f"{data[0]}: {len(channels)} channels ({', '.join(name for name, _ in channels)}), but "
            f"{path} takes {source.mean.size}; choose them with --channels or --ignore"
        )
    if classes and len(classes) != source.outputs:
        raise DataError(f"{len(classes)} class names for the {source.outputs} outputs of {path}")
    names = tuple(classes) or tuple(f"class {index}" for index in range(source.outputs))
    spec = runs.RunSpec(
        name=name,
        task="classify",
        cell="+".join(
            type(layer).__name__.removeprefix("Float").lower() for layer in source.recurrent
        ),
        units=source.recurrent[0].units,
        layers=len(source.recurrent),
        reset_after=True,
        window=window,
        hop=window,
        rate=rate,
        channels=tuple(
            runs.Channel(name=channel, unit=unit, mean=float(mean), std=float(std))
            for (channel, unit), mean, std in zip(channels, source.mean, source.std, strict=True)
        ),
        classes=names,
        data_format=form,
        split={"imported": str(path.name), "calibration_windows": len(raw)},
        rnnedge=rnnedge.__version__,
    )
    index = {label: i for i, label in enumerate(names)}
    y: I64 = np.array([index.get(label, -1) for label in labels], dtype=np.int64)
    model, bits = quantize_and_tell(source, spec, raw, input_bits=input_bits)
    return Imported(
        run=replace(spec, training={KEY: bits.document()}),
        model=model,
        windows=runs.Windows(calibration=raw, X_test=raw, y_test=y),
        source=path,
    )


def _windows(
    data: Sequence[Path], form: runs.DataFormat, window: int | None
) -> tuple[F32, list[str], list[tuple[str, str]], int]:
    """Return windows, their labels ("" if unknown), (name, unit) of each channel, the length."""
    from rnnedge.data.readers import read
    from rnnedge.data.windows import automatic_window, cut

    recordings = read(data, form, labelled=False)
    window = window or automatic_window(recordings)
    every = cut(recordings, window=window, hop=window)
    count = min(_MOST_WINDOWS, len(every))
    chosen = every.select(np.linspace(0, len(every) - 1, count).astype(np.int64))
    labels = [recordings.items[int(index)].label or "" for index in chosen.recording]
    channels = list(zip(recordings.channels, recordings.units, strict=True))
    return np.ascontiguousarray(chosen.X), labels, channels, window
