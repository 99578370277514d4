"""
Which words of a postmortem blame a person, and what would serve the reader better?

Gentle help for authors who write in English, and never more than help: nothing
is refused for it. A system may fail to start; the help is about people, teams
and roles as the subject of what they did not do. Words in code, in quotations
and in addresses are somebody else's, and left alone.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

MOST = 100
"""So many pieces of advice help with one text; more would not."""

LOOKED_BACK = 400
"""So many characters before a verb are looked through for its subject."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A phrase at a line and a column, both from 1; why to write otherwise, and how."""

    line: int
    column: int
    phrase: str
    why: str
    instead: str

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    of_people: bool
    """Only where a person, a role or a team is the subject."""
    why: str
    instead: str


def _rule(pattern: str, why: str, instead: str, *, of_people: bool = False) -> _Rule:
    return _Rule(re.compile(rf"\b(?:{pattern})\b".replace(" ", r"\s+"), re.IGNORECASE), of_people, why, instead)


_MINE = r"(?:my|our|your|his|her|their|whose|(?P<whose>[\w-]{1,40})['\u2019]s)"

_ABSOLVED = "".join(rf"(?<!{each}\x20)" for each in (r"nobody\x20was", r"nobody\x20is", r"one\x20was", r"one\x20is"))
"""Nobody was at fault, no one is: that blames nobody."""

_RULES = (
    _rule(
        "(?:human|operator|pilot|engineer|developer) errors?",
        "it ends the search where it should begin: what people did made sense to them",
        "name what made it look right, such as 'both clusters showed the same prompt'",
    ),
    _rule(
        "careless(?:ly|ness)?|negligen(?:t|tly|ce)|reckless(?:ly|ness)?|sloppy|sloppily|incompeten(?:t|ce)"
        "|inattenti(?:on|ve)|stupid(?:ly|ity)?|lack of (?:care|attention|discipline)",
        "it judges a person, and explains nothing",
        "say what they could see and what else asked for their attention",
    ),
    _rule(
        r"(?<!git[\t\x20])(?<!no[\t\x20])(?<!without[\t\x20])blam(?:e|es|ed|ing)",
        "who fears blame tells less next time",
        "say what condition let it happen",
    ),
    _rule(
        rf"{_MINE} (?:own )?fault",
        "it looks for somebody instead of something",
        "say what condition let it happen",
    ),
    _rule(
        f"{_ABSOLVED}at fault",
        "it looks for somebody instead of something",
        "say what condition let it happen",
        of_people=True,
    ),
    _rule(
        "mistakes?",
        "it was none before the outcome was known",
        "say what was done, and what was expected of it",
    ),
    _rule(
        "(?:just|simply) forgot(?:ten)?",
        "memory is no safeguard, for anybody",
        "say what would have reminded them, and was not there",
    ),
    _rule(
        "obviously|of course|common sense|(?:any|every)(?:one|body) (?:would|could|should) have",
        "it is obvious only to who knows the end",
        "leave it out, or say by what one could have known it then",
    ),
    _rule(
        "should(?: have|['\u2019]ve) been (?:more )?"
        "(?:noticed|caught|checked|tested|reviewed|known|told|communicated|escalated|asked|spotted|anticipated|foreseen|careful)",
        "it tells of another world instead of this one",
        "say what happened instead, and why that made sense then",
    ),
    _rule(
        "(?:should|could)(?: have|['\u2019]ve)|ought to have",
        "it tells of another world instead of this one",
        "say what they did, and why that made sense then",
        of_people=True,
    ),
    _rule(
        "fail(?:ed|s|ing)? to|neglect(?:ed|s|ing)? to|did(?: no|n['\u2019])t bother(?: to)?",
        "it says what was not done, and not why",
        "say what they did instead, and what they knew",
        of_people=True,
    ),
    _rule(
        "forgot(?:ten)?|overlooked|ignored|mistakenly|wrongly",
        "it says how it looks from the end, not how it looked then",
        "say what they saw, and what was not there to be seen",
        of_people=True,
    ),
)

_PEOPLE = frozenset(
    "i we he she they you who whoever nobody somebody someone everybody everyone anybody anyone us them person persons "
    "people human humans man men woman women engineer engineers developer developers dev devs programmer programmers "
    "operator operators responder responders commander commanders admin admins administrator administrators sysadmin "
    "sre sres dba dbas lead leads reviewer reviewers author authors approver approvers deployer deployers maintainer "
    "maintainers tester testers contractor contractors intern interns colleague colleagues team teams crew crews squad "
    "squads staff ops devops qa support management department departments vendor vendors oncall on-call".split()
)
_MANAGERS = re.compile(
    r"\b(?:release|incident|product|project|engineering|line|duty|shift|change|team|service|account) managers?$"
)
_SYSTEM_OPERATORS = re.compile(r"\b(kubernetes|k8s|openshift|[A-Z]\w+)\s+[Oo]perators?$")
_NOBODY = frozenset(("nobody", "no-one", "noone"))
_ADVERBS = frozenset(
    "also just then simply again still never even really all both had has have been was were is are not ever once always often".split()
)
_OF = frozenset("of for by from with to in on at about through via".split())
_SOME = frozenset("one none some most all any part each neither both member members several many few half".split())
_BEFORE_NOUN = frozenset("the a an our my your his her their its this that these those another other".split())

