"""What a model can be trained for: the series of each task, and how they are laid into batches."""
