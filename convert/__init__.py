"""From Keras weights to integers and the files that carry them."""
