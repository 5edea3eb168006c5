"""EBGAN and BEGAN, Projected GAN, U-Net GAN: what their papers say of energies, frozen features and pixels."""

from __future__ import annotations

import pytest
import tiny
import torch
from places import ROOT
from safetensors.torch import save_file

from ggdr.losses.began import BEGAN
from ggdr.losses.ebgan import EBGAN
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.optimizer import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.cutmix import CutMix, patches
from ggdr.regularizers.per_pixel import PerPixel
from ggdr.regularizers.pulling_away import PullingAway
from ggdr.saving.model import load_model, save_model
from ggdr.training.player import Player

FAMILIES = {
    "autoencoder": AutoencoderDiscriminatorConfig.tiny(),
    "timm": TimmDiscriminatorConfig.tiny(),
    "unet_gan": UNetGANDiscriminatorConfig.tiny(),
}
BRIEFS = {
    "8": ImageSpec(8, 8),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "tall RGBA": ImageSpec(48, 16, 4, 5),
    "24, five channels": ImageSpec(24, 24, 5),
}
every_family = pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)


def judged(config, spec: ImageSpec, samples: int = 2):
    torch.manual_seed(0)
    net = config.build(spec)
    labels = torch.eye(spec.labels)[:samples] if spec.labels else None
    return net, net(torch.randn(samples, spec.channels, spec.height, spec.width), labels)


def verdicts(term, turn: str, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Duel:
    """A duel in which D said just that."""
    duel = Duel(None, None, torch.zeros(1), None, StepContext(turn, term.requires))  # type: ignore[arg-type]
    vars(duel).update(on_real=real, on_fake=fake)
    return duel


def duel_of(config, turn: str, requires: frozenset[Capability]) -> Duel:
    torch.manual_seed(0)
    g, d = tiny.STYLEGAN2.build(ImageSpec(16, 16)), config.build(ImageSpec(16, 16))
    return Duel(g, d, torch.randn(4, 3, 16, 16), None, StepContext(turn, requires, kimg=1.0))


@every_family
@pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)
def test_maps_have_their_side_and_the_images_shape_from_the_base_to_half(config, spec):
    net, verdict = judged(config, spec)
    assert max(verdict.maps) == spec.height // 2 and verdict.logits.dtype == torch.float32
    for resolution, maps in verdict.maps.items():
        assert maps.shape == (2, net.map_channels[resolution], resolution, resolution * spec.width // spec.height)


@every_family
def test_a_decoder_for_features_goes_on_top_and_teaches_what_lies_below(config):
    net = UNetDiscriminatorConfig(encoder=config).build(ImageSpec(16, 16), ExtraOutputs({4: 3, 8: 5, 16: 3}))
    drawn = net(torch.randn(2, 3, 16, 16), resolutions=(4, 8, 16)).features
    assert {resolution: x.shape[1] for resolution, x in drawn.items()} == {4: 3, 8: 5, 16: 3}
    drawn[8].square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.encoder.parameters())


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


def test_ebgan_leaves_fakes_alone_whose_energy_is_above_the_margin():
    loss, fakes = EBGAN(margin=1.0), torch.tensor([-0.25, -3.0], requires_grad=True)
    duel = verdicts(loss, "d", DiscriminatorOutput(torch.tensor([-0.5, -0.5])), DiscriminatorOutput(fakes))
    value = loss.loss(duel)
    assert value.item() == pytest.approx(0.5 + 0.75 / 2)
    assert torch.autograd.grad(value, fakes)[0].tolist() == [0.5, 0.0]


def test_pulling_away_is_the_mean_squared_cosine_of_different_fakes():
    codes = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]).view(4, 2, 1, 1)
    term = PullingAway()
    fake = DiscriminatorOutput(torch.zeros(4), maps={1: codes, 2: torch.randn(4, 2, 2, 2)})
    squares = [1, 0, 0.5, 0, 0.5, 0.5]  # pairs 12 13 14 23 24 34; the cosine of 45 degrees squared is a half
    assert term.loss(verdicts(term, "g", fake, fake)).item() == pytest.approx(2 * sum(squares) / 12)


def test_began_steers_the_ratio_of_errors_and_keeps_k_from_0_to_1():
    loss = BEGAN(gamma=0.5, lambda_k=0.1)
    loss.begin(torch.device("cpu"))
    real, fake = DiscriminatorOutput(torch.tensor([-1.0, -3.0])), DiscriminatorOutput(torch.tensor([-0.5, -0.5]))
    loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-0.5)})
    assert loss.state["k"].item() == pytest.approx(0.1 * (0.5 * 2 - 0.5))
    duel = verdicts(loss, "d", real, fake)
    assert loss.loss(duel).item() == pytest.approx(2.0 - 0.05 * 0.5)
    assert duel.notes["convergence"].item() == pytest.approx(2.0 + abs(0.5 * 2 - 0.5))
    for _ in range(100):
        loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-0.5)})
    assert loss.state["k"] == 1
    for _ in range(100):
        loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-9.0)})
    assert loss.state["k"] == 0


