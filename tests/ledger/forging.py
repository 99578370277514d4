"""What tests do with evidence bundles: take them apart, verify them, and make them anew as a forger would."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from ledger import verify
from ledger.evidence import _seal
from ledger.verify import MEMBERS, SEAL, Report


def verified(bundle: bytes, *keys: str, older: tuple[bytes, ...] = ()) -> Report:
    return verify.verify(io.BytesIO(bundle), map(verify.parse_key, keys), older)


def texts(report: Report) -> str:
    return "\n".join(each.text for each in report.differences)


def entries(bundle: bytes) -> list[dict]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return [json.loads(line) for line in archive.read("entries.ndjson").splitlines()]


def positions(bundle: bytes) -> list[int]:
    return [each["event"]["position"] for each in entries(bundle)]


def remade(bundle: bytes, **changed: bytes | None) -> bytes:
    """The bundle with some members changed, and sealed anew, as whoever forges one would."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(file, "w") as new:
        for name in MEMBERS:
            content = changed.get(name.replace(".", "_"), old.read(name))
            if content is not None:
                new.writestr(name, content)
        new.comment = SEAL + b"0" * 64
    _seal(file)
    return file.getvalue()


def member(bundle: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read(name)


def with_line(bundle: bytes, name: str, index: int, change: Callable[[bytes], bytes]) -> bytes:
    """The member with one of its lines changed."""
    lines = member(bundle, name).splitlines(keepends=True)
    lines[index] = change(lines[index])
    return b"".join(lines)


def with_entry(bundle: bytes, index: int, **changes: Any) -> bytes:
    """The entries with members of one changed."""

    def change(line: bytes) -> bytes:
        return json.dumps({**json.loads(line), **changes}).encode() + b"\n"

    return with_line(bundle, "entries.ndjson", index, change)


def manifest(bundle: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(member(bundle, "manifest.json")), **changes}).encode()
