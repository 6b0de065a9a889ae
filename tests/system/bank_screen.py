"""What the browser tests of the bank screen stand on: an account, invoices, and statement files."""

from datetime import date, timedelta

IBAN = "DE75512108001245126199"
DAY = date(2026, 3, 2)
CUSTOMERS = ("Alder Trading", "Birch & Sons", "Cedar Works", "Dogwood Ltd")

STATEMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{last}T18:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{last}T18:00:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">0.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{first}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{closing:.2f}</Amt>
<CdtDbtInd>{closing_sign}</CdtDbtInd><Dt><Dt>{last}</Dt></Dt></Bal>
{entries}</Stmt></BkToCstmrStmt></Document>
"""
ENTRY = """<Ntry><Amt Ccy="USD">{amount:.2f}</Amt><CdtDbtInd>{sign}</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>
<AcctSvcrRef>B{number}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E2E-{number}</EndToEndId></Refs>
<RltdPties><{side}><Pty><Nm>{name}</Nm></Pty></{side}></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""


def statement(lines, number=1, iban=IBAN):
    """Return a camt.053 file; ``lines``: (amount in cents, name, text), a day each."""
    days = [DAY + timedelta(days=index % 20) for index in range(len(lines))]
    entries = "".join(
        ENTRY.format(
            amount=abs(amount) / 100,
            sign="CRDT" if amount > 0 else "DBIT",
            side="Dbtr" if amount > 0 else "Cdtr",
            day=day,
            number=f"{number}-{index}",
            name=name.replace("&", "&amp;"),
            text=text.replace("&", "&amp;"),
        )
        for index, ((amount, name, text), day) in enumerate(zip(lines, days, strict=True))
    )
    closing = sum(amount for amount, _name, _text in lines)
    return STATEMENT.format(
        number=number,
        iban=iban,
        first=min(days),
        last=max(days),
        closing=abs(closing) / 100,
        closing_sign="CRDT" if closing >= 0 else "DBIT",
        entries=entries,
    ).encode()


def prepare(odoo, invoices):
    """Make a bank account and open invoices; return (journal, [number of each invoice]).

    ``odoo``: a started server. ``invoices``: (customer, amount). Nothing is matched by itself: the
    accountant proposes a policy, and the administrator approves it.
    """
    rpc, accountant = odoo.rpc("admin"), odoo.rpc("accountant")
    journal = rpc.call(
        "account.journal",
        "create",
        {"name": "Main Account", "type": "bank", "code": "MAIN", "bank_acc_number": IBAN},
    )
    approver = rpc.call(
        "ir.model.data", "check_object_reference", "finance_connector_base", "group_approver"
    )[1]
    rpc.call("res.users", "write", [rpc.uid], {"group_ids": [(4, approver)]})
    policy = accountant.call(
        "finance.bank.policy", "create", {"journal_id": journal, "automatic": False}
    )
    rpc.call("finance.bank.policy", "action_approve", [policy])
    names = sorted({name for name, _amount in invoices})
    made = rpc.call("res.partner", "create", [{"name": name} for name in names])
    partners = dict(zip(names, made, strict=True))
    moves = rpc.call(
        "account.move",
        "create",
        [
            {
                "move_type": "out_invoice",
                "partner_id": partners[name],
                "invoice_date": "2026-02-16",
                "invoice_line_ids": [
                    (0, 0, {"name": "Goods", "quantity": 1, "price_unit": amount, "tax_ids": False})
                ],
            }
            for name, amount in invoices
        ],
    )
    rpc.call("account.move", "action_post", moves)
    rows = rpc.call("account.move", "read", moves, ["name"])
    return journal, [row["name"] for row in rows]


def drop(person, where, files):
    """Drag files over an element and drop them; ``files``: {name: bytes}."""
    data = person.page.evaluate_handle(
        """(files) => {
            const data = new DataTransfer();
            for (const [name, bytes] of files) {
                data.items.add(new File([new Uint8Array(bytes)], name));
            }
            return data;
        }""",
        [[name, list(content)] for name, content in files.items()],
    )
    person.page.locator(where).dispatch_event("dragenter", {"dataTransfer": data})
    zone = person.page.locator(".o-Dropzone")
    zone.wait_for()
    zone.dispatch_event("dragover", {"dataTransfer": data})
    zone.dispatch_event("drop", {"dataTransfer": data})
