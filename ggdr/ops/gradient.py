"""The gradient of a network's output with respect to its input: the one place that calls `autograd.grad`."""

from __future__ import annotations

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch


def input_gradient(output: Tensor, inputs: Tensor) -> Tensor:
    """Return d(output.sum()) / d(inputs), of the shape of `inputs` and differentiable once more.

    Where each sample has one output, this is each sample's own gradient, as long as no sample looks at another.
    UserError if `inputs` takes no gradient; RuntimeError from torch if `output` was not computed from `inputs`.
    """
    if not inputs.requires_grad:
        raise UserError(
            "the images that input_gradient was given take no gradient: write requires ="
            " frozenset({Capability.FAKE_GRAD}) into the term's class for duel.fake.image, or Capability.REAL_GRAD for"
            " duel.real."
        )
    (gradient,) = torch.autograd.grad(output.sum(), inputs, create_graph=True)
    return gradient
