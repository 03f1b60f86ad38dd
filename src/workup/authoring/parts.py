"""The parts of the interview, in order."""

CASE, PATIENT, CAUSES, OPENING, TESTS, ENDS, DETAIL, PRACTICE, VIGNETTE = PARTS = (
    "The case",
    "The patient",
    "What may be behind it",
    "History and examination",
    "The tests",
    "How it can end",
    "More detail",
    "Usual practice",
    "One patient to test a policy on",
)

FIRST_WORDS = {
    CAUSES: "Figures are per cent, one for each condition, in the order shown: 60 15 8.",
    OPENING: "First what can be found, then how often: a figure for each condition.",
    TESTS: "For each test what it takes, then how often it is positive.",
    ENDS: "For each decision what it is worth: a figure for each condition; 0 is best, minus is harm.",
    DETAIL: "What follows can be left out, or written into the file later.",
    PRACTICE: "Say always or never, or on which facts. A reason may follow: '... because ...'.",
    VIGNETTE: "Somebody of whom you know what should happen.",
}
"""What is said as a part begins."""
