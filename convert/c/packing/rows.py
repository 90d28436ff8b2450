"""The portable kernel: int8 weights row by row, biases apart (firmware/kernels/rows.c)."""

from rnnedge.convert.c.packing.order import Packed, accumulators, chunks, columns, matrix
from rnnedge.convert.c.text import array
from rnnedge.spec import RecurrentLayer


class _Rows:
    kernel = "rows"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return weights as int8 and biases as int32, in the order of use."""
        weights, biases = [], []
        for chunk in chunks(layer):
            for gate, rows, bias in zip(chunk.gates, chunk.rows, chunk.bias, strict=True):
                units = rows % layer.units
                label = f"{gate} over {chunk.part}, units {units[0]} to {units[-1]}"
                weights.append((label, matrix(layer, chunk.part, rows)))
                biases.append((label, bias))
        n_weights = sum(values.size for _, values in weights)
        n_biases = sum(values.size for _, values in biases)
        return Packed(
            arrays=(
                array(
                    f"static const int8_t {prefix}_weights[{n_weights}] RNNEDGE_FLASH",
                    "Weights, one scale per row; columns: state h, input x, reset state g",
                    weights,
                ),
                array(
                    f"static const int32_t {prefix}_bias[{n_biases}] RNNEDGE_FLASH",
                    "Biases, accumulator format, rounding half included",
                    biases,
                ),
            ),
            weights=f"{prefix}_weights",
            bias=f"{prefix}_bias",
            nbytes=n_weights + 4 * n_biases,
        )

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return accumulators of one block, and v as int16."""
        return accumulators(layer) + -(-columns(layer) // 2)


ROWS = _Rows()
