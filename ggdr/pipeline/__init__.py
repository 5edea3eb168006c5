"""A saved generator, used as pipelines of diffusers are, without diffusers: images by seed, edited, saved, pushed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, draw_codes
from ggdr.latent.directions import Directions, Method
from ggdr.latent.directions import find_directions as find_directions
from ggdr.latent.encoding import encoder_of, space_from, starts
from ggdr.latent.mixing import mix_styles
from ggdr.latent.modes import TruncationMean, centres_for, draw_with_modes, truncated_codes
from ggdr.latent.polarity import polarity_sample
from ggdr.latent.projection import Search, project
from ggdr.latent.targets import Picture, targets_of
from ggdr.latent.walks import Curve, walk, walk_codes
from ggdr.networks.base.module import Discriminator, Generator, Network
from ggdr.pipeline.base import NetworksPipeline
from ggdr.pipeline.outputs import EditOutput, GANOutput, ProjectionOutput, check_output, handed
from ggdr.sampling import BATCH_SIZE, SamplingOptions, check_seeds
from ggdr.sampling.labels import LabelInput, label_rows
from ggdr.saving.model import save_model
from ggdr.saving.pretrained import Hub, SavedModel, check_index, open_model, pair_of, write_index


class Pipeline(NetworksPipeline):
    """A generator, and the discriminator it played against if that is there; both in eval mode, not learning.

    It needs no diffusers; `ggdr.GANPipeline` is this as a class of diffusers.
    """

    def __init__(self, generator: Generator, discriminator: Discriminator | None = None):
        self.generator, self.discriminator = generator, discriminator
        self.begin(generator.precision)

    @property
    def components(self) -> dict[str, Network | None]:
        """What another pipeline can be made of: `Pipeline(**pipe.components)`."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def networks(self) -> dict[str, Network]:
        return {role: network for role, network in self.components.items() if network is not None}

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        *,
        revision: str | None = None,
        torch_dtype: torch.dtype | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """The pipeline of a folder (of a run, a checkpoint, a model) or of a Hub repository "org/name".

        Only JSON and safetensors are read. `torch_dtype`: what `to` takes, None for float32. `revision`: branch, tag
        or commit. `token`: of an account that may read it. `local_files_only`: do not ask the Hub. UserError if there
        is no such model.
        """
        return cls.of(open_model(name_or_path, Hub(revision, token, local_files_only))).to(dtype=torch_dtype)

    @classmethod
    def of(cls, model: SavedModel) -> Self:
        """The pipeline of a saved model; UserError if it makes images of images, or cannot be read."""
        pair = pair_of(model)
        return cls(pair.generator, pair.discriminator)

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write a folder for each network, float32, and what diffusers loads them by: an index and lines of code.

        OSError if the disk refuses, UserError if something else is there that would be replaced.
        """
        folder = Path(save_directory).expanduser()
        check_index(folder)
        for role, network in self.networks().items():
            save_model(network, folder / role)
        write_index(folder, self.networks())

    def __call__(
        self,
        batch_size: int | None = None,
        *,
        seeds: int | Sequence[int] | Tensor | None = None,
        labels: LabelInput | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        truncation_mean: TruncationMean = "all",
        modes: int | None = None,
        polarity: float = 0.0,
        candidates: int | None = None,
        noise: Literal["const", "random", "none"] = "const",
        chunk_size: int = BATCH_SIZE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """Images, one for each seed, the same up to rounding in whatever batch or order.

        `batch_size`: number of images; None: that of the seeds, else of the labels, else 1.
        `seeds`: None draws them from torch's random state.
        `labels`: a class for all or for each, by number or name, or vectors [N, L]; a conditional generator needs them.
        `truncation_psi`: None or 1 for the full variety, towards 0 for the mean image.
        `truncation_cutoff`: how many style codes, from the coarsest on, it pulls; None for all.
        `truncation_mean`: "class" for psi to pull towards the mean of each image's own label, not of all codes.
        `modes`: psi pulls towards the nearest of this many centres of style codes (arXiv 2202.12211), not their mean.
        `polarity`: below 0 of `candidates` seeds (None: ten an image) those where images crowd are more likely, above 0
        those where they are sparse (arXiv 2203.01993); with labels, one class for all.
        `noise`: of the layers: the same for all images, fresh by the seed, or none.
        `chunk_size`: most images of a pass.
        `output_type`: "pil" for modes L, RGB or RGBA; as in diffusers "np" [N, H, W, C], "pt" [N, C, H, W] in [0, 1].
        UserError if the generator does not take what is asked.
        """
        check_output(output_type)
        view = SamplingOptions(truncation_psi, truncation_cutoff, noise)
        if polarity:
            seeds = self.polarized(polarity, batch_size, candidates, seeds, labels, view)
        seeds = seeds_for(batch_size, seeds, labels)
        rows = label_rows(self.generator.spec, labels, len(seeds))
        centres = centres_for(self.generator, rows, truncation_mean, modes)
        passes = draw_with_modes(self.generator, seeds, rows, view, centres, chunk_size)
        return self.output(passes, seeds, chunk_size, output_type)

    def mix(
        self,
        row_seeds: int | Sequence[int] | Tensor,
        column_seeds: int | Sequence[int] | Tensor,
        *,
        layers: Iterable[int] | None = None,
        labels: LabelInput | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        truncation_mean: TruncationMean = "all",
        chunk_size: int = BATCH_SIZE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """Each row's image with each column's styles at `layers`, row by row (arXiv 1812.04948, fig. 3).

        `layers`: style codes that the columns lend, 0 is the coarsest; None: the coarser half. `labels`: one label
        for all, as in a call, which has the other arguments too; `seeds` of the output are the rows'. UserError if
        the generator does not take what is asked.
        """
        view, sides = (
            SamplingOptions(truncation_psi, truncation_cutoff),
            [check_seeds(row_seeds), check_seeds(column_seeds)],
        )
        rows, columns = (self.codes(seeds, labels, view, truncation_mean) for seeds in sides)
        both = mix_styles(self.generator, rows, columns, layers)
        own = [seed for seed in sides[0] for _ in sides[1]]
        return self.output(draw_codes(self.generator, both, chunk_size), own, chunk_size, output_type)

    def interpolate(
        self,
        seeds: Sequence[int] | Tensor | None = None,
        steps: int = 30,
        *,
        codes: Codes | None = None,
        curve: Curve = "spline",
        loop: bool = True,
        labels: LabelInput | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        truncation_mean: TruncationMean = "all",
        chunk_size: int = BATCH_SIZE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """A smooth walk from seed to seed, `steps` images each; image i * steps is seed i's.

        `codes`: instead of seeds, those of `project`, through which a spline goes. `curve`: "spline" through style
        codes, or "slerp" between latent codes. `loop`: back to the first seed at the end. The other arguments are those
        of a call. UserError if the generator does not take what is asked.
        """
        if (seeds is None) == (codes is None):
            raise UserError("a walk leads past seeds or through codes; give one of the two.")
        if codes is not None:
            (moments,) = walk_codes(self.generator, codes, steps, loop=loop)
            passes = draw_codes(self.generator, moments, chunk_size)
            return self.output(passes, [], chunk_size, output_type, len(moments.points))
        assert seeds is not None
        given = check_seeds(seeds)
        rows = label_rows(self.generator.spec, labels, len(given))
        view = SamplingOptions(truncation_psi, truncation_cutoff)
        modes = centres_for(self.generator, rows, truncation_mean)
        moments = walk(self.generator, given, steps, labels=rows, view=view, modes=modes, curve=curve, loop=loop)
        passes = draw_codes(self.generator, moments, chunk_size)
        return self.output(passes, given, chunk_size, output_type, len(moments.points))

    def polarized(
        self,
        rho: float,
        count: int | None,
        candidates: int | None,
        seeds: int | Sequence[int] | Tensor | None,
        labels: LabelInput | None,
        view: SamplingOptions,
    ) -> list[int]:
        """`count` (None: one) of the seeds given, or of `candidates` drawn from torch's random state."""
        if labels is not None and np.ndim(labels) > bool(self.generator.spec.label_ranges):
            raise UserError("polarity chooses among images of one class; give one for all as labels.")
        count = count or 1
        pool = seeds_for(candidates or 10 * count, None, None) if seeds is None else check_seeds(seeds)
        row = label_rows(self.generator.spec, labels, 1)
        with self.computing():
            return polarity_sample(self.generator, pool, count, rho, labels=row, view=view)

    def output(
        self, passes: Iterator[Tensor], seeds: list[int], chunk: int, output_type: str, total: int | None = None
    ) -> GANOutput:
        """What the passes of `total` (None: a seed's each) images make, with a progress bar if they are several."""
        check_output(output_type)
        total = len(seeds) if total is None else total
        with self.computing():
            return GANOutput(
                images=handed(
                    self.shown(passes, total) if total > chunk else passes,
                    output_type,
                    self.generator.spec.continuous,
                ),
                seeds=seeds,
            )

    def directions(
        self,
        method: Method = "sefa",
        count: int = 5,
        *,
        layers: Sequence[int] | None = None,
        labels: LabelInput | None = None,
        seed: int = 0,
    ) -> Directions:
        """The strongest directions of its codes, for `edit`; "sefa" reads them from weights, "pca" from drawn codes.

        `layers`: places of the style codes that are to be moved, the coarsest is 0; None: all. `labels`: a class whose
        codes are drawn; None: all. UserError if the generator does not give what the method asks for.
        """
        row = None if labels is None else label_rows(self.generator.spec, labels, 1)
        return find_directions(self.generator, method, count, layers=layers, labels=row, seed=seed)

    def edit(
        self,
        directions: Directions | None = None,
        *,
        direction: int = 0,
        amounts: Sequence[float] = (-3, -2, -1, 0, 1, 2, 3),
        seeds: int | Sequence[int] | Tensor | None = None,
        codes: Codes | None = None,
        labels: LabelInput | None = None,
        truncation_psi: float | None = None,
        truncation_mean: TruncationMean = "all",
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> EditOutput:
        """Images moved along one direction: for each seed, or each of `codes` (of `project`), one for each amount.

        `directions`: of `self.directions`; None: its defaults. An amount counts standard deviations of the codes, 0 is
        the image itself. UserError if the generator does not take what is asked.
        """
        check_output(output_type)
        if (seeds is None) == (codes is None):
            raise UserError("an edit starts from seeds or from codes; give one of the two.")
        if seeds is not None:
            codes = self.codes(check_seeds(seeds), labels, SamplingOptions(truncation_psi), truncation_mean)
        assert codes is not None
        moved = (directions or self.directions(count=direction + 1)).move(codes, direction, amounts)
        with self.computing():
            return EditOutput(images=handed(draw_codes(self.generator, moved), output_type), codes=moved)

    def codes(
        self, seeds: Sequence[int], labels: LabelInput | None, view: SamplingOptions, mean: TruncationMean
    ) -> Codes:
        """The codes of seeds under labels; UserError if the generator does not take what is asked."""
        rows = label_rows(self.generator.spec, labels, len(seeds))
        return truncated_codes(self.generator, seeds, rows, view, centres_for(self.generator, rows, mean))

    def project(
        self,
        images: Picture | Sequence[Picture],
        search: Search | None = None,
        *,
        labels: LabelInput | None = None,
        encoder: str | Path | None = None,
        batch_size: int = 8,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> ProjectionOutput:
        """The codes whose images are nearest to the given ones: pictures of any size, cropped and resized to fit.

        `search`: space, steps, features that are compared, ...; by default pixels are, which needs no weights:
        `Search(space="w+", extractor=LPIPS())` is nearer to what people see. `labels`: as for a call. `encoder`: run or
        model of an encoder of this generator, from whose codes the search starts. UserError if the generator has no
        such space, the encoder is another's, or the images are none.
        """
        check_output(output_type)
        targets = targets_of(images, self.generator.spec)
        rows = label_rows(self.generator.spec, labels, len(targets))
        search, start = search or Search(), None
        if encoder is not None:
            finds = encoder_of(encoder, self.generator)
            search, start = (
                replace(search, space=space_from(finds, search.space)),
                starts(finds, self.generator, targets),
            )
        with self.progress_bar(total=search.steps * math.ceil(len(targets) / max(1, batch_size))) as bar:
            found = project(
                self.generator,
                targets,
                search,
                labels=rows,
                batch_size=batch_size,
                watch=lambda *_: bar.update(),
                start=start,
            )
        return ProjectionOutput(
            images=handed(iter([found.images]), output_type), codes=found.codes, distance=found.distance.tolist()
        )


def seeds_for(count: int | None, seeds: int | Sequence[int] | Tensor | None, labels: LabelInput | None) -> list[int]:
    """The seeds given, or as many as are asked for, drawn from torch's random state; UserError if numbers disagree."""
    if seeds is None:
        if count is None:
            count = 1 if labels is None or np.ndim(labels) == 0 else len(labels)  # type: ignore[arg-type]
        if isinstance(count, str | Path | PIL.Image.Image | np.ndarray | Tensor | list | tuple):
            raise UserError("this model makes images of noise, by seeds, not of images: pipe(seeds=[0, 1]).")
        if not isinstance(count, int) or count < 1:
            raise UserError(f"batch_size is {count!r}; give the number of images, 1 or more.")
        return torch.randint(2**32, (count,)).tolist()
    given = check_seeds(seeds)
    if count not in (None, len(given)):
        raise UserError(f"batch_size is {count}, and there are {len(given)} seeds; leave batch_size out.")
    return given
