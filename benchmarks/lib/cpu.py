"""Processor time of whole process trees."""

import psutil


class CpuMeter:
    """Seconds of processor time that trees of processes have used, ended children included.

    roots: process ids. without: process ids that don't count, the measuring ones.
    """

    def __init__(self, roots, without=()):
        self._roots = [psutil.Process(pid) for pid in roots]
        self._without = set(without)

    def seconds(self):
        """Return user and system time of all trees so far."""
        return sum(_tree(root, self._without) for root in self._roots)


def _tree(root, without):
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        if process.pid in without:
            continue
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
