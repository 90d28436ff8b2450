"""What TensorFlow Lite Micro has: the operators of the pinned interpreter, as a table.

Those of `TFLM_VERSION`, read off the interpreter itself; a test loads one file for each operator of
the schema and compares. A build for a device has those that its `MicroMutableOpResolver` names.
"""

TFLM_VERSION = "0.dev20261023182759"
"""Version of the package tflite-micro that the table is of."""

_OPERATORS = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM
DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL
EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER
GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM
MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX
REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT
SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
_CUSTOM = """
CIRCULAR_BUFFER SignalDelay SignalEnergy SignalFftAutoScale SignalFilterBank SignalFilterBankLog
SignalFilterBankSpectralSubtraction SignalFilterBankSquareRoot SignalFramer SignalIrfft
SignalOverlapAdd SignalPCAN SignalRfft SignalStacker SignalWindow TFLM_DECODE
TFLite_Detection_PostProcess
"""
TFLM_OPERATORS = frozenset(_OPERATORS.split())
"""Its operators of the schema."""
TFLM_CUSTOM = frozenset(_CUSTOM.split())
"""Its custom operators."""

WITHOUT = {
    "BIDIRECTIONAL_SEQUENCE_LSTM": "there is none for two directions",
    "BIDIRECTIONAL_SEQUENCE_RNN": "there is none for two directions",
    "LSTM": "the fused one-step LSTM; TFLM has only UNIDIRECTIONAL_SEQUENCE_LSTM",
    "RNN": "there is none for a vanilla RNN",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "there is none for a vanilla RNN",
}
"""Recurrent operators of TensorFlow Lite that TFLM lacks, and what it has instead."""


def missing(name: str, custom: bool) -> bool:
    """Tell whether the pinned interpreter lacks an operator."""
    return name not in (TFLM_CUSTOM if custom else TFLM_OPERATORS)
