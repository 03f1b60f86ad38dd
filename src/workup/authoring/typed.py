"""What a person types, as shares, sums, times, choices and facts; what cannot be read is said in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workup.authoring.answers import Facts
from workup.scenarios.language.durations import hours

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)")
_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_IN = re.compile(r"(\S+?)\s*(?:in|of|/)\s*(\S+)")
_SPELT_OUT = {"minutes": "min", "minute": "min", "mins": "min", "hours": "h", "hrs": "h", "hr": "h"}
NOTHING = frozenset({"", "none", "nothing", "-"})


class NotUnderstoodError(ValueError):
    """An answer that cannot be read; the message says what is wanted."""


def text(answer: str) -> str:
    """One line of words."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", answer).split())
    if not line:
        raise NotUnderstoodError("An answer is needed here.")
    return line


def citation(answer: str) -> str:
    """One line of words, or '' for nothing."""
    if answer.strip().lower() in NOTHING:
        return ""
    if not any(character.isalpha() for character in answer):
        raise NotUnderstoodError(
            f"{answer!r} is no citation. Write authors, title, journal and year, or Enter for none."
        )
    return text(answer)


def reason(answer: str) -> str:
    """One line of words without a full stop, which is put where it is shown."""
    return text(answer).rstrip(".") or text("")


def percentage(answer: str) -> float:
    """A probability from a figure in per cent: '30', '30%', '0.5', or a ratio: '3/10', '3 in 10'."""
    words = answer.strip().lower()
    if (parts := _IN.fullmatch(words)) is not None:
        whole = _number(parts[2], answer)
        if whole <= 0:
            raise NotUnderstoodError(f"{answer!r} counts out of nothing. Write for example 3/10.")
        found = _number(parts[1], answer) / whole
    else:
        found = _number(words.removesuffix("%"), answer) / 100
    if not 0 <= found <= 1:
        raise NotUnderstoodError(f"{answer!r} is not a percentage from 0 to 100.")
    return float(f"{found:.10g}")


def chance(answer: str) -> float:
    """One probability, which says whether it is in per cent where that could be doubted."""
    found = percentage(answer)
    if doubtful([answer]):
        raise NotUnderstoodError(doubt(answer))
    return found


def doubtful(words: Sequence[str]) -> bool:
    """Whether figures without a mark may be in per cent or not: none is above 1, and not all are 0."""
    bare = [float(word) for word in words if _NUMBER.fullmatch(word.strip())]
    return len(bare) == len(words) and max(bare, default=0) > 0 and max(bare, default=0) <= 1


def doubt(answer: str) -> str:
    """What to say to such figures."""
    word = next(word for word in answer.split() if float(word) > 0)
    share = float(word)
    return f"{answer!r} may be meant in per cent or not. Write {word}% or {100 * share:g}%."


def pounds(answer: str) -> float:
    """A sum of 0 or more: '20', '£1,200'."""
    found = amount(answer)
    if found < 0:
        raise NotUnderstoodError(f"{answer!r} is below 0. Costs are written as positive numbers.")
    return found


def amount(answer: str) -> float:
    """Any number, with or without '£' and commas between thousands: '-2,000'."""
    words = answer.strip().replace("£", "").replace("−", "-")
    return _number(words.replace(",", "") if _THOUSANDS.fullmatch(words) else words, answer)


def year(answer: str) -> int:
    """A year such as 2025."""
    if not re.fullmatch(r"\s*(19|20)\d\d\s*", answer):
        raise NotUnderstoodError(f"{answer!r} is not a year. Write for example 2025.")
    return int(answer)


def time(answer: str) -> str:
    """How long something takes, as the language writes it: '20 min', '3 days'; '0 min' for 'at once'."""
    words = answer.strip().lower()
    if words in ("0", "at once", "none"):
        return "0 min"
    words = " ".join(_SPELT_OUT.get(word, word) for word in re.sub(r"([\d.])\s*([a-z])", r"\1 \2", words).split())
    try:
        hours(words)
    except ValueError:
        raise NotUnderstoodError(
            f"{answer!r} is not a time. Write for example 20 min, 2 h, 3 days or 6 weeks."
        ) from None
    return words


def _number(words: str, answer: str) -> float:
    if not answer.strip():
        raise NotUnderstoodError("An answer is needed here.")
    if not _NUMBER.fullmatch(words.strip()):
        point = (
            f" If the comma is a decimal point, write {words.strip().replace(',', '.')}."
            if _COMMA.fullmatch(words.strip())
            else ""
        )
        raise NotUnderstoodError(f"{answer!r} is not a number.{point}")
    return float(words)


