"""
`lastgood oncall`: who is on call, recorded and asked.

`assign` and `release` are the verbs of a person; the names of the events they
record, `assigned` and `released`, do the same.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from api.cli import options, show
from api.cli.lazy import LazyGroup, Verb, at
from api.cli.verbs import EVIDENCE, LABELS, Flag, Kind, Table

KINDS = {
    "oncall.assigned": Kind("rota person from to", "services contact", "Somebody is on call for a time."),
    "oncall.released": Kind("rota person from to", "services contact", "Somebody is not, after all, for a time."),
}

MEMBERS = {
    "rota": Flag("The rota."),
    "person": Flag("Who."),
    "from": Flag("When it begins, with an offset.", metavar="TIME"),
    "to": Flag("When it ends, with an offset.", metavar="TIME"),
    "services": Flag("A service; more than once for several. [all of the rota]", flag="service", multiple=True),
    "contact": Flag("How to reach them."),
    "reason": Flag("Why."),
    "decided_by": Flag("Who decided, where that is not who records it."),
    "evidence": EVIDENCE,
    "labels": LABELS,
    "incident": Flag("The incident it belongs to."),
}

TABLE = Table(KINDS, MEMBERS)


@click.command(
    params=[
        click.Argument(["service"], required=False),
        click.Option(["--rota"], help="Only this rota."),
        click.Option(["--at", "when"], metavar="TIME", help="At this time, later than now if need be."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def who(service: str | None, rota: str | None, when: str | None, output: str, **flags: Any) -> None:
    """Who is on call for SERVICE, until when, and who comes next. Exit 10 if nobody is."""
    from api.cli.exits import No  # noqa: PLC0415 - `--help` needs it not

    query = {"service": service, "rota": rota, "at": when, **options.moment(flags)}
    answer = options.connect(flags).get("/v1/oncall", query)
    if output == "json":
        show.print_json(answer)
    elif answer["items"]:
        show.print_table(
            ("rota", "on call", "contact", "since", "until", "next", "instead of", "services"),
            [_row(each) for each in answer["items"]],
            (None, "bold", None, "dim", None, None, "dim", "dim"),
        )
    if not any(each["person"] for each in answer["items"]):
        about = f" for {show.plain(service)}" if service else ""
        raise No(f"nobody is on call{about}", "record who is: lastgood oncall assign --help")


def _row(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        item["rota"],
        item["person"] or "nobody",
        item["contact"],
        show.moment(item["since"]),
        show.moment(item["until"]),
        _next(item),
        item["instead_of"],
        ", ".join(item["services"]) or "all",
    )


def _next(item: Mapping[str, Any]) -> str | None:
    """Who comes next; with a time where nobody has it until then."""
    following = item["next"]
    if following is None:
        return "nobody" if item["until"] else None
    gap = "" if following["from"] == item["until"] else f" from {show.moment(following['from'])}"
    return f"{following['person']}{gap}"


def _named(name: str, topic: str) -> click.Command:
    made = TABLE.command(topic)
    made.name = name
    return made


_VERBS = {"assign": "oncall.assigned", "release": "oncall.released"}

oncall = LazyGroup(
    "oncall",
    verbs={
        **{name: Verb(partial(_named, name, topic), KINDS[topic].help) for name, topic in _VERBS.items()},
        "who": at("api.cli.oncall:who", "Who is on call, until when, and who comes next."),
        **{
            topic.partition(".")[2]: Verb(partial(TABLE.command, topic), f"The same as {name}.")
            for name, topic in _VERBS.items()
        },
    },
    help="Record who is on call, and ask who is. Calendars: `lastgood import oncall`.",
)
