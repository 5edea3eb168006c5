"""What a person should know of a recipe that no other field says: its images, their licence, and what it aims for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class About:
    """What model cards say of a recipe's images, and of the paper's numbers that it is to reach."""

    images: str
    """what they show, how many there are, and who gathered them; a sentence without its full stop"""
    licence: str
    """of the images, which bears on what may be done with the weights; a sentence without its full stop"""
    limits: str
    """who and what is in them, what is missing, what the model is not for; whole sentences"""
    paper: str = ""
    """arXiv number or DOI of the experiment that it repeats; empty: none"""
    table: str = ""
    """where in the paper the numbers stand"""
    metric: str = ""
    """what they measure, of how many images"""
    figures: dict[str, float] = field(default_factory=dict)
    """model -> the paper's number"""
    note: str = ""
    """what to know of these numbers; whole sentences"""
