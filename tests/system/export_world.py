"""Runs inside an Odoo shell: a ledger that many transactions change, exports, and a receiver.

`env` is the shell's. Nothing here is a test; `tests.system.test_export` puts it before its code.
"""

import csv
import io
import json
import os
import random
import signal
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from odoo import api, sql_db
from odoo.tools import config

from odoo.addons.finance_connector_base.lanes.lane import Lane

SESSIONS = 4
LABELS = ("plain", 'with "quotes"', "two\nlines", "Ünïcode", "")


class World:
    """An export of journal items told by increments, another one of everything, and a receiver."""

    def __init__(self, env, folder=None):
        self.registry = env.registry
        with self.cursor() as cr:
            env = api.Environment(cr, 2, {})
            env["res.users"].browse(2).sudo().group_ids |= env.ref(
                "finance_connector_base.group_controller"
            )
            self.company = env.company.id
            self.journals = [self.journal(env, number) for number in range(SESSIONS)]
            accounts = env["account.account"].search(
                [("company_ids", "in", self.company), ("account_type", "=", "expense")], limit=2
            )
            self.accounts = accounts.ids
            connector = folder and self.destination(env, folder)
            self.changes = self.export(env, "changes", "incremental", connector)
            self.whole = self.export(env, "whole", "full", None)
            cr.commit()
        self.received = {}
        self.number = 0
        self.folder = folder

    def cursor(self):
        return closing(self.registry.cursor())

    def journal(self, env, number):
        values = {"name": f"Export {number}", "code": f"XP{number}", "type": "general"}
        return env["account.journal"].create(values).id

    def export(self, env, code, mode, connector):
        feed = env["finance.feed"].search([("code", "=", "journal_items")])
        line = {"feed_id": feed.id, "mode": mode, "split": "whole"}
        # demo data has drafts and gaps of its own, which nobody asks for here
        policies = {
            name: "mark" for name in env["finance.export"]._fields if name.endswith("_policy")
        }
        return (
            env["finance.export"]
            .create(
                {
                    "name": code,
                    "code": code,
                    "format": "csv",
                    "connector_id": connector and connector.id,
                    "feed_ids": [(0, 0, line)],
                    **policies,
                }
            )
            .id
        )

    def destination(self, env, folder):
        config.options["finance_allowed_folders"] = folder
        connector = (
            env["finance.connector"]
            .sudo()
            .create(
                {
                    "name": "Warehouse",
                    "provider": "export_folder",
                    "environment": "local",
                    "local_url": f"file://{folder}",
                }
            )
        )
        connector.setting_ids.filtered(lambda row: row.name == "region").value = "de"
        connector._by_action({"state": "ready"})
        return connector

    # === RUNS === #

    def start(self, export):
        """Begin a run, as a person does."""
        with self.cursor() as cr:
            run = api.Environment(cr, 2, {})["finance.export"].browse(export)._start(why="test")
            cr.commit()
            return run.id

    def work(self):
        """Do all jobs that are due, as a lane does, with real commits."""
        with self.cursor() as cr:
            lane = Lane(api.Environment(cr, 1, {}))
            cr.commit()
            try:
                while lane.turn():
                    pass
            finally:
                lane.close()

    def run(self, export):
        run = self.start(export)
        self.work()
        return self.told(run)

    def told(self, run):
        """What became of a run: (state, number, mode, reason)."""
        with self.cursor() as cr:
            run = api.Environment(cr, 1, {})["finance.export.run"].browse(run)
            step = run.step_ids[:1]
            return run.state, run.number, step.mode, step.reason

    def rows(self, run):
        """{id: row} of the data file of a run that is kept here."""
        with self.cursor() as cr:
            file = api.Environment(cr, 1, {})["finance.export.run"].browse(run).file_ids
            with file.filtered("feed")._open() as stream:
                return list(csv.DictReader(io.StringIO(stream.read().decode(), newline="")))

    # === THE RECEIVER === #

    def receive(self, rows, everything):
        """Do what a receiver does: replace all, or replace and delete by key."""
        if everything:
            self.received = {}
        for row in rows:
            row = dict(row)
            if row.pop("operation") == "D":
                self.received.pop(row["id"], None)
            else:
                self.received[row["id"]] = row

    def differences(self):
        """Ids of rows that are not the same in a full extract and at the receiver."""
        run = self.start(self.whole)
        self.work()
        full = {row["id"]: row for row in self.rows(run)}
        ids = full.keys() | self.received.keys()
        return sorted(id_ for id_ in ids if full.get(id_) != self.received.get(id_))


# === WHAT HAPPENS TO THE LEDGER === #


