"""What is recorded all the same, and worth telling: the warnings of a receipt."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning: a code for programs, a sentence for people."""

    code: str
    detail: str
