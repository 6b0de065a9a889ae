"""Named points at which a crash test kills the worker. Without the variable they do nothing.

FINANCE_KILL_POINT="before_send:0.02:7" kills at the point *before_send* with probability 0.02,
drawn from seed 7. The names: after_claim, before_send, after_send, before_answered, before_done,
token_answered.
"""

import os
import random
import signal

VARIABLE = "FINANCE_KILL_POINT"
_draws = {}


def kill_point(name):
    """Kill this process here when the crash test asks for it."""
    wanted = os.environ.get(VARIABLE)
    if not wanted or not wanted.startswith(f"{name}:"):
        return
    _, probability, seed = wanted.split(":")
    draw = _draws.setdefault(os.getpid(), random.Random(f"{seed}:{os.getpid()}"))
    if draw.random() < float(probability):
        os.kill(os.getpid(), signal.SIGKILL)
