"""The pipeline of a saved model, by what the model makes its images of."""

from __future__ import annotations

from pathlib import Path

import torch

from ggdr.pipeline import Pipeline
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving.pretrained import Hub, open_model


def open_pipeline(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    torch_dtype: torch.dtype | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Pipeline | TranslationPipeline:
    """The pipeline that `ggdr.from_pretrained` returns, with its arguments; UserError without such a model."""
    model = open_model(name_or_path, Hub(revision, token, local_files_only))
    pipeline = TranslationPipeline.of(model) if model.translates else Pipeline.of(model)
    return pipeline.to(dtype=torch_dtype)
