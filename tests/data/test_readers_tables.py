"""CSV files as found in the wild, and Parquet: what is understood and what is told."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnedge.data.readers import Recordings, cut_at_labels, read
from rnnedge.data.readers.dialect import find_dialect
from rnnedge.data.readers.quick import quick_columns
from rnnedge.data.readers.request import Request
from rnnedge.data.readers.scan import Scan
from rnnedge.errors import DataError
from rnnedge.run import DataFormat


def _file(folder: Path, text: str | bytes, name: str = "d.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _read(folder: Path, text: str | bytes, form: DataFormat | None = None) -> Recordings:
    return read([_file(folder, text)], form or DataFormat(), labelled=False)


def _refusal(folder: Path, text: str | bytes, form: DataFormat | None = None) -> str:
    with pytest.raises(DataError) as error:
        _read(folder, text, form)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_without_header_is_named_by_numbers_and_said_so(tmp_path: Path) -> None:
    data = _read(tmp_path, "1,2.5\n3,4\n")
    assert data.channels == ("c0", "c1")
    assert data.items[0].values.tolist() == [[1, 2.5], [3, 4]]
    assert data.items[0].start_row == 1
    assert data.notes == ("d.csv has no header line: its columns are called c0 to c1",)


def test_columns_that_a_program_numbered_are_a_header(tmp_path: Path) -> None:
    assert _read(tmp_path, "0,1\n3.5,4\n").channels == ("0", "1")


@pytest.mark.parametrize("between", ["\n", "  \n", ",\n", "3\n", "x,y\n", "\n3\n"])
def test_recordings_end_at_empty_lines_row_counts_and_headers(tmp_path: Path, between: str) -> None:
    text = "x,y\n1,1\n2,2\n" + between + "3,3\n4,4\n5,5\n"
    data = _read(tmp_path, text)
    assert [item.values[:, 0].tolist() for item in data.items] == [[1, 2], [3, 4, 5]]
    assert [item.start_row for item in data.items] == [2, 4 + between.count("\n")]
    assert "2 recordings, divided by" in data.notes[0]


def test_a_row_count_may_stand_before_every_recording(tmp_path: Path) -> None:
    data = _read(tmp_path, "x,y\n2\n1,1\n2,2\n1\n3,3\n")
    assert [len(item.values) for item in data.items] == [2, 1]
    assert "line 5: a row count of 4, but 1 rows follow" in _refusal(
        tmp_path, "x,y\n2\n1,1\n2,2\n4\n3,3\n"
    )


def test_comments_are_left_out_and_counted(tmp_path: Path) -> None:
    data = _read(tmp_path, "# made by a logger\nx,y\n1,2\n# pause\n3,4\n")
    assert data.items[0].values.tolist() == [[1, 2], [3, 4]]
    assert "comment lines are left out" in data.notes[0]


def test_a_commented_header_names_the_columns(tmp_path: Path) -> None:
    assert _read(tmp_path, "# ax [g],ay [g]\n1,2\n3,4\n").units == ("g", "g")


def test_decimal_commas_where_asked(tmp_path: Path) -> None:
    data = _read(tmp_path, "x;y\n1,5;2\n-3,25e1;4\n", DataFormat(decimal=","))
    assert data.items[0].values.tolist() == [[1.5, 2], [-32.5, 4]]
    scanned = _read(tmp_path, "x;y\n1,5;2\n\n-3,25e1;4\n", DataFormat(decimal=","))
    assert scanned.items[1].values.tolist() == [[-32.5, 4]]


@pytest.mark.parametrize("opened", [gzip, bz2, lzma])
def test_compressed_files_read_the_same(tmp_path: Path, opened: object) -> None:
    suffix = {gzip: "gz", bz2: "bz2", lzma: "xz"}[opened]  # type: ignore[index]
    path = _file(tmp_path, opened.compress(b"x,y\n1,2\n"), f"d.csv.{suffix}")  # type: ignore[attr-defined]
    assert read([path], DataFormat(), labelled=False).items[0].values.tolist() == [[1, 2]]
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(DataError, match=f"d.csv.{suffix}: the file is damaged"):
        read([path], DataFormat(), labelled=False)


def test_errors_in_a_compressed_file_name_it(tmp_path: Path) -> None:
    path = _file(tmp_path, gzip.compress(b"x,y\n1,2\n3,oops\n"), "d.csv.gz")
    with pytest.raises(DataError) as error:
        read([path], DataFormat(), labelled=False)
    assert str(error.value).startswith(f"{path} line 3: column 'y' is 'oops'")


def test_pandas_row_numbers_and_trailing_delimiters_are_no_channels(tmp_path: Path) -> None:
    assert _read(tmp_path, ",x\n0,1.5\n1,2.5\n").channels == ("x",)
    assert _read(tmp_path, "x;y;\n1;2;\n3;4;\n").channels == ("x", "y")
    assert _read(tmp_path, "x;y\n1;2;\n3;4;\n").items[0].values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["2026-01-01 00:00:01", "2026-01-01 00:00:03"], 1767225601.0),
        (["2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z"], 1767225601.0),
        (["2026-01-01T01:00:01+01:00", "2026-01-01T01:00:03+01:00"], 1767225601.0),
        (["01.01.2026 00:00:01", "01.01.2026 00:00:03"], 1767225601.0),
        (["12:00:01", "12:00:03"], 43201.0),
        (["1767225601", "1767225603"], 1767225601.0),
        (["1767225601000", "1767225603000"], 1767225601.0),
        (["1767225601000000", "1767225603000000"], 1767225601.0),
    ],
)
def test_time_stamps_become_seconds(tmp_path: Path, stamps: list[str], expected: float) -> None:
    text = "when,x\n" + "".join(f"{stamp},1\n" for stamp in stamps)
    data = _read(tmp_path, text, DataFormat(time="when"))
    assert data.channels == ("x",)
    np.testing.assert_allclose(data.items[0].time, [expected, expected + 2], atol=1e-6)


@pytest.mark.parametrize(
    ("header", "step"), [("t [ms]", 0.02), ("time_us", 2e-5), ("Time (s)", 20.0), ("timestamp", 20)]
)
def test_a_column_named_as_a_time_is_found_and_told(
    tmp_path: Path, header: str, step: float
) -> None:
    data = _read(tmp_path, f"{header},x\n0,1\n20,1\n40,1\n61,1\n")
    assert data.channels == ("x",)
    np.testing.assert_allclose(data.items[0].time[:2], [0, step])
    assert "is taken as the time" in data.notes[0]


def test_a_row_number_is_no_time(tmp_path: Path) -> None:
    data = _read(tmp_path, "t,x\n0,1\n1,1\n2,1\n")
    assert data.channels == ("t", "x")
    assert data.items[0].time is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when,x\n2026-01-01,1\n,1\n", "line 3: column 'when' is empty, expected a time stamp"),
        ("when,x\n2026-01-01,1\nnoon,1\n", "line 3: column 'when' is 'noon', expected a time"),
        ("when,x\nnoon,1\n", "line 2: column 'when' is 'noon', which is no time stamp"),
        ("when,x\n01/02/2026,1\n", "may be %d/%m/%Y or %m/%d/%Y; write ISO 8601"),
        ("x,y\n1,1\n", "no column 'when'"),
    ],
)
def test_what_is_no_time_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = _file(tmp_path, text.replace("\n", ",a\n").replace(",a\n", ",label\n", 1))
    with pytest.raises(DataError) as error:
        read([path], DataFormat(time="when"))
    assert expected in str(error.value)


def test_missing_values_are_refused_with_row_and_count_or_kept(tmp_path: Path) -> None:
    text = "x,y\n1,2\nNA,3\n5,?\n,4\n"
    assert "line 3: column 'x' is NA, expected a finite number (2 of 4 values" in _refusal(
        tmp_path, text
    )
    data = _read(tmp_path, text, DataFormat(missing="interpolate"))
    np.testing.assert_array_equal(
        data.items[0].values, [[1, 2], [np.nan, 3], [5, np.nan], [np.nan, 4]]
    )
    assert "is inf" in _refusal(tmp_path, "x\ninf\n", DataFormat(missing="hold"))


def test_a_class_a_row(tmp_path: Path) -> None:
    path = _file(tmp_path, "x,label,r\n1,b,1\n2,a,1\n3,,1\n4,b,2\n")
    data = read([path], DataFormat(recording="r"), rows=True)
    assert data.classes == ("a", "b")
    assert [item.row_labels.tolist() for item in data.items] == [[1, 0, -1], [1]]
    assert [item.label for item in data.items] == [None, "b"]
    cut = cut_at_labels(data)
    assert [(item.label, item.values.ravel().tolist()) for item in cut.items] == [
        ("b", [1.0]),
        ("a", [2.0]),
        ("b", [4.0]),
    ]


def test_classes_a_row_are_the_same_over_files(tmp_path: Path) -> None:
    paths = [_file(tmp_path, f"x,label\n1,{word}\n", f"{word}.csv") for word in "zma"]
    data = read(paths, DataFormat(), rows=True)
    assert data.classes == ("a", "m", "z")
    assert [item.row_labels.tolist() for item in data.items] == [[2], [1], [0]]


def test_targets_leave_the_channels_unless_they_are_to_stay(tmp_path: Path) -> None:
    path = _file(tmp_path, "x,y [V]\n1,2\n3,\n")
    form = DataFormat(targets=("y",))
    data = read([path], form, labelled=False)
    assert (data.channels, data.target_names) == (("x",), (("y", "V"),))
    np.testing.assert_array_equal(data.items[0].targets, [[2], [np.nan]])
    kept = DataFormat(targets=("y",), missing="hold")
    assert read([path], kept, labelled=False, keep_targets=True).channels == ("x", "y")


def test_starts_hold_for_a_recording(tmp_path: Path) -> None:
    text = "r,speed,x\n1,5,1\n1,5,2\n2,7,3\n"
    form = DataFormat(recording="r", start=("speed",))
    data = _read(tmp_path, text, form)
    assert data.channels == ("x",)
    assert [item.start.tolist() for item in data.items] == [[5], [7]]
    assert data.start_names == (("speed", ""),)
    assert "line 3: column 'speed' changes" in _refusal(
        tmp_path, text.replace("1,5,2", "1,6,2"), form
    )


def test_folders_are_classes_and_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for word in ("walk", "rest"):
            _file(tmp_path, "x\n1\n2\n", f"{part}/{word}/one.csv")
    data = read([tmp_path], DataFormat())
    assert [(item.part, item.label) for item in data.items] == [
        ("test", "rest"),
        ("test", "walk"),
        ("train", "rest"),
        ("train", "walk"),
    ]


def test_folders_of_trainings_are_no_data(tmp_path: Path) -> None:
    """Runs, whole and interrupted, may lie beside the data they were trained on."""
    for word in ("walk", "rest"):
        _file(tmp_path, "x\n1\n2\n", f"{word}/one.csv")
    for name in ("run/run.json", "run/model.keras", "run.partial/begun.json"):
        _file(tmp_path, "{}", name)
    _file(tmp_path, "x\n1\n2\n", "run/kept.csv")
    _file(tmp_path, "x\n1\n2\n", "run.partial/kept.csv")
    assert read([tmp_path], DataFormat()).classes == ("rest", "walk")


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    _file(tmp_path, "{}", "a.json")
    _file(tmp_path, "", "b.npz")
    with pytest.raises(DataError, match="an .npz file beside an Edge Impulse file; give one kind"):
        read([tmp_path], DataFormat())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    """Nobody writes to this pipe: to open it would take forever."""
    pipe = tmp_path / "d.csv"
    os.mkfifo(pipe)
    with pytest.raises(DataError, match=r"d\.csv: a pipe cannot be read twice; save its data"):
        read([pipe], DataFormat())
    with pytest.raises(DataError, match="/dev/zero: a device, no file; save its data to a file"):
        read([Path("/dev/zero")], DataFormat())


def test_a_manifest_lists_files_with_what_is_known_of_them(tmp_path: Path) -> None:
    _file(tmp_path, "x\n1\n", "in/one.csv")
    _file(tmp_path, "x\n2\n", "in/two.csv")
    listed = "file,label,group,part,mass\nin/one.csv,a,ann,train,1.5\nin/two.csv,b,bob,test,2\n"
    path = _file(tmp_path, listed, "list.csv")
    data = read([path], DataFormat(start=("mass",)))
    assert [(i.label, i.group, i.part) for i in data.items] == [
        ("a", "ann", "train"),
        ("b", "bob", "test"),
    ]
    assert [item.start.tolist() for item in data.items] == [[1.5], [2]]
    _file(tmp_path, listed.replace("two", "none"), "list.csv")
    with pytest.raises(DataError, match=r"list\.csv line 3: .*none\.csv: no such file"):
        read([path], DataFormat())


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(-(2.0**100), 2.0**100, width=32),
            st.one_of(st.just(""), st.floats(width=32, allow_infinity=False)),
            st.sampled_from(["a", "b c", "ö", "1", ""]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_fast_and_exact_reading_agree(
    rows: list[tuple[float, float | str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Both ways through a file give the same columns, whatever the values."""
    path = tmp_path_factory.mktemp("agree") / "d.csv"
    path.write_text(
        "x,y,label\n" + "".join(f"{x!r},{y!r},{w}\n".replace("''", "") for x, y, w in rows)
    )
    dialect = find_dialect(path, ".")
    fast = quick_columns(path, dialect, ["label"], Request(form=DataFormat()))
    exact = [b.column() for b in Scan(path, dialect, text=["label"], decimal=".").columns]
    assert fast is not None
    for one, other in zip(fast, exact, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert [one.words[c] for c in one.codes] == [other.words[c] for c in other.codes]


@settings(max_examples=150, deadline=None)
@given(
    raw=st.binary(max_size=120)
    | st.text("0123456789.,;\t\n\r\"'#a-e ", max_size=80).map(str.encode)
)
def test_any_bytes_are_read_or_refused_in_one_line(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "d.csv"
    path.write_bytes(raw)
    for form in (DataFormat(), DataFormat(missing="hold", decimal=",", recording_rows=1)):
        try:
            read([path], form, labelled=False)
        except DataError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"x" * (1 << 21), "the first line is longer than a megabyte"),
        (b"x,y\n1," + b"2" * (1 << 18) + b"\n", "line 2: field larger than field limit"),
        (b"x,y\n" + b"1,2\n" * 400000 + b"1,\0\n", "a binary file"),
        (b"x,y\n" + b"1,2\n" * 400000 + b"1,\xff\n", "line 400002: not UTF-8 (byte 0xff)"),
        (b"x,y\n1,2\n" * 1 + b"3,4\n" * 5 + b"oops,4\n", "line 8: column 'x' is 'oops'"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, raw: bytes, expected: str) -> None:
    assert expected in _refusal(tmp_path, raw)[-400:]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    path = _file(tmp_path, "x\n" + "1\n" * 100)
    other = _file(tmp_path, "x\n" + "1\n" * 100, "e.csv")
    read([path, other], DataFormat(), labelled=False, tell=shares.append)
    assert shares == sorted(shares)
    assert 0.5 in shares
    assert shares[-1] == 1


def test_lines_beyond_every_measure_are_told(tmp_path: Path) -> None:
    wide = ",".join(f"c{index}" for index in range(20_000)) + "\n" + ",".join("1" * 20_000) + "\n"
    assert len(_read(tmp_path, wide).channels) == 20_000
    assert "field larger than field limit" in _refusal(tmp_path, "a" * 200_000 + ",b\n1,2\n")
    assert "line 2 is longer than a megabyte" in _refusal(tmp_path, "a,b\n" + "1" * 2_000_000)


def test_a_label_column_of_parquet_without_any_word_is_told(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet as papq

    papq.write_table(pa.table({"a": [1.0, 2.0], "label": pa.nulls(2)}), tmp_path / "d.parquet")
    with pytest.raises(DataError, match="d.parquet: column 'label' has no words or numbers"):
        read([tmp_path / "d.parquet"], DataFormat())


@pytest.mark.parametrize("mass", ["nan", "inf", "1e39", "heavy"])
def test_starts_of_a_manifest_are_finite(tmp_path: Path, mass: str) -> None:
    _file(tmp_path, "a\n1\n2\n", "one.csv")
    listed = f"file,mass\none.csv,{mass}\n"
    with pytest.raises(DataError, match=f"line 2: column 'mass' is '{mass}', expected a finite"):
        read([_file(tmp_path, listed)], DataFormat(start=("mass",)), labelled=False)


def test_rows_keep_labels_that_are_there_but_need_none(tmp_path: Path) -> None:
    """Anomalies: the label column is no channel, and a recording does not end where it changes."""
    path = _file(tmp_path, "v,label\n1,ok\n2,fault\n3,ok\n")
    data = read([path], DataFormat(), labelled=False, rows=True)
    assert (data.channels, data.classes, len(data.items)) == (("v",), ("fault", "ok"), 1)
    assert data.items[0].row_labels is not None
    assert data.items[0].row_labels.tolist() == [1, 0, 1]
    bare = _file(tmp_path, "v\n1\n2\n3\n", "bare.csv")
    assert read([bare], DataFormat(), labelled=False, rows=True).items[0].row_labels is None
