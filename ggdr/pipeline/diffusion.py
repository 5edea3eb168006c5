"""The pipeline as a class of diffusers, for programs that take nothing else, and for diffusers itself to load."""

from typing import Optional

from ggdr.lazy import optional
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.pipeline import Pipeline

with optional("diffusers", "a class of diffusers needs"):
    from diffusers import DiffusionPipeline


class GANPipeline(Pipeline, DiffusionPipeline):
    """A generator, and the discriminator it played against if that is there, as a pipeline of diffusers.

    `DiffusionPipeline.from_pretrained("org/name", trust_remote_code=True)` is one, too: the code that is trusted is the
    repository's pipeline.py, which imports this class.
    """

    _optional_components = ["discriminator"]
    progress_bar = DiffusionPipeline.progress_bar
    set_progress_bar_config = DiffusionPipeline.set_progress_bar_config

    # annotations that diffusers 0.36 can read: neither text nor `|`
    def __init__(self, generator: Generator, discriminator: Optional[Discriminator] = None):  # noqa: UP045
        super().__init__(generator, discriminator)
        self.register_modules(generator=generator, discriminator=discriminator)
