"""Feature extractors: what they give, that they are the networks they say, and where their weights come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from places import ROOT
from random_weights import CPU, LITTLE
from registered import own
from safetensors.torch import save_file

from ggdr.features import emoji, lpips
from ggdr.features.digits import Digits
from ggdr.features.dinov2 import DINOv2, resize_position_codes
from ggdr.features.inception import Inception
from ggdr.features.lpips import LPIPS, LPIPSEmbedder
from ggdr.features.pixels import gray, resize, rgb
from ggdr.features.plain import Pixels
from ggdr.features.timm import Timm
from ggdr.features.vgg16 import VGG16
from ggdr.registry import Capability, extractors


def pictures(count=3, channels=3, height=40, width=40):
    dice = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, channels, 5, 5, generator=dice)
    return F.interpolate(coarse, (height, width), mode="bicubic").mul(255).clamp(0, 255).to(torch.uint8)


def conv_layers():
    """The convolutional half of VGG-16 with random weights, as torchvision lays it out."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    return make_layers(cfgs["D"])


@pytest.fixture(scope="module")
def lpips_network():
    state = [torch.rand(1, channels, 1, 1) for channels in lpips.TAPS.values()]
    return LPIPSEmbedder(conv_layers(), state, 256, CPU)


@pytest.fixture(scope="module")
def loaded(inception_file, dinov2_file, lpips_network):
    """Extractor -> network, all but VGG-16 and VGG-19, whose weights are half a gigabyte: other tests have them."""
    return {
        "pixels": Pixels().load(CPU),
        "digits": Digits().load(CPU),
        "emoji": emoji.embedder(emoji.classifier(torch.float32).state_dict(), CPU),
        "timm": Timm(model=LITTLE, random=True).load(CPU),
        "inception": Inception(weights=str(inception_file)).load(CPU),
        "dinov2": DINOv2(size="s", weights=str(dinov2_file)).load(CPU),
        "lpips": lpips_network,
    }


NAMES = ["pixels", "digits", "emoji", "timm", "inception", "dinov2", "lpips"]
every_network = pytest.mark.parametrize("name", NAMES)


def test_every_extractor_is_tested_here():
    assert {*NAMES, "vgg16", "vgg19", "vectors"} == own("feature extractor").keys()


@every_network
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_image_has_the_same_features_in_any_company(loaded, name, channels):
    network, images = loaded[name], pictures(3, channels)
    found = network(images)
    assert found.rows.dtype == torch.float32 and found.rows.isfinite().all() and not found.rows.requires_grad
    assert found.rows.shape == (3, network.width if name != "lpips" else lpips.width(40))
    torch.testing.assert_close(network(images[1:2]).rows, found.rows[1:2], rtol=1e-4, atol=1e-4)
    assert (Capability.CLASSES in extractors[name].provides) == (found.logits is not None)
    assert found.logits is None or found.logits.shape[0] == 3
    assert (found.rows[0] - found.rows[1]).abs().max() > 1e-6


@every_network
def test_any_size_will_do(loaded, name):
    for height, width in ((8, 8), (20, 33), (300, 310)):
        assert loaded[name](pictures(2, 3, height, width)).rows.shape[0] == 2


@every_network
def test_gray_pictures_are_as_good_as_their_copies_in_rgb_and_white_is_under_transparency(loaded, name):
    alone = pictures(2, 1)
    clear = torch.cat([pictures(2, 3), torch.zeros(2, 1, 40, 40, dtype=torch.uint8)], dim=1)
    white = torch.full((2, 3, 40, 40), 255, dtype=torch.uint8)
    for a, b in ((alone, alone.expand(-1, 3, -1, -1)), (clear, white)):
        torch.testing.assert_close(loaded[name](a).rows, loaded[name](b).rows, rtol=1e-4, atol=1e-4)


