"""Reading CSV files: what is understood, and what is refused with which line."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge.data.readers import Recordings, read
from rnnedge.errors import DataError
from rnnedge.run import DataFormat

PLAIN = "ax,ay,label\n1,2,rest\n3,4,rest\n5,6,walk\n"


def _file(folder: Path, text: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _read(folder: Path, text: str | bytes, form: DataFormat | None = None) -> Recordings:
    return read([_file(folder, text)], form or DataFormat())


def _refusal(folder: Path, text: str | bytes, form: DataFormat | None = None) -> str:
    with pytest.raises(DataError) as error:
        _read(folder, text, form)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(str(folder / "data.csv"))
    return message


def test_a_run_of_equal_labels_is_a_recording(tmp_path: Path) -> None:
    recordings = _read(tmp_path, PLAIN)
    assert recordings.channels == ("ax", "ay")
    assert recordings.classes == ("rest", "walk")
    assert [item.label for item in recordings.items] == ["rest", "walk"]
    assert [item.start_row for item in recordings.items] == [2, 4]
    assert recordings.items[0].values.dtype == np.float32
    np.testing.assert_array_equal(recordings.items[0].values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN,
        PLAIN + "\n\n  \n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("rest", '"rest"').replace("ax", '"ax"'),
        PLAIN.replace(",", " , "),
    ],
)
def test_the_same_table_in_another_dialect_reads_the_same(tmp_path: Path, text: str) -> None:
    expected, found = _read(tmp_path, PLAIN), _read(tmp_path, text)
    assert (found.channels, found.classes) == (expected.channels, expected.classes)
    for one, other in zip(found.items, expected.items, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.label, one.start_row) == (other.label, other.start_row)


def test_units_of_measure_are_parted_from_the_names(tmp_path: Path) -> None:
    recordings = _read(tmp_path, "ax [g],t (°C),n,label\n1,2,3,a\n")
    assert recordings.channels == ("ax", "t", "n")
    assert recordings.units == ("g", "°C", "")


def test_names_that_only_differ_in_brackets_stay_whole(tmp_path: Path) -> None:
    assert _read(tmp_path, "acc(x),acc(y),label\n1,2,a\n").channels == ("acc(x)", "acc(y)")


def test_channels_are_taken_in_the_order_asked_for(tmp_path: Path) -> None:
    recordings = _read(tmp_path, PLAIN, DataFormat(channels=("ay", "ax")))
    np.testing.assert_array_equal(recordings.items[1].values, [[6, 5]])


def test_ignored_columns_may_hold_text(tmp_path: Path) -> None:
    text = "when,ax,label\nnoon,1,a\n"
    assert _read(tmp_path, text, DataFormat(ignore=("when",))).channels == ("ax",)


def test_rows_are_cut_into_recordings_of_a_length(tmp_path: Path) -> None:
    recordings = _read(
        tmp_path, "ax,label\n" + "1,a\n" * 6 + "2,b\n" * 3, DataFormat(recording_rows=3)
    )
    assert [item.start_row for item in recordings.items] == [2, 5, 8]
    assert [item.label for item in recordings.items] == ["a", "a", "b"]


def test_a_remainder_is_counted(tmp_path: Path) -> None:
    message = _refusal(tmp_path, "ax,label\n" + "1,a\n" * 7, DataFormat(recording_rows=3))
    assert "7 rows" in message
    assert "1 are left over" in message


def test_a_recording_column_parts_equal_labels_and_groups_what_it_numbers(tmp_path: Path) -> None:
    text = "r,ax,label\n1,1,a\n1,2,a\n2,3,a\n2,4,b\n"
    items = _read(tmp_path, text, DataFormat(recording="r")).items
    assert [len(item.values) for item in items] == [2, 1, 1]
    assert items[0].group != items[1].group == items[2].group
    assert "recording 2 lines 4-4" in items[1].source


def test_a_group_column_names_the_group(tmp_path: Path) -> None:
    text = "who,ax,label\nann,1,a\nbob,2,a\nann,3,a\n"
    items = _read(tmp_path, text, DataFormat(group="who")).items
    assert [item.group for item in items] == ["ann", "bob", "ann"]


def test_files_without_label_column_are_named_after_their_class(tmp_path: Path) -> None:
    paths = [_file(tmp_path, "ax\n1\n", f"{name}.csv") for name in ("walk", "rest")]
    recordings = read(paths, DataFormat())
    assert [item.label for item in recordings.items] == ["walk", "rest"]
    assert read([tmp_path], DataFormat()).classes == recordings.classes == ("rest", "walk")


def test_a_misspelt_label_column_does_not_turn_file_names_into_classes(tmp_path: Path) -> None:
    paths = [_file(tmp_path, "ax,b\n1,x\n", f"{name}.csv") for name in ("one", "two")]
    with pytest.raises(DataError, match="no label column 'c'; the columns are ax, b"):
        read(paths, DataFormat(label="c"))


def test_labels_are_optional_where_none_are_needed(tmp_path: Path) -> None:
    path = _file(tmp_path, "t,ay,ax\nx,2,1\n")
    recordings = read([path], DataFormat(group="g"), labelled=False, channels=("ax", "ay"))
    assert recordings.items[0].label is None
    np.testing.assert_array_equal(recordings.items[0].values, [[1, 2]])


def test_the_magic_wand_files_hold_twenty_five_recordings_a_class(data: Path) -> None:
    folders = [data / "csv" / f"magic_wand_{part}" for part in ("train", "test")]
    recordings = read(folders, DataFormat(recording_rows=119))
    assert len(recordings.items) == 125
    assert len(recordings.classes) == 5
    assert {item.values.shape for item in recordings.items} == {(119, 6)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("ax,label\n", "only a header line"),
        ("1,2.5,rest\n3,4,walk\n", "no label column 'label'; the columns are c0, c1, c2"),
        ("ax,label\n1,a\nb\n", "line 3: 1 fields, expected 2"),
        ("ax,label\n1,a\n2\n", "line 3: a row count of 2, but no rows follow"),
        ("ax,label\n2\n1,a\n", "line 2: a row count of 2, but 1 rows follow"),
        ("ax,label\n1,a\n2,a,b\n", "line 3: 3 fields, expected 2"),
        ("ax,label\n1,a\nx,a\n", "line 3: column 'ax' is 'x', expected a number; if it is no"),
        ("ax;label\n1,5;a\n", "line 2: column 'ax' is '1,5', expected a number; write decimals"),
        ("ax,label\n1,a\n,a\n", "line 3: column 'ax' is empty"),
        ("ax,label\n1,a\nnan,a\n", "line 3: column 'ax' is nan"),
        ("ax,label\n1,a\n-inf,a\n", "line 3: column 'ax' is -inf"),
        ("ax,label\n1,a\n1e39,a\n", "line 3: column 'ax' is 1e39, too large for float32"),
        ("ax,label\n1,a\n1,\n", "line 3: column 'label' is empty"),
        ("ax,ay\n1,2\n", "no label column 'label'; the columns are ax, ay"),
        ("ax,ax,label\n1,2,a\n", "two columns are called 'ax' (columns 1 and 2)"),
        (",ax,label\n0,1,a\n4,1,a\n", "column 1 has no name"),
        ("label\na\n", "no channel is left"),
        (PLAIN.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\0\0", "a binary file"),
        (b"ax,label\n1,\xe9\n", "line 2: not UTF-8 (byte 0xe9)"),
        ('ax,label\n"1,a\n', "line 2: unexpected end of data"),
    ],
)
def test_an_unusable_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    assert expected in _refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (DataFormat(channels=("az",)), "no column 'az'; the columns are ax, ay, label"),
        (DataFormat(channels=("ax", "ax")), "channel 'ax' is asked for twice"),
        (DataFormat(ignore=("az",)), "no column 'az'"),
        (DataFormat(group="who"), "no column 'who'"),
        (DataFormat(recording="r"), "no column 'r'"),
    ],
)
def test_a_column_that_does_not_exist_is_named(
    tmp_path: Path, form: DataFormat, expected: str
) -> None:
    assert expected in _refusal(tmp_path, PLAIN, form)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("ax [g],label\n1,a\n", "no column 'ay', which"),
        ("ax [g],ay,az,label\n1,2,3,a\n", "column 'az', which"),
        ("ax [g],ay\n1,2\n", "no column 'label', which"),
        ("ax [mg],ay,label\n1,2,a\n", "column 'ax' is in [mg], in"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, other: str, expected: str
) -> None:
    paths = [
        _file(tmp_path, "ax [g],ay,label\n1,2,a\n", "one.csv"),
        _file(tmp_path, other, "two.csv"),
    ]
    with pytest.raises(DataError, match="two.csv") as error:
        read(paths, DataFormat())
    assert expected in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none.csv: no such file"):
        read([tmp_path / "none.csv"], DataFormat())


def test_a_folder_without_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no .csv file in this folder"):
        read([tmp_path], DataFormat())


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="no data file is given"):
        read([], DataFormat())


def test_a_header_one_name_short_has_a_row_number_in_front(tmp_path: Path) -> None:
    """As R writes it: the column of row names has no header."""
    (tmp_path / "r.csv").write_text('"x","label"\n"1",0.5,"a"\n"2",0.25,"b"\n')
    data = read([tmp_path / "r.csv"], DataFormat())
    assert data.channels == ("x",)
    assert [item.values.tolist() for item in data.items] == [[[0.5]], [[0.25]]]


def test_labels_do_not_cut_unlabelled_reading(tmp_path: Path) -> None:
    """What is simulated must not depend on the true labels."""
    (tmp_path / "s.csv").write_text("x,label\n1,a\n2,b\n3,a\n")
    data = read([tmp_path / "s.csv"], DataFormat(), labelled=False, channels=("x",))
    assert [len(item.values) for item in data.items] == [3]
