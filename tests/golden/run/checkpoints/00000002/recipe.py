"""A resolved recipe: every field as this run used it."""

from ggdr.augment.ada import ADA
from ggdr.data.digits import Digits
from ggdr.games.standard import StandardGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(
        size=16,
        margin=1,
        labels=False,
        subset=64,
    ),
    generator=StyleGAN2GeneratorConfig(
        z_dim=8,
        w_dim=8,
        mapping_layers=2,
        channel_base=32768,
        channel_max=8,
        smallest=4,
        style_mixing=0.9,
        w_avg_beta=0.995,
        clamp=None,
    ),
    discriminator=UNetDiscriminatorConfig(
        encoder=StyleGAN2DiscriminatorConfig(
            architecture='resnet',
            channel_base=32768,
            channel_max=8,
            smallest=4,
            mbstd_group=4,
            mbstd_channels=1,
            mapping_layers=2,
            clamp=None,
        ),
        kernel=1,
        activation='linear',
    ),
    loss=NonSaturating(
        weight=1.0,
        every=1,
    ),
    regularizers={
        'r1': R1(
            weight=0.1,
            every=4,
        ),
        'path_length': PathLength(
            weight=2.0,
            every=2,
            decay=0.01,
            shrink=2,
        ),
        'ggdr': GGDR(
            weight=10.0,
            every=1,
            resolutions=(8,),
            shares=(1.0,),
            start_kimg=(0.0,),
            ramp_kimg=(0.0,),
        ),
    },
    augment=ADA(
        pipeline=('blit', 'geometry', 'colour'),
        strengths=(1.0,),
        target=-2.0,
        speed_kimg=0.1,
        interval=4,
        p_max=1.0,
        fixed_p=None,
    ),
    game=StandardGame(
        fresh_reals=False,
    ),
    metrics={},
    trackers={},
    callbacks={},
    g_optimizer=Adam(
        lr=0.0025,
        clip_norm=None,
        clip_value=None,
        beta1=0.0,
        beta2=0.99,
        eps=1e-08,
        weight_decay=0.0,
    ),
    d_optimizer=Adam(
        lr=0.0025,
        clip_norm=None,
        clip_value=None,
        beta1=0.0,
        beta2=0.99,
        eps=1e-08,
        weight_decay=0.0,
    ),
    e_optimizer=None,
    batch_size=8,
    micro_batch_size=4,
    n_critic=1,
    total_kimg=0.016,
    ema_kimg=10.0,
    ema_rampup=0.05,
    ema_sigma_rel=None,
    precision='fp32',
    bf16_stages=None,
    power_iteration='update',
    tf32=False,
    compile=False,
    init_from=None,
    freeze_d=0,
    seed=0,
    num_workers=None,
    nonfinite_limit=10,
    rollbacks=0,
    rollback_lr=0.5,
    log_kimg=0.008,
    sample_kimg=0.0,
    checkpoint_kimg=0.016,
    metric_kimg=0.0,
    keep_checkpoints=2,
    keep_best='',
    sample_images=4,
    hub_id=None,
    hub_private=False,
    hub_licence='',
    hub_kimg=1000.0,
    about=None,
)
