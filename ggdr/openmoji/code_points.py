"""What the code points of an emoji say: its group, its skin tone, and which others are the same drawing."""

from __future__ import annotations

import unicodedata
from bisect import bisect
from hashlib import blake2b

GROUPS = {
    "s": "smileys",
    "p": "people",
    "n": "animals",
    "f": "food",
    "t": "travel",
    "a": "activities",
    "o": "objects",
    "y": "symbols",
    "g": "flags",
    "x": "extras",
}
"""the groups of Unicode's emoji-test.txt by the letters of RUNS, and OpenMoji's own emoji, "extras"""
RUNS = tuple(
    """
23y 231At 2328o 23CFy 23F0t 23F8y 2600t 2605y 260Eo 2611y 2614t 2615f 2618n 261Dp 2620s 2622y 2639s 2640y 2654a
2668t 267By 2692o 2693t 2694o 2695y 2696o 269By 26A1t 26A7y 26B0o 26BDa 26C4t 26CEy 26CFo 26D4y 26E9t 26F3a 26F4t
26F7p 26F8a 26F9p 26FAt 2702o 2705y 2708t 2709o 270Ap 270Fo 2714y 2728a 2733y 2744t 2747y 2763s 2795y 2B50t 2B55y
E000x 1F004a 1F10Dy 1F1E6g 1F201y 1F300t 1F32Df 1F331n 1F336f 1F337n 1F33Df 1F33En 1F345f 1F380a 1F382f 1F383a
1F385p 1F386a 1F38Cg 1F38Da 1F392o 1F396a 1F399o 1F39Fa 1F3A0t 1F3A3a 1F3A4o 1F3A6y 1F3A7o 1F3A8a 1F3A9o 1F3AAt
1F3ABa 1F3ACo 1F3ADa 1F3B5o 1F3BDa 1F3C1g 1F3C2p 1F3C5a 1F3C7p 1F3C8a 1F3CAp 1F3CDt 1F3CFa 1F3D4t 1F3E7y 1F3E8t
1F3EEo 1F3EFt 1F3F3g 1F3F5n 1F3F7o 1F3F8a 1F3F9o 1F3FAf 1F3FBp 1F400n 1F440p 1F451o 1F463p 1F479s 1F47Cp 1F47Ds
1F481p 1F484o 1F485p 1F488t 1F489o 1F48Bs 1F48Do 1F48Fp 1F490n 1F491p 1F492t 1F493s 1F4A0y 1F4A1o 1F4A2s 1F4A3o
1F4A4s 1F4A7t 1F4A8s 1F4AAp 1F4ABs 1F4AEn 1F4AFs 1F4B0o 1F4B1y 1F4B3o 1F4BAt 1F4BBo 1F4DBy 1F4DCo 1F4F3y 1F4F7o
1F500y 1F507o 1F518y 1F525t 1F526o 1F52Af 1F52Ba 1F52Co 1F52Ea 1F52Fy 1F54An 1F54Bt 1F54Ey 1F550t 1F56Fo 1F570t
1F573s 1F574p 1F576o 1F577n 1F579a 1F57Ap 1F587o 1F590p 1F5A4s 1F5A5o 1F5BCa 1F5C2o 1F5E3p 1F5E8s 1F5F3o 1F5FAt
1F5FFo 1F600s 1F645p 1F648s 1F64Bp 1F680t 1F6A3p 1F6A4t 1F6A9g 1F6AAo 1F6ABy 1F6ACo 1F6ADy 1F6B2t 1F6B3y 1F6B4p
1F6B7y 1F6BDo 1F6BEy 1F6BFo 1F6C0p 1F6C1o 1F6C2y 1F6CBo 1F6CCp 1F6CDo 1F6CEt 1F6CFo 1F6D0y 1F6D1t 1F6D2o 1F6D5t
1F6D7o 1F6D8t 1F6DCy 1F6DDt 1F6E0o 1F6E2t 1F6F7a 1F6F8t 1F7E0y 1F90Cp 1F90Ds 1F90Fp 1F910s 1F918p 1F920s 1F926p
1F927s 1F930p 1F93Fa 1F940n 1F941o 1F942f 1F945a 1F950f 1F970s 1F977p 1F978s 1F97Bo 1F980n 1F9AFo 1F9B0p 1F9BAo
1F9BBp 1F9BCt 1F9BEp 1F9C0f 1F9CCp 1F9D0s 1F9D1p 1F9E1s 1F9E2o 1F9E7a 1F9EAo 1F9EDt 1F9EEo 1F9F1t 1F9F2o 1F9F3t
1F9F4o 1F9F5a 1F9F7o 1F9F8a 1F9F9o 1FA75s 1FA78o 1FA80a 1FA82t 1FA83o 1FA84a 1FA87o 1FA90t 1FA91o 1FAA1a 1FAA3o
1FAA8t 1FAA9a 1FAAAo 1FAAFy 1FAB0n 1FAB5t 1FAB6n 1FAC0p 1FACDn 1FAD0f 1FADFy 1FAE0s 1FAE6p 1FAE7o 1FAE8s 1FAF0p
""".split()
)
"""first code points, ascending, each with the group that holds from there on (emoji-test.txt of Unicode 17)"""
STARTS = [int(run[:-1], 16) for run in RUNS]
TONES = ("no tone", "light", "medium-light", "medium", "medium-dark", "dark", "two tones")
"""classes of skin: none, the Fitzpatrick modifiers U+1F3FB .. 1F3FF, or two different ones"""
FIRST_TONE, LAST_TONE = 0x1F3FB, 0x1F3FF
LETTERS = range(0x1F1E6, 0x1F200)
"""regional indicators A to Z, two of which make a flag"""
PRESENTATION = {0x200D, 0xFE0F}
"""joiner, and selector of colour: how code points are written, not what is drawn"""
VARIANTS = {0x2640, 0x2642, 0x27A1, *range(0x1F9B0, 0x1F9B4)}
"""woman, man, facing right (the mirror image), and hair: small changes of one drawing"""
PERSON = {0x1F468: 0x1F9D1, 0x1F469: 0x1F9D1}
"""man and woman as a person: many files of a man and of a person are equal"""
SAME = {
    "1F1ED-1F1F2": "1F1E6-1F1FA",
    "1F1EB-1F1F7": "1F1E8-1F1F5",
    "1F1F2-1F1EB": "1F1E8-1F1F5",
    "1F1EA-1F1F8": "1F1EA-1F1E6",
    "1F1F2-1F1E8": "1F1EE-1F1E9",
    "1F1F8-1F1EF": "1F1F3-1F1F4",
    "1F1F9-1F1E9": "1F1F7-1F1F4",
    "25AD": "1F3F3-2B1C",
    "1F46B": "1F9D1-1F91D-1F9D1",
    "1F46C": "1F9D1-1F91D-1F9D1",
    "1F46D": "1F9D1-1F91D-1F9D1",
    "1F46F": "1F9D1-1F430-1F9D1",
    "1F48F": "1F9D1-2764-1F48B-1F9D1",
    "1F491": "1F9D1-2764-1F9D1",
    "1F91D": "1FAF1-1FAF2",
    "1F93C": "1F9D1-1FAEF-1F9D1",
}
"""drawings that are another one under further code points: flags of two countries, couples as one and as two"""
PARTS = 3
"""disjoint parts of the drawings: two to learn from, the last one held out"""


