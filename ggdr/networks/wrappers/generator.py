"""The base of generators that are made of others: what they all pass on."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.networks.base.module import Generator


class NestedGenerator(Generator):
    """A generator made of others, which a subclass names in `parts` and plays in `forward`."""

    def parts(self) -> dict[str, Generator]:
        """Return the generators that it is made of, by name."""
        raise NotImplementedError

    def set_kimg(self, kimg: float) -> None:
        """Tell each how far the run is."""
        for part in self.parts().values():
            part.set_kimg(kimg)

    def resting(self, kimg: float) -> list[nn.Parameter]:
        """Return the weights of each that learn nothing at this time."""
        return [parameter for part in self.parts().values() for parameter in part.resting(kimg)]

    def measure(self) -> dict[str, Tensor]:
        """Return the means of what each saw since the last call, as PART/NAME."""
        return {f"{name}/{key}": value for name, part in self.parts().items() for key, value in part.measure().items()}

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Let each take in its own means of the step."""
        for name, part in self.parts().items():
            head = f"{name}/"
            own = {key.removeprefix(head): value for key, value in stats.items() if key.startswith(head)}
            part.after_step({"images": stats["images"], **own})
