"""Durations as people write them."""

import re

_HOURS = {"min": 1 / 60, "h": 1.0, "hour": 1.0, "day": 24.0, "week": 168.0, "year": 8766.0}
PATTERN = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*(min|h|hour|day|week|year)s?\s*$")


def hours(text: object) -> float:
    """Hours meant by '20 min', '2 h', '3 days' or '6 weeks'; a bare 0 is no time at all.

    Raises:
        ValueError: anything else, with an example of what was expected.
    """
    if isinstance(text, int | float) and not isinstance(text, bool) and text == 0:
        return 0.0
    match = PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write for example '20 min', '2 h', '3 days' or '6 weeks'")
    return float(match[1]) * _HOURS[match[2]]
