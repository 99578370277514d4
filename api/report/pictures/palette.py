"""
The colours of all pictures, by what they are for: one accent, light and dark.

No colour says anything alone: a severity has its name and its depth in grey,
an estimate its hatching, a marker its shape. Text keeps a contrast of 4.5 to
whatever it may stand on (`READ_ON`), in light and in dark.
"""

from enum import Enum, StrEnum


class Ink(Enum):
    """What a colour is for; each with its value in light and in dark."""

    PAPER = ("#ffffff", "#161c26")
    BAND = ("#f5f7fa", "#1c2330")
    TEXT = ("#1b2330", "#e6eaf1")
    MUTED = ("#566072", "#a3aebf")
    GRID = ("#e7ebf1", "#28313f")
    LINE = ("#ccd4df", "#3d485a")
    EDGE = ("#7f8a9d", "#7b879a")
    PLAIN = ("#e8ecf2", "#2a3443")
    ACCENT = ("#2459c9", "#8bb0ff")
    ACCENT_SOFT = ("#e4ebfb", "#22345c")
    BAD = ("#b3202f", "#ff8e95")
    BAD_SOFT = ("#fae3e5", "#4a252d")
    BAD_LINE = ("#eebfc4", "#7a3a44")
    SHADE = ("#fdf0f1", "#2a1e28")
    GOOD = ("#14703b", "#62cf90")
    GOOD_SOFT = ("#dff1e6", "#1c3a2b")
    SEV1 = ("#a81c2b", "#ff9aa0")
    ON_SEV1 = ("#ffffff", "#2b070c")
    SEV2 = ("#f2c46d", "#7d520e")
    ON_SEV2 = ("#352200", "#fff3dc")
    SEV3 = ("#f5f1e8", "#2d2b27")
    ON_SEV3 = ("#433c2e", "#e9e2d3")

    @property
    def light(self) -> str:
        return self.value[0]

    @property
    def dark(self) -> str:
        return self.value[1]

    @property
    def variable(self) -> str:
        return f"--picture-{self.name.lower().replace('_', '-')}"


class Palette(StrEnum):
    """WEB for pages, which know light and dark; PRINT for PDF and files that stand alone on paper."""

    WEB = "web"
    PRINT = "print"

    def colour(self, ink: Ink) -> str:
        """As an attribute's value. Without the variables of `css`, a page gets the light colours."""
        return f"var({ink.variable}, {ink.light})" if self is Palette.WEB else ink.light

    @staticmethod
    def css() -> str:
        """A page's style sheet for its pictures: light or dark as its reader or its `color-scheme` says, light on paper."""
        pairs = "".join(f"{ink.variable}:light-dark({ink.light},{ink.dark});" for ink in Ink)
        light = "".join(f"{ink.variable}:{ink.light};" for ink in Ink)
        return (
            f":root{{color-scheme:light dark;{light}}}\n"
            f"@supports (color:light-dark(#000,#fff)){{:root{{{pairs}}}}}\n"
            f"@media print{{:root{{color-scheme:light}}}}\n"
        )


READ_ON = {
    Ink.TEXT: (
        Ink.PAPER,
        Ink.BAND,
        Ink.PLAIN,
        Ink.SHADE,
        Ink.LINE,
        Ink.ACCENT_SOFT,
        Ink.BAD_SOFT,
        Ink.BAD_LINE,
        Ink.GOOD_SOFT,
        Ink.SEV3,
    ),
    Ink.MUTED: (Ink.PAPER, Ink.BAND, Ink.SHADE),
    Ink.ACCENT: (Ink.PAPER, Ink.BAND, Ink.SHADE, Ink.ACCENT_SOFT),
    Ink.BAD: (Ink.PAPER, Ink.BAND, Ink.SHADE, Ink.BAD_SOFT),
    Ink.GOOD: (Ink.PAPER, Ink.BAND, Ink.GOOD_SOFT),
    Ink.ON_SEV1: (Ink.SEV1,),
    Ink.ON_SEV2: (Ink.SEV2,),
    Ink.ON_SEV3: (Ink.SEV3,),
}
"""Which ink is written on which ground."""

SEEN_ON = {
    Ink.EDGE: (Ink.PAPER, Ink.BAND),
    Ink.ACCENT: (Ink.PAPER, Ink.BAND, Ink.SHADE),
    Ink.BAD: (Ink.PAPER, Ink.BAND, Ink.SHADE),
    Ink.SEV1: (Ink.PAPER, Ink.BAND, Ink.SEV2, Ink.SEV3),
}
"""Marks that must be told from their ground without being read: a contrast of 3 or more."""
