"""Neural style: how one picture is given the style of another by a frozen network (Gatys et al. 2015, 1508.06576)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ggdr.errors import above_zero, not_negative
from ggdr.features.base import Extractor
from ggdr.features.vgg19 import VGG19
from ggdr.networks.stack import Pooling
from ggdr.registry import Capability

PAPERS = (("conv4_2",), ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"))
"""layers of VGG in which the paper compares contents, and styles"""


@dataclass(frozen=True, kw_only=True)
class StyleTransfer:
    """How a picture is given another one's style (Gatys et al. 2015)."""

    extractor: Extractor = VGG19()
    """the frozen network; one that provides `layers`: vgg19 as in the paper; emoji, digits and random ones need no
    download"""
    content_layers: tuple[str, ...] = ()
    """layers in which contents are compared; none: conv4_2 of a VGG, or the last activation"""
    style_layers: tuple[str, ...] = ()
    """layers in which styles are compared; none: conv1_1, conv2_1 to conv5_1 of a VGG, or every activation"""
    content_weight: float = 1.0
    """weight of the content's distance, a share of the content's own size"""
    style_weight: float = 10.0
    """weight of the styles' distance, a share of the style's own size"""
    tv_weight: float = 0.0
    """weight of the mean absolute difference of neighbouring pixels, against noise"""
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    """L-BFGS as in the paper, or Adam, which takes less memory"""
    steps: int = 300
    """steps of the optimizer"""
    lr: float = 0.02
    """step size of Adam, pixels from -1 to 1; L-BFGS finds its own"""
    init: Literal["content", "noise"] = "content"
    """what to start from; the paper's figures start from noise"""
    pooling: Pooling = "average"
    """what takes the place of poolings: the paper finds average to be better than max"""
    seed: int = 0
    """number that fixes the noise"""

    def __post_init__(self) -> None:
        above_zero(self, "steps", "lr")
        not_negative(self, "content_weight", "style_weight", "tv_weight", "seed")
        self.extractor.check_provides(Capability.LAYERS)

    def chosen(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The layers of content and of style; UserError if there are no such."""
        stack = self.extractor.stack()
        activations = tuple(layer.name for layer in stack.parsed() if layer.kind in ("relu", "silu"))
        usual = PAPERS if {*PAPERS[0], *PAPERS[1]} <= {*stack.names()} else (activations[-1:], activations)
        content, style = (
            given or own for given, own in zip((self.content_layers, self.style_layers), usual, strict=True)
        )
        stack.check([*content, *style])
        return content, style
