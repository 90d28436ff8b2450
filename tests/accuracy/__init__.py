"""Accuracy on real recordings, official splits: `make accuracy`."""
