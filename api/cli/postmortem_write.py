"""
`lastgood postmortem write`: a section from a file, from standard input, or from an editor that has the newest text.

Nothing is recorded where nothing changed, and no text is lost: one that could
not be recorded is kept in a file, and so is one that somebody else's overtook.
Words that blame are told with better ones, and never refused.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

import click

from api.cli import show
from api.cli.exits import Conflict, Invalid, Stopped
from api.cli.postmortem import TABLE, known, tell

TOPIC = "postmortem.section_written"

Written = Mapping[str, Any]
"""A section as it stands: text, position, by."""


def _write(incident: str, section: str, file: BinaryIO | None, **flags: Any) -> None:
    name = section.strip().replace("-", "_") if section.isascii() else section
    found = known(flags, incident)
    before = _section(found, name)
    text = _from_editor(before) if file is None else _from_file(file)
    if text is None or text == (before["text"].rstrip() if before else None):
        click.echo(f"nothing changed, nothing recorded: {show.plain(name)} of {show.plain(incident)}")
        return
    try:
        if file is None:
            _not_overtaken(_section(known(flags, incident), name), before)
        _record(flags, incident, name, text)
    except Stopped as stopped:
        if file is None:
            _keep(stopped, incident, name, text)
        raise
    for line in _advice(text, found):
        click.echo(line, err=True)


def _section(found: Mapping[str, Any] | None, name: str) -> Written | None:
    return next((each for each in found["sections"] if each["section"] == name), None) if found else None


def _from_editor(before: Written | None) -> str | None:
    """The text as it was saved; None where nothing was."""
    text = click.edit(before["text"] if before else "", extension=".md", require_save=True)
    return text.rstrip() if text and text.strip() else None


def _from_file(file: BinaryIO) -> str:
    try:
        text = file.read().decode("utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise Invalid(f"the text is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8") from None
    if not text.strip():
        raise Invalid("the text is empty", "a section that was wrong is retracted: lastgood record retract POSITION")
    return text


def _not_overtaken(now: Written | None, before: Written | None) -> None:
    if now is not None and now["position"] != (before["position"] if before else None):
        raise Conflict(
            f"{show.plain(now['by'])} wrote the section meanwhile, at position {now['position']}",
            "read theirs (lastgood postmortem show), then write yours with --file",
        )


def _record(flags: Mapping[str, Any], incident: str, section: str, text: str) -> None:
    given = {**flags, "incident": incident, "section": section, "text": text}
    TABLE.record(TOPIC, partial(tell, flags), **given)


def _keep(stopped: Stopped, incident: str, section: str, text: str) -> None:
    """Keeps what was typed, and says where."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{incident}-{section}").strip("-.") or "section"
    handle, kept = tempfile.mkstemp(prefix=f"{name[:80]}-", suffix=".md", dir=".")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text + "\n")
    stopped.advice = "; ".join(each for each in (stopped.advice, f"your text is kept in {kept}") if each)


def _advice(text: str, found: Mapping[str, Any] | None) -> Iterator[str]:
    """Gentle help with the words, a line each."""
    from projections import blameless  # noqa: PLC0415 - only what was written needs it

    for each in blameless.lint(text, found["people"] if found else ()):
        phrase = show.plain(each.phrase)
        yield f"advice: line {each.line}, column {each.column}: {phrase!r}: {each.why}; {each.instead}"


_FROM_ELSEWHERE = ("incident", "section", "text")

write = click.Command(
    "write",
    params=[
        click.Argument(["incident"]),
        click.Argument(["section"]),
        click.Option(["--file"], type=click.File("rb"), help="A Markdown file, or - for standard input. [$EDITOR]"),
        *(each for each in TABLE.command(TOPIC).params if each.name not in _FROM_ELSEWHERE),
    ],
    callback=_write,
    help="Write a section in Markdown, or write it anew: its earlier texts are kept. Such as summary, impact, "
    "trigger, detection, response, mitigation, root_cause, went_well, went_badly, lucky, lessons or "
    f"customer_message; any other word is a section, too. Records {TOPIC}.",
)
