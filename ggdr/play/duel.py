"""A Duel: all that one generator and one discriminator show each other on one micro-batch.

Every product is computed at first use and kept: a pass nobody reads never runs, and two terms that read
the same pass share it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import Code, DiscriminatorOutput, GeneratorOutput, Reconstruction
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.ops.random_state import random_state, replayed
from ggdr.play.term import Turn
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.augment.base import Augmentation
    from ggdr.networks.base.module import Discriminator, Generator


class StepContext(NamedTuple):
    """What a phase asks of its duels."""

    turn: Turn
    requires: frozenset[Capability] = frozenset()
    """the needs of the phase's terms"""
    resolutions: tuple[int, ...] = ()
    """resolutions of the feature maps that the phase's terms read, pixels"""
    kimg: float = 0.0
    """thousands of reals shown before this step"""
    augment: Augmentation | None = None
    """done to whatever the discriminator sees"""
    autocast: Callable[[], AbstractContextManager] = nullcontext
    """networks run in it (autocast); what they hand over is float32"""
    main: bool = True
    """whether it is the main phase of its turn, not a lazy one"""
    class_pixels: Tensor | None = None
    """[K], pixels of each class in the label maps of the step's whole batch, as they come before an augmentation, by
    the number of its micro-batches; None: no term requires LABEL_MAP"""


class Augmented(NamedTuple):
    """An image as D sees it."""

    image: Tensor
    """[N, C, H, W]"""
    maps: dict[int, Tensor]
    """resolution r -> [N, K, r, r W / H], moved as the image was"""
    timestep: Tensor | None = None
    """[N], how far it was diffused, of an augmentation that says so"""