class Session:
    """One connection that changes its own part of the ledger, and commits when it likes."""

    def __init__(self, world, number, draw):
        self.world, self.draw = world, draw
        self.journal = world.journals[number]
        self.cr = None

    def step(self):
        """Do one thing: open, change, commit or roll back."""
        if self.cr is None:
            self.cr = self.world.registry.cursor()
            self.cr.execute("SET lock_timeout = '2s'")
        kind = self.draw.choice(
            (
                "post",
                "post",
                "label",
                "label",
                "delete",
                "reset",
                "sql_reset",
                "reconcile",
                "remove",
            )
        )
        try:
            self.inside_or_not(getattr(self, kind))
        except Exception:
            self.end(commit=False)
            return f"{kind} failed"
        return kind

    def inside_or_not(self, change):
        """Inside a savepoint, of which some are taken back, or in the transaction itself."""
        if self.draw.random() < 0.4:
            change()
            return
        self.cr.execute("SAVEPOINT here")
        change()
        back = self.draw.random() < 0.2
        self.cr.execute("ROLLBACK TO SAVEPOINT here" if back else "RELEASE SAVEPOINT here")

    def end(self, commit=None):
        if self.cr is None:
            return
        commit = self.draw.random() < 0.8 if commit is None else commit
        if commit:
            self.cr.commit()
        else:
            self.cr.rollback()
        self.cr.close()
        self.cr = None

    @property
    def env(self):
        return api.Environment(self.cr, 2, {})

    def some(self, state="posted"):
        """Ids of a few of our entries in a state."""
        self.cr.execute(
            "SELECT id FROM account_move WHERE journal_id = %s AND state = %s ORDER BY id",
            (self.journal, state),
        )
        found = [row[0] for row in self.cr.fetchall()]
        return self.draw.sample(found, min(len(found), 2))

    def post(self):
        one, two = self.world.accounts
        amount = self.draw.randint(1, 10_000) / 100
        label = self.draw.choice(LABELS)
        lines = [
            {"account_id": one, "debit": amount, "name": label},
            {"account_id": two, "credit": amount, "name": label},
        ]
        move = self.env["account.move"].create(
            {
                "journal_id": self.journal,
                "date": f"2026-0{self.draw.randint(1, 9)}-15",
                "line_ids": [(0, 0, line) for line in lines],
            }
        )
        if self.draw.random() < 0.9:
            move.action_post()
        self.env.flush_all()

    def reset(self):
        self.env["account.move"].browse(self.some()).button_draft()
        self.env.flush_all()

    def remove(self):
        """Delete entries as people do: back to draft, then away, with their lines."""
        moves = self.env["account.move"].browse(self.some())
        moves.button_draft()
        moves.with_context(force_delete=True).unlink()
        self.env.flush_all()

    def label(self):
        """Plain SQL, as modules do it: neither the ORM nor write_date knows."""
        self.cr.execute(
            "UPDATE account_move_line SET name = %s WHERE move_id = ANY(%s)",
            (f"label {self.draw.randint(1, 10**6)}", self.some()),
        )

    def reconcile(self):
        self.cr.execute(
            "UPDATE account_move_line SET matching_number = %s WHERE move_id = ANY(%s)",
            (f"P{self.draw.randint(1, 10**6)}", self.some()),
        )

    def sql_reset(self):
        moves = self.some()
        self.cr.execute("UPDATE account_move SET state = 'draft' WHERE id = ANY(%s)", (moves,))
        self.cr.execute(
            "UPDATE account_move_line SET parent_state = 'draft' WHERE move_id = ANY(%s)", (moves,)
        )

    def delete(self):
        self.cr.execute("DELETE FROM account_move_line WHERE move_id = ANY(%s)", (self.some(),))


def interleave(world, seed, steps):
    """Random steps of the sessions, with runs among them; return (modes of runs, differences)."""
    draw = random.Random(seed)
    sessions = [Session(world, number, draw) for number in range(SESSIONS)]
    modes, done = [told_once(world)], {}
    for _step in range(steps):
        what = draw.random()
        session = draw.choice(sessions)
        if what < 0.62:
            kind = session.step()
            done[kind] = done.get(kind, 0) + 1
        elif what < 0.9:
            session.end()
        else:
            modes.append(told_once(world))
    for session in sessions:
        session.end(commit=True)
    modes.append(told_once(world))
    return modes, done, world.differences()


def told_once(world):
    run = world.start(world.changes)
    world.work()
    state, _number, mode, reason = world.told(run)
    assert state == "delivered", (state, reason)
    world.receive(world.rows(run), mode == "full")
    return mode


# === BEING KILLED === #


def killed_at(world, point, chance, seed):
    """Do the jobs in a process that the kill point ends; return whether it did."""

    def prepare():
        os.environ["FINANCE_KILL_POINT"] = f"{point}:{chance}:{seed}"

    return died(world, prepare)


def died(world, prepare):
    """Do the jobs in a process of its own, prepared to die; return whether it was killed."""
    child = os.fork()
    if not child:
        try:
            # the parent's connections are the parent's
            sql_db._Pool = sql_db._Pool_readonly = None
            world.registry._db = sql_db.db_connect(world.registry.db_name)
            prepare()
            world.work()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def finish(world, run):
    """Work as after a start again, until the run is over."""
    for _again in range(20):
        world.work()
        if world.told(run)[0] == "delivered":
            return
        time.sleep(0.2)


def complete_batches(world):
    """Look at the folder as a receiver does: {number: (mode, rows)} of batches with a manifest."""
    found = (file for file in Path(world.folder).rglob("*") if file.is_file())
    return complete({str(file.relative_to(world.folder)): file.read_bytes() for file in found})


def complete(files):
    """Return {number: (mode, rows)} of the batches among files, {path: bytes}, with a manifest.

    Fails where a file that a manifest names is not exactly what it says.
    """
    found = {}
    for manifest in sorted(path for path in files if path.endswith("/datapackage.json")):
        folder = manifest.rpartition("/")[0]
        rows, mode = [], "incremental"
        for resource in json.loads(files[manifest])["resources"]:
            content = files[f"{folder}/{resource['path']}"]
            assert len(content) == resource["bytes"], resource["path"]
            assert resource["hash"] == f"sha256:{sha256(content).hexdigest()}", resource["path"]
            rows += csv.DictReader(io.StringIO(content.decode(), newline=""))
            mode = resource.get("finance:mode", mode)
        found[int(folder.rpartition("/")[2])] = (mode, rows)
    return found
