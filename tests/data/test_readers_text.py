"""Text as ids: characters and words, running text, lines, and pairs."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnedge.data.readers import Recordings, read
from rnnedge.errors import DataError
from rnnedge.run import DataFormat

LINES = "\n".join(f"name{'abcd'[i % 4]}" for i in range(24)) + "\n"


def _read(folder: Path, text: str, form: DataFormat | None = None, **options: object) -> Recordings:
    path = folder / "t.txt"
    path.write_text(text)
    return read([path], form or DataFormat(), **options)  # type: ignore[arg-type]


def _spelt(data: Recordings, index: int = 0) -> list[str]:
    return [data.classes[int(value)] for value in data.items[index].values[:, 0]]


def test_short_lines_are_recordings_with_an_end_at_both_ends(tmp_path: Path) -> None:
    data = _read(tmp_path, LINES)
    assert data.classes == ("<end>", *"abcdemn")
    assert (data.text, data.channels) == ("characters", ("character",))
    assert len(data.items) == 24
    assert _spelt(data) == ["<end>", *"namea", "<end>"]
    assert data.items[0].values.dtype == np.float32
    assert data.items[0].label is None
    assert "text: lines, 24 recordings, a vocabulary of 8 characters" in data.notes


def test_an_empty_line_makes_it_one_running_text(tmp_path: Path) -> None:
    text = LINES + "\nmore\n"
    data = _read(tmp_path, text)
    assert len(data.items) == 1
    assert "".join(_spelt(data)) == text
    assert len(_read(tmp_path, text, DataFormat(recording_rows=1)).items) == 25


def test_rare_words_are_unknown(tmp_path: Path) -> None:
    data = _read(tmp_path, "to be or\nnot to be\n", DataFormat(text="words"))
    assert data.classes == ("<unknown>", "\n", "be", "to")
    assert _spelt(data) == ["to", "be", "<unknown>", "\n", "<unknown>", "to", "be", "\n"]
    assert "2 rare words are taken as <unknown>" in data.notes


def test_a_vocabulary_of_a_run_decides_the_ids(tmp_path: Path) -> None:
    trained = _read(tmp_path, LINES)
    again = _read(tmp_path, "dean\n" * 20, vocabulary=trained.classes)
    assert again.classes == trained.classes
    assert _spelt(again) == ["<end>", *"dean", "<end>"]
    assert len(_read(tmp_path, "dean\nnad\n", vocabulary=trained.classes).items) == 2
    with pytest.raises(DataError, match=r"t\.txt line 2: 'z' is not in the vocabulary of 8"):
        _read(tmp_path, "dean\nzed\n" * 20, vocabulary=trained.classes)
    words = ("<unknown>", "\n", "be")
    assert _spelt(_read(tmp_path, "be it\n", DataFormat(text="words"), vocabulary=words)) == [
        "be",
        "<unknown>",
        "\n",
    ]


def test_pairs_have_replies_of_their_own_vocabulary(tmp_path: Path) -> None:
    data = _read(tmp_path, "ab\tyx\nba\txyz\n")
    assert data.classes == ("a", "b")
    assert data.reply_classes == ("<end>", "x", "y", "z")
    assert _spelt(data, 1) == ["b", "a"]
    replies = [[data.reply_classes[int(v)] for v in item.reply[:, 0]] for item in data.items]
    assert replies == [["<end>", *"yx", "<end>"], ["<end>", *"xyz", "<end>"]]
    with pytest.raises(DataError, match="line 2: one side of the pair is empty"):
        _read(tmp_path, "ab\tyx\nba\t\n")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"ab\0c\n", "a binary file or UTF-16"),
        (b"ab\n\xff\n", "line 2: not UTF-8 (byte 0xff)"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, raw: bytes, expected: str) -> None:
    (tmp_path / "t.txt").write_bytes(raw)
    with pytest.raises(DataError) as error:
        read([tmp_path / "t.txt"], DataFormat(text="characters"))
    assert expected in str(error.value)


def test_a_table_in_a_txt_is_a_table(tmp_path: Path) -> None:
    assert _read(tmp_path, "x,label\n1,a\n2,a\n3,b\n").text == ""
    assert _read(tmp_path, "x\ty\tlabel\n1\t2\ta\n").channels == ("x", "y")


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\t"), min_size=1)
)
def test_running_text_is_spelt_back(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("spelt") / "t.txt.xz"
    path.write_bytes(lzma.compress(text.encode()))
    form = DataFormat(text="characters", recording_rows=2)
    if not text.strip() or text.startswith("\ufeff"):
        return
    assert "".join(_spelt(read([path], form))) == text


def test_real_texts_have_their_vocabularies(data: Path) -> None:
    names = read([data / "names_makemore" / "names.txt"], DataFormat())
    assert (len(names.items), len(names.classes)) == (32033, 27)
    plays = read([data / "tinyshakespeare" / "input.txt.xz"], DataFormat())
    assert (len(plays.items), len(plays.items[0].values), len(plays.classes)) == (1, 1115394, 65)
