"""What a part is when a recipe says nothing of it: the numbers of its paper, or ours, which no edit changes unseen."""

from __future__ import annotations

from dataclasses import fields

from registered import own

from ggdr.play.term import Loss, Regularizer
from ggdr.registry import augmentations, metrics, optimizers, regularizers, schedules

losses = own("loss")
OF_A_TERM = {"weight": 1.0, "every": 1}
TERMS = {
    "apa": {"target": 0.6, "speed_kimg": 500.0, "p_max": 0.9},  # sec. 3 of the paper; the bound is ours
    "auxiliary_classifier": {"fakes": True, "attributes": None},
    "auxiliary_rotation": {"alpha": 0.2, "beta": 1.0},
    "bcr": {"flip": True, "shift": 4, "real_weight": 10.0, "fake_weight": 10.0},
    "began": {"gamma": 0.5, "lambda_k": 0.001},
    "cam": {"weight": 1000.0},
    "class_feature_matching": {},
    "compatibility": {"fakes": True},
    "conditional": {},
    "content": {},
    "content_reconstruction": {},
    "contrad": {
        "fake_weight": 1.0, "logit_weight": 1.0, "temperature": 0.1, "width": 128, "hidden": 512, "flip": True,
    },
    "classification": {},
    "cr": {"weight": 10.0, "flip": True, "shift": 4},
    "cutmix": {"p": 0.5, "ramp_kimg": 0.0},
    "cycle": {"weight": 10.0},
    "dragan": {"weight": 10.0, "radius": 0.5},
    "ebgan": {"margin": 1.0},
    "entropy": {"weight": 10.0},
    "fastgan_reconstruction": {},
    "feature_matching": {"resolutions": ()},
    "fsmr": {},
    "ggdr": {"weight": 10.0, "resolutions": (), "shares": (), "start_kimg": (0.0,), "ramp_kimg": (0.0,)},
    "glead": {"weight": 10.0, "resolutions": ()},
    "hinge": {},
    "identity": {"weight": 5.0},
    "image_reconstruction": {"norm": "l2"},
    "kl": {"weight": 0.05},
    "l1": {"weight": 100.0},
    "l2": {},
    "labelmix": {"weight": 10.0},
    "least_squares": {},
    "lecam": {"weight": 0.3, "decay": 0.99, "one_sided": False},
    "minimax": {},
    "mismatched": {"weight": 0.5},
    "mutual_information": {"uniform_weight": 0.1, "hidden": 128},
    "nce": {"patches": 256, "temperature": 0.07},
    "nce_identity": {"patches": 256, "temperature": 0.07},
    "non_saturating": {},
    "orthogonal": {"weight": 1e-4},
    "paired_feature_matching": {"weight": 10.0},
    "perceptual": {
        "extractor": "vgg19", "layers": ("relu5_4",), "layer_weights": (1.0,), "distance": "l2", "against": "truth",
    },
    "path_length": {"weight": 2.0, "every": 4, "decay": 0.01, "shrink": 2},
    "per_pixel": {"form": "non_saturating"},
    "pulling_away": {"weight": 0.1},
    "r1": {"weight": None, "every": 16},
    "r1_approximate": {"weight": None, "sigma": 0.01, "share": 1.0},
    "r2": {"every": 16},
    "r2_approximate": {"sigma": 0.01, "share": 1.0},
    "relativistic": {},
    "relativistic_average": {"form": "logistic"},
    "repa": {"extractor": "dinov2", "hidden": 2048},
    "san": {"weighting": "uniform"},
    "segmentation": {"balanced": True},
    "semantic": {"fakes": False, "balanced": True},
    "visual_pivot": {},
    "latent_regression": {},
    "wasserstein": {"clip": 0.01},
    "style": {"weight": 10.0},
    "style_reconstruction": {},
    "wgan_gp": {"weight": 10.0, "target": 1.0},
    "zcr": {"noise": 0.03, "d_weight": 5.0, "g_weight": 0.5},
}  # fmt: skip
OF_A_METRIC = {"images": 2048, "reals": None}
METRICS = {
    "density_coverage": {"extractor": "vgg16", "neighbours": 5},
    "diversity": {"extractor": "lpips"},
    "fd_dinov2": {"extractor": "dinov2"},
    "fid": {"extractor": "inception"},
    "is": {"extractor": "inception", "splits": 10, "seed": 2020},
    "kid": {"extractor": "inception", "subsets": 100, "subset": 1000, "seed": 2020},
    "l1": {},
    "lpips": {"extractor": "lpips"},
    "mean_iou": {},
    "memorization": {"extractor": "dinov2"},
    "ms_ssim": {"seed": 0},
    "ppl": {"extractor": "lpips", "space": "w", "sampling": "end", "epsilon": 1e-4, "seed": 0},
    "precision_recall": {"extractor": "vgg16", "neighbours": 3},
    "psnr": {},
    "ssim": {},
    "swd": {"patches": 32, "side_px": 7, "directions": 128, "seed": 0},
    "zero_shot": {"per_class": 60, "neighbours": 1},
}
AUGMENTATIONS = {
    "ada": {
        "pipeline": ("blit", "geometry", "colour"), "strengths": (1.0,), "target": 0.6, "speed_kimg": 500.0,
        "interval": 4, "p_max": 1.0, "fixed_p": None,
    },
    "diffaug": {"policy": ("colour", "translation", "cutout"), "colour_share": 1.0, "mirror_share": 0.0},
    "diffusion": {
        "t_min": 5, "t_max": 1000, "timesteps": "priority", "clean": 0.5, "beta_start": 0.0001, "beta_end": 0.02,
        "sigma": 0.05, "target": 0.6, "speed_kimg": 100.0, "interval": 4, "fixed_t": None,
    },
    "none": {},
}  # fmt: skip
OPTIMIZERS = {
    "adam": {"lr": 0.0025, "beta1": 0.0, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0},
    "adamw": {"lr": 0.0025, "beta1": 0.0, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.01},
    "rmsprop": {"lr": 0.00005, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "weight_decay": 0.0},
    "sgd": {"lr": 0.01, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0},
}
OF_A_SPAN = {"start": None, "warmup_kimg": 0.0, "end": 0.0, "kimg": None, "hold_kimg": 0.0}
SCHEDULES = {
    "constant": {"start": None, "warmup_kimg": 0.0},
    "cosine": OF_A_SPAN,
    "inverse": {"start": None, "warmup_kimg": 0.0, "kimg": None},
    "inverse_sqrt": {"start": None, "warmup_kimg": 0.0, "kimg": None},
    "linear": OF_A_SPAN,
    "steps": {"start": None, "warmup_kimg": 0.0, "factor": 0.1, "milestones_kimg": ()},
}


