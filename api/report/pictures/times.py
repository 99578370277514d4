"""Instants and lengths of time in words, each with its zone, as pictures say them."""

from datetime import UTC, datetime, timedelta, tzinfo

EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, tzinfo=UTC)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def within_reach(instant: datetime) -> datetime:
    """*instant*, or the nearest one that has a local time in every zone."""
    return min(max(instant, EARLIEST), LATEST)


def local(seconds: float, zone: tzinfo) -> datetime:
    """*seconds* since 1970 as local time."""
    reachable = min(max(seconds, EARLIEST.timestamp()), LATEST.timestamp())
    return (_EPOCH + timedelta(seconds=reachable)).astimezone(zone)


def short(at: datetime) -> str:
    """The zone of a local time as a report names it beside each time: `BST`, where it has a name in letters; else its offset."""
    name = at.tzname() or ""
    return name if name.isalpha() and name.isascii() else offset(at)


def offset(at: datetime) -> str:
    """Of a local time: `UTC`, `UTC+01:00`, `UTC-03:30`."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}" if minutes else "UTC"


def day(at: datetime) -> str:
    return f"{at.day} {at:%b} {at.year}"


def clock(at: datetime) -> str:
    """Hours and minutes, and seconds where there are any."""
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def moment(instant: datetime, zone: tzinfo) -> str:
    """`20 Nov 2026 14:05:11 UTC+01:00`, `25 Oct 2026 01:30 BST`"""
    at = within_reach(instant).astimezone(zone)
    return f"{day(at)} {clock(at)} {short(at)}"


def zone_name(zone: tzinfo, *moments: datetime) -> str:
    """A zone with its names at these moments: `Europe/London, BST then GMT`; a fixed one by its offset alone."""
    offsets = " then ".join(dict.fromkeys(short(within_reach(each).astimezone(zone)) for each in sorted(moments)))
    key = getattr(zone, "key", None)
    return f"{key}, {offsets}" if key and key != "UTC" and offsets else key or offsets or "UTC"


def length(seconds: float) -> str:
    """In its two largest units: `1 h 44 min`, `2 d`, `45 s`; a negative one with its sign."""
    whole = round(abs(seconds))
    parts: list[str] = []
    for place, (size, unit) in enumerate(_UNITS):
        if whole >= size or (size == 1 and not parts):
            count, rest = divmod(whole, size)
            parts.append(f"{count} {unit}")
            if place + 1 < len(_UNITS) and rest >= (smaller := _UNITS[place + 1])[0]:
                parts.append(f"{rest // smaller[0]} {smaller[1]}")
            break
    return ("\u2212" if round(seconds) < 0 else "") + " ".join(parts)
