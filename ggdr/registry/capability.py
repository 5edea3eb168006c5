"""Capabilities: what one part hands to another beyond a plain image and a plain logit, in one table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import Enum

from ggdr.errors import UserError

MAPS = "{r: [N, K, r, r W / H]}"
"""feature maps by their height r in pixels"""


class Capability(Enum):
    """Something that one part `provides` and another `requires`; the value is its name in messages and listings.

    Each member is one row of the table: name, who provides it, who reads it, the shape of what is handed over, and one
    sentence. docs/zoo.md is rendered from it.
    """

    producers: tuple[str, ...]
    """kinds of part that may provide it, as their registries call them; or "duel", which has it without being asked"""
    consumers: tuple[str, ...]
    """kinds of part that require it, or packages of ggdr that ask for it"""
    shape: str
    """what is handed over: a tensor's axes, a mapping's keys, or the signature of the method that is called"""
    meaning: str
    """one sentence"""

    def __new__(cls, value: str, producers: str, consumers: str, shape: str, meaning: str) -> Capability:
        """A member from its row; kinds are separated by commas."""
        member = object.__new__(cls)
        member._value_ = value
        member.producers, member.consumers = tuple(producers.split(", ")), tuple(consumers.split(", "))
        member.shape, member.meaning = shape, meaning
        return member

    # fmt: off
    G_FEATURES = ("g_features", "generator", "regularizer, visualization, explorer, latent", MAPS,
                  "Feature maps of the layers that made the image, of the resolutions that are asked for.")
    WS = ("ws", "generator", "regularizer, metric, latent, explorer", "[N, L, W]",
          "Style codes, one a layer; `styles` and `synthesize` are the two halves of the network.")
    TRUNCATION = ("truncation", "generator", "sampling, latent, explorer, exporting, hub", "psi: float, cutoff: int",
                  "Style codes can be drawn towards their mean, by two further arguments of `forward`.")
    NOISE = ("noise", "generator", "sampling, metric, evaluation, exporting, explorer",
             '"random", "const" or "none"',
             "Noise joins the maps of each layer: fresh, the same each time, or none, by an argument of `forward`.")
    NOISE_MAPS = ("noise_maps", "generator", "latent", "{layer: [H, W]}",
                  "The noise that layers keep from the start, which `synthesize` lets be replaced.")
    INPUT_MATRICES = ("input_matrices", "generator", "latent, explorer", "[[K, D], ...]",
                      "The matrices by which the code enters the layers, from which directions are found (SeFa).")
    FORWARD_FROM = ("forward_from", "generator", "regularizer", "([N, K, r, r W / H], r, [N, W]) -> [N, C, H, W]",
                    "The layers above given feature maps make an image of them, under one style code.")
    RESOLUTION_LAYERS = ("resolution_layers", "generator", "transfer", "{r: [layer, ...]}",
                         "Layers are known by the resolution of their maps, so that two networks can share an image.")
    CONTENT_STYLE = ("content_style", "generator", "game", "([N, K, h, w], [N, z_dim])",
                     "A translator parts images into content and style, and decodes any of both: three methods.")
    PLACE_CODES = ("place_codes", "generator", "play", "[N, z_dim, H, W]",
                   "A translator takes a code of each place as well as one of the image: noise in three dimensions.")
    ENCODER_MAPS = ("encoder_maps", "generator", "game", "[[N, K, h, w], ...]",
                    "Maps of a translator's first layers, `encoder_maps`, in which places of two images are compared.")
    FROZEN_ENCODER = ("frozen_encoder", "generator", "game", "{name: [N, K, h, w]}",
                      "A translator's encoder is a row of named layers that never learn; its settings take another's.")
    PRIOR = ("prior", "generator", "regularizer", "[N, z_dim]",
             "Codes are drawn from a prior with parts, `config.prior`: `codes` makes them of noise.")
    SCALES = ("scales", "generator, discriminator", "augmentation", "{r: [N, C, r, r W / H]}",
              "The image at smaller sizes: a generator makes them itself, a discriminator judges them as well.")
    INTERMEDIATES = ("intermediates", "generator, discriminator", "play", "([N, C, H, W], ...)",
                     "Heads at several depths each make the image: a generator hands them over, D judges all at once.")
    GROW = ("grow", "generator, discriminator", "game", "grow(level: float)",
            "The network plays at a level, from its smallest image to the whole one, each next one faded in.")
    STAGES = ("stages", "generator, discriminator", "recipe", "-",
              "Stages of one resolution each, of which low ones may compute in float32 where the others use bfloat16.")
    PYRAMID = ("pyramid", "discriminator", "discriminator, regularizer, visualization", MAPS,
               "The encoder's own feature maps, from its smallest to half of the image.")
    D_FEATURES = ("d_features", "discriminator", "regularizer, visualization", MAPS,
                  "Maps that a decoder draws from the encoder's, to be compared with the generator's.")
    HEADS = ("heads", "discriminator", "loss, regularizer", "{name: [N, outputs]}",
             "Small networks on the encoder's last maps, one for each `Head` that a term asks for.")
    TOKENS = ("tokens", "discriminator", "regularizer", "[N, 1 + T, K]",
              "It is a transformer: heads that terms ask for say something of its class token and of each other one.")
    PIXEL_LOGITS = ("pixel_logits", "discriminator", "regularizer", "[N, 1, H, W]",
                    "A logit of each pixel beside that of the image.")
    CLASS_LOGITS = ("class_logits", "discriminator", "loss, regularizer", "[N, K + 1, H, W]",
                    "For each pixel of the reals a logit of each class of their label map, and last of being a fake.")
    CLASS_ODDS = ("class_odds", "discriminator", "loss", "[N, H W]",
                  "The logits, one of each pixel, are what those of classes say of its being of any but the last.")
    RECONSTRUCTION = ("reconstruction", "discriminator", "regularizer", "{name: (drawn, true), each [N, C, h, w]}",
                      "Pictures that decoders draw again from the encoder's maps of the reals.")
    LOGIT_FACTORS = ("logit_factors", "discriminator", "discriminator", "code: [N, K], direction: [K] or [N, K]",
                     "The logit is the product of a code of the image and a direction, the last layer's weights.")
    DIRECTION_LOGITS = ("direction_logits", "discriminator", "regularizer", "[N]",
                        "The logit again, by whose gradient the last layer's direction alone learns.")
    ENCODE = ("encode", "discriminator", "game", "[N, C, H, W] -> [N, K, h, w]",
              "The first layers are an encoder, `encode`, whose codes (`code_spec`) a translator decodes.")
    ENERGY = ("energy", "discriminator", "loss", "[N]",
              "The logit is minus an energy, which is never below zero: its sign says nothing, its size does.")
    TIMESTEP = ("timestep", "discriminator, augmentation", "play", "[N, L + 1]",
                "Labels may have a further column: how many steps of diffusion the image took before it was judged.")
    TRUTH = ("truth", "duel, evaluation", "regularizer, metric", "[N, C, H, W]",
             "The image that should be made is known, since the data are pairs.")
    OTHER_DRAWS = ("other_draws", "evaluation", "metric", "[N, C, H, W]",
               "What is made of the same inputs under other draws: there are several answers to one image.")
    SOURCE = ("source", "duel", "loss, regularizer", "[N, Cs, Hs, Ws]",
              "The fake is made of an image, not of noise.")
    STYLISED = ("stylised", "duel", "regularizer", "{name: [N, K, h, w]}",
                "Content, style and fake are seen in the named layers of one frozen encoder.")
    CYCLE = ("cycle", "duel", "regularizer", "[N, Cs, Hs, Ws]",
             "A second generator makes the source again of the fake.")
    IDENTITY = ("identity", "duel", "regularizer", "[N, C, H, W]",
                "What the generator makes of the reals, which are of its domain already.")
    IMAGES = ("images", "duel", "regularizer", "[N, C, H, W]",
              "Reals and fakes are images, which may be moved, and fakes are made of noise or images; codes are not.")
    CAM = ("cam", "generator", "regularizer, play", '{"cam": [N, heads]}',
           "A translator's own classifiers tell its source from its target; `heat_map` shows where it looks.")
    FOUND_CONTENT = ("found_content", "duel", "regularizer", "[N, K, h, w]",
                     "The content of the source, and what is found of it in the fake.")
    FOUND_STYLE = ("found_style", "duel", "regularizer", "[N, z_dim]",
                   "The code that the fake was made under is found in it again.")
    CONDITION = ("condition", "duel", "regularizer", "[N, L]",
                 "What a fake was made under, labels or features, is found again in it by a frozen encoder.")
    POSTERIOR = ("posterior", "generator, duel", "regularizer", "mean and log variance, [N, K] each",
                 "A code of a fake is drawn from what an encoder says of the image it is to become, or G of its label.")
    DECODED = ("decoded", "duel", "regularizer", "[N, C, H, W]",
               "The fakes are what a decoder makes of the codes that an encoder finds in the reals.")
    CLASSIFIED = ("classified", "duel", "regularizer", "[N, K]",
                  "The encoder tells the classes of images whose labels are known.")
    PATCH_FEATURES = ("patch_features", "duel", "regularizer", "[([N, P, K], [N, P, K]), ...]",
                      "What the translator's encoder says of places of the image made, and of the same places before.")
    EXAMPLES = ("examples", "duel", "regularizer", "[N, C, H, W]",
                "The reals show what the fakes that meet them are made into: they are their examples.")
    REAL_GRAD = ("real_grad", "duel", "regularizer", "[N, C, H, W]",
                 "The reals are a leaf that takes gradient.")
    FAKE_GRAD = ("fake_grad", "duel", "regularizer", "[N, C, H, W]",
                 "On D's turn the fakes are a leaf that takes gradient.")
    REAL_FEATURES = ("real_features", "duel", "regularizer", MAPS,
                     "The discriminator's decoder draws maps of the reals too, not of the fakes alone.")
    FAKE_CLASS_LOGITS = ("fake_class_logits", "duel", "loss, regularizer", "[N, K + 1, H, W]",
                         "Pixels of the fakes are told apart as well, not of the reals alone.")
    LABEL_MAP = ("label_map", "duel", "loss, regularizer", "[N, K, H, W]",
                 "A label map of the reals is known, one-hot, zero where ignored.")
    MOVED_REAL = ("moved_real", "duel", "regularizer", "[N, C, H, W]",
                  "The reals as the augmentation moved them, without what it did to their colours.")
    REPLAY = ("replay", "duel", "regularizer", "torch's random states",
              "Other images can be judged under the very draws of augmentation and network of an earlier pass.")
    SLOPE = ("slope", "regularizer", "loss", "-",
             "A gradient penalty draws the discriminator's slope to a number, so that clipping would fight it.")
    PIXEL_LOSS = ("pixel_loss", "regularizer", "regularizer", "-",
                  "A term trains the logits of pixels, so that others may read them.")
    CLASSES = ("classes", "feature extractor", "metric, features, evaluation", "[N, K]",
               "Logits of the classes that a feature network was trained on.")
    SMOOTH = ("smooth", "feature extractor", "metric, regularizer, latent", "[N, C, H, W] float32 in [0, 255]",
              "Images are taken without rounding, so that gradients pass to them.")
    LAYERS = ("layers", "feature extractor", "regularizer, game", "{name: [N, K, h, w]}",
              "The maps of its convolutions have names, such as relu4_1, and pass gradients to images: `load_layers`.")
    PATCHES = ("patches", "feature extractor", "regularizer", "[N, K], [N, K, h, w]",
               "The image as a whole and each part of it have features of one kind: `load_patches`.")
    GENERATOR = ("generator", "evaluation", "metric", "Generator",
                 "The generator itself, to walk in its latent space: images alone are not enough.")
    # fmt: on


def of_duels(capabilities: Iterable[Capability]) -> frozenset[Capability]:
    """Those of them that a duel has to provide, since no network does."""
    return frozenset(capability for capability in capabilities if "duel" in capability.producers)


def listed(capabilities: Iterable[Capability]) -> str:
    """Names in one line, shorter ones first; "nothing of the kind" for none."""
    names = (capability.value for capability in capabilities)
    return ", ".join(sorted(names, key=lambda name: (len(name), name))) or "nothing of the kind"


def check(owner: type, attribute: str) -> None:
    """UserError, with the nearest member, if a class declares as `attribute` anything but a set of capabilities."""
    declared = vars(owner).get(attribute, frozenset())
    example = f"{attribute} = frozenset({{Capability.WS}})"
    if not isinstance(declared, set | frozenset):
        raise UserError(f"{owner.__qualname__}.{attribute} is {declared!r}; give a set of capabilities: {example}.")
    for strange in declared:
        if isinstance(strange, Capability):
            continue
        known = {member.value: member.name for member in Capability}
        close = difflib.get_close_matches(str(strange).lower(), known, 1)
        hint = f"did you mean Capability.{known[close[0]]}?" if close else f"there are {', '.join(known.values())}."
        raise UserError(
            f"{owner.__qualname__}.{attribute} holds {strange!r}, which is no ggdr.registry.Capability; {hint}"
        )
