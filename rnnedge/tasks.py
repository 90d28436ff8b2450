"""What a model can be for."""

TASKS = ("classify", "label", "forecast", "anomaly", "map", "generate", "translate", "next")
"""The tasks (rnnedge.train.tasks); "translate" is a sequence to another one."""