def test_frozen_features_take_no_gradient_and_stay_in_evaluation_while_the_image_takes_it():
    net, _ = judged(TimmDiscriminatorConfig.tiny(), ImageSpec(16, 16))
    assert not any(module.training for module in net.train().backbone.modules())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    player = Player({"d": net}, Adam(), [])
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    with player.learning(1):
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
    fit(Recipe(data=tiny.recipe.data, generator=tiny.STYLEGAN2, discriminator=wrap(config)), ImageSpec(16, 16))
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


@pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)
def test_every_pixel_has_a_logit_and_only_duels_that_ask_see_it(spec):
    _, verdict = judged(UNetGANDiscriminatorConfig.tiny(), spec)
    assert verdict.pixel_logits.shape == (2, 1, spec.height, spec.width)
    for requires in (frozenset(), frozenset({Capability.PIXEL_LOGITS})):
        assert (duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires).on_real.pixel_logits is None) == (
            not requires
        )


def test_a_pixels_logit_sees_fine_detail_past_the_bottleneck():
    net, _ = judged(UNetGANDiscriminatorConfig.tiny(), ImageSpec(32, 32))
    image = torch.randn(1, 3, 32, 32)
    maps = net.pyramid(image)[1]
    changed = {**maps, 16: maps[16] + torch.randn_like(maps[16])}
    assert not torch.allclose(net.pixels(maps, None), net.pixels(changed, None))


def test_the_pixels_losses_are_those_of_the_image_at_each_pixel():
    real, fake = (
        DiscriminatorOutput(torch.zeros(1), pixel_logits=torch.zeros(1, 1, 2, 2)),
        torch.tensor([0.0, 3.0]).view(1, 1, 1, 2),
    )
    hinge, plain = PerPixel(form="hinge"), PerPixel()
    said = DiscriminatorOutput(torch.zeros(1), pixel_logits=fake)
    assert hinge.loss(verdicts(hinge, "d", real, said)).item() == pytest.approx(1 + (1 + 4) / 2)
    assert hinge.loss(verdicts(hinge, "g", real, said)).item() == pytest.approx(-1.5)
    wanted = (torch.tensor([0.5, 0.0474258731776]).log().mean()).neg()  # 1 - sigmoid(3)
    assert plain.loss(verdicts(plain, "d", real, said)).item() == pytest.approx(0.6931472 + wanted.item())


def test_cutmix_asks_nothing_of_a_d_that_judges_pixels_by_themselves():
    class Pointwise(torch.nn.Module):
        z_dim = 8

        def forward(self, image, labels=None, resolutions=()):
            return DiscriminatorOutput(image.mean((1, 2, 3)), pixel_logits=self.scale * image.mean(1, keepdim=True))

    term, requires = CutMix(p=1.0), CutMix.requires
    duel = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    assert term.loss(duel).item() > 1e-8
    duel = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    duel.D = Pointwise()
    duel.D.scale = 2.0
    assert term.loss(duel).item() == 0


def test_cutmix_sets_in_by_and_by():
    requires = CutMix.requires
    early = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    early.context = early.context._replace(kimg=0.0)
    assert CutMix(p=1.0, ramp_kimg=5.0).loss(early).item() == 0


def test_patches_are_rectangles_of_every_size():
    torch.manual_seed(0)
    cut = ~patches(torch.zeros(512, 3, 32, 64))
    assert cut.shape == (512, 1, 32, 64) and 0.2 < cut.float().mean() < 0.45
    rows, columns = cut.any(3).sum(2), cut.any(2).sum(2)
    assert torch.equal(rows * columns, cut.sum((2, 3)))


def test_a_term_of_pixels_is_refused_without_such_a_discriminator():
    recipe = Recipe(
        data=tiny.recipe.data, generator=tiny.STYLEGAN2, discriminator=tiny.RESNET, regularizers={"p": PerPixel()}
    )
    with pytest.raises(ValueError, match="'p' requires pixel_logits"):
        fit(recipe, ImageSpec(16, 16))


@pytest.mark.parametrize("file", ["ebgan", "began", "projected", "unet_gan"])
def test_recipes_fit_their_images(file):
    from ggdr.recipe.files import load_recipe

    recipe = load_recipe(ROOT / "recipes" / "zoo" / f"{file}.py")
    assert fit(recipe, ImageSpec(32, 32, 1)).parameters["discriminator"] > 0