def code_points(name: str) -> list[int]:
    """The code points in a file's name: "1F44D-1F3FD" -> [0x1F44D, 0x1F3FD]."""
    return [int(number, 16) for number in name.split("-")]


def group(name: str) -> str:
    """The group of an emoji, one of GROUPS."""
    return GROUPS[RUNS[bisect(STARTS, code_points(name)[0]) - 1][-1]]


def tone(name: str) -> str:
    """The skin tone of an emoji, one of TONES."""
    found = {point for point in code_points(name) if FIRST_TONE <= point <= LAST_TONE}
    if len(found) > 1:
        return TONES[-1]
    return TONES[found.pop() - FIRST_TONE + 1] if found else TONES[0]


def description(name: str) -> str:
    """What an emoji shows, in the words of its code points' Unicode names: "man and rocket, dark skin".

    Points that Python's Unicode does not know have none, as OpenMoji's own, which say their group.
    """
    points = [point for point in code_points(name) if point not in PRESENTATION]
    shown = [point for point in points if not FIRST_TONE <= point <= LAST_TONE]
    if group(name) == "flags" and shown[0] in LETTERS:
        return "flag of " + "".join(chr(ord("a") + point - LETTERS[0]) for point in shown if point in LETTERS)
    words = " and ".join(filter(None, (unicodedata.name(chr(point), "").lower() for point in shown))) or group(name)
    return words if tone(name) == TONES[0] else f"{words}, {tone(name)} skin"


def drawing(name: str) -> str:
    """Name what all variants of one drawing share: the code points without skin tone, gender, hair and direction."""
    points = code_points(name)
    kept = [point for point in points if not (FIRST_TONE <= point <= LAST_TONE or point in PRESENTATION | VARIANTS)]
    found = "-".join(f"{PERSON.get(point, point):X}" for point in kept or points[:1])
    return SAME.get(found, found)


def part(name: str) -> int:
    """Which of the PARTS an emoji is in (0, 1 or 2), by a hash of its drawing: the same in all versions of OpenMoji."""
    return int.from_bytes(blake2b(drawing(name).encode(), digest_size=8).digest(), "big") % PARTS
