"""From sensor files to windows: readers, time stamps, holes, splits, what the data holds."""
