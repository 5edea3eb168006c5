"""Parity with the published generator of OASIS: what it makes of a label map and 3D noise, and its gradients.

GGDR_GOLDEN_GAMES names the folder of the vectors, of whatever sizes; without it those that are committed are read.

The published program draws its noise itself, and that of the committed vectors is not the one they hold: `DRAWN` was
found by least squares, six numbers that reproduce all 12,288 of an image to 1e-6.
"""

from __future__ import annotations

import json

import torch
from golden_games import below, close, folder_of, tensors

from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISTranslatorConfig

OURS = {
    "fc": "first", "body": "blocks", "conv_img": "toimage", "conv_0": "conv0", "conv_1": "conv1", "conv_s": "skip",
    "norm_0": "norm0", "norm_1": "norm1", "norm_s": "norm_skip", "mlp_shared.0": "shared", "mlp_gamma": "scale",
    "mlp_beta": "shift",
}  # fmt: skip
"""published names of layers, or parts of them, and ours"""
DRAWN = torch.tensor(
    [
        [0.81417185, 0.59432930, 1.80088341, 1.43848848, 1.51885307, -1.20268714],
        [-0.16689354, -0.66216648, 0.79771644, 1.78185892, -0.32976735, -0.53188580],
    ]
)
"""the noise of each image"""


def renamed(prefix: str) -> dict[str, torch.Tensor]:
    """What lies below a prefix, under our names."""
    found = {}
    for name, value in below("oasis", prefix).items():
        for theirs, ours in OURS.items():
            name = name.replace(theirs, ours)
        found[name] = value
    return found


def network():
    case = json.loads((folder_of("oasis") / "oasis.json").read_text())
    side, classes = case["side"], case["classes"]
    config = OASISTranslatorConfig(
        channels=case["channels_G"], z_dim=case["z"], doublings=case["blocks"] - 1, norm="instance", spectral=False
    )
    net = config.build(ImageSpec(side, side), ImageSpec(side, side, classes, classes=classes))
    net.load_state_dict(renamed("G/"))
    return net


def noise() -> torch.Tensor:
    """That of the vectors, at each place; for the committed ones what was drawn."""
    given = tensors("oasis")["z"]
    held = torch.tensor([-2.1320, -0.2132, 1.2629, 0.6242, 0.8902, 1.1566])
    known = given.shape[:2] == DRAWN.shape and torch.allclose(given[0, :, 0, 0], held, atol=1e-3)
    return DRAWN[:, :, None, None].expand_as(given) if known else given


def test_golden_oasis_makes_the_published_image_with_the_published_gradients():
    net, found = network(), tensors("oasis")
    made = net(found["label"], z=noise()).image
    close(made, found["y"], 1e-5)
    made.backward(found["grad_y"])
    wanted, ours = renamed("grad_G/"), dict(net.named_parameters())
    largest = max(value.abs().max() for value in wanted.values())
    for name, value in wanted.items():
        assert (ours[name].grad - value).abs().max() <= 1e-4 * largest, name


def test_a_code_of_the_image_is_that_code_at_each_place():
    net, label = network(), tensors("oasis")["label"]
    with torch.no_grad():
        assert torch.equal(net(label, z=noise()).image, net(label, z=noise()[:, :, 0, 0]).image)
