"""Events as senders make them, whole ones and spoilt ones (Hypothesis)."""

from typing import Any

from hypothesis import strategies as st

from ledger.events import EVENTS
from tests.strategies import data, json_values, lines, times

SENT = sorted(topic for topic in EVENTS if not topic.startswith("access."))
NAMES = ["specversion", "id", "source", "time", "subject", "datacontenttype", "correlationid", "causationid"]

extensions = st.dictionaries(
    st.from_regex(r"x[a-z0-9]{1,15}", fullmatch=True),
    lines | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.just(""),
    max_size=2,
)


@st.composite
def events(draw: st.DrawFn, topic: str | None = None) -> dict[str, Any]:
    """One that is right, envelope and all."""
    chosen = topic or draw(st.sampled_from(SENT))
    envelope = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "specversion": st.just("1.0"),
                "id": lines,
                "source": lines,
                "time": times(),
                "subject": lines,
                "datacontenttype": st.sampled_from(
                    ["application/json", "application/vnd.acme+json", "Text/x+JSON;a=b"]
                ),
                "dataschema": st.just(f"urn:lastgood:event:{chosen}:1"),
                "correlationid": lines,
                "causationid": lines,
            },
        )
    )
    return {**envelope, **draw(extensions), "type": chosen, "data": draw(data(EVENTS[chosen]))}


_anything = json_values | st.sampled_from(
    ["", "\x00", "x" * 5000, -1, 101, 1e300, 2**53, "2026-01-01T00:00:00", "SEV-9"]
)
OVERSIZE = "this stands for more than 1 MiB of text"


def inflated(value: Any) -> Any:
    """With so much text in fact; kept apart, since a failing example of 1 MiB would be of no use to anyone."""
    if type(value) is dict:
        return {name: inflated(each) for name, each in value.items()}
    return "x" * (2**20 + 1) if value == OVERSIZE else value


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """One to which up to three things were done that may or may not be wrong."""
    event = draw(events())
    for _ in range(draw(st.integers(1, 3))):
        target = event if draw(st.booleans()) else event.get("data")
        if type(target) is not dict:
            continue
        known = [*target, *(NAMES if target is event else ()), "dataschema", "seen", "Unknown", "a.b", "x y", "_schema"]
        name = draw(st.sampled_from(known) | lines)
        change = draw(st.sampled_from(["set", "null", "remove", "nest", "grow"]))
        if change == "remove":
            target.pop(name, None)
        elif change == "nest" and type(target.get(name)) is list and target[name]:
            _spoil_item(draw, target[name])
        elif change == "grow":
            target[name] = draw(st.sampled_from([OVERSIZE, {"text": OVERSIZE}]))
        else:
            target[name] = None if change == "null" else draw(_anything)
    return event


def _spoil_item(draw: st.DrawFn, items: list[Any]) -> None:
    index = draw(st.integers(0, len(items) - 1))
    if type(items[index]) is dict and draw(st.booleans()):
        items[index][draw(st.sampled_from([*items[index], "unknown"]))] = draw(_anything)
    else:
        items[index] = draw(_anything)
