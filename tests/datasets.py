"""Real recordings as files that the command line takes; never copied into the product."""

from pathlib import Path

import numpy as np

# the sensors' resolution, from the data set's README
_G_PER_COUNT = 1 / 720
_RAD_PER_S_PER_COUNT = 0.00030543261909902


def hapt_npz(data: Path, out: Path, *, shuffled: bool = False) -> Path:
    """Write HAPT's official windows of the six activities as an .npz.

    Args:
        data: folder of recordings.
        out: file to write: X_train, y_train, group_train (subject), X_test, y_test, group_test.
        shuffled: permute the training labels, so that there is nothing to learn.
    """
    with np.load(data / "hapt" / "hapt.npz") as hapt:
        signal = np.concatenate(
            [hapt["acc"] * _G_PER_COUNT, hapt["gyr"] * _RAD_PER_S_PER_COUNT], axis=1
        ).astype(np.float32)
        windows = hapt["win"][hapt["win"][:, 3] <= 6]
    X = np.stack([signal[start : start + 128] for start in windows[:, 0]])
    subject, activity, test = windows[:, 2], windows[:, 3], windows[:, 4] == 1
    y_train = activity[~test]
    if shuffled:
        y_train = np.random.default_rng(0).permutation(y_train)
    np.savez(
        out,
        X_train=X[~test],
        y_train=y_train,
        group_train=subject[~test],
        X_test=X[test],
        y_test=activity[test],
        group_test=subject[test],
    )
    return out