_SENTENCE = re.compile(r"[.;:!?|\x00]|\n\s*\n|(?:\A|\n)\s*(?:[-*+#]+|\d+[.)])\s")
_ASIDE = re.compile(r"\([^()]*\)")
_CLAUSE = re.compile(
    r"[,()\[\]\u2013\u2014]"
    r"|\b(?:and|but|or|because|while|when|after|before|so|if|although|though|since|as|which|where)\b",
    re.IGNORECASE,
)
_MASKED = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`++).{1,2000}?(?<!`)(?P=ticks)(?!`)"
    r"|^[ ]{0,3}>.*?$"
    r"|<!--[^<>]*-->|<[^<>\n]+>|\]\([^()\s]*\)|https?://\S+"
    r"|\"[^\"\n]+\"|\u201c[^\u201c\u201d\n]+\u201d|\u00ab[^\u00ab\u00bb\n]+\u00bb|(?<!\w)'[^'\n]+'(?!\w)|\u2018[^\u2018\u2019\n]+\u2019(?!\w)",
    re.DOTALL | re.MULTILINE,
)


def lint(text: str, people: Collection[str] = ()) -> list[Advice]:
    """What to put otherwise in a Markdown text, in order, at most `MOST`; *people* are names that stand for persons in it."""
    masked = _MASKED.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), text)
    names = frozenset(name for each in people for name in _names(each))
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    told: list[Advice] = []
    end = 0
    for match, rule in sorted(_found(masked), key=lambda each: (each[0].start(), -each[0].end())):
        start = match.start()
        if start >= end and _applies(rule, match, names):
            line = bisect_right(starts, start)
            phrase = " ".join(text[start : match.end()].split())
            told.append(Advice(line, start - starts[line - 1] + 1, phrase, rule.why, rule.instead))
            end = match.end()
        if len(told) == MOST:
            break
    return told


def _names(person: str) -> Iterator[str]:
    """What a person may be called in a text: the whole name, and the first one."""
    whole = person.partition("<")[0].strip()
    if whole:
        yield whole.casefold()
    first, _, rest = whole.partition(" ")
    if rest and first[:1].isupper():
        yield first.casefold()


def _found(text: str) -> Iterator[tuple[re.Match[str], _Rule]]:
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            yield match, rule


def _applies(rule: _Rule, match: re.Match[str], names: frozenset[str]) -> bool:
    """Whether a phrase is about people, where its rule asks for that."""
    whose = match.groupdict().get("whose")
    if whose is not None:
        return whose.casefold() in (_PEOPLE | names) - _NOBODY
    before = match.string[max(0, match.start() - LOOKED_BACK) : match.start()]
    return not rule.of_people or _is_of_people(before, names)


def _is_of_people(before: str, names: frozenset[str]) -> bool:
    """Whether what stands before a verb names a person, a role or a team as its subject."""
    clauses = _CLAUSE.split(_ASIDE.sub(" ", _SENTENCE.split(before)[-1]))
    last = _words(clauses[-1])
    if last:
        return _ends_in_person(last, names) or _has_person_who(last, names)
    earlier = next((words for each in reversed(clauses[:-1]) if (words := _words(each))), [])
    return _begins_with_person(earlier, names)


def _words(clause: str) -> list[str]:
    """The words of a clause, those left out at its end that may stand between a subject and its verb."""
    found: list[str] = re.findall(
        r"[\w'\u2019-]+", re.sub(r"\bon (?:call|duty|shift)\b", "", clause, flags=re.IGNORECASE)
    )
    while found and (found[-1].casefold() in _ADVERBS or found[-1].casefold().endswith("ly")):
        found.pop()
    return found


def _ends_in_person(words: list[str], names: frozenset[str]) -> bool:
    if not _is_person(words, names):
        return False
    head = next((i for i in range(len(words) - 1, 0, -1) if words[i].casefold() in _BEFORE_NOUN), None)
    before = words[: len(words) - 1 if head is None else head]
    if not before or before[-1].casefold() not in _OF:
        return True
    return len(before) > 1 and before[-2].casefold() in _SOME


def _is_person(words: list[str], names: frozenset[str]) -> bool:
    """Whether the last of some words stands for a person, a role or a team."""
    phrase, last = " ".join(words), words[-1].casefold()
    if (system := _SYSTEM_OPERATORS.search(phrase)) and system[1].casefold() not in _BEFORE_NOUN:
        return False
    if last in _PEOPLE or _MANAGERS.search(phrase.casefold()):
        return True
    return any(phrase.casefold() == name or phrase.casefold().endswith(f" {name}") for name in names)


def _has_person_who(words: list[str], names: frozenset[str]) -> bool:
    """As in `the engineer who deployed it`, `the team that owns it`."""
    places = [i for i, word in enumerate(words) if word.casefold() in ("who", "that") and i > 0]
    return any(_is_person(words[:i], names) for i in places)


def _begins_with_person(words: list[str], names: frozenset[str]) -> bool:
    """Of a clause before: its subject goes on in the next one, as in `we deployed and ...`."""
    article = 1 if words and words[0].casefold() in _BEFORE_NOUN else 0
    return any(_is_person(words[:end], names) for end in range(article + 1, min(len(words), article + 3) + 1))
