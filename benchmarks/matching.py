"""How well bank lines are matched: precision, recall and false automatic matches.

Made-up years of a company (`lib/company_year.py`, written apart from the matcher) are replayed line by
line (`lib/replay.py`). Precision: of what is matched without a person, the share that is as it truly
is. Recall: of the lines that pay something open, the share that is matched so. BENCH_YEARS sets how
many years, BENCH_SEED the first seed.
"""

import os
import sys
import time

from benchmarks.lib import company_year, replay
from benchmarks.lib.figures import Goal, printing

YEARS = int(os.environ.get("BENCH_YEARS", 10))
SEED = int(os.environ.get("BENCH_SEED", 1001))


def main():
    """Print the figures."""
    score = replay.Score()
    started = time.process_time()
    for seed in range(SEED, SEED + YEARS):
        score.add(replay.replay(company_year.year(seed)))
    seconds = time.process_time() - started
    for kind, outcomes in sorted(score.kinds.items()):
        print(f"{kind:16}", dict(outcomes), file=sys.stderr)
    with printing() as figures:
        note = f"{YEARS} years, seeds from {SEED}"
        figures.add("matching.precision", score.precision, goal=Goal("ours", ">=", 0.999),
                    n=score.automatic, note=note)  # fmt: skip
        figures.add("matching.recall", score.recall, goal=Goal("ours", ">=", 0.9),
                    n=score.payable, note="matched by itself and right")  # fmt: skip
        figures.add("matching.found", score.found, n=score.payable,
                    note="matched right, or the truth is the first proposal")  # fmt: skip
        figures.add("matching.false_automatic", score.false, n=score.automatic)
        figures.add("matching.cpu_ms_per_line", 1000 * seconds / score.lines, n=score.lines)


if __name__ == "__main__":
    main()
