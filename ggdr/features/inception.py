"""Features of the literature: Inception-v3 with the weights of its 2015 TensorFlow graph."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ClassVar

from ggdr.errors import UserError
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.pixels import rgb
from ggdr.features.weights import fingerprint, hub_file, read_weights
from ggdr.lazy import Tensor, optional, torch
from ggdr.registry import Capability, extractors

NAME = "Inception-v3 (2015 TensorFlow graph)"


@extractors.register("inception", paper="1512.00567")
@dataclass(frozen=True, kw_only=True)
class Inception(Extractor):
    """Inception-v3 as FID, KID and IS were published with it (Szegedy et al. 2016): pool3 features and 1,008 logits.

    torch-fidelity's port, resize included: bilinear as TensorFlow 1 did it, without antialiasing, to 299 px.
    """

    weights: str | None = None
    """file of the weights; None: from the cache of torch.hub, fetched (95 MB) if it is not there"""
    provides: ClassVar = frozenset({Capability.CLASSES})

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if its weights are not at hand."""
        return InceptionEmbedder(self.weights, device)


class InceptionEmbedder(Embedder):
    """Computes Inception's features after its last pooling, and its logits without bias."""

    def __init__(self, weights: str | None, device: torch.device):
        with optional("evaluate", "the Inception network needs"):
            from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
            from torch_fidelity.version import __version__

        path = weights or str(hub_file(URL_INCEPTION_V3, NAME))
        state = read_weights(path)
        safe = BytesIO()  # the port would read the file itself, and run what may be in it
        torch.save(state, safe)
        safe.seek(0)
        try:
            port = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], safe)
        except RuntimeError as error:
            raise UserError(f"{path!r} holds the weights of another network than {NAME}.") from error
        self.network = port.to(device)
        self.weights_hash, self.width = fingerprint(state), 2048
        self.protocol = {
            "network": NAME,
            "weights": Path(path).name,
            "resolution": 299,
            "resize": "bilinear as in TensorFlow 1, not antialiased",
            "range": "-1 to 1",
            "layer": "pool3; logits without bias",
            "library": f"torch-fidelity {__version__}",
        }

    def __call__(self, images: Tensor) -> Features:
        return Features(*self.network(rgb(images)))
