"""What an exported file computes: a network in evaluation, named tensors in and one out, and its trace."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from ggdr.errors import UserError, setting
from ggdr.layers.dropout import without_dropout
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Discriminator, Encoder, Generator, Network, Translator
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.registry import Capability
from ggdr.sampling.grid import to_uint8
from ggdr.sampling.labels import example_labels
from ggdr.saving.model import describe
from ggdr.seeding import word

FixedNoise = Literal["const", "none"]
"""Modes of noise in which one latent code always makes the same image."""


class Graph(nn.Module):
    """A network as a function from named tensors to one tensor."""

    output: str
    """Name of the resulting tensor."""
    defaults: dict[str, Tensor] = {}
    """Inputs that may be left out, by name, with what they are then."""

    def __init__(self, network: Network, options: dict[str, Any]):
        """Put the network into eval mode; `options`: how the graph differs from the network, for the description."""
        super().__init__()
        self.network, self.options = network.eval(), options
        self.spec, self.called = network.spec, network.config.name

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return random inputs by name, a function of the seed."""
        raise NotImplementedError

    def labels(self, samples: int) -> dict[str, Tensor]:
        """Return labels [N, L], those of `labels_at`, if the network is conditional; else nothing."""
        rows = example_labels(self.spec, range(samples))
        return {} if rows is None else {"labels": rows}

    def description(self) -> dict[str, Any]:
        """Return the network's description, as saved models have it, and the options, as JSON can hold them."""
        return {**describe(self.network), "graph": self.signature() | self.options}

    def signature(self) -> dict[str, Any]:
        """Return the names of inputs, in order, and output, and what inputs are that are left out, for the
        description."""
        defaults = {name: value.item() for name, value in self.defaults.items()}
        return {"inputs": [*self.inputs(1, seed=0)], "output": self.output} | (
            {"defaults": defaults} if defaults else {}
        )


class GeneratorGraph(Graph):
    """A generator as a graph: z [N, z_dim] ~ N(0, 1), labels [N, L] if conditional, psi [] if it truncates, to `image`.

    psi may be left out. `image` is float32 [N, C, H, W], about [-1, 1], or uint8 [N, H, W, C].
    """

    output = "image"

    def __init__(self, network: Generator, noise: FixedNoise = "const", uint8: bool = False, psi: float | None = None):
        """Build the graph; `noise`: per-pixel noise of the layers, if they have some. `uint8`: return pixels 0 to
        255. `psi`: truncation where none is given; None: 1, no truncation. UserError if the network does not truncate.
        """
        super().__init__(network, {"noise": noise, "uint8": uint8})
        self.noise, self.uint8, self.z_dim = noise, uint8, network.z_dim
        self.truncates = Capability.TRUNCATION in network.config.provides
        self.noisy = Capability.NOISE in network.config.provides
        if not self.truncates and psi is not None:
            raise UserError(f"generator {self.called!r} has no truncation; leave {setting('truncation_psi')} out.")
        self.defaults = {"psi": torch.tensor(1.0 if psi is None else psi)} if self.truncates else {}

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return random latent codes, labels in turn, and a random psi between 0 and 1."""
        draw = torch.Generator().manual_seed(word(seed))
        z, psi = torch.randn(samples, self.z_dim, generator=draw), torch.rand([], generator=draw)
        return {"z": z, **self.labels(samples), **({"psi": psi} if self.truncates else {})}

    def forward(self, z: Tensor, labels: Tensor | None = None, psi: Tensor | None = None) -> Tensor:
        """Return the images of latent codes, as float32 or uint8."""
        view = ({"psi": psi} if self.truncates else {}) | ({"noise": self.noise} if self.noisy else {})
        image = self.network(z, labels, **view).image
        return to_uint8(image).permute(0, 2, 3, 1) if self.uint8 else image


class TranslatorGraph(Graph):
    """A translator as a graph: source float32 [N, C, H, W] in [-1, 1], labels [N, L] if conditional, z [N, z_dim] ~
    N(0, 1) if it takes some, to `image`.

    No number is dropped, also where the network drops some at test: one source makes one image. `image` is float32
    [N, C, H, W] in [-1, 1], or uint8 [N, H, W, C].
    """

    output = "image"

    def __init__(self, network: Translator, uint8: bool = False):
        """Build the graph; `uint8`: return pixels 0 to 255."""
        super().__init__(network, {"dropout": False, "uint8": uint8})
        self.uint8, self.source, self.z_dim = uint8, network.source, network.z_dim
        without_dropout(network)

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return images of uniform noise, and labels in turn."""
        z = normal_codes("z", self.z_dim, samples, seed)
        return {"source": uniform_images(self.source, samples, seed), **self.labels(samples), **z}

    def forward(self, source: Tensor, labels: Tensor | None = None, z: Tensor | None = None) -> Tensor:
        """Return the images made of others, as float32 or uint8."""
        image = self.network(source, labels, z=z).image
        return to_uint8(image).permute(0, 2, 3, 1) if self.uint8 else image


