"""
Runs typst, in a process of its own: JSON on standard input, the file on standard output.

typst remembers what it laid out, a gigabyte after a dozen long reports, and
never gives it back. So it runs here and ends; nothing else of lastgood is
loaded. It sees the files that it is sent, and an empty folder as root.
"""

import json
import sys
import tempfile
from typing import Any

import typst


def typeset(asked: dict[str, Any]) -> bytes:
    """*asked*: `files` as text by name, `main.typ` among them; `fonts`, a folder; `machine_fonts`; `options` of typst."""
    fonts = typst.Fonts(
        include_system_fonts=asked["machine_fonts"], include_embedded_fonts=False, font_paths=[asked["fonts"]]
    )
    files = {name: text.encode() for name, text in asked["files"].items()}
    with tempfile.TemporaryDirectory(prefix="lastgood-report-") as empty:
        made: Any = typst.compile(
            files, root=empty, font_paths=fonts, package_path=empty, package_cache_path=empty, **asked["options"]
        )
    return bytes(made)


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(json.load(sys.stdin.buffer)))
