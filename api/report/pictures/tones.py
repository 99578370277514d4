"""How a bar looks, by what it says: a fill, an edge, an ink to write on it. In grey, severities still differ by depth."""

from enum import Enum

from api.report.pictures.palette import Ink


class Tone(Enum):
    """Ground, edge and text of a bar."""

    PLAIN = (Ink.PLAIN, Ink.EDGE, Ink.TEXT)
    ACCENT = (Ink.ACCENT_SOFT, Ink.ACCENT, Ink.TEXT)
    BAD = (Ink.BAD_SOFT, Ink.BAD, Ink.TEXT)
    GOOD = (Ink.GOOD_SOFT, Ink.GOOD, Ink.TEXT)
    SEV1 = (Ink.SEV1, Ink.SEV1, Ink.ON_SEV1)
    SEV2 = (Ink.SEV2, Ink.EDGE, Ink.ON_SEV2)
    SEV3 = (Ink.SEV3, Ink.EDGE, Ink.ON_SEV3)

    @property
    def fill(self) -> Ink:
        return self.value[0]

    @property
    def edge(self) -> Ink:
        return self.value[1]

    @property
    def text(self) -> Ink:
        return self.value[2]


def of_severity(name: str) -> Tone:
    return {"SEV-1": Tone.SEV1, "SEV-2": Tone.SEV2, "SEV-3": Tone.SEV3}.get(name, Tone.PLAIN)