class WayGraph(Graph):
    """A way of a translator as a graph, with all its networks: source float32 [N, C, H, W] in [-1, 1], labels [N, L] if
    it is conditional, and code [N, S] or style [N, C, h, w] if it takes such, to `image`.

    A code ~ N(0, 1) is taken where the way would draw one, and the image whose style is taken where it draws none, or
    `style` asks for it. No number is dropped, as in a `TranslatorGraph`.
    """

    output = "image"

    def __init__(self, pipeline: TranslationPipeline, view: str, style: bool = False, uint8: bool = False):
        """Build the graph; UserError if the view takes no style, and `style` asks for it."""
        way = pipeline.views[view].way
        assert way is not None
        if style and way.encode_style is None:
            raise UserError(f"{view} takes no style of images; leave {setting('style')} out.")
        nn.Module.__init__(self)
        self.networks = nn.ModuleDict(pipeline.networks()).eval()
        self.way, self.uint8, self.view, self.spec, self.called = way, uint8, view, way.makes, view
        self.styled = style or way.needs_style
        without_dropout(self)

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return images of uniform noise, labels in turn, and random codes, or images whose styles are taken."""
        found = {"source": uniform_images(self.way.takes, samples, seed), **self.labels(samples)}
        if not self.styled:
            return found | normal_codes("code", self.way.draws, samples, seed)
        assert self.way.style_spec is not None
        return found | {"style": uniform_images(self.way.style_spec, samples, seed + 1)}

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        code: Tensor | None = None,
        style: Tensor | None = None,
    ) -> Tensor:
        """Return the images made of others, as float32 or uint8."""
        if style is not None:
            assert self.way.encode_style is not None
            code = self.way.encode_style(style)
        image = self.way.translate(source, labels, code)
        return to_uint8(image).permute(0, 2, 3, 1) if self.uint8 else image

    def description(self) -> dict[str, Any]:
        """Return the view, the description of each network by role, and the options, as JSON can hold them."""
        networks = {role: describe(cast(Network, network)) for role, network in self.networks.items()}
        graph = self.signature() | {"dropout": False, "uint8": self.uint8}
        return {"kind": "view", "view": self.view, "networks": networks, "graph": graph}


class EncoderGraph(Graph):
    """An encoder as a graph: image float32 [N, C, H, W] in [-1, 1], labels [N, L] if conditional, to `code` [N, K]: the
    mean, where it has a variance."""

    output = "code"

    def __init__(self, network: Encoder):
        super().__init__(network, {})

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return images of uniform noise, and labels in turn."""
        return {"image": uniform_images(self.spec, samples, seed), **self.labels(samples)}

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the codes [N, K] of images."""
        return self.network(image, labels).mean


def normal_codes(name: str, width: int, samples: int, seed: int) -> dict[str, Tensor]:
    """Return codes [N, width] ~ N(0, 1) by name, a function of the seed; nothing without a width."""
    draw = torch.Generator().manual_seed(word(seed))
    return {name: torch.randn(samples, width, generator=draw)} if width else {}


def uniform_images(spec: ImageSpec, samples: int, seed: int) -> Tensor:
    """Return images [N, C, H, W] of uniform noise in [-1, 1], a function of the seed."""
    size = (samples, spec.channels, spec.height, spec.width)
    return torch.rand(size, generator=torch.Generator().manual_seed(word(seed))) * 2 - 1


class DiscriminatorGraph(Graph):
    """A discriminator as a graph: image float32 [N, C, H, W] in [-1, 1], labels [N, L] if conditional, to `logits`
    [N]."""

    output = "logits"

    def __init__(self, network: Discriminator):
        super().__init__(network, {})

    def inputs(self, samples: int, seed: int) -> dict[str, Tensor]:
        """Return images of uniform noise, and labels in turn."""
        return {"image": uniform_images(self.spec, samples, seed), **self.labels(samples)}

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the logits [N] of images."""
        return self.network(image, labels).logits


class Call(nn.Module):
    """A graph as it is traced: a function of its inputs by position."""

    def __init__(self, graph: Graph, keeps: bool):
        """Build the function; `keeps`: inputs that have defaults are buffers of these names instead."""
        super().__init__()
        self.function, self.kept = graph, [*graph.defaults] if keeps else []
        self.names = [name for name in graph.inputs(1, seed=0) if name not in self.kept]
        for name in self.kept:
            self.register_buffer(name, graph.defaults[name].clone())

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the graph makes of its inputs, in their order."""
        kept = {name: self.get_buffer(name) for name in self.kept}
        return self.function(**dict(zip(self.names, inputs, strict=True)), **kept)


@torch.no_grad()
def trace(graph: Graph, batch_size: int | None = None, keeps: bool = False) -> torch.export.ExportedProgram:
    """Trace the graph with torch.export, to be called by position; nothing in it tells where its code lies.

    batch_size: the one number of samples it takes; None for any. `keeps`: inputs that have defaults are buffers of the
    program. UserError if the network cannot be traced this way.
    """
    call, named = Call(graph, keeps), graph.inputs(batch_size or 2, seed=0)
    inputs = tuple(named[name] for name in call.names)
    any_number = None if batch_size else {0: torch.export.Dim("batch")}
    shapes = tuple(any_number if tensor.ndim else None for tensor in inputs)
    call(*inputs)  # filters are kept from this pass on; those of the trace would be kept as fakes, without values
    try:
        program = torch.export.export(call, inputs, dynamic_shapes=(shapes,), strict=False)
    except Exception as error:  # torch has many for what a graph cannot hold
        raise UserError(explain_refusal(graph, batch_size, error)) from error
    for module in program.graph_module.modules():
        for node in cast(torch.fx.GraphModule, module).graph.nodes:
            node.meta.pop("stack_trace", None)
    return program


def explain_refusal(graph: Graph, batch_size: int | None, error: Exception) -> str:
    """Explain why there is no graph, and what to type next."""
    name = graph.called
    if batch_size is None:
        return (
            f"{name!r} depends on the number of samples, as networks do that compare those of a batch; "
            "fix it: add --batch-size 4, or another number."
        )
    return f"{name!r} cannot be traced: {first_line(error)}; fix the network's forward pass."


def first_line(error: Exception) -> str:
    """Return the class of an error and the first line of its message."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0].rstrip('.')}"
