"""Run a .tflite file in LiteRT; a process of its own: `python -m tests.tflite.litert FOLDER...`.

Each FOLDER holds model.tflite and x.npy (N, T, C); the scores go to y.npy, in the shape that
`rnnedge.targets.tflm.run_tflm` gives.
"""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(folder):
    """Each sequence gets an interpreter of its own: resetting one leaves resource variables."""
    x = np.load(folder / "x.npy")
    scores = []
    for sequence in x:
        interpreter = Interpreter(model_path=str(folder / "model.tflite"), num_threads=1)
        interpreter.allocate_tensors()
        first, *states = interpreter.get_input_details()
        out, *after = interpreter.get_output_details()
        window = len(first["shape"]) == 3
        held = [np.zeros(state["shape"], np.int16) for state in states]
        found = []
        for v in (sequence,) if window else sequence:
            interpreter.set_tensor(first["index"], v[None])
            for state, value in zip(states, held, strict=True):
                interpreter.set_tensor(state["index"], value)
            interpreter.invoke()
            found.append(interpreter.get_tensor(out["index"])[0])
            held = [interpreter.get_tensor(state["index"]) for state in after]
        scores.append(found[0] if window else np.array(found))
    np.save(folder / "y.npy", np.array(scores))


if __name__ == "__main__":
    for word in sys.argv[1:]:
        main(Path(word))
