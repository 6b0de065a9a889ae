"""What people may see of an exchange."""

import json

import pytest

from odoo.addons.finance_connector_base.providers.masking import (
    mask_body,
    mask_json,
    mask_text,
    without_secrets,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to DE89370400440532013000 today", "to ••••3000 today"),
        ("to DE89 3704 0044 0532 0130 00 today", "to ••••3000 today"),
        ("card 4111 1111 1111 1111.", "card ••••1111."),
        ("amount 1234567890123456 is no card", "amount 1234567890123456 is no card"),
        ("mail to jane@example.com", "mail to ••••"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ••••"),
        ("key sk_test_4eC39HqLyjWDarjtT1zdp7dc", "key ••••"),
        ("invoice INV/2026/00017 of 2026-11-21", "invoice INV/2026/00017 of 2026-11-21"),
    ],
)
def test_text(text, shown):
    assert mask_text(text) == shown


def test_fields():
    masked = mask_json(
        {
            "licenseKey": "abc",
            "access_token": "xyz",
            "iban": "GB33BUKB20201555555555",
            "customerCode": "C-17",
            "addresses": {"shipTo": {"line1": "12 Some Long Street", "city": "Houston"}},
            "commit": True,
            "amount": 12,
        }
    )
    assert masked == {
        "licenseKey": "••••",
        "access_token": "••••",
        "iban": "••••5555",
        "customerCode": "C-17",
        "addresses": {"shipTo": {"line1": "••••reet", "city": "Houston"}},
        "commit": True,
        "amount": 12,
    }


def test_forms():
    body = (
        b"customer_details%5Baddress%5D%5Bline1%5D=12+Some+Long+Street&currency=eur&client_secret=abc"
        b"&customer_details[tax_ids][0][value]=DE123456789&expand[]=line_items"
    )
    assert mask_body(body).splitlines() == [
        "customer_details[address][line1] = ••••reet",
        "currency = eur",
        "client_secret = ••••",
        "customer_details[tax_ids][0][value] = ••••6789",
        "expand[] = line_items",
    ]
    answer = {"tax_ids": [{"type": "eu_vat", "value": "DE123456789"}]}
    assert mask_json(answer) == {"tax_ids": [{"type": "••••", "value": "••••6789"}]}
    assert mask_body(b"x = y, said a & b") == "x = y, said a & b"


def test_body():
    assert json.loads(mask_body(b'{"password": "x", "a": 1}')) == {"password": "••••", "a": 1}
    assert mask_body(b"plain jane@example.com\x00") == "plain ••••"
    assert mask_body(b"") == ""
    assert mask_body(b"x" * 50, limit=10).startswith("xxxxxxxxxx\n… (40 more)")


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        ("<a><IBAN>DE89370400440532013000</IBAN></a>", "<a><IBAN>••••3000</IBAN></a>"),
        ("<w:Password Type='t'>hunter2</w:Password>", "<w:Password Type='t'>••••</w:Password>"),
        ("<token><![CDATA[a<b>c]]></token>", "<token>••••</token>"),
        ("<Password>cut off her", "<Password>••••"),
        ("<token><![CDATA[cut <off", "<token>••••"),
        ('<k accessKey="AKIA0815" id="7"/>', '<k accessKey="••••" id="7"/>'),
        ("<accessKey>\n  AKIA\n</accessKey>", "<accessKey>\n  ••••</accessKey>"),
        ("<vatNumber>DE123456789</vatNumber>", "<vatNumber>••••6789</vatNumber>"),
        ("<p><Nm>Jane Q. Doe</Nm><Amt Ccy='EUR'>1.50</Amt></p>",
         "<p><Nm>•••• Doe</Nm><Amt Ccy='EUR'>1.50</Amt></p>"),
        ("<note>mail jane@example.com</note>", "<note>mail ••••</note>"),
        ("<a>1 &lt; 2</a>", "<a>1 &lt; 2</a>"),
    ],
)  # fmt: skip
def test_xml(xml, shown):
    assert mask_body(xml.encode()) == shown


def test_secrets_wherever_they_stand():
    assert without_secrets("url?key=hunter2-long&x", ("hunter2-long", "")) == "url?key=••••&x"
