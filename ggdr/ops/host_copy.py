"""A number that the device computes, read on the host without making the device wait."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch


class HostCopy:
    """The value of a scalar tensor, copied to the host while the device goes on with other work.

    Reading a tensor waits for all that the device has been given to do; `read` waits only for what was given before
    this copy.
    """

    def __init__(self, scalar: Tensor):
        """Start to copy a tensor [] of any device."""
        scalar = scalar.detach()
        self.arrived: torch.cuda.Event | None = None
        if scalar.device.type == "cuda":
            self.value = torch.empty([], dtype=scalar.dtype, device="cpu", pin_memory=True)
            self.value.copy_(scalar, non_blocking=True)
            self.arrived = torch.cuda.Event()
            self.arrived.record(torch.cuda.current_stream(scalar.device))
        else:
            self.value = scalar.to("cpu", copy=True)

    def read(self) -> float:
        """Return the value, once it has arrived; it can be read again."""
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.value.item()
