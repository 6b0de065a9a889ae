"""A made-up year with its truth: what is matched by itself is right, and most of it is matched."""

import os

import pytest

from benchmarks.lib import company_year, replay

SEEDS, PER_DAY = (range(1, 41), 6) if os.environ.get("SOAK") else ((7,), 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_automatic_matches_are_right(seed):
    score = replay.replay(company_year.year(seed, PER_DAY))
    assert score.lines > 300 * PER_DAY
    assert score.precision >= 0.999, score.wrong
    assert score.recall >= 0.9
    assert score.found >= 0.97
    assert not score.kinds["other"]["false"] and not score.kinds["twice"]["false"]


def test_the_same_year_twice_is_matched_the_same():
    first, second = (replay.replay(company_year.year(5, per_day=1)) for _ in range(2))
    assert first == second
