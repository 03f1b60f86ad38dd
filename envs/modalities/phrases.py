"""What notes say: ways to tell each finding, sentences that tell nothing about it, and what fills their gaps.

Other people's illnesses are among these sentences on purpose, in the words of findings.
"""

from __future__ import annotations

from collections.abc import Mapping

AGED = (45, 89)
FIRST_WORDS = ("{n} years old", "Patient of {n}", "{n} y", "Aged {n}")

SAID: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cough": (
        ("no cough", "denies any cough", "cough: nil", "does not cough"),
        (
            "coughing for {n} weeks",
            "has had a cough for {n} weeks",
            "productive cough, {n} weeks",
            "cough, {n} weeks now",
        ),
    ),
    "haemoptysis": (
        ("no blood in the sputum", "never coughed up blood", "haemoptysis: nil"),
        ("coughed up blood {when}", "streaks of blood in the sputum {when}", "haemoptysis {when}"),
    ),
    "breathlessness": (
        ("not short of breath", "breathing is fine", "climbs {few} flights without stopping"),
        ("short of breath on the stairs", "stops for breath after {few} steps", "breathless {when}"),
    ),
    "chest_pain": (
        ("no chest pain", "chest never hurts", "denies pain in the chest"),
        ("sharp pain in the chest on breathing in", "chest pain {when}", "pain in the chest, worse lying down"),
    ),
    "rigors": (
        ("no rigors", "denies shaking chills", "no shivering"),
        ("shaking chills {when}", "{few} rigors {when}", "shook so that the bed rattled {when}"),
    ),
    "night_sweats": (
        ("no night sweats", "sheets stay dry", "denies sweating at night"),
        ("drenching night sweats since {month}", "changes the sheets at night", "night sweats {when}"),
    ),
    "dysuria": (
        ("no urinary symptoms", "urine: nil of note", "passes urine without trouble"),
        ("dysuria and frequency since {month}", "stinging on passing urine {when}", "burning when passing urine"),
    ),
    "abdominal_pain": (
        ("no abdominal pain", "abdomen never painful", "belly comfortable"),
        ("lower abdominal pain {when}", "tummy pain coming in waves", "belly ache since {month}"),
    ),
    "weight_loss": (
        ("weight steady", "no weight loss", "weighs the same as in {month}"),
        ("has lost {n} kg since {month}", "clothes looser, down {n} kg", "weight loss of {n} kg"),
    ),
    "asbestos": (
        ("never worked with asbestos", "office work throughout", "no exposure to dust"),
        (
            "lagged pipes at the docks until {year}",
            "stripped insulation in a power station",
            "asbestos at work until {year}",
        ),
    ),
}
"""Finding -> ways to say that it is not so, and that it is; `{n}` is its number."""

OTHERS = (
    "lives with {whom}",
    "allergic to {allergy}",
    "takes {drug} once daily",
    "had a hernia mended in {year}",
    "walks the dog twice a day",
    "{relative} had bowel cancer at {age}",
    "wife had shaking chills last month",
    "flu jab in {month}",
    "retired in {year}",
    "drinks {few} units a week",
    "cataract done in {year}",
    "sleeps well",
    "{relative} coughed for {few} weeks and got better",
    "a neighbour has lost {age} kg on a diet",
    "worried by {relative}'s chest pain",
    "never been abroad",
    "{relative} worked with asbestos",
    "bowels regular",
    "vegetarian since {year}",
    "last seen here in {month}",
)

SLOTS: Mapping[str, tuple[str, ...]] = {
    "when": ("last night", "on Tuesday", "for three days", "since the weekend", "twice this week"),
    "month": ("March", "early June", "October", "last spring", "August"),
    "few": ("two", "three", "four", "ten"),
    "year": ("1971", "1979", "1984", "1988", "1996"),
    "whom": ("his brother", "her husband", "two cats", "a daughter", "nobody"),
    "allergy": ("penicillin", "plasters", "shellfish", "nothing"),
    "drug": ("ramipril", "atorvastatin", "a water tablet", "aspirin"),
    "relative": ("father", "mother", "a brother", "an aunt", "a colleague"),
    "age": ("52", "61", "67", "74", "80"),
}
