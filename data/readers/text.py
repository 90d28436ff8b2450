"""Text to sequences of ids: characters or words, a running text, lines, or pairs of lines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.arrays import F32
from rnnedge.data.readers.delimited import unpacked
from rnnedge.data.readers.recordings import Recording, Recordings
from rnnedge.data.readers.request import File, Request
from rnnedge.errors import DataError

END, UNKNOWN = "<end>", "<unknown>"
_MOST_WORDS = 1000
_LONGEST_LINE = 100
_FEWEST_LINES = 20
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One sequence of units (characters or words), with its reply if it is a pair."""

    file: File
    row: int
    units: Sequence[str]
    reply: Sequence[str] | None


def read_text(files: Sequence[File], want: Request) -> Recordings:
    """Read text as ids, float32 (length, 1); `Recordings.classes` are what the ids stand for.

    Where every line holds one tab it is a pair: a sequence and its reply. Else, with
    `recording_rows` 1, a vocabulary that holds "<end>", or where there are only short lines without
    an empty one among them, each line is a recording that begins and ends with "<end>". Else each
    file is one running text. A reply begins and ends with "<end>", too; what it replies to does
    not.

    Characters are all kept. Of words those that occur twice or more, at most 1000; the others
    become "<unknown>". Words are what blanks divide; a line's end is a word of its own.

    Args:
        files: text files, UTF-8.
        want: what is asked for; with a vocabulary, the ids are those of it.

    Raises:
        DataError: no text, or a character that the vocabulary has not.
    """
    words = want.form.text == "words"
    lines: list[_Line] = []
    kinds = set()
    for place, file in enumerate(files):
        kind, found = _lines(file, want, words)
        kinds.add(kind)
        lines += found
        want.progress((place + 1) / len(files) / 2)
    if len(kinds) > 1:
        raise DataError(
            f"{files[0].path}: {' and '.join(sorted(kinds))} among the files; say with "
            "--recording-rows 1 that each line is a recording"
        )
    kind = kinds.pop()
    ends = kind == "lines"
    known = _vocabulary([line.units for line in lines], words, ends, want.vocabulary)
    replies = [line.reply for line in lines if line.reply is not None]
    answers = _vocabulary(replies, words, True, want.reply_vocabulary) if replies else ()
    ids = {unit: index for index, unit in enumerate(known)}
    reply_ids = {unit: index for index, unit in enumerate(answers)}
    items = [_recording(line, ids, reply_ids, ends, kind) for line in lines]
    want.progress(1.0)
    unit = "word" if words else "character"
    rare = sum(u not in ids for line in lines for u in line.units) if UNKNOWN in ids else 0
    notes = [f"text: {kind}, {len(lines)} recordings, a vocabulary of {len(known)} {unit}s"]
    notes += [f"{rare} rare words are taken as {UNKNOWN}"] if rare else []
    return Recordings(
        items=tuple(items),
        channels=(unit,),
        units=("",),
        classes=known,
        reply_names=((unit, ""),) if replies else (),
        reply_classes=answers,
        text="words" if words else "characters",
        notes=tuple(notes),
    )


def is_text(path: Path) -> bool:
    """Tell whether a .txt holds text and no table: no column of it holds numbers."""
    try:
        with unpacked(path).open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False  # the reader of tables says so
    if b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    text = head.decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][:_LOOKED_AT]
    return bool(lines) and not any(_like_table(lines, mark) for mark in ",;\t")


def _like_table(lines: Sequence[str], mark: str) -> bool:
    """Tell whether some column holds a number on every line but the first."""
    rows = [line.split(mark) for line in lines[1:]]
    if not rows or len({len(row) for row in rows}) > 1:
        return False
    return any(all(_is_number(row[place]) for row in rows) for place in range(len(rows[0])))


def _is_number(field: str) -> bool:
    try:
        float(field.strip().strip('"'))
    except ValueError:
        return False
    return True


def _lines(file: File, want: Request, words: bool) -> tuple[str, list[_Line]]:
    """Return how a file is to be taken, and its sequences."""
    text = _decoded(file.path)
    rows = text.split("\n")
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise DataError(f"{file.path}: the file is empty, expected text")

    def units(part: str) -> Sequence[str]:
        return part.split() if words else part

    if all(row.count("\t") == 1 for row in rows):
        pairs = [row.split("\t") for row in rows]
        for number, pair in enumerate(pairs, 1):
            if not all(side.strip() for side in pair):
                raise DataError(f"{file.path} line {number}: one side of the pair is empty")
        return "pairs", [
            _Line(file=file, row=number, units=units(one), reply=units(other))
            for number, (one, other) in enumerate(pairs, 1)
        ]
    short = len(rows) >= _FEWEST_LINES and max(map(len, rows)) <= _LONGEST_LINE and all(rows)
    asked = want.form.recording_rows == 1 or END in want.vocabulary
    free = want.form.recording_rows is None and not want.vocabulary
    if asked or (short and free):
        filled = [(number, row) for number, row in enumerate(rows, 1) if row.strip()]
        return "lines", [
            _Line(file=file, row=number, units=units(row), reply=None) for number, row in filled
        ]
    running: Sequence[str] = text
    if words:
        running = [word for row in rows for word in (*row.split(), "\n")]
    return "running text", [_Line(file=file, row=1, units=running, reply=None)]


def _decoded(path: Path) -> str:
    try:
        raw = unpacked(path).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if b"\0" in raw:
        raise DataError(f"{path}: a binary file or UTF-16, expected UTF-8 text")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line}: not UTF-8 (byte 0x{raw[error.start]:02x}); save it as UTF-8"
        ) from None


def _vocabulary(
    sequences: Sequence[Sequence[str]], words: bool, ends: bool, known: Sequence[str]
) -> tuple[str, ...]:
    """Return what ids stand for: the given vocabulary, or that of the sequences."""
    if known:
        return tuple(known)
    counts: Counter[str] = Counter()
    for sequence in sequences:
        counts.update(sequence)
    special = [END] if ends else []
    if not words:
        return (*special, *sorted(counts))
    often = [word for word, count in counts.most_common(_MOST_WORDS) if count > 1]
    kept = sorted(often or list(counts)[:_MOST_WORDS])
    return (*special, UNKNOWN, *(word for word in kept if word not in (END, UNKNOWN)))


def _recording(
    line: _Line, ids: dict[str, int], reply_ids: dict[str, int], ends: bool, kind: str
) -> Recording:
    path = line.file.path
    reply = None
    if line.reply is not None:
        reply = _ids(path, line.row, line.reply, reply_ids, True)
    where = "" if kind == "running text" else f" line {line.row}"
    return Recording(
        values=_ids(path, line.row, line.units, ids, ends),
        label=None,
        group=line.file.group,
        source=f"{path.name}{where}",
        file=path.name,
        start_row=line.row,
        part=line.file.part,
        reply=reply,
    )


def _ids(path: Path, row: int, units: Sequence[str], ids: dict[str, int], ends: bool) -> F32:
    """Return the ids of a sequence, float32 (length, 1)."""
    unknown = ids.get(UNKNOWN)
    found = [ids.get(unit, unknown) for unit in units]
    if None in found:
        place = found.index(None)
        row += "".join(units[:place]).count("\n")
        raise DataError(
            f"{path} line {row}: {units[place]!r} is not in the vocabulary of {len(ids)}, expected "
            "what the training data holds"
        )
    if ends:
        if END not in ids:
            raise DataError(f"{path}: the vocabulary has no {END!r}; it is that of running text")
        found = [ids[END], *found, ids[END]]
    return np.array(found, np.float32)[:, None]
