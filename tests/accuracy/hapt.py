"""HAPT: activities from a phone at the waist, official test subjects and windows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.api.judging import Judged
from rnnedge.arrays import F32
from rnnedge.run import DataFormat, load_run
from tests.accuracy.case import Case, Figures, Goal, classified
from tests.accuracy.files import write_sequences
from tests.accuracy.streams import classes_at

WINDOW = 128
SIX = {
    1: "walking", 2: "upstairs", 3: "downstairs", 4: "sitting", 5: "standing", 6: "laying",
}  # fmt: skip
_TRANSITIONS = (
    "stand to sit", "sit to stand", "sit to lie", "lie to sit", "stand to lie", "lie to stand",
)  # fmt: skip
CHANNELS = ("acc x", "acc y", "acc z", "gyr x", "gyr y", "gyr z")
_G_PER_COUNT = 1 / 720
_RAD_PER_S_PER_COUNT = 0.00030543261909902


def signals(folder: Path) -> tuple[F32, dict[str, Any]]:
    """Return all recordings, float32 (rows, 6) in g and rad/s, and the other arrays."""
    with np.load(folder / "hapt.npz") as file:
        arrays = {name: file[name] for name in file.files}
    signal = np.concatenate(
        [arrays["acc"] * _G_PER_COUNT, arrays["gyr"] * _RAD_PER_S_PER_COUNT], axis=1
    )
    return signal.astype(np.float32), arrays


def segments(folder: Path, file: Path, names: Mapping[int, str], channels: int) -> None:
    """Write the labelled stretches of the training subjects, and the official test windows.

    A window may begin anywhere in a stretch: --hop decides. Activities without a name are left out.
    """
    signal, arrays = signals(folder)
    signal = signal[:, :channels]
    windows = arrays["win"]
    tested = _test_subjects(arrays)
    train, labels, groups = [], [], []
    for experiment, subject, activity, first, last in arrays["labels"]:
        if subject in tested or activity not in names:
            continue
        begin = arrays["exp_ptr"][experiment - 1]
        train.append(signal[begin + first - 1 : begin + last])
        labels.append(names[activity])
        groups.append(subject)
    chosen = windows[(windows[:, 4] == 1) & np.isin(windows[:, 3], list(names))]
    write_sequences(
        file,
        train,
        [signal[start : start + WINDOW] for start in chosen[:, 0]],
        channels=CHANNELS[:channels],
        units=(("g",) * 3 + ("rad/s",) * 3)[:channels],
        y_train=np.array(labels),
        y_test=np.array([names[activity] for activity in chosen[:, 3]]),
        group_train=np.array(groups),
        group_test=chosen[:, 2],
        classes=np.array(list(dict.fromkeys(names.values()))),
    )


def six(folder: Path, file: Path) -> None:
    """Six activities, six channels."""
    segments(folder, file, SIX, 6)


def twelve(folder: Path, file: Path) -> None:
    """Write the official windows of all classes; of the training subjects every further offset.

    A transition is shorter than a window: what an official window is called, it is called 16
    samples earlier and later.
    """
    signal, arrays = signals(folder)
    windows = arrays["win"]
    names = np.array(["", *SIX.values(), *_TRANSITIONS])
    train, tested = windows[windows[:, 4] == 0], windows[windows[:, 4] == 1]
    starts = np.concatenate([train[:, 0] + shift for shift in (-16, 0, 16)])
    starts = np.clip(starts, 0, len(signal) - WINDOW)
    np.savez(
        file,
        channels=np.array(CHANNELS),
        units=np.array(("g",) * 3 + ("rad/s",) * 3),
        classes=names[1:],
        X_train=np.stack([signal[start : start + WINDOW] for start in starts]),
        y_train=names[np.tile(train[:, 3], 3)],
        group_train=np.tile(train[:, 2], 3),
        X_test=np.stack([signal[start : start + WINDOW] for start in tested[:, 0]]),
        y_test=names[tested[:, 3]],
        group_test=tested[:, 2],
    )


def six_by_acceleration(folder: Path, file: Path) -> None:
    """Six activities, three channels."""
    segments(folder, file, SIX, 3)


def binary(folder: Path, file: Path) -> None:
    """Sitting, laying or upstairs against the rest."""
    some = {"sitting", "laying", "upstairs"}
    names = {key: "sit, lie, up" if name in some else "rest" for key, name in SIX.items()}
    segments(folder, file, names, 6)


def streams(folder: Path, file: Path) -> None:
    """Write whole recordings, a class each row where one of the six is known; the test beside."""
    signal, arrays = signals(folder)
    starts, tested = arrays["exp_ptr"], _test_subjects(arrays)
    label = np.full(len(signal), "", dtype="U10")
    for experiment, _, activity, first, last in arrays["labels"]:
        begin = starts[experiment - 1]
        label[begin + first - 1 : begin + last] = SIX.get(int(activity), "")
    recording = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    subject = arrays["exp_user"][recording]
    test = np.isin(subject, tested)
    for path, rows in ((file, ~test), (file.with_name(f"test{file.suffix}"), test)):
        columns = {name: signal[rows, index] for index, name in enumerate(CHANNELS)}
        np.savez(
            path, **columns, label=label[rows], subject=subject[rows], recording=recording[rows]
        )


def streamed(run: Path, _: object) -> Figures:
    """Accuracy at the last row of each official window, the state carried from the first row on.

    A run keeps a part of long test recordings only; here all of them count.
    """
    with np.load(run.parent / "windows.npz") as windows:
        rows, y = windows["rows"], windows["y"]
    with np.load(run.parent / "test.npz") as test:
        x = np.stack([test[name] for name in CHANNELS], axis=1)
        ends = np.flatnonzero(np.diff(test["recording"], prepend=-1, append=-1))
    names = load_run(run).classes
    given = Judged(x=x, ends=ends, y=np.zeros(len(x), np.int64))
    return classes_at(run, rows, np.array([names.index(name) for name in y]), given)


def streams_and_windows(folder: Path, file: Path) -> None:
    """Write the recordings, and where the official windows end in the test part."""
    streams(folder, file)
    _, arrays = signals(folder)
    starts, tested = arrays["exp_ptr"], _test_subjects(arrays)
    test = np.isin(arrays["exp_user"], tested)
    shift = starts[:-1] - np.cumsum([0, *(np.diff(starts) * test)])[:-1]
    windows = arrays["win"][(arrays["win"][:, 4] == 1) & (arrays["win"][:, 3] <= len(SIX))]
    rows = windows[:, 0] + WINDOW - 1 - shift[windows[:, 1] - 1]
    np.savez(
        file.with_name("windows.npz"), rows=rows.astype(np.int64),
        y=np.array([SIX[activity] for activity in windows[:, 3]]),
    )  # fmt: skip


def _test_subjects(arrays: Mapping[str, Any]) -> Any:
    return np.unique(arrays["win"][arrays["win"][:, 4] == 1, 2])


_USUAL = {"window": WINDOW, "hop": 16, "rate": 50.0, "augment": {"rotate": 15.0}}
CASES = (
    Case(
        data="hapt",
        name="6 activities, GRU-32",
        write=six,
        options={**_USUAL, "units": 32},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.92),),
        others="logistic regression on statistics 0.893",
    ),
    Case(
        data="hapt",
        name="6 activities, LSTM-28",
        write=six,
        options={**_USUAL, "cell": "lstm", "units": 28},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.92),),
        others="logistic regression on statistics 0.893",
        seeds=3,
    ),
    Case(
        data="hapt",
        name="6 activities, RNN-32",
        write=six,
        options={**_USUAL, "cell": "rnn", "units": 32},
        measure=classified,
        seeds=2,
    ),
    Case(
        data="hapt",
        name="12 activities and transitions, GRU-32",
        write=twelve,
        options={"units": 32, "rate": 50.0, "augment": {"rotate": 15.0}},
        measure=classified,
        others="logistic regression on statistics 0.881",
    ),
    Case(
        data="hapt",
        name="6 activities, accelerometer alone, GRU-10",
        write=six_by_acceleration,
        options={
            **_USUAL,
            "units": 10,
            "learning_rate": 1e-2,
            "validation_fraction": 0.05,
        },
        measure=classified,
        goals=(
            Goal(figure="float macro_f1", bound=0.90),
            Goal(figure="float macro_f1", bound=0.87, worst=True),
        ),
        others="published: GRU-10 0.916, FastGRNN's worst seed 0.663",
        seeds=20,
    ),
    Case(
        data="hapt",
        name="6 activities, GRU-32, a class each row, asked where the official windows end",
        write=streams_and_windows,
        form=DataFormat(label="label", group="subject", recording="recording"),
        options={
            "task": "label",
            "units": 32,
            "steps": WINDOW,
            "window": WINDOW,
            "rate": 50.0,
            "dropout": 0.1,
            "epochs": 24,
            "patience": 24,
            "augment": {"rotate": 15.0, "jitter": 0.0, "scale": 0.0},
        },
        measure=streamed,
        goals=(Goal(figure="float accuracy", bound=0.95),),
    ),
    Case(
        data="hapt",
        name="sitting, laying, upstairs against the rest, GRU-16",
        write=binary,
        options={**_USUAL, "units": 16, "learning_rate": 1e-2},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.95),),
    ),
)
