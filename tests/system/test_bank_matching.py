"""Matching with real workers that are killed in the middle: each line once, and wholly or not at all."""

import pytest

from tests.soak import the_rest_in_soak
from tests.system.work import complaints

# Where a worker dies: items changed but not reconciled; matched, the run not yet told; the end.
KILLS = {"bank_half_booked": 0.35, "bank_matched": 0.35, "before_done": 0.3}
EXPECTED = (" timed out ",)

# ``count`` lines on a journal, each for an invoice of its own, every fifth for two of them.
PREPARE = """
env["ir.config_parameter"].set_param("finance_bank_sync.matches_per_job", {chunk})
env = env(context=dict(env.context, tracking_disable=True))
company = env.ref("base.main_company")
journal = env["account.journal"].search([("code", "=", "BMCH")]) or env["account.journal"].create(
    {{"name": "Matched Bank", "code": "BMCH", "type": "bank", "company_id": company.id}})
partners = env["res.partner"].create([{{"name": f"Payer {{number}}"}} for number in range(7)])
wanted = [2 if number % 5 == 4 else 1 for number in range({count})]
invoices = env["account.move"].create([
    {{"move_type": "out_invoice", "partner_id": partners[line % 7].id,
      "invoice_date": "2026-03-02", "company_id": company.id,
      "invoice_line_ids": [(0, 0, {{"name": "Work", "tax_ids": False,
                                   "price_unit": 100 + line + place / 100}})]}}
    for line, number in enumerate(wanted) for place in range(number)
])
invoices.action_post()
left = list(invoices)
paid = [[left.pop(0) for _place in range(number)] for number in wanted]
env["account.bank.statement.line"].create([
    {{"journal_id": journal.id, "date": "2026-03-20",
      "payment_ref": " and ".join(invoice.name for invoice in some),
      "amount": sum(invoice.amount_total for invoice in some)}}
    for some in paid
])
env["finance.bank.run"]._start(journal)
env.cr.commit()
result = invoices.ids
"""
OURS = "journal_id = (SELECT id FROM account_journal WHERE code = 'BMCH')"
# (lines, of them reconciled, of them with other than one match that stands)
LINES = f"""
SELECT count(*), count(*) FILTER (WHERE is_reconciled),
       count(*) FILTER (WHERE (SELECT count(*) FROM finance_bank_match m
                                WHERE m.line_id = l.id AND m.undone_at IS NULL) <> 1)
  FROM account_bank_statement_line l WHERE {OURS}
"""
# What stands in suspense, and entries that are not balanced.
SUSPENSE = f"""
SELECT count(*) FROM account_move_line i
  JOIN account_journal j ON j.id = i.journal_id AND i.account_id = j.suspense_account_id
 WHERE i.{OURS}
"""
UNBALANCED = f"""
SELECT count(*) FROM (SELECT move_id FROM account_move_line WHERE {OURS}
                       GROUP BY move_id HAVING sum(balance) <> 0) entry
"""
# Two weigh the same new line, each before the other's proposals are there to see.
TOGETHER = """
import threading
from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError

journal = env["account.journal"].create({"name": "Together", "code": "BTOG", "type": "bank"})
line = env["account.bank.statement.line"].create(
    {"journal_id": journal.id, "date": "2026-03-20", "payment_ref": "who knows", "amount": 7})
env.cr.commit()
both, ends = threading.Barrier(2), []

def weigh(line_id=line.id):
    with env.registry.cursor() as cr:
        own = api.Environment(cr, SUPERUSER_ID, {})["account.bank.statement.line"].browse(line_id)
        decided = own._finance_decide()
        both.wait(30)
        try:
            own._finance_keep_proposals(decided)
            cr.commit()
            ends.append("kept")
        except ConcurrencyError:
            cr.rollback()
            ends.append("again")

threads = [threading.Thread(target=weigh) for _number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
env.cr.rollback()
env.invalidate_all()
result = {"ends": sorted(ends), "ranks": line.finance_proposal_ids.mapped("rank")}
"""
# Of each invoice: left open, parts of what was reconciled with it, times the chatter says paid.
INVOICES = """
SELECT move.amount_residual, move.payment_state,
       (SELECT count(*) FROM account_partial_reconcile part
          JOIN account_move_line item ON item.id = part.debit_move_id
         WHERE item.move_id = move.id),
       (SELECT sum(part.amount) - move.amount_total FROM account_partial_reconcile part
          JOIN account_move_line item ON item.id = part.debit_move_id
         WHERE item.move_id = move.id),
       (SELECT count(*) FROM mail_message message
          JOIN ir_model_data d ON d.res_id = message.subtype_id
               AND (d.module, d.name) = ('account', 'mt_invoice_paid')
         WHERE message.model = 'account.move' AND message.res_id = move.id)
  FROM account_move move WHERE move.id = ANY(%s)
"""
RUNS = f"SELECT state, line_count, automatic_count FROM finance_bank_run WHERE {OURS}"
EVENTS = """
SELECT count(*) FROM finance_audit_event
 WHERE kind = 'bank.matched' AND data->>'match' IN
       (SELECT id::text FROM finance_bank_match WHERE journal_id =
               (SELECT id FROM account_journal WHERE code = 'BMCH'))
"""
PROPOSALS = f"SELECT count(*) FROM finance_bank_proposal WHERE {OURS}"
DEAD_LANE = "was left behind by a dead lane"


def check_once(work, count, invoices):
    """Each line is matched once, nothing is half booked, and people are told once."""
    assert work.rows(LINES) == [(count, count, 0)]
    assert work.value(SUSPENSE) == 0
    assert work.value(UNBALANCED) == 0
    told = work.rows(INVOICES, invoices)
    assert len(told) == len(invoices)
    assert {(left, parts, off, times) for left, _state, parts, off, times in told} == {(0, 1, 0, 1)}
    assert {state for _left, state, *_rest in told} <= {"paid", "in_payment"}
    runs = work.rows(RUNS)
    assert {state for state, *_counts in runs} == {"done"}
    assert sum(lines for _state, lines, _matched in runs) == count
    assert sum(matched for *_rest, matched in runs) == count
    assert work.value(EVENTS) == count
    assert work.value(PROPOSALS) == 0


def test_two_weigh_a_line_at_once(odoo_factory, database):
    """A person's screen and a run: the later one tries again, and no proposal stands there twice."""
    done = odoo_factory(database).shell(TOGETHER)
    assert done == {"ends": ["again", "kept"], "ranks": [1]}


@pytest.mark.parametrize("point", the_rest_in_soak(KILLS, "one point is enough"))
def test_killed_in_the_middle_of_matching(point, odoo_factory, work, soak):
    """Whatever is killed when: the run goes on by itself, and no line is matched twice or by half."""
    count, chunk, seconds = (2000, 50, 3600) if soak else (60, 6, 180)
    words = {"count": count, "chunk": chunk}
    server = odoo_factory(work.database)
    invoices = server.shell(PREPARE.format(**words), timeout=3600)
    total = count
    server.start(FINANCE_KILL_POINT=f"{point}:{KILLS[point]}:7")
    work.rpc = server.rpc()
    work.wait(seconds, nudge=3)
    while not (kills := server.read_log().count(DEAD_LANE)):
        invoices += server.shell(PREPARE.format(**words), timeout=3600)
        total += count
        work.wait(seconds, nudge=3)
    print(f"{point}: {total} lines, {kills} times killed")
    check_once(work, total, invoices)
    assert complaints(server.read_log(), EXPECTED) == []
