"""Names for the array types of the number formats, and read-only arrays."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

I8 = npt.NDArray[np.int8]
U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_T = TypeVar("_T", bound=np.generic)


def frozen(values: npt.ArrayLike, dtype: type[_T]) -> npt.NDArray[_T]:
    """Return a read-only C-ordered copy of `values` as `dtype`.

    Raises:
        OverflowError: a value changes when it is cast to an integer `dtype`.
    """
    source = np.asarray(values)
    array: npt.NDArray[Any] = np.array(source, dtype=dtype, order="C")
    if np.issubdtype(dtype, np.integer) and not np.array_equal(array, source):
        raise OverflowError(f"values do not fit {np.dtype(dtype).name}")
    array.flags.writeable = False
    return array