@every_network
def test_smooth_ones_see_what_bytes_cannot_hold(loaded, name):
    if Capability.SMOOTH not in extractors[name].provides:
        with pytest.raises(ValueError, match="uint8"):
            loaded[name](pictures().float())
        return
    network, images = loaded[name], pictures().float()
    torch.testing.assert_close(network(images).rows, network(images.to(torch.uint8)).rows, rtol=1e-4, atol=1e-4)
    step = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    near, nearer = (network(images + size * step).rows - network(images).rows for size in (0.4, 0.2))
    assert 0.35 < float(nearer.norm() / near.norm()) < 0.65, "half the way is half the change"


@every_network
def test_smooth_ones_pass_gradients_on_and_their_weights_take_none(loaded, name):
    if Capability.SMOOTH in extractors[name].provides:
        images = pictures().float().requires_grad_()
        loaded[name](images).rows.square().sum().backward()
        assert images.grad.isfinite().all() and (images.grad.abs().amax(dim=(1, 2, 3)) > 0).all()


@every_network
def test_protocols_name_the_weights(loaded, name):
    network = loaded[name]
    assert len(network.weights_hash) == 16 and int(network.weights_hash, 16)
    assert {"network", "resolution", "resize", "range", "layer"} <= network.protocol.keys()
    assert all(isinstance(value, str | int) for value in network.protocol.values())
    assert not any("/" in str(value) and str(ROOT.parent) in str(value) for value in network.protocol.values())


def test_images_of_other_kinds_are_refused():
    for images in (pictures(2, 2), pictures()[0], pictures().double()):
        with pytest.raises(ValueError, match="feature networks see images of 1, 3 or 4 channels"):
            rgb(images)


@pytest.mark.parametrize(("filter", "pillow"), [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)])
@pytest.mark.parametrize("resolution", [16, 100])
def test_resizing_is_pillows(filter, pillow, resolution):
    image = pictures(1, 3, 47, 61)
    theirs = Image.fromarray(image[0].permute(1, 2, 0).numpy()).resize((resolution, resolution), pillow)
    ours = resize(image.float(), resolution, resolution, filter)[0].round().permute(1, 2, 0)
    assert np.abs(ours.numpy() - np.asarray(theirs, np.float32)).max() <= 1


def test_gray_is_pillows():
    image = pictures(1)
    theirs = np.asarray(Image.fromarray(image[0].permute(1, 2, 0).numpy()).convert("L"), np.float32)
    assert np.abs(gray(image)[0, 0].numpy() - theirs).max() <= 1


def test_inception_is_torch_fidelitys(loaded, inception_file):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("theirs", ["2048", "logits_unbiased"], str(inception_file))
    rows, logits = theirs(pictures())
    found = loaded["inception"](pictures())
    assert torch.equal(found.rows, rows) and torch.equal(found.logits, logits) and rows.shape == (3, 2048)
    assert loaded["inception"].protocol["weights"] == "inception.pth"


def test_dinov2_is_the_class_token_of_timms_network(loaded, dinov2_file):
    import timm

    network = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=224).eval()
    state = torch.load(dinov2_file, weights_only=True)
    network.load_state_dict({key: value for key, value in resize_position_codes(state).items() if key != "mask_token"})
    x = F.interpolate(pictures().float(), (224, 224), mode="bicubic", antialias=True).clamp(0, 255) / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    token = network.forward_features((x - mean) / std)[:, 0]
    torch.testing.assert_close(loaded["dinov2"](pictures()).rows, token, rtol=1e-4, atol=1e-4)
    assert loaded["dinov2"].width == 384 and loaded["dinov2"].resolution == 224


