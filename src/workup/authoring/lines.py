"""Several figures typed on one line, in the order of the things they belong to, or with their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar, get_args

from workup.authoring import typed
from workup.authoring.answers import ComplicationAnswer, ContraindicationAnswer, Facts, Origin
from workup.authoring.typed import NotUnderstoodError
from workup.scenarios.language.schema import Decision, Tier, Urgency

T = TypeVar("T")
URGENCIES: tuple[str, ...] = get_args(Urgency)
TIERS: tuple[str, ...] = get_args(Tier)[2:]
KINDS: tuple[str, ...] = get_args(Decision.model_fields["kind"].annotation)
DONE = "done"
_RATIO = re.compile(r"(\d)\s+(?:in|of)\s+(\d)|(\d)\s*/\s*(\d)", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*;\s*|,\s+|\s+")
_PARTS = re.compile(r"\s*;\s*|,\s+|,(?!\d)")
_NAMED = re.compile(r"(.*[^\s=:])[\s=:]+([^\s=:]+)")
_REST = ("otherwise", "others", "rest")


def figures(answer: str, labels: Sequence[str], read: Callable[[str], T]) -> tuple[T, ...]:
    """A figure for each label: '60 15 8' in their order, or 'Pneumonia 60, otherwise 5'."""
    words = _RATIO.sub(lambda of: f"{of[1] or of[3]}/{of[2] or of[4]}", answer.strip())
    words = re.sub(r"\s+%", "%", re.sub(r"£\s+", "£", words))
    if re.search(r"[^\W\d_]", words):
        return _named(words, labels, read)
    found = [word for word in _BETWEEN.split(words) if word]
    if len(found) == 1 < 2 < len(labels) == len(together := words.split(",")):
        found = together  # '60,15,8': no decimal commas, there are as many figures as labels
    if len(found) < len(labels):
        said = ", ".join(f"{label} {word}" for label, word in zip(labels, found, strict=False))
        lacking = ", ".join(labels[len(found) :])
        many = "1 figure" if len(found) == 1 else f"{len(found)} figures"
        raise NotUnderstoodError(f"{many} for {len(labels)}: {said or 'nothing'}. Missing: {lacking}.")
    if len(found) > len(labels):
        over = " ".join(found[len(labels) :])
        raise NotUnderstoodError(f"{len(found)} figures for {len(labels)}: {', '.join(labels)}. What is {over} for?")
    return tuple(_each(read, word, label) for label, word in zip(labels, found, strict=True))


def _each(read: Callable[[str], T], word: str, label: str) -> T:
    try:
        return read(word)
    except NotUnderstoodError as problem:
        raise NotUnderstoodError(f"{label}: {problem}") from None


def _named(words: str, labels: Sequence[str], read: Callable[[str], T]) -> tuple[T, ...]:
    found: dict[str, T] = {}
    rest: list[T] = []
    for part in (part for part in _PARTS.split(words) if part.strip()):
        if (named := _NAMED.fullmatch(part.strip())) is None:
            raise NotUnderstoodError(
                f"{part!r} is no name with a figure. Write '{labels[0]} 60, otherwise 5' or figures alone."
            )
        if named[1].lower() in _REST:
            rest.append(_each(read, named[2], named[1]))
            continue
        label = typed.choice(named[1], labels)
        if label in found:
            raise NotUnderstoodError(f"{label} is there twice. Give it one figure.")
        found[label] = _each(read, named[2], label)
    lacking = [label for label in labels if label not in found]
    if len(rest) > 1 or (lacking and not rest):
        what = "'otherwise' is there twice" if rest else f"Missing: {', '.join(lacking)}"
        raise NotUnderstoodError(f"{what}. 'otherwise 5' says it of all that are not named.")
    return tuple(found[label] if label in found else rest[0] for label in labels)


def shares(answer: str, labels: Sequence[str]) -> tuple[float, ...]:
    """A probability for each label, typed in per cent."""
    words: list[str] = []

    def read(word: str) -> float:
        words.append(word)
        return typed.percentage(word)

    found = figures(answer, labels, read)
    if typed.doubtful(words):
        raise NotUnderstoodError(typed.doubt(" ".join(words)))
    return found


def parts_of_all(answer: str, labels: Sequence[str]) -> tuple[float, ...]:
    """As `shares`, and they add up to 1."""
    found = shares(answer, labels)
    if abs(sum(found) - 1) > 1e-6:
        raise NotUnderstoodError(f"These add up to {100 * sum(found):.6g}%, not 100%: {', '.join(labels)}.")
    return found


def values_with_shares(answer: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """New values, each with its share: 'never 60, ever 40'."""
    words = _RATIO.sub(lambda of: f"{of[1] or of[3]}/{of[2] or of[4]}", answer.strip())
    pairs = [(part, _NAMED.fullmatch(part.strip())) for part in _PARTS.split(words) if part.strip()]
    for part, pair in pairs:
        if pair is None or not re.search(r"\d", pair[2]):
            raise NotUnderstoodError(f"{part!r} is no value with its share. Write for example 'no 70, yes 30'.")
    values = typed.several(", ".join(pair[1] for _, pair in pairs if pair is not None), at_least=2)
    typed.names(values)
    return values, parts_of_all(" ".join(pair[2] for _, pair in pairs if pair is not None), values)


def urgencies(answer: str, labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """For each label how urgent it is and what a day of delay costs: 'emergency 300, urgent 50, routine'."""
    found: list[tuple[str, float]] = []
    for word in (word for word in _BETWEEN.split(answer.strip().rstrip(",")) if word):
        if re.search(r"[^\W\d_]", word):
            found.append((typed.choice(word.rstrip(","), URGENCIES), 0.0))
        elif found:
            found[-1] = (found[-1][0], typed.pounds(word))
        else:
            raise NotUnderstoodError(f"{word!r} comes before any urgency. Write for example 'emergency 300, routine'.")
    if len(found) != len(labels):
        said = ", ".join(f"{label} {urgency}" for label, (urgency, _) in zip(labels, found, strict=False))
        lacking = f" Missing: {', '.join(labels[len(found) :])}." if len(found) < len(labels) else ""
        raise NotUnderstoodError(f"{len(found)} for {len(labels)} conditions: {said or 'nothing'}.{lacking}")
    return tuple(found)


def takes(answer: str) -> tuple[float, str, float]:
    """Cost, time and, if there is any, discomfort: '£20, 10 min' or '400, 1 day, 30'."""
    parts = [part.strip() for part in _PARTS.split(answer.strip()) if part.strip()]
    if not 2 <= len(parts) <= 3:
        raise NotUnderstoodError(
            f"{answer!r} is not cost, time and (if any) discomfort, with commas. Write for example '20, 10 min'."
        )
    return typed.pounds(parts[0]), typed.time(parts[1]), typed.pounds(parts[2]) if len(parts) > 2 else 0.0


def test(answer: str) -> tuple[str, float, str, float, tuple[str, ...]]:
    """Kind, cost, time, discomfort and results: 'bloods, 8, 2 h, 3, low / raised / high'; the last two may be left out."""
    parts = [part.strip() for part in _PARTS.split(answer.strip()) if part.strip()]
    results: tuple[str, ...] = ("negative", "positive")
    if len(parts) > 3 and re.search(r"[^\W\d_]", parts[-1]):
        results = typed.several(parts.pop().replace("/", ","), at_least=2)
        typed.names(results)
    if not 3 <= len(parts) <= 4:
        raise NotUnderstoodError(
            f"{answer!r} is not kind, cost, time, discomfort and results, with commas. "
            "Write for example 'bloods, 8, 2 h' or 'bloods, 8, 2 h, 3, low / raised / high'."
        )
    return (typed.choice(parts[0], TIERS), *takes(", ".join(parts[1:])), results)


def decision(answer: str, labels: Sequence[str]) -> tuple[str, str, tuple[float, ...]]:
    """Kind, urgency, and what it is worth under each condition: 'refer urgent 0 -2000 -50'."""
    words = re.match(r"\s*([^\W\d_]+)[\s,;:]+([^\W\d_]+)[\s,;:]+(.*)", answer, re.DOTALL)
    if words is None:
        raise NotUnderstoodError(
            f"{answer!r} does not begin with a kind ({', '.join(KINDS)}) and an urgency ({', '.join(URGENCIES)}). "
            f"Write for example 'refer urgent' and a figure for each of {', '.join(labels)}."
        )
    return typed.choice(words[1], KINDS), typed.choice(words[2], URGENCIES), figures(words[3], labels, typed.amount)


def right(answer: str, causes: Sequence[str], decisions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Decision -> the conditions it is right for; typed by condition: 'Refer, Treat + Refer, Reassure' or '1 2+1 3'."""
    split = _PARTS if re.search(r"[,;]|[^\W\d_]", answer) else re.compile(r"\s+")
    named = [word.strip() for word in split.split(re.sub(r"\s*\+\s*", "+", answer.strip())) if word.strip()]
    if len(named) != len(causes):
        raise NotUnderstoodError(
            f"{len(named)} for {len(causes)} conditions. Name one decision for each of {', '.join(causes)}, with commas."
        )
    found: dict[str, list[str]] = {label: [] for label in decisions}
    for cause, words in zip(causes, named, strict=True):
        whole = [label for label in decisions if re.sub(r"\s*\+\s*", "+", label.lower()) == words.lower()]
        for label in whole or [typed.choice(word, decisions) for word in words.split("+")]:
            found[label].append(cause)
    idle = [label for label, of in found.items() if not of]
    if idle:
        raise NotUnderstoodError(
            f"{', '.join(idle)} is right for no condition. A decision is right for one at least; two for one condition "
            f"are written '{decisions[0]} + {idle[0]}'."
        )
    return {label: tuple(dict.fromkeys(of)) for label, of in found.items()}


