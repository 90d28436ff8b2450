"""Keras models of the tasks, fitting, evaluation."""
