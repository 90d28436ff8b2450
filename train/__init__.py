"""Reading sensor data, windows, Keras models, fitting, evaluation."""
