"""How many requests a vendor takes: a bucket that fills at a constant rate."""

import time

__all__ = ["Bucket"]


class Bucket:
    """Holds ``burst`` places, refilled at ``rate`` a second. Not thread-safe by itself."""

    def __init__(self, rate, burst, clock=time.monotonic):
        self.rate = rate
        self.burst = burst
        self.clock = clock
        self.places = burst
        self.at = clock()

    def take(self):
        """Take a place; return whether there was one."""
        now = self.clock()
        self.places = min(self.burst, self.places + (now - self.at) * self.rate)
        self.at = now
        if self.places < 1:
            return False
        self.places -= 1
        return True
