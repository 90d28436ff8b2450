"""Reading .npz files of windows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.data.readers import Recordings, read
from rnnedge.errors import DataError
from rnnedge.run import DataFormat

X = np.arange(24, dtype=np.float64).reshape(4, 3, 2)
Y = np.array([0, 1, 0, 1])


def _read(folder: Path, form: DataFormat | None = None, **arrays: Any) -> Recordings:
    np.savez(folder / "w.npz", **arrays)
    return read([folder / "w.npz"], form or DataFormat())


def _holed(value: float) -> np.ndarray[Any, Any]:
    holed = X.copy()
    holed[2, 1, 0] = value
    return holed


def test_every_window_is_a_recording(tmp_path: Path) -> None:
    recordings = _read(tmp_path, X=X, y=Y)
    assert recordings.channels == ("x0", "x1")
    assert recordings.classes == ("0", "1")
    assert [item.label for item in recordings.items] == ["0", "1", "0", "1"]
    np.testing.assert_array_equal(recordings.items[3].values, X[3])
    assert recordings.parts == frozenset()


def test_names_units_and_groups_are_taken_from_their_arrays(tmp_path: Path) -> None:
    recordings = _read(
        tmp_path,
        X=X,
        y=Y,
        channels=["ax", "ay"],
        units=["g", "V"],
        classes=["walk", "rest"],
        group=[7, 7, 8, 8],
    )
    assert recordings.channels == ("ax", "ay")
    assert recordings.units == ("g", "V")
    assert recordings.classes == ("walk", "rest")
    assert [item.group for item in recordings.items] == ["7", "7", "8", "8"]


def test_integer_classes_are_sorted_by_value(tmp_path: Path) -> None:
    assert _read(tmp_path, X=X, y=[10, 9, 2, 2]).classes == ("2", "9", "10")


def test_the_parts_of_the_file_are_kept(tmp_path: Path) -> None:
    recordings = _read(tmp_path, X_train=X, y_train=Y, X_test=X[:1], y_test=["2"])
    assert recordings.parts == {"train", "test"}
    assert len(recordings.part("train").items) == 4
    assert recordings.part("test").classes == ("2",)


def test_channels_are_chosen_by_name(tmp_path: Path) -> None:
    names = np.array(["ax", "ay"])
    chosen = _read(tmp_path, DataFormat(channels=("ay",)), X=X, y=Y, channels=names)
    np.testing.assert_array_equal(chosen.items[0].values, X[0, :, 1:])
    assert _read(tmp_path, DataFormat(ignore=("ax",)), X=X, y=Y, channels=names).channels == ("ay",)


def test_windows_without_names_or_labels_take_the_names_expected(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", X=X)
    recordings = read(
        [tmp_path / "w.npz"],
        DataFormat(recording_rows=5),
        labelled=False,
        channels=("ay", "ax"),
    )
    assert recordings.channels == ("ay", "ax")
    np.testing.assert_array_equal(recordings.items[0].values, X[0])
    assert recordings.items[0].label is None


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"Z": X}, "expected the arrays X and y"),
        ({"X_train": X, "y_train": Y}, "expected the arrays X and y"),
        ({"X": X}, "no array y"),
        ({"X": X[0], "y": Y}, "X has shape (3, 2), expected (windows, steps, channels)"),
        ({"X": X[:0], "y": Y[:0]}, "X has shape (0, 3, 2)"),
        ({"X": X.astype(complex), "y": Y}, "expected real numbers"),
        ({"X": X, "y": Y[:3]}, "y has shape (3,), expected (4,)"),
        ({"X": X, "y": np.eye(4)}, "take the argmax"),
        ({"X": X, "y": Y / 2}, "y has type float64, expected integers or text"),
        ({"X": X, "y": Y, "group": Y[:1]}, "group has shape (1,)"),
        ({"X": X, "y": Y, "channels": ["a"]}, "channels has 1 names, expected 2"),
        ({"X": X, "y": Y, "channels": ["a", "a"]}, "two channels have the same name"),
        ({"X": X, "y": Y, "classes": ["a"]}, "y[1] is 1, but classes has 1 names"),
        ({"X": X, "y": Y, "classes": ["a", "a"]}, "two classes have the same name"),
        ({"X": _holed(np.nan), "y": Y}, "X window 2, step 1, channel 0 is nan"),
        ({"X": _holed(1e39), "y": Y}, "X window 2, step 1, channel 0 is 1e+39"),
        ({"X": X, "y": np.array([0, "a", 0, 1], dtype=object)}, "array 'y' holds pickled"),
        (
            {"X_train": X, "y_train": Y, "X_test": X[:, :, :1], "y_test": Y},
            "X_test has 1 channels, X_train has 2",
        ),
    ],
)
def test_unusable_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], expected: str) -> None:
    with pytest.raises(DataError, match="w.npz") as error:
        _read(tmp_path, **arrays)
    assert expected in str(error.value)


def test_recording_rows_make_no_sense_here(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a recording already"):
        _read(tmp_path, DataFormat(recording_rows=3), X=X, y=Y)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(b"ax,label\n")
    with pytest.raises(DataError, match="not an .npz"):
        read([tmp_path / "w.npz"], DataFormat())


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    _read(tmp_path, X=X, y=Y)
    whole = (tmp_path / "w.npz").read_bytes()
    for length in range(0, len(whole) - 1, 37):
        (tmp_path / "w.npz").write_bytes(whole[:length])
        with pytest.raises(DataError, match="cut short|damaged"):
            read([tmp_path / "w.npz"], DataFormat())


def test_a_file_damaged_anywhere_is_refused_or_read_right(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "w.npz", X=X, y=Y)
    whole = (tmp_path / "w.npz").read_bytes()
    refused = 0
    for start in range(0, len(whole) - 8, 5):
        for wrong in (b"\0" * 8, b"\xff" * 8):
            (tmp_path / "w.npz").write_bytes(whole[:start] + wrong + whole[start + 8 :])
            try:
                recordings = read([tmp_path / "w.npz"], DataFormat())
            except DataError as error:
                assert "\n" not in str(error)
                refused += 1
            else:
                np.testing.assert_array_equal([item.values for item in recordings.items], X)
    assert refused > 50


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none.npz: no such file"):
        read([tmp_path / "none.npz"], DataFormat())


def test_csv_and_npz_are_not_mixed(tmp_path: Path) -> None:
    _read(tmp_path, X=X, y=Y)
    with pytest.raises(DataError, match="give one kind"):
        read([tmp_path / "w.npz", tmp_path / "a.csv"], DataFormat())


def test_several_files_must_have_the_same_channels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    np.savez(tmp_path / "b.npz", X=X, y=Y)
    np.savez(tmp_path / "c.npz", X=X, y=Y, channels=["a", "b"])
    assert len(read([tmp_path / "a.npz", tmp_path / "b.npz"], DataFormat()).items) == 8
    with pytest.raises(DataError, match=r"c\.npz: channels a, b"):
        read([tmp_path / "a.npz", tmp_path / "c.npz"], DataFormat())
