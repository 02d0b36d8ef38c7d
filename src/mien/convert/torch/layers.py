"""Handing out the tensors of a state dict to the layers of a network that we know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.blocks import batch_norm, fold
from mien.convert.torch.state import tensors
from mien.errors import ConversionFailed

Array = NDArray[np.float32]

_EPSILON = 1e-5  # of torch's normalisations; a state dict does not tell
_PARALLEL = "module."  # what torch.nn.DataParallel puts before every name


class StateDict:
    """The tensors of one file; each is taken once, and none may be left over.

    Args:
        data: A PyTorch file.
        network: What the file should hold, for messages.
    """

    def __init__(self, data: bytes, network: str) -> None:
        self._network = network
        self._left = {
            name.removeprefix(_PARALLEL): array
            for name, array in tensors(data).items()
            if not name.endswith("num_batches_tracked")
        }

    def take(self, name: str, *shape: int) -> Array:
        """Return a tensor as float32; 0 in the shape is any length.

        Raises:
            ConversionFailed: There is no such tensor, it has another shape, or is not finite.
        """
        try:
            array = self._left.pop(name)
        except KeyError:
            raise self._foreign(f"there is no {name}") from None
        if array.ndim != len(shape) or any(n not in (0, m) for n, m in zip(shape, array.shape, strict=True)):
            raise self._foreign(f"{name} has the shape {array.shape}")
        if not np.isfinite(array).all():
            raise self._foreign(f"{name} has values that are not finite")
        return array.astype(np.float32)

    def convolution(self, conv: str, norm: str, width: int, size: int) -> tuple[Array, Array]:
        """Kernel and bias of a convolution without bias and the normalisation after it.

        Args:
            conv: Name of the convolution.
            norm: Name of the normalisation.
            width: Channels of a group: 1 if depthwise.
            size: Rows and columns of the kernel.
        """
        kernel = self.take(f"{conv}.weight", 0, width, size, size)
        return fold(kernel, np.zeros(len(kernel), np.float32), *self.norm(norm, len(kernel)))

    def norm(self, name: str, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scale and shift of a batch normalisation."""
        parts = ("weight", "bias", "running_mean", "running_var")
        gamma, beta, mean, variance = (self.take(f"{name}.{part}", width) for part in parts)
        return batch_norm(gamma, beta, mean, variance, _EPSILON)

    def finished(self) -> None:
        """Check that every tensor was taken.

        Raises:
            ConversionFailed: Some was not: this is another network.
        """
        if self._left:
            raise self._foreign(f"{len(self._left)} tensors have no place, such as {min(self._left)}")

    def _foreign(self, why: str) -> ConversionFailed:
        return ConversionFailed(
            f"Not a {self._network}: {why}.",
            hint="Is it the file that the manifest means? Compare its sha256.",
        )
