"""GAT: published sizes, truncation by class, taps, checkpointing, attention that is differentiated once or twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from ggdr.errors import UserError
from ggdr.layers.tokens import to_image, to_map, to_patches
from ggdr.layers.transformer import attend
from ggdr.networks.base import ExtraOutputs, Head, ImageSpec
from ggdr.networks.gat import SIZES, GATDiscriminatorConfig, GATGeneratorConfig, learning_rate
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r1_approximate import R1Approximate

G, D = GATGeneratorConfig.tiny(), GATDiscriminatorConfig.tiny()
LABELLED, WIDE = ImageSpec(16, 16, 3, 3), ImageSpec(8, 16, 3)
LATENTS = ImageSpec(32, 32, 4, 1000)
DINOV2_B = {"repa": Head(768, 2048, tokens=True)}
MILLIONS = {"s": (29.3, 39.1), "b": (116.6, 104.5), "l": (408.5, 322.8), "xl": (602.0, 467.4)}


@pytest.mark.parametrize("size", SIZES)
def test_published_sizes_have_the_published_number_of_weights(size):
    """D with the images of four heads and REPA's head for the features of DINOv2-B, as published."""
    asked = ExtraOutputs(heads=DINOV2_B)
    with torch.device("meta"):
        networks = [
            GATGeneratorConfig(**SIZES[size]._asdict()).build(LATENTS),
            MNGDiscriminatorConfig(encoder=GATDiscriminatorConfig(**SIZES[size]._asdict())).build(LATENTS, asked),
        ]
    found = [sum(weight.numel() for weight in network.parameters()) / 1e6 for network in networks]
    # there an embedding of an image, which is multiplied by zero, counts too: 0.02 M at most
    assert found == pytest.approx(MILLIONS[size], abs=0.07)


def test_the_learning_rate_falls_with_the_width_and_rises_with_the_root_of_the_batch():
    rates = [learning_rate(size.width) for size in SIZES.values()]
    assert rates == pytest.approx([4e-4, 2e-4, 1.5e-4, 1.333e-4], rel=1e-3)
    assert learning_rate(768, 4 * 512) == pytest.approx(4e-4)


def test_heads_add_up_to_the_image():
    network = tiny.moved(G.build(WIDE)).eval()
    made = network(torch.randn(2, 8))
    (first,) = made.intermediates
    assert first.shape == made.image.shape and not torch.allclose(first, made.image, atol=0.01)
    with torch.no_grad():
        network.heads[0].out.weight.zero_()
        network.heads[0].out.bias.fill_(5.0)
    again = network(torch.randn(2, 8))
    assert torch.equal(again.intermediates[0], torch.full_like(first, 5.0))
    rest = network(torch.randn(2, 8)).image - 5.0
    assert rest.abs().max() > 0.1


def test_tokens_are_laid_where_their_patches_are():
    image = torch.randn(2, 3, 8, 16)
    patches = to_patches(image, 2)
    assert torch.equal(patches[:, 1].view(2, 3, 2, 2), image[:, :, :2, 2:4])  # to the right
    assert torch.equal(patches[:, 8].view(2, 3, 2, 2), image[:, :, 2:4, :2])  # below
    assert torch.equal(to_image(patches, 2, 4), image)
    assert torch.equal(to_map(patches, 4)[:, :, 1, 2], patches[:, 8 + 2])


@pytest.mark.parametrize("tap", [1, 2])
def test_feature_maps_are_the_tokens_before_the_head_of_the_tap(tap):
    network = tiny.moved(replace(G, tap=tap).build(WIDE)).eval()
    z = torch.randn(2, 8)
    seen = []
    network.heads[tap - 1].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    maps = network(z, resolutions=(4,)).features[4]
    torch.testing.assert_close(maps.flatten(2).transpose(1, 2), seen[0])


def test_psi_0_is_the_mean_style_of_the_own_class_and_1_the_full_variety():
    network = tiny.moved(G.build(LABELLED))
    network.means.w_avg.zero_()
    labels = torch.eye(3)[[0, 1, 0, 1]]
    for _ in range(800):
        network(torch.randn(4, 8), labels)
        network.after_step(network.measure())
    network.eval()
    z = torch.randn(4000, 8)
    for place in (0, 1):
        mean = network.styles(z, torch.eye(3)[[place]].expand(4000, -1))[:, 0].mean(dim=0)
        found = network.means.w_avg[place]
        assert (found - mean).norm() < 0.1 * mean.norm() < 0.2 * (network.means.w_avg[1 - place] - mean).norm()
    assert not network.means.w_avg[2].any()  # never seen
    full = network.styles(z[:4], labels)
    assert torch.equal(network.styles(z[:4], labels, psi=1.0), full)
    ends = network.styles(z[:4], labels, psi=0.0)
    torch.testing.assert_close(ends[0, 0], network.means.w_avg[0])
    torch.testing.assert_close(ends[1, 1], network.means.w_avg[1])
    part = network.styles(z[:4], labels, psi=0.0, cutoff=1)
    assert torch.equal(part[:, 1], full[:, 1]) and torch.equal(part[:, 0], ends[:, 0])


