"""WAV files to recordings of mel-frequency cepstral coefficients."""

import os
import struct
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers.mfcc import Mfcc
from rnnedge.data.readers.recordings import Recordings
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.series import Series, series_recordings
from rnnedge.errors import DataError

_NOHASH = "_nohash_"


def read_wave(files: Sequence[File], want: Request) -> Recordings:
    """Read WAV files, one recording each.

    The label is that of the file's folder or manifest, else what stands before the first point or
    underscore of its name; what stands before "_nohash_" (as Speech Commands writes it) is its
    group. Channels are averaged. `form.mfcc` sets the recipe (rnnedge.data.readers.mfcc).

    Args:
        files: the files, of one rate.
        want: what is asked for.

    Raises:
        DataError: damaged, silent of samples, or of another rate than the first file or the recipe.
    """
    recipe = Mfcc.of(want.form.mfcc)
    series: list[Series] = []
    rate = recipe.rate
    for place, file in enumerate(files):
        found, sound = _sound(file.path)
        rate = rate or found
        if found != rate:
            other = "the model's sound" if recipe.rate else files[0].path
            raise DataError(
                f"{file.path}: {found} samples per second, {other} has {rate}; resample one of them"
            )
        values = recipe.coefficients_of(sound, rate)
        group = file.path.stem.split(_NOHASH)[0] if _NOHASH in file.path.stem else None
        series.append(
            Series(
                file=file,
                name="",
                values=values,
                label=_label(file),
                group=group,
                time=np.arange(len(values), dtype=np.float64) * recipe.hop(rate) / rate,
            )
        )
        want.progress((place + 1) / len(files))
    names = [f"mfcc{index}" for index in range(recipe.coefficients)]
    note = (
        f"sound at {rate} Hz: {recipe.coefficients} coefficients of {recipe.bands} bands from "
        f"{recipe.low:g} to {recipe.high or rate / 2:g} Hz, a frame of {recipe.frame(rate)} "
        f"samples each {recipe.hop(rate)}"
    )
    made = series_recordings(series, names, [""] * len(names), want, notes=[note])
    return replace(made, sound_rate=rate)


def _label(file: File) -> str:
    if file.label is not None and not file.stem:
        return file.label
    name = file.path.name.split(".")[0]
    return name.split("_")[0] or name


def _sound(path: Path) -> tuple[int, F64]:
    """Return rate and samples, full scale 1, channels averaged."""
    from scipy.io import wavfile

    _check_whole(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of other programs
            rate, raw = wavfile.read(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except Exception as error:  # whatever a damaged header leads SciPy to
        told = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataError(f"{path}: no WAV, or damaged ({told}); write it again") from None
    if not raw.size or not 100 <= rate <= 1_000_000:
        raise DataError(f"{path}: {raw.size} samples at {rate} Hz, expected sound")
    samples: F64 = raw.astype(np.float64)
    if raw.dtype.kind == "u":
        samples = (samples - 128) / 128
    elif raw.dtype.kind == "i":
        samples /= -float(np.iinfo(raw.dtype).min)
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: a sample is not finite; write it again")
    return int(rate), samples.mean(axis=1) if samples.ndim == 2 else samples


def _check_whole(path: Path) -> None:
    """Refuse a file whose samples end before its header says, or within one of them.

    Whatever else is wrong with it, the one who reads it says.

    Raises:
        DataError: names both counts of bytes.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            riff, _, kind = struct.unpack("<4sI4s", file.read(12))
            block = 1
            while (riff, kind) == (b"RIFF", b"WAVE"):
                name, length = struct.unpack("<4sI", file.read(8))
                there = size - file.tell()
                if name == b"fmt ":
                    block = max(1, struct.unpack("<HHIIH", file.read(14))[4])
                    file.seek(length - 14 + length % 2, os.SEEK_CUR)
                    continue
                if name != b"data":
                    file.seek(length + length % 2, os.SEEK_CUR)
                    continue
                if length > there:
                    raise DataError(
                        f"{path}: cut short, {there:,} of {length:,} bytes of sound are there; "
                        "write it again"
                    )
                if length % block:
                    raise DataError(
                        f"{path}: {length:,} bytes of sound are no whole number of samples of "
                        f"{block} bytes; write it again"
                    )
                return
    except (OSError, struct.error):
        return
