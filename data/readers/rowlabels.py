"""The classes of rows: numbered while files are read, sorted when all are known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnedge.arrays import I64
from rnnedge.data.readers.cache import changes, recoded, used
from rnnedge.data.readers.recordings import Recording, class_names


def codes_in(labels: list[str], codes: I64, words: Sequence[str]) -> I64:
    """Return codes that count in `labels`, to which new words are added."""
    seen = used(codes, len(words))
    for code, word in enumerate(words):
        if code in seen and word not in labels:
            labels.append(word)
    places = np.array([labels.index(w) if w in labels else -1 for w in words] + [-1], np.int64)
    return recoded(places, codes)


def numbered(items: list[Recording], labels: list[str]) -> tuple[list[Recording], tuple[str, ...]]:
    """Bring the classes of rows into their final order; a label by file holds for all its rows."""
    every = [*labels, *(item.label for item in items if item.label is not None)]
    classes = class_names(every)
    order = np.array([classes.index(label) for label in labels] + [-1], np.int64)
    done = []
    for item in items:
        row_labels = item.row_labels
        if row_labels is not None:
            row_labels = recoded(order, row_labels)
            one = not changes(row_labels) and row_labels[0] >= 0
            label = classes[int(row_labels[0])] if one else None
            item = replace(item, row_labels=row_labels, label=label)
        elif item.label is not None:
            row_labels = np.full(len(item.values), classes.index(item.label), np.int64)
            item = replace(item, row_labels=row_labels)
        done.append(item)
    return done, classes