def test_one_bad_step_leaves_the_mean_styles_as_they_were():
    network = G.build(LABELLED)
    network.after_step({"w_sums": torch.full((3, 17), float("nan"))})
    assert not network.means.w_avg.any()


def gradients(network, loss):
    loss.backward()
    return {name: weight.grad for name, weight in network.named_parameters()}


@pytest.mark.parametrize("config", [G, D], ids=["generator", "discriminator"])
def test_blocks_that_are_computed_again_have_the_same_gradients_and_keep_less(config):
    found, kept = [], []
    for again in (False, True):
        torch.manual_seed(0)
        network = replace(config, checkpointing=again).build(WIDE)
        given = torch.randn(2, 8) if config is G else torch.randn(2, 3, 8, 16)
        kept.append(0)

        def keep(x: torch.Tensor) -> torch.Tensor:
            kept[-1] += x.numel()
            return x

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            loss = network(given)[0].square().sum()
        found.append(gradients(network, loss))
    for name, plain in found[0].items():
        torch.testing.assert_close(found[1][name], plain, msg=name)
    assert kept[1] < kept[0] / 3


def test_attention_written_out_is_the_fused_one():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 3, 9, 8)
    torch.testing.assert_close(attend(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v))


def duel(term, learns=True):
    torch.manual_seed(0)
    network = D.build(WIDE).requires_grad_(learns)
    return Duel(
        G.build(WIDE).requires_grad_(False), network, torch.randn(2, 3, 8, 16), None, StepContext("d", term.requires)
    )


def test_finite_differences_go_with_fused_attention_and_exact_penalties_without():
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # which has no second derivative
        for term in (R1Approximate(weight=1.0), R1(weight=1.0)):
            term.loss(duel(term)).backward()


def test_attention_is_written_out_only_where_weights_learn_from_a_slope():
    network, image = D.build(WIDE), torch.randn(2, 3, 8, 16)
    assert not network.is_differentiated_twice(image)
    assert network.is_differentiated_twice(image.requires_grad_())
    network.requires_grad_(False)  # G's turn
    assert not network.is_differentiated_twice(image)


def test_the_fused_attention_has_no_second_derivative():
    """Else nothing need be written out."""
    x = torch.randn(1, 2, 4, 8, requires_grad=True)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        (slope,) = torch.autograd.grad(
            torch.nn.functional.scaled_dot_product_attention(x, x, x).sum(), x, create_graph=True
        )
        with pytest.raises(RuntimeError):
            slope.square().sum().backward()


def test_path_length_is_refused():
    recipe = replace(tiny.recipe, generator=G, discriminator=D, regularizers={"mine": PathLength()}, freeze_d=0)
    with pytest.raises(UserError, match=r"'path_length' differentiates the generator twice.*--regularizers.mine none"):
        fit(recipe, {"real": LABELLED})


@pytest.mark.parametrize("config", [G, D], ids=["generator", "discriminator"])
def test_sizes_that_fit_no_patch_or_head_are_refused(config):
    with pytest.raises(UserError, match=r"patches of 4 px, and sides of 18 x 32 px .* --data.size 16 32"):
        replace(config, patch=4).build(ImageSpec(18, 32))
    with pytest.raises(UserError, match="a multiple of 4 for each head"):
        replace(config, width=20)


def test_heads_divide_the_depth():
    for wrong in ({"depth": 3}, {"tap": 3}, {"tap": 0}):
        with pytest.raises(UserError, match="a multiple of image_heads, and a tap from 1"):
            replace(G, **wrong)


def test_the_decoder_on_its_tokens_is_a_linear_layer():
    network = UNetDiscriminatorConfig(encoder=D).build(WIDE, ExtraOutputs({4: 5}))
    image = torch.randn(2, 3, 8, 16)
    said = network(image, resolutions=(4,))
    weight, bias = network.decoder.b4.weight[:, :, 0, 0] * network.decoder.b4.weight_gain, network.decoder.b4.bias
    tokens = said.tokens[:, 1:] @ weight.T + bias
    torch.testing.assert_close(said.features[4].flatten(2).transpose(1, 2), tokens)


def test_each_head_of_tokens_says_something_of_each_and_others_read_their_mean():
    heads = {"each": Head(5, 6, tokens=True), "linear": Head(2, tokens=True), "mean": Head(3)}
    network = UNetDiscriminatorConfig(encoder=D).build(WIDE, ExtraOutputs(heads=heads))
    said = network(torch.randn(2, 3, 8, 16))
    answers = network.answers(said)
    assert {name: tuple(x.shape) for name, x in answers.items()} == {"each": (2, 33, 5), "linear": (2, 33, 2)}
    assert {name: tuple(x.shape) for name, x in said.head_outputs.items()} == {"mean": (2, 3)}
    assert Capability.TOKENS in network.config.provides


