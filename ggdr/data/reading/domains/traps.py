"""What is known of public sets of two domains, and not seen by looking at a few of their rows."""

from __future__ import annotations

ZIPPED = frozenset(
    "apple2orange cezanne2photo horse2zebra iphone2dslr_flower monet2photo selfie2anime summer2winter_yosemite"
    " ukiyoe2photo vangogh2photo".split()
)
"""sets without pairs, which the Hub's organisation huggan keeps as two columns of one table"""
TRAPS = {
    "huggan/facades": "its one split holds the 400 pairs of training, 100 of validation and 106 of tests together",
    "Chris1/cityscapes": "its two columns do not correspond: the label map of a row is that of another image",
}
"""Hub id -> what is wrong with it, as a clause"""


def describe_trap(source: str, pairs: bool) -> tuple[str, ...]:
    """What a person should know of a set of the Hub before it is used, in a sentence; nothing of most."""
    owner, _, name = source.partition("/")
    if pairs and owner == "huggan" and name in ZIPPED:
        return (
            f"{source!r} holds no pairs, but two lists side by side, the shorter one repeated; type --data domains.",
        )
    return (f"{source!r}: {TRAPS[source]}.",) if source in TRAPS else ()
