from odoo.tests import tagged

from .common import ExportCase


@tagged("post_install", "-at_install")
class TestIncrement(ExportCase):
    def snapshot(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT pg_current_snapshot()::text")
        return self.env.cr.fetchone()[0]

    def test_an_increment_has_what_changed_and_takes_back_what_is_no_longer_posted(self):
        self.env.cr.execute(
            "SELECT min(id) FROM account_move_line WHERE parent_state = 'posted'"
            " AND company_id = %s",
            [self.company.id],
        )
        [raw] = self.env.cr.fetchone()
        since = self.snapshot()
        self.assertEqual(self.changes(since, "U"), set())
        self.env.cr.execute(
            "UPDATE account_move_line SET matching_number = 'X1' WHERE id = %s", [raw]
        )
        self.assertEqual(self.changes(since, "U"), {str(raw)})
        self.env.cr.execute(
            "UPDATE account_move_line SET parent_state = 'draft' WHERE id = %s", [raw]
        )
        self.assertEqual(self.changes(since, "D"), {str(raw)})

    def test_a_change_of_what_stands_beside_an_item_is_a_change_of_it(self):
        since = self.snapshot()
        self.env.cr.execute(
            "UPDATE account_move SET ref = 'changed' WHERE id = ("
            " SELECT min(id) FROM account_move WHERE state = 'posted' AND company_id = %s)"
            " RETURNING id",
            [self.company.id],
        )
        [move] = self.env.cr.fetchone()
        self.env.cr.execute(
            "SELECT id::text FROM account_move_line WHERE move_id = %s AND account_id IS NOT NULL",
            [move],
        )
        items = {id_ for [id_] in self.env.cr.fetchall()}
        self.assertEqual(self.changes(since, "U"), items)

    def changes(self, since, operation):
        """Return the ids of an increment of our company's items with an operation."""
        rows, counted = self.rows("journal_items", "incremental", since, mode="incremental")
        self.assertEqual(len(rows), counted)
        for row in rows:
            if row["operation"] == "D":
                told = {row[name] for name in row if name not in ("operation", "id")}
                self.assertEqual(told, {""})
        return {row["id"] for row in rows if row["operation"] == operation}