def test_the_logit_is_the_product_of_token_and_label_and_nothing_else():
    network = tiny.moved(D.build(LABELLED)).eval()
    image, labels = torch.randn(3, 3, 16, 16), torch.eye(3)
    said = network(image, labels)
    code = network.out(said.tokens[:, 0])
    torch.testing.assert_close(said.logits, (code * network.embed(labels)).sum(dim=1))


@pytest.mark.parametrize(("patch", "side"), [(2, 16), (4, 8)])
def test_ggdr_reads_the_tokens_whatever_their_side(patch, side):
    judge = UNetDiscriminatorConfig(encoder=MNGDiscriminatorConfig(encoder=replace(D, patch=patch), levels=(0.5, 0.01)))
    recipe = replace(tiny.recipe, generator=replace(G, patch=patch), discriminator=judge, regularizers={"mine": GGDR()})
    fitted = fit(recipe, {"real": ImageSpec(32, 32, 3)})
    assert fitted.extra.target_channels == {side: 16} and fitted.recipe.regularizers["mine"].resolutions == (side,)
    assert ("of generator 'gat'" in fitted.reasons["mine"]) == (side == 16)
    with pytest.raises(UserError, match="resolution 4"):
        fit(replace(recipe, regularizers={"mine": GGDR(resolutions=(4,))}), {"real": ImageSpec(32, 32, 3)})


def test_weights_begin_as_published():
    torch.manual_seed(0)
    shape = {"width": 128, "attention_heads": 2}
    made, judge = replace(G, label_dim=64, **shape).build(LABELLED), replace(D, label_dim=64, **shape).build(LABELLED)

    def uniform(layer, gain=1.0):
        rows, columns = layer.weight.shape
        bound = gain * (6 / (rows + columns)) ** 0.5
        assert not layer.bias.any() and layer.weight.abs().max().item() == pytest.approx(bound, rel=0.02)

    for layer in (made.blocks[0].attention.qkv, made.heads[1].out, judge.blocks[1].mlp.out, judge.enter, judge.out):
        uniform(layer)
    for layer in (made.blocks[1].modulation, made.heads[0].modulation):
        uniform(layer, 0.1)
    for layer in (made.mapping.fc0, made.mapping.fc1, judge.embed.fc0, judge.embed.fc1):
        uniform(layer, 100.0)
    for few in (made.mapping.embed.weight, judge.embed.embed.weight, judge.class_token):
        assert few.std().item() == pytest.approx(0.02, rel=0.25)
    assert torch.equal(judge.blocks[0].scale1, torch.full([128], 0.1))
    assert made.blocks[0].mlp.out.in_features == int(2 / 3 * 4 * 128)


def test_codes_and_labels_have_unit_mean_square_before_they_meet():
    network = tiny.moved(G.build(LABELLED)).eval()
    z, labels = torch.randn(2, 8), torch.eye(3)[:2]
    plain = network.styles(z, labels)
    torch.testing.assert_close(network.styles(7 * z, labels), plain)
    with torch.no_grad():
        network.mapping.embed.weight.mul_(7)
    torch.testing.assert_close(network.styles(z, labels), plain)


def test_the_mean_style_moves_by_what_two_passes_of_a_step_leave():
    network = G.build(ImageSpec(16, 16)).train()
    network.after_step({"w_sums": torch.cat([torch.ones(1, 16), torch.ones(1, 1)], dim=1)})
    torch.testing.assert_close(network.means.w_avg, torch.full((1, 16), 1 - 0.995**2))
    network.eval()(torch.randn(2, 8))
    assert network.measure() == {}


def test_a_head_reads_the_style_of_the_block_before_it():
    network = tiny.moved(replace(G, depth=4).build(WIDE)).eval()
    assert [len(matrix) for matrix in network.input_matrices()] == [64, 64 + 16, 64, 64 + 16]
    ws = network.styles(torch.randn(1, 8)).clone()
    other = ws.clone()
    other[:, 2] += 1.0  # of the third block, before which the first head is done
    (first, last), (same, changed) = network.images(ws)[0], network.images(other)[0]
    assert torch.equal(first, same) and not torch.allclose(last, changed)
    torch.testing.assert_close(network.synthesize(ws), last)


def test_a_class_that_a_step_does_not_see_keeps_its_mean():
    network = G.build(LABELLED)
    seen = torch.zeros(3, 17)
    seen[1] = torch.cat([torch.full((16,), 0.25 * 3.0), torch.tensor([0.25])])  # a quarter of the batch, of mean 3
    network.means.w_avg.fill_(1.0)
    network.after_step({"w_sums": seen})
    rate = 1 - 0.995**2
    expected = torch.ones(3, 16)
    expected[1] = 1 + rate * (3 - 1)
    torch.testing.assert_close(network.means.w_avg, expected)
