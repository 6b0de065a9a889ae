"""When to try again: exponential backoff with full jitter; the vendor's Retry-After wins."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How long a job is repeated before a person has to look at it.

    max_attempts: calls in all. window: seconds from the first call to the last one.
    base, cap: seconds; the n-th wait is drawn between 0 and min(cap, base * 2 ** (n - 1)).
    """

    max_attempts: int = 8
    window: float = 24 * 3600
    base: float = 2.0
    cap: float = 900.0

    def delay(self, attempts, retry_after=None, draw=random.random):
        """Return the seconds to wait after the ``attempts``-th failed call.

        >>> RetryPolicy(base=2, cap=60).delay(3, draw=lambda: 1.0)
        8.0
        >>> RetryPolicy(base=2, cap=60).delay(30, draw=lambda: 0.5)
        30.0
        >>> RetryPolicy().delay(1, retry_after=7.5)
        7.5
        """
        if retry_after is not None:
            return max(0.0, float(retry_after))
        exponent = min(max(attempts, 1) - 1, 30)
        return min(self.cap, self.base * 2**exponent) * draw()

    def exhausted(self, attempts, elapsed, wait=0.0):
        """Return whether another call after ``wait`` seconds would be one too many or too late."""
        return attempts >= self.max_attempts or elapsed + wait > self.window