def settings(part) -> dict:
    """Its fields; of a part inside, the name."""
    inside = {"extractor"} & {field.name for field in fields(part)}
    values = {field.name: vars(part)[field.name] for field in fields(part)}
    return values | {name: values[name].name for name in inside}


def test_terms_metrics_and_augmentations_begin_as_published():
    reconstruction = {"fastgan_reconstruction": {"extractor": "pixels"}}
    for kind, table, shared in (
        ({**losses, **regularizers}, TERMS | reconstruction, OF_A_TERM),
        (metrics, METRICS, OF_A_METRIC),
        (augmentations, AUGMENTATIONS, {}),
        (optimizers, OPTIMIZERS, {"clip_norm": None, "clip_value": None}),
        (schedules, SCHEDULES, {}),
    ):
        own = {name: part for name, part in kind.items() if part.__module__.startswith("ggdr.")}  # not other tests'
        assert {name: settings(part()) for name, part in own.items()} == {
            name: shared | own for name, own in table.items()
        }


def where(kind, holds) -> set[str]:
    """The names of the parts of which this holds."""
    return {name for name, part in kind.items() if holds(part)}


def test_losses_say_what_logits_mean_under_them():
    undecided = {name: loss.undecided for name, loss in losses.items() if loss.undecided is not None}
    assert undecided == {"hinge": 0, "least_squares": 0.5, "minimax": 0, "non_saturating": 0, "segmentation": 0}
    assert where(losses, lambda loss: not loss.ranks) == {"began", "contrad"}
    assert where(losses, lambda loss: loss.logistic) == {"minimax", "non_saturating"}
    lopsided = {"began", "contrad", "ebgan", "least_squares", "segmentation"}
    assert where(losses, lambda loss: not loss.symmetric) == lopsided
    assert (Loss.undecided, Loss.ranks, Loss.logistic, Loss.symmetric) == (0.0, True, False, False)


def test_terms_say_what_they_read_and_how_exactly():
    terms = {**losses, **regularizers}
    penalties = {"dragan", "r1", "r2", "wgan_gp"}
    assert where(terms, lambda term: term.float32) == penalties | {"path_length"}
    assert where(terms, lambda term: term.reads_logits) == penalties | {
        "apa", "bcr", "cr", "fsmr", "lecam", "mismatched", "r1_approximate", "r2_approximate", "san", "zcr",
    }  # fmt: skip
    assert {name: term.least for name, term in terms.items() if term.least > 1} == dict.fromkeys(
        ("compatibility", "contrad", "feature_matching", "fsmr", "mismatched", "pulling_away"), 2
    )
    assert not Regularizer.float32 and not Regularizer.reads_logits and Regularizer.least == 1


def test_metrics_say_from_how_many_images_on_they_mean_something():
    assert {name: metric.reliable_images for name, metric in metrics.items()} == {
        "density_coverage": 1000, "diversity": 100, "fd_dinov2": 2048, "fid": 2048, "is": 5000, "kid": 100, "l1": 100,
        "lpips": 100, "mean_iou": 100, "memorization": 1000, "ms_ssim": 200, "ppl": 1000, "precision_recall": 1000,
        "psnr": 100, "ssim": 100,
        "swd": 2, "zero_shot": 2,
    }  # fmt: skip
    assert where(metrics, lambda metric: metric.better == "higher") == {
        "density_coverage", "diversity", "is", "mean_iou", "precision_recall", "psnr", "ssim", "zero_shot",
    }  # fmt: skip
    assert where(metrics, lambda metric: metric.covariance) == {"fid", "fd_dinov2"}
