"""What a person should know of images that no setting says, and of the paper's numbers on them: of theirs alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a person says of a set of images, for model cards."""

    name: str = ""
    """name of the set; where it is the recipe's own, such as FFHQ, what the recipe says of that set is taken over"""
    url: str = ""
    """page of the set"""
    images: str = ""
    """what they show, and who gathered them; a sentence without its full stop"""
    licence: str = ""
    """licence of the images, which bears on what may be done with the weights; a sentence without its full stop"""
    limits: str = ""
    """who and what is in them, what is missing, what the model is not for; whole sentences"""

    @property
    def is_described(self) -> bool:
        """Whether it says what the images are."""
        return bool(self.name or self.images)


@dataclass(frozen=True, kw_only=True)
class About(Description):
    """A description that holds for certain sources of images and no others, and the paper's numbers on that set."""

    sources: tuple[str, ...] = ()
    """sources for which it holds, as `DataSet.identity` names them; "": as long as none is chosen"""
    paper: str = ""
    """arXiv number or DOI of the experiment that the recipe repeats; empty: none"""
    table: str = ""
    """where in the paper the numbers stand"""
    metric: str = ""
    """what they measure, of how many images"""
    figures: dict[str, str] = field(default_factory=dict)
    """model -> the paper's number, as it is printed there"""
    count: int | None = None
    """training images in the paper, without mirrored copies; None: not known"""
    note: str = ""
    """what to know of these numbers; whole sentences"""


def about_source(identity: str, about: About | None, said: Description) -> About | None:
    """What is known of the images of a source: a recipe's words if they hold for it, and what a person says of it.

    The recipe's words also hold where the person gives the images the name that the recipe gives its own.
    """
    own = {key: value for key, value in vars(said).items() if value}
    if about is None or not (identity in about.sources or is_same_name(said, about)):
        return About(sources=(identity,), **own) if own else None
    sources = tuple(dict.fromkeys((*about.sources, identity)))
    name = about.name if is_same_name(said, about) else said.name or about.name
    return replace(about, **own | {"name": name}, sources=sources)


def is_same_name(said: Description, about: About) -> bool:
    """Whether a person calls the images what the recipe calls its own, in upper or lower case."""
    return bool(about.name) and said.name.casefold() == about.name.casefold()
