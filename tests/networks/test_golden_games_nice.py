"""Parity with the published NICE-GAN: what its networks say and make, and two whole training steps of all four.

GGDR_GOLDEN_GAMES names the folder of the vectors; without it, or where they do not say how the networks began, those
that are committed are read.
"""

from __future__ import annotations

import torch
from golden_games import below, close, close_gradients
from golden_nice import check_final, images, networks, renamed, settings

CYCLE, RECONSTRUCTION = 10.0, 10.0


def test_golden_nice_discriminator_says_what_the_published_one_does():
    D, wanted = networks()["A"], below("nice", "step0/D_A_of_A/")
    said = D(images(0)[0])
    far, judged = said.more_logits
    close(said.logits.view_as(wanted["local"]), wanted["local"], 1e-5)
    close(far.view_as(wanted["global"]), wanted["global"], 1e-5)
    close(judged, wanted["cam"], 1e-5)
    codes = said.maps[D.code_spec.height]
    close(codes, wanted["z"], 1e-5)
    close(codes.sum(dim=1, keepdim=True), wanted["heatmap"], 1e-5)
    assert codes.shape[1:] == (D.code_spec.channels, D.code_spec.height, D.code_spec.width)


def squares(said, target: float) -> torch.Tensor:
    """The least-squares loss of all heads."""
    return sum((logits - target).square().mean() for logits in (said.logits, *said.more_logits))


def test_golden_nice_two_training_steps():
    nets = networks()
    A, B, A2B, B2A = (nets[name] for name in ("A", "B", "A2B", "B2A"))
    case = settings()
    adam = {"lr": case["lr"], "betas": tuple(case["betas"]), "weight_decay": case["weight_decay"]}
    d_adam = torch.optim.Adam([*A.parameters(), *B.parameters()], **adam)
    g_adam = torch.optim.Adam([*A2B.parameters(), *B2A.parameters()], **adam)
    height = A.code_spec.height
    for step in range(case["steps"]):
        found, (a, b) = below("nice", f"step{step}/"), images(step)
        d_adam.zero_grad()
        on_a, on_b = A(a), B(b)
        fake_b, fake_a = A2B(on_a.maps[height]).image.detach(), B2A(on_b.maps[height]).image.detach()
        d_loss = squares(on_a, 1) + squares(on_b, 1) + squares(A(fake_a), 0) + squares(B(fake_b), 0)
        close(d_loss, found["loss_D"], 1e-5)
        d_loss.backward()
        if step == 0:
            close_gradients(A, renamed(below("nice", "step0/grad_D_A/")))
        d_adam.step()
        g_adam.zero_grad()
        codes_a, codes_b = A(a).maps[height], B(b).maps[height]
        fake_b, fake_a = A2B(codes_a).image, B2A(codes_b).image
        on_fake_a, on_fake_b = A(fake_a), B(fake_b)
        cycles = (B2A(on_fake_b.maps[height]).image, A2B(on_fake_a.maps[height]).image)
        cycle = sum((made - true).abs().mean() for made, true in zip(cycles, (a, b), strict=True))
        again = (B2A(codes_a).image, A2B(codes_b).image)
        recon = sum((made - true).abs().mean() for made, true in zip(again, (a, b), strict=True))
        g_loss = squares(on_fake_a, 1) + squares(on_fake_b, 1) + CYCLE * cycle + RECONSTRUCTION * recon
        close(g_loss, found["loss_G"], 1e-5)
        g_loss.backward()
        if step == 0:
            close_gradients(A2B, renamed(below("nice", "step0/grad_G_A2B/")))
        g_adam.step()
    for name in ("A", "A2B"):
        check_final(nets[name], renamed(below("nice", f"init/{name}/")), renamed(below("nice", f"final/{name}/")))
