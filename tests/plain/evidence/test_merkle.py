"""The tree is that of RFC 6962, computed here a second time as the RFC words it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.evidence import merkle
from odoo.addons.finance_connector_base.evidence.rows import leaf

# The inputs of the RFC's reference implementation (certificate-transparency, merkle tree tests).
ENTRIES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def sha256(data):
    return hashlib.sha256(data).digest()


def split(number):
    """The largest power of two smaller than ``number``."""
    power = 1
    while power * 2 < number:
        power *= 2
    return power


def mth(entries):
    """MTH of RFC 6962, section 2.1."""
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m, entries):
    """PATH of RFC 6962, section 2.1.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def test_known_roots():
    """Published values, and the root of nothing."""
    assert merkle.root([]).hex() == EMPTY
    for number, root in ROOTS.items():
        assert merkle.root(map(leaf, ENTRIES[:number])).hex() == root == mth(ENTRIES[:number]).hex()


@pytest.mark.parametrize("number", [*range(1, 34), 63, 64, 65, 100])
def test_paths_of_every_leaf(number):
    """Root and every path are those of the RFC's recursion, and lead to the root."""
    entries = [str(n).encode() for n in range(number)]
    tree = merkle.levels(map(leaf, entries))
    assert tree[-1] == [mth(entries)]
    for position, entry in enumerate(entries):
        siblings = merkle.path(tree, position)
        assert siblings == path(position, entries)
        found = merkle.root_of_path(leaf(entry), position, number, siblings)
        assert found == tree[-1][0]


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_a_path_fits_one_leaf_in_one_place(entries, data):
    """Any other leaf, place, size or path leads elsewhere or nowhere."""
    tree = merkle.levels(map(leaf, entries))
    position = data.draw(st.integers(0, len(entries) - 1))
    siblings = merkle.path(tree, position)
    right, root, size = leaf(entries[position]), tree[-1][0], len(entries)

    assert merkle.root_of_path(leaf(b"other"), position, size, siblings) != root
    assert merkle.root_of_path(right, position, size, [*siblings, right]) != root
    assert merkle.root_of_path(right, size, size, siblings) is None
    assert merkle.root_of_path(right, -1, size, siblings) is None
    if siblings:
        assert merkle.root_of_path(right, position, size, siblings[:-1]) != root
        step = data.draw(st.integers(0, len(siblings) - 1))
        wrong = [*siblings[:step], leaf(b"wrong"), *siblings[step + 1 :]]
        assert merkle.root_of_path(right, position, size, wrong) != root