def wanted(answer: str, items: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must and what must not be ordered: 'ECG, not CT'."""
    must: list[str] = []
    never: list[str] = []
    for word in typed.several(answer, at_least=0):
        negated = re.match(r"(?:not|no)\s+", word, re.IGNORECASE)
        (never if negated else must).append(typed.choice(word[negated.end() :] if negated else word, items))
    both = [label for label in must if label in never]
    if both:
        raise NotUnderstoodError(f"{', '.join(both)} cannot be both ordered and not ordered.")
    return tuple(dict.fromkeys(must)), tuple(dict.fromkeys(never))


def after(answer: str, items: Sequence[str], known: Mapping[str, Sequence[str]]) -> tuple[Facts, ...]:
    """What must come before: tests and treatments by name, and facts; all of them ('and') or one of them ('or')."""
    if answer.strip().lower() in typed.NOTHING:
        return ()
    every = {**known, **{label: (*known.get(label, ()), DONE) for label in items}}
    words = answer
    for label in sorted(items, key=len, reverse=True):  # 'CT' alone means that it is done
        words = re.sub(
            rf"(^|,|\band\b|\bor\b)(\s*){re.escape(label)}\s*(?=$|,|\band\b|\bor\b)",
            lambda of, label=label: f"{of[1]}{of[2]}{label} = {DONE} ",  # type: ignore[misc]
            words,
            flags=re.IGNORECASE,
        )
    alternatives = typed.facts(words, every)
    if len(alternatives) == 1:
        return tuple({label: value} for label, value in alternatives[0].items())
    one_each = all(len(of) == 1 for of in alternatives)
    joined = {label: value for of in alternatives for label, value in of.items()}
    if not one_each or len(joined) < len(alternatives):
        raise NotUnderstoodError("Join what must come before by 'and' alone, or different things by 'or' alone.")
    return (joined,)


def not_if(
    answer: str, known: Mapping[str, Sequence[str]], *, true: Collection[str]
) -> tuple[ContraindicationAnswer, ...]:
    """Who must not have it: 'Kidney disease = yes, 500 because of the contrast; Allergy = yes, 2000'.

    Args:
        answer: facts, each with the loss in pounds if it is done unknowingly.
        known: label -> its values.
        true: labels of what is true of the patient, by which one can come to harm; any other fact only forbids, with loss 0.
    """
    found = []
    for part in _listed(answer):
        words, why = typed.because(part, "It would harm")
        fact, _, loss = words.rpartition(",")
        facts = typed.facts(fact, known) if fact else ()
        if len(facts) != 1 or len(facts[0]) != 1:
            raise NotUnderstoodError(
                f"{part!r} is not one fact and, after a comma, the loss in pounds if it is done unknowingly."
            )
        ((label, value),) = facts[0].items()
        pounds = typed.pounds(loss)
        if pounds and label not in true:
            raise NotUnderstoodError(
                f"{label} shows what is wrong and harms nobody, so it only forbids: write '{fact.strip()}, 0', and what can go "
                "wrong under complications."
            )
        found.append(ContraindicationAnswer(label, value, pounds, why))
    return tuple(found)


def complications(answer: str) -> tuple[ComplicationAnswer, ...]:
    """What can go wrong, how often, and the loss: 'Bleeding, 1%, 3000; Stroke, 1 in 1000, 50000'."""
    found = []
    for part in _listed(answer):
        words = [word.strip() for word in _PARTS.split(part)]
        if len(words) != 3 or not any(character.isalpha() for character in words[0]):
            raise NotUnderstoodError(
                f"{part!r} is not a name, a chance and a loss in pounds. Write 'Bleeding, 1%, 3000'."
            )
        found.append(ComplicationAnswer(typed.text(words[0]), typed.chance(words[1]), typed.pounds(words[2])))
    labels = [of.label.lower() for of in found]
    if len(set(labels)) < len(labels):
        raise NotUnderstoodError("The same complication is there twice. Name each once.")
    return tuple(found)


def _listed(answer: str) -> list[str]:
    return [] if answer.strip().lower() in typed.NOTHING else [part for part in answer.split(";") if part.strip()]


def origin(answer: str) -> Origin:
    """A citation, after 'read:' if it was read; '' for the author's own estimate."""
    marked = re.match(r"\s*read\s*:", answer, re.IGNORECASE)
    cite = typed.citation(answer[marked.end() :] if marked else answer)
    if marked and not cite:
        raise NotUnderstoodError("Write the citation after 'read:'.")
    return Origin(cite, bool(marked))