def test_position_codes_keep_their_places_when_stretched():
    rows = torch.linspace(0, 1, 37).view(1, 37, 1, 1).expand(1, 37, 37, 2)
    codes = torch.cat([torch.full((1, 1, 2), 9.0), rows.flatten(1, 2)], dim=1)
    found = resize_position_codes({"pos_embed": codes, "other": torch.ones(1)})
    assert found["pos_embed"].shape == (1, 257, 2) and found["other"] == 1
    assert (found["pos_embed"][:, 0] == 9).all()
    grid = found["pos_embed"][0, 1:].view(16, 16, 2)
    assert torch.allclose(grid[:, 0], grid[:, 15]) and (grid[1:, 0] > grid[:-1, 0]).all()
    # a sixteenth of the way, less the 0.1 patches by which the published network's scale is larger
    assert torch.allclose(grid[8, 0, 0], torch.tensor((8.5 / 16.1 * 37 - 0.5) / 36), atol=1e-3)
    same = torch.randn(1, 257, 4)
    assert torch.equal(resize_position_codes({"pos_embed": same})["pos_embed"], same)


def test_lpips_is_a_squared_distance_of_features(lpips_network):
    """Zhang et al. 2018, eq. 1, map by map, as it is published."""
    a, b = pictures(2, 3, 64, 48)[:1], pictures(2, 3, 64, 48)[1:]
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    layers, total = conv_layers().eval(), 0.0
    maps = [(image / 127.5 - 1 - shift.view(3, 1, 1)) / scale.view(3, 1, 1) for image in (a, b)]
    roots = iter(lpips_network.roots)
    with torch.no_grad():
        for place, layer in enumerate(layers):
            maps = [layer(x.clone()) for x in maps]
            if place in (3, 8, 15, 22, 29):
                unit = [x / x.square().sum(1, keepdim=True).sqrt() for x in maps]
                total += float((next(roots).square() * (unit[0] - unit[1]).square()).sum(1).mean())
    rows = lpips_network(torch.cat([a, b])).rows
    assert float((rows[0] - rows[1]).square().sum()) == pytest.approx(total, rel=1e-4)


def test_lpips_shrinks_what_is_larger_and_keeps_its_shape(lpips_network):
    small = LPIPSEmbedder(conv_layers(), [root.square() for root in lpips_network.roots], 64, CPU)
    image = pictures(1, 3, 128, 96)
    assert torch.allclose(small(image).rows, lpips_network(resize(image.float(), 64, 48, "bilinear")).rows, atol=1e-5)
    assert small.width == lpips.width(64) and lpips.width(64) == small(pictures(1, 3, 64, 64)).rows.shape[1]


@pytest.mark.slow
def test_vgg16_and_lpips_read_torchvisions_file_and_timms(folder):
    import timm
    from torchvision.models import vgg16

    torch.manual_seed(0)
    theirs = vgg16().eval()
    torch.save(theirs.state_dict(), folder / "vgg16.pth")
    linear = {f"lin{i}.model.1.weight": torch.rand(1, k, 1, 1) for i, k in enumerate(lpips.TAPS.values())}
    torch.save(linear, folder / "lpips.pth")
    network = VGG16(weights=str(folder / "vgg16.pth")).load(CPU)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    x = (F.interpolate(pictures().float(), (224, 224), mode="bilinear", antialias=True) / 255 - mean) / std
    with torch.no_grad():
        conv = theirs.features(x).flatten(1)  # at 224 px the pooling to 7 x 7 leaves the maps as they are
        hidden, logits = theirs.classifier[:5](conv), theirs.classifier(conv)
    found = network(pictures())
    torch.testing.assert_close(found.rows, hidden, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.logits, logits, rtol=1e-4, atol=1e-5)
    save_file(timm.create_model("vgg16").state_dict(), folder / "vgg16.safetensors")
    lp = LPIPS(weights=str(folder / "vgg16.pth"), linear=str(folder / "lpips.pth")).load(CPU)
    assert lp(pictures()).rows.shape == (3, lpips.width(40))
    assert VGG16(weights=str(folder / "vgg16.safetensors")).load(CPU).weights_hash != network.weights_hash
    for name in ("vgg16.pth", "vgg16.safetensors"):
        (folder / name).unlink()
