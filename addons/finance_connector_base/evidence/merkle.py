"""Merkle trees over leaves that are hashed already.

Source: RFC 6962, section 2.1 (tree and audit paths); RFC 9162, section 2.1.3.2 (verification).
"""

import hashlib


def node(left, right) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves) -> bytes:
    """Return the root of leaves (32 bytes each); of none, the hash of nothing."""
    return levels(leaves)[-1][0]


def levels(leaves) -> list:
    """Return the tree as its levels, the leaves first and the root alone last."""
    tree = [list(leaves) or [hashlib.sha256(b"").digest()]]
    while len(tree[-1]) > 1:
        tree.append(_above(tree[-1]))
    return tree


def path(tree, position) -> list:
    """Return the audit path of a leaf, from the leaf to the root. tree: of `levels`."""
    siblings = ((level, (position >> height) ^ 1) for height, level in enumerate(tree[:-1]))
    return [level[sibling] for level, sibling in siblings if sibling < len(level)]


def root_of_path(leaf, position, size, siblings) -> bytes | None:
    """Return the root that an audit path leads to; None when the path doesn't fit the tree."""
    if not 0 <= position < size:
        return None
    current, index, last = leaf, position, size - 1
    for sibling in siblings:
        if last == 0:
            return None
        if index & 1 or index == last:
            current = node(sibling, current)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            current = node(current, sibling)
        index, last = index >> 1, last >> 1
    return current if last == 0 else None


def _above(level):
    pairs = [node(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
    # A node without a neighbour goes up as it is: the same tree as the RFC's recursion.
    return pairs + level[len(level) & ~1 :]
