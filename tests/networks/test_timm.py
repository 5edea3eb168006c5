"""Projected GAN's discriminator: frozen features, mixed over scales, and where their weights come from."""

from __future__ import annotations

import pytest
import tiny
import torch
from safetensors.torch import save_file

from ggdr.networks.base import ImageSpec
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.fitting import fit
from ggdr.saving.model import load_model, save_model
from ggdr.training.player import Player


def judged(config, spec: ImageSpec, samples: int = 2):
    torch.manual_seed(0)
    net = config.build(spec)
    labels = torch.eye(spec.labels)[:samples] if spec.labels else None
    return net, net(torch.randn(samples, spec.channels, spec.height, spec.width), labels)


def test_frozen_features_take_no_gradient_and_stay_in_evaluation_while_the_image_takes_it():
    net, _ = judged(TimmDiscriminatorConfig.tiny(), ImageSpec(16, 16))
    assert not any(module.training for module in net.train().backbone.modules())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    player = Player({"d": net}, Adam(), [])
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    with player.learning(1, 0.0):
        net(image).logits.sum().backward()
        player.step(skip=torch.tensor(False))
    net.clip(1e-3)
    moved = {name.split(".")[0] for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"judges"} and image.grad is not None and image.grad.abs().sum() > 0


def test_each_scale_is_judged_at_4_px_a_side_as_in_the_paper():
    config = TimmDiscriminatorConfig(
        model="test_efficientnet", weights="random", resolution=256, channels=4, channel_max=8
    )
    net = config.build(ImageSpec(256, 256))
    assert net.backbone.sizes == [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert net(torch.zeros(1, 3, 256, 256)).logits.shape == (1, 4 * 16)
    assert [len(judge.convs) for judge in net.judges] == [5, 4, 3, 2]


@pytest.mark.parametrize(("mixing", "set_random_bits"), [("scales", [0, 1, 2, 3]), ("channels", [3]), ("none", [3])])
def test_mixing_carries_the_smallest_scale_up_to_the_largest(mixing, set_random_bits):
    net = TimmDiscriminatorConfig(
        model="test_efficientnet", weights="random", resolution=32, channels=4, mixing=mixing
    ).build(ImageSpec(16, 16))
    maps = [torch.zeros(1, c, *size) for c, size in zip(net.backbone.channels, net.backbone.sizes, strict=True)]
    maps[3] += 1
    assert [level for level, x in enumerate(net.mixing(maps)) if x.abs().sum() > 0] == set_random_bits


@pytest.mark.parametrize(
    "wrap", [lambda config: config, lambda config: UNetDiscriminatorConfig(encoder=config)], ids=["alone", "unet"]
)
def test_weights_come_from_the_hubs_cache_and_then_from_the_saved_model(wrap, tmp_path, monkeypatch):
    import timm

    repo = tmp_path / "hub" / "models--timm--test_efficientnet.r160_in1k"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("abc")
    (repo / "snapshots" / "abc").mkdir(parents=True)
    state = timm.create_model("test_efficientnet").state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, repo / "snapshots/abc/model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    config = TimmDiscriminatorConfig(model="test_efficientnet", resolution=32, channels=4, channel_max=8)
    fit(
        Recipe(data=tiny.recipe.data, generator=tiny.STYLEGAN2, discriminator=wrap(config)), {"real": ImageSpec(16, 16)}
    )
    net = wrap(config).build(ImageSpec(16, 16)).eval()
    found = net.unwrap().backbone.network.state_dict()
    assert found["conv_stem.weight"].equal(state["conv_stem.weight"])
    save_model(net, tmp_path / "saved")
    assert "pretrained" not in (tmp_path / "saved" / "config.json").read_text()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "nowhere"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    image = torch.randn(2, 3, 16, 16)
    assert load_model(tmp_path / "saved")(image).logits.equal(net(image).logits)
    with pytest.raises(ValueError, match="cannot be fetched.*--discriminator.weights random"):
        config.build(ImageSpec(16, 16))


def test_a_model_that_timm_lacks_is_refused_with_those_that_it_has():
    with pytest.raises(ValueError, match="'test_efficientnit'; near it are .*test_efficientnet"):
        TimmDiscriminatorConfig(model="test_efficientnit", weights="random").build(ImageSpec(16, 16))
    with pytest.raises(ValueError, match=r"scales 0 to 4, not \[7\]"):
        TimmDiscriminatorConfig(model="test_efficientnet", weights="random", scales=(1, 7)).build(ImageSpec(16, 16))
