"""EBGAN's and BEGAN's discriminator: its logit is the error of the image that it makes again."""

from __future__ import annotations

import pytest
import torch

from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import ImageSpec


def judged(config, spec: ImageSpec, samples: int = 2):
    torch.manual_seed(0)
    net = config.build(spec)
    labels = torch.eye(spec.labels)[:samples] if spec.labels else None
    return net, net(torch.randn(samples, spec.channels, spec.height, spec.width), labels)


@pytest.mark.parametrize(("error", "wanted"), [("squared", 0.25), ("absolute", 0.5)])
def test_a_logit_is_minus_the_mean_error_of_the_image(error, wanted):
    net = AutoencoderDiscriminatorConfig(channels=4, channel_max=8, code=8, error=error).build(ImageSpec(16, 16))
    torch.nn.init.zeros_(net.toimage.weight)
    torch.nn.init.constant_(net.toimage.bias, 0.25)
    image = torch.full((3, 3, 16, 16), -0.25)
    assert net(image).logits.tolist() == [-wanted] * 3


def test_an_image_passes_through_as_few_numbers_as_the_code_has():
    net, _ = judged(AutoencoderDiscriminatorConfig.tiny(), ImageSpec(32, 32))
    seen = []
    net.entry.register_forward_hook(lambda module, args, out: seen.append(args[0].shape))
    net(torch.randn(2, 3, 32, 32))
    assert seen == [(2, 8, 1, 1)]
