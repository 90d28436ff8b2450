"""What the layers of a quantised model have in common."""

from typing import ClassVar

import numpy as np

from rnnedge.arrays import frozen
from rnnedge.errors import ModelError


class Frozen:
    """Cast array fields to their dtype, check them and make them read-only."""

    __slots__ = ()
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {}

    def __post_init__(self) -> None:
        for name, dtype in self.DTYPES.items():
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        """Check the shape of an array field.

        Raises:
            ModelError: another shape.
        """
        found = getattr(self, name).shape
        if found != shape:
            raise ModelError(f"{type(self).__name__}.{name} has shape {found}, expected {shape}")
