"""What differs between two configurations, and nothing else."""

from odoo.addons.finance_connector_base.configuration.compare import compare

IDENTITIES = {"connectors": ("key",), "settings": ()}


def changes(before, after):
    """(section, kind, {path: (old, new)}) of each change."""
    return [
        (change.section, change.kind, {v.path: (v.old, v.new) for v in change.values})
        for change in compare(before, after, IDENTITIES)
    ]


def test_equal_is_no_change():
    document = {"connectors": [{"key": "a", "n": 1}], "settings": {"days": 90}}
    assert changes(document, document) == []
    assert changes({}, {}) == []


def test_order_of_entries_is_of_no_importance():
    a, b = {"key": "a"}, {"key": "b"}
    assert changes({"connectors": [a, b]}, {"connectors": [b, a]}) == []


def test_new_changed_gone():
    before = {"connectors": [{"key": "a", "n": 1, "x": "same"}, {"key": "b", "n": 2}]}
    after = {"connectors": [{"key": "a", "n": 3, "x": "same"}, {"key": "c", "n": 4, "e": None}]}
    assert changes(before, after) == [
        ("connectors", "changed", {("n",): (1, 3)}),
        ("connectors", "gone", {}),
        ("connectors", "new", {("n",): (None, 4)}),
    ]


def test_settings_are_one_entry():
    assert changes(
        {"settings": {"days": 90, "p": "any"}}, {"settings": {"days": 30, "p": "any"}}
    ) == [("settings", "changed", {("days",): (90, 30)})]


def test_objects_are_compared_key_by_key():
    before = {"connectors": [{"key": "a", "options": {"sandbox": {"x": "1", "y": None}}}]}
    after = {"connectors": [{"key": "a", "options": {"sandbox": {"x": "2"}, "local": {"x": "3"}}}]}
    assert changes(before, after) == [
        (
            "connectors",
            "changed",
            {("options", "local", "x"): (None, "3"), ("options", "sandbox", "x"): ("1", "2")},
        )
    ]


def test_a_text_becomes_translated():
    before = {"connectors": [{"key": "a", "name": "One"}]}
    after = {"connectors": [{"key": "a", "name": {"en_US": "One", "de_DE": "Eins"}}]}
    assert changes(before, after) == [
        (
            "connectors",
            "changed",
            {
                ("name", ""): ("One", None),
                ("name", "de_DE"): (None, "Eins"),
                ("name", "en_US"): (None, "One"),
            },
        )
    ]


def test_section_of_an_addon_that_is_gone():
    before, after = {"old": [{"name": "a"}]}, {}
    assert changes(before, after) == [("old", "gone", {})]
    assert changes(after, before) == [("old", "new", {("name",): (None, "a")})]