class Nobody:
    """Stands in the discriminator's place where there is none."""

    config = NoDiscriminatorConfig()

    def __call__(
        self, image: object, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """There is nobody to ask: UserError."""
        raise UserError(
            "a term asks what the discriminator says of an image, and discriminator 'none' judges nothing: drop the"
            " term, or take a discriminator and a loss, such as --discriminator patch --loss least_squares."
        )


NOBODY = Nobody()


@dataclass
class Duel:
    """One generator against one discriminator, on as many fakes as there are reals, under the same labels."""

    G: Generator
    D: Discriminator
    reals: Tensor
    """[N, C, H, W] in [-1, 1]"""
    labels: Tensor | None
    """[N, L], the reals' labels; fakes are made for them too, so that theirs follow the data's distribution"""
    context: StepContext
    notes: dict[str, Tensor] = field(default_factory=dict)
    """scalars that a term leaves for the step's statistics"""
    name: str = ""
    """what the log calls it where a game has several, such as "a_to_b" """
    judgement: int = 0
    """which of the logits that D gives of an image it shows: 0, or the place of a further one, from 1 on"""
    label_map: Tensor | None = field(default=None, kw_only=True)
    """[N, K, H, W], the class of each of the reals' pixels, one-hot, zero where it is ignored; None: it is not known"""
    provides: ClassVar = frozenset(
        {
            Capability.IMAGES,
            Capability.REAL_GRAD,
            Capability.FAKE_GRAD,
            Capability.REAL_FEATURES,
            Capability.REPLAY,
            Capability.MOVED_REAL,
            Capability.FAKE_CLASS_LOGITS,
        }
    )
    """what terms may need of the duel itself; the rest must come from the networks"""

    @property
    def turn(self) -> Turn:
        """The turn of the phase: whose weights learn from this duel."""
        return self.context.turn

    @property
    def offers(self) -> frozenset[Capability]:
        """What it provides, and its networks."""
        known = {Capability.LABEL_MAP} if self.label_map is not None else frozenset()
        return self.provides | known | self.G.config.provides | self.D.config.provides

    @property
    def fake_label_map(self) -> Tensor | None:
        """The class of each of the fakes' pixels, as `label_map`, where they are made of a label map."""
        return None

    @property
    def made_resolutions(self) -> tuple[int, ...]:
        """Resolutions of the feature maps that G is to hand over with what it makes."""
        return self.context.resolutions if Capability.G_FEATURES in self.context.requires else ()

    @cached_property
    def real(self) -> Tensor:
        """The reals [N, C, H, W]; a leaf that takes gradient if a term requires REAL_GRAD."""
        return self.reals.detach().requires_grad_(Capability.REAL_GRAD in self.context.requires)

    @cached_property
    def fake(self) -> GeneratorOutput:
        """N fakes; on D's turn a leaf that takes gradient if a term requires FAKE_GRAD."""
        return self.detached(self.generate(self.z))

    def detached(self, output: GeneratorOutput) -> GeneratorOutput:
        """What D may learn from: on its turn nothing leads back from fakes to whoever made them.

        Weights that do not learn keep no graph, but a fake may be made of what D's own encoder says (NICE-GAN).
        """
        if self.turn != "d":
            return output
        image = output.image.detach().requires_grad_(Capability.FAKE_GRAD in self.context.requires)
        ws = None if output.ws is None else output.ws.detach()
        before = tuple(each.detach() for each in output.intermediates)
        features, scales = detached(output.features), detached(output.scales)
        return output._replace(image=image, ws=ws, features=features, scales=scales, intermediates=before)

    @cached_property
    def on_real(self) -> DiscriminatorOutput:
        """What D says of the reals, with its drawings if a term requires REAL_FEATURES."""
        resolutions = self.context.resolutions if Capability.REAL_FEATURES in self.context.requires else ()
        classes = Capability.CLASS_LOGITS in self.context.requires
        tokens = Capability.TOKENS in self.context.requires
        # an image that is one of the maps moves as they do, and keeps its colours
        maps = {self.reals.shape[2]: self.reals} if Capability.MOVED_REAL in self.context.requires else None
        return self.judge(self.real, maps, resolutions, label_map=self.label_map, classes=classes, tokens=tokens)

    @cached_property
    def on_fake(self) -> DiscriminatorOutput:
        """What D says of the fakes, with its drawings of their feature maps if a term requires D_FEATURES."""
        resolutions = self.context.resolutions if Capability.D_FEATURES in self.context.requires else ()
        classes = {Capability.CLASS_LOGITS, Capability.FAKE_CLASS_LOGITS} <= self.context.requires
        fake = self.fake
        return self.judge(
            fake.image,
            fake.features,
            resolutions,
            fake.scales,
            self.fake_label_map,
            classes,
            intermediates=fake.intermediates,
        )

    def judgements(self) -> Iterator[Duel]:
        """The duel, then copies of it that show D's further logits in place of the first, one after the other.

        Which passes of D there are is known once the first has been read: nothing runs that nobody reads.
        """
        yield self
        passes = {name: vars(self)[name] for name in ("on_real", "on_fake") if name in vars(self)}
        for place in range(max((len(output.more_logits) for output in passes.values()), default=0)):
            other = copy.copy(self)
            other.judgement, other.notes = place + 1, {}
            vars(other).update({n: o._replace(logits=o.more_logits[place], more_logits=()) for n, o in passes.items()})
            yield other

    @cached_property
    def reconstructions(self) -> dict[str, Reconstruction]:
        """Pictures that D draws from its maps of the reals as it saw them, if a term requires RECONSTRUCTION."""
        if Capability.RECONSTRUCTION not in self.context.requires:
            return {}
        assert self.on_real.image is not None
        with self.context.autocast():
            return self.D.reconstruct(self.on_real.maps, self.on_real.image)

    @cached_property
    def z(self) -> Tensor:
        """Latent codes [N, z_dim] of the fakes."""
        return self.codes(len(self.reals))

    @cached_property
    def posterior(self) -> Code:
        """What G draws codes from for these labels, mean and log variance [N, K], if it provides POSTERIOR."""
        if "condition" not in self.fake.head_outputs:
            raise UserError(
                f"a term reads the codes that generator {self.G.config.name!r} draws about labels, and the data has no"
                " labels: give some (--data.labels), or drop the term: --regularizers.kl none."
            )
        mean, log_variance = self.fake.head_outputs["condition"].chunk(2, dim=1)
        return Code(mean, log_variance)

    def codes(self, n: int) -> Tensor:
        """n fresh latent codes [n, z_dim]."""
        return torch.randn(n, self.G.z_dim, device=self.reals.device)

    def sample(self, n: int) -> GeneratorOutput:
        """A further pass of G: n fresh images, for the first n labels."""
        return self.generate(self.codes(n))

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of G: the images of z [n, z_dim], for the first n labels."""
        with self.context.autocast():
            return output_in_float32(self.G(z, self.labels_of(len(z)), resolutions=self.made_resolutions))

    def judge(
        self,
        image: Tensor,
        maps: Mapping[int, Tensor] | None = None,
        resolutions: tuple[int, ...] = (),
        scales: Mapping[int, Tensor] | None = None,
        label_map: Tensor | None = None,
        classes: bool = False,
        tokens: bool = False,
        intermediates: Sequence[Tensor] = (),
    ) -> DiscriminatorOutput:
        """A further pass of D over `image`, freshly augmented; `maps` move along, its decoder draws `resolutions`.

        `scales`: the images at smaller sizes, for a D that provides SCALES; they cannot be augmented: UserError.
        `label_map` [N, K, H, W] moves along too; `classes`: D, which provides CLASS_LOGITS, tells those of pixels;
        `tokens`: its heads, which provides TOKENS, say what they have to say of each. `intermediates`: the images as
        earlier heads made them, for a D that provides INTERMEDIATES; they are augmented by the same draws.
        """
        replay = Capability.REPLAY in self.context.requires
        state = random_state(image.device) if replay else None
        whole, labels = image, self.labels_beside(image)
        before = self.augmented_alike(intermediates)
        given = dict(maps or {}) if label_map is None else laid_beside(maps or {}, label_map)
        image, targets, timestep = self.augmented(image, given)
        if label_map is not None:
            targets, label_map = taken_apart(targets, (maps or {}).keys(), label_map)
        if timestep is not None and Capability.TIMESTEP in self.D.config.provides:
            labels = torch.cat([*([] if labels is None else [labels]), timestep[:, None]], dim=1)
        seen = self.with_scales(image, scales, moved=image is not whole) if scales else image
        seen = torch.cat([*before, image], dim=1) if before else seen
        with self.context.autocast():
            output = self.D(seen, labels, resolutions=resolutions)
            class_logits = self.D.class_logits(output).float() if classes else None
            answers = self.D.answers(output) if tokens else {}
        pyramid = in_float32(output.maps) if Capability.PYRAMID in self.context.requires else {}
        layers = output.layer_maps if Capability.PYRAMID in self.context.requires else ()
        heads = output.head_outputs if Capability.HEADS in self.context.requires else {}
        head_outputs = {name: answer.float() for name, answer in (dict(heads) | answers).items()}
        pixel_logits = output.pixel_logits if Capability.PIXEL_LOGITS in self.context.requires else None
        direction_logits = output.direction_logits if Capability.DIRECTION_LOGITS in self.context.requires else None
        logits, *more = [each.float() for each in (output.logits, *output.more_logits)][self.judgement :]
        return DiscriminatorOutput(
            logits,
            in_float32(output.features),
            targets,
            pyramid,
            head_outputs,
            pixel_logits,
            image,
            state,
            direction_logits,
            tuple(more),
            None if output.codes is None else output.codes.float(),
            tuple(tuple(each.float() for each in scale) for scale in layers),
            class_logits,
            label_map,
        )

    def augmented(self, image: Tensor, maps: dict[int, Tensor]) -> Augmented:
        """What D sees of an image, and the maps, moved as it was."""
        if self.context.augment is None:
            return Augmented(image, maps)
        return Augmented(*self.context.augment.with_timestep(image, maps))

    def augmented_alike(self, images: Sequence[Tensor]) -> list[Tensor]:
        """What D sees of the images of earlier heads, if it takes them: each under the draws that the next image gets.

        None of the draws that follow are used up.
        """
        if not images or Capability.INTERMEDIATES not in self.D.config.provides:
            return []
        state, seen = random_state(images[0].device), []
        for image in images:
            with replayed(state):
                seen.append(self.augmented(image, {}).image)
        return seen

    def judge_again(
        self,
        image: Tensor,
        before: DiscriminatorOutput,
        scales: Mapping[int, Tensor] | None = None,
        intermediates: Sequence[Tensor] = (),
    ) -> DiscriminatorOutput:
        """A further pass of D over `image` under the draws of the pass that gave `before`, if a term requires REPLAY.

        Augmentation and whatever D itself draws are the same, so that the two differ by their images alone.
        """
        if before.random_state is None:
            raise RuntimeError("the pass to compare with kept no random state: the term must require REPLAY.")
        with replayed(before.random_state):
            return self.judge(image, scales=scales, intermediates=intermediates)

    def forward_from(self, maps: Tensor, resolution: int, w: Tensor) -> Tensor:
        """What G makes of maps of a side and a style w [N, w_dim], if it provides FORWARD_FROM: images [N, C, H, W]."""
        with self.context.autocast():
            return self.G.forward_from(maps, resolution, w).float()

    def with_scales(self, image: Tensor, scales: Mapping[int, Tensor], *, moved: bool) -> Tensor | dict[int, Tensor]:
        """What D is to see: the image, or it and its smaller sizes, by resolution, where D takes those."""
        judge = self.D.config
        if Capability.SCALES not in judge.provides:
            return image
        if moved:
            raise UserError(
                f"discriminator {judge.name!r} judges the fakes at smaller sizes too, which the augmentation leaves as"
                " they are; drop it: --augment none."
            )
        return {**scales, image.shape[2]: image}

    def labels_beside(self, image: Tensor) -> Tensor | None:
        """What D is told beside an image that it judges: its label [N, L]."""
        return self.labels_of(len(image))

    def labels_of(self, n: int) -> Tensor | None:
        """The first n labels."""
        return None if self.labels is None else self.labels[:n]


def class_logits(output: DiscriminatorOutput) -> Tensor:
    """The logits of its pixels' classes [N, K + 1, H, W]; RuntimeError if D was not asked for them."""
    if output.class_logits is None:
        raise RuntimeError(
            "this output of D has no logits of classes: a term that reads those of reals requires CLASS_LOGITS, of"
            " fakes FAKE_CLASS_LOGITS too."
        )
    return output.class_logits


def label_map(output: DiscriminatorOutput) -> Tensor:
    """The label map [N, K, H, W] of what was judged; RuntimeError if none is known."""
    if output.label_map is None:
        raise RuntimeError(
            "no label map is known of what D has judged: a term that reads one of reals requires LABEL_MAP, of fakes"
            " SOURCE too."
        )
    return output.label_map


def laid_beside(maps: Mapping[int, Tensor], other: Tensor) -> dict[int, Tensor]:
    """The maps by their height, and the channels of another one [N, K, r, s] behind those of its height."""
    height = other.shape[2]
    return {**maps, height: torch.cat([maps[height], other], 1) if height in maps else other}


def taken_apart(
    moved: Mapping[int, Tensor], resolutions: Collection[int], other: Tensor
) -> tuple[dict[int, Tensor], Tensor]:
    """The maps of these resolutions again, once they have moved, and the one that was laid beside them."""
    height, channels = other.shape[2], other.shape[1]
    maps, other = moved[height].tensor_split([-channels], dim=1)
    apart = {**moved, height: maps}
    return {resolution: apart[resolution] for resolution in resolutions}, other


def detached(maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The maps, without what they were made of."""
    return {resolution: each.detach() for resolution, each in maps.items()}


def in_float32(maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The maps, as float32."""
    return {resolution: each.float() for resolution, each in maps.items()}


def output_in_float32(made: GeneratorOutput) -> GeneratorOutput:
    """What a generator hands over, as float32."""
    heads = {name: each.float() for name, each in made.head_outputs.items()}
    return made._replace(
        image=made.image.float(),
        features=in_float32(made.features),
        scales=in_float32(made.scales),
        head_outputs=heads,
        intermediates=tuple(each.float() for each in made.intermediates),
    )
