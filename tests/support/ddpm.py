"""A diffusion pipeline of random weights, as diffusers saves it."""

from __future__ import annotations

import torch


def pipeline(path, steps=6, **changed):
    """A DDPM of a few thousand random weights, on disk; what it is of is settled by `changed`."""
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    torch.manual_seed(0)
    shape = {"sample_size": 16, "in_channels": 1, "out_channels": 1} | changed
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    net = UNet2DModel(layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4, **blocks, **shape)
    DDPMPipeline(net, DDPMScheduler(num_train_timesteps=steps)).save_pretrained(path)
    return path
