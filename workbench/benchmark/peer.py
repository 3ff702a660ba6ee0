"""What another implementation is to the benchmark."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Move = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Peer:
    """An implementation's way there and back, and the exact latent in its own convention.

    Ours has to reach `bound` times its latent error. `evaluations` are each way.
    """

    name: str
    evaluations: int
    encode: Move
    decode: Move
    exact: Callable[[], Tensor]
    bound: float
