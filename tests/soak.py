"""What only ``make soak`` runs: left out before any fixture is made for it."""

import os

import pytest

SOAK = bool(os.environ.get("SOAK"))


def only_in_soak(reason):
    """Mark a test, or a parameter of one, that is too long for every day."""
    return pytest.mark.skipif(not SOAK, reason=f"soak: {reason}")


def the_rest_in_soak(values, reason, *everyday):
    """Parameters of which only ``everyday`` are tried every day; by default the first."""
    values = list(values)
    everyday = everyday or values[:1]
    return [
        value if value in everyday else pytest.param(value, marks=only_in_soak(reason))
        for value in values
    ]
