"""Which addresses a connector may call."""

import doctest

import pytest

from odoo.addons.finance_connector_base.providers import hosts


def test_examples_in_the_docs():
    assert doctest.testmod(hosts).failed == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@evil.example.com/",
        "http://user:password@localhost/",
        "http://localhost.example.com/",
        "http://2130706433.example.com/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "localhost:8069",
        "http://[::1",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://localhost:port/",
    ],
)
def test_not_loopback(url):
    assert not hosts.is_loopback(url)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://gw.example.com/x", True),
        ("https://GW.example.com:8443", True),
        ("http://gw.example.com/x", False),
        ("https://gw.example.com@evil.example.org/", False),
        ("https://sub.gw.example.com/", False),
        ("https://example.com/", False),
    ],
)
def test_self_hosted_only_by_name_and_https(url, allowed):
    assert hosts.is_allowed(url, "other.example.com, gw.example.com") is allowed
    assert not hosts.is_allowed(url, "")
    assert not hosts.is_allowed(url, None)