def because(answer: str, otherwise: str) -> tuple[str, str]:
    """What stands before 'because', and the reason after it; `otherwise` where there is none."""
    before, joint, after = re.sub(r"\s+because\b", "\0", f" {answer}", flags=re.IGNORECASE).rpartition("\0")
    if not joint:
        return answer.strip(), otherwise
    why = reason(after)
    why = f"because {why}" if re.match(r"of\b", why, re.IGNORECASE) else why
    return before.strip(), why[0].upper() + why[1:]


def several(answer: str, *, at_least: int) -> tuple[str, ...]:
    """Words with commas between them, each once."""
    found = [text(word) for word in answer.split(",") if word.strip()] if answer.strip().lower() not in NOTHING else []
    lowered = [word.lower() for word in found]
    twice = [word for i, word in enumerate(found) if word.lower() in lowered[:i]]
    if twice:
        raise NotUnderstoodError(f"{twice[0]!r} is there twice. Name each once.")
    if len(found) < at_least:
        few = (
            "An answer is needed here" if at_least == 1 else f"At least {at_least} are needed, with commas between them"
        )
        raise NotUnderstoodError(f"{few}.")
    return tuple(found)


def names(found: Sequence[str]) -> None:
    """Refuse what cannot be told from the words and signs between names in other answers."""
    for word in found:
        if (mark := re.search(r"[;=]|\bbecause\b|\A(?:back|done)\Z", word, re.IGNORECASE)) is not None:
            raise NotUnderstoodError(f"{mark[0]!r} means something else in answers, so {word!r} cannot be a name.")


def choice(answer: str, options: Sequence[str]) -> str:
    """One of the options, by its words, some of them or its number in the list."""
    words = " ".join(answer.lower().split())
    if words.isdigit() and words not in options and 1 <= int(words) <= len(options):
        return options[int(words) - 1]
    same = [option for option in options if option.lower() == words]
    begins = [option for option in options if words and option.lower().startswith(words)]
    holds = [option for option in options if words and words in option.lower()]
    if len(found := same or begins or holds) != 1:
        shown = ", ".join(f"{i} {option}" for i, option in enumerate(options, start=1))
        problem = f"{answer!r} could be several of these" if found else f"{answer!r} is none of these"
        said = problem if words else "An answer is needed here"
        raise NotUnderstoodError(f"{said}: {shown}. Write one of them, or its number.")
    return found[0]


def choices(answer: str, options: Sequence[str], *, at_least: int) -> tuple[str, ...]:
    """Several of the options, with commas between them."""
    if answer.strip().lower() == "all":
        return tuple(options)
    found = [choice(word, options) for word in several(answer, at_least=at_least)]
    return tuple(dict.fromkeys(found))


def facts(answer: str, known: Mapping[str, Sequence[str]]) -> tuple[Facts, ...]:
    """Alternatives, each a set of facts that must all hold: 'Fever = yes and Crackles = yes, or Blood coughed up = yes'.

    Args:
        answer: labels with their values; 'and' or a comma joins what must hold together, 'or' separates alternatives.
        known: label -> its values.
    """
    alternatives: list[dict[str, str]] = [{}]
    rest, starts = answer.strip(), True
    while rest or starts:
        label, rest = _longest(rest, known, "a fact")
        value, rest = _longest(re.sub(r"^\s*(=|:|is\b)?\s*", "", rest), known[label], f"a value of {label}")
        if alternatives[-1].setdefault(label, value) != value:
            raise NotUnderstoodError(
                f"{label} cannot be {alternatives[-1][label]} and {value} at once. Write 'or' between."
            )
        starts, joint = False, re.match(r"\s*(,?\s*\bor\b|,?\s*\band\b|,)\s*", rest, re.IGNORECASE)
        if joint is None and rest:
            raise NotUnderstoodError(f"What does {rest!r} mean? Write 'and' or 'or' between two facts.")
        if joint is not None:
            rest, starts = rest[joint.end() :], True
            alternatives += [{}] * ("or" in joint[1].lower())
    return tuple(alternatives)


def _longest(words: str, known: Mapping[str, object] | Sequence[str], what: str) -> tuple[str, str]:
    """The longest known word at the beginning of `words`, and what comes after it."""
    for word in sorted(known, key=len, reverse=True):
        if words.lower().startswith(word.lower()) and not re.match(r"\w", words[len(word) :]):
            return word, words[len(word) :].strip()
    shown = ", ".join(known)
    raise NotUnderstoodError(f"{words or 'nothing'!r} does not begin with {what}. These are known: {shown}.")
