"""Runs inside an Odoo shell, after `export_world`: receivers elsewhere, and deliveries that break off.

`tests.system.test_export` puts it before its code; ruff can't know the names of `export_world`.
"""

# ruff: noqa: F821
import urllib.request

import psycopg2

from odoo.addons.finance_reporting_export.destinations import destination as parts

COLUMNS = ("id", "period", "gl_account_number", "debit", "credit", "je_line_description")
# So small that each file is sent in many of them.
PIECE = 700


class Remote:
    """An export to a receiver elsewhere, and what the receiver has."""

    def __init__(self, world, code, provider, url, **options):
        self.world, self.code = world, code
        with world.cursor() as cr:
            env = api.Environment(cr, 2, {})
            self.export = world.export(
                env, code, "incremental", connector(env, provider, url, options)
            )
            cr.commit()

    def files(self):
        """{path: bytes} of what is there."""
        raise NotImplementedError

    def numbers(self):
        """Numbers of the batches that a receiver takes for complete; fails where one is not."""
        return sorted(complete(self.files()))

    def differences(self):
        """Ids of rows that differ from the ledger, once all batches were received in their order."""
        self.world.received = {}
        for _number, (mode, rows) in sorted(complete(self.files()).items()):
            self.world.receive(rows, mode == "full")
        return self.world.differences()

    def mark(self):
        """(snapshot that the receiver has, by the feed; snapshot of the last delivered run)."""
        with self.world.cursor() as cr:
            cr.execute(
                "SELECT line.snapshot, (SELECT run.snapshot FROM finance_export_run AS run"
                " WHERE run.export_id = line.export_id AND run.state = 'delivered'"
                " ORDER BY run.id DESC LIMIT 1) FROM finance_export_feed AS line"
                " WHERE line.export_id = %s",
                [self.export],
            )
            return list(cr.fetchone())


class Sftp(Remote):
    """Its server keeps the files in a folder of this machine."""

    def files(self):
        root = Path(self.world.remote_folder)
        found = (file for file in root.rglob("*") if file.is_file())
        return {str(file.relative_to(root)): file.read_bytes() for file in found}


class Https(Remote):
    """The sandbox's warehouse, asked as a receiver asks it."""

    def __init__(self, world, code, provider, url, secret):
        super().__init__(world, code, provider, url, secret=secret)
        self.root, self.secret = url.rpartition("/")[0], secret

    def files(self):
        kept = json.loads(self.get("_sandbox/state?vendor=warehouse"))["files"]
        return {one["path"]: self.get(f"warehouse/{one['path']}") for one in kept}

    def get(self, path):
        headers = {"Authorization": f"Bearer {self.secret}"}
        asked = urllib.request.Request(f"{self.root}/{path}", headers=headers)
        with urllib.request.urlopen(asked) as answer:
            return answer.read()


class Warehouse(Remote):
    """A PostgreSQL database, whose table is the receiver's."""

    def __init__(self, world, code, provider, url, database):
        options = {"user": os.environ["PGUSER"], "password": "made-up-secret"}
        super().__init__(world, code, provider, url, **options)
        self.database = database

    def sql(self, query):
        with closing(psycopg2.connect(dbname=self.database)) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()

    def numbers(self):
        if self.sql("SELECT to_regclass('odoo.finance_batches')") == [(None,)]:
            return []
        return [
            number for (number,) in self.sql("SELECT number FROM odoo.finance_batches ORDER BY 1")
        ]

    def differences(self):
        texts = ", ".join(f"coalesce({name}::text, '')" for name in COLUMNS)
        there = {row[0]: row for row in self.sql(f"SELECT {texts} FROM odoo.journal_items")}
        run = self.world.start(self.world.whole)
        self.world.work()
        full = {row["id"]: tuple(row[name] for name in COLUMNS) for row in self.world.rows(run)}
        return sorted(key for key in full.keys() | there.keys() if full.get(key) != there.get(key))


def connector(env, provider, url, options):
    """A connector of the environment *local*, ready to deliver."""
    made = env["finance.connector"].sudo().create({"name": provider, "provider": provider})
    made.write({"environment": "local", "local_url": url})
    for row in (*made.setting_ids, *made.credential_ids):
        if row.environment == "local" and row.name in {"region": "de"} | options:
            row.value = ({"region": "de"} | options)[row.name]
    made._by_action({"state": "ready"})
    return made


def killed_while_sending(world, pieces):
    """Do the jobs in a process that dies after so many pieces of files; return whether it did."""

    def prepare():
        read, left = parts.Slice.read, [pieces]

        def dying(source, size=PIECE):
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return read(source, min(size, PIECE) if size and size > 0 else PIECE)

        parts.Slice.read = dying

    return died(world, prepare)


def deliveries(remote, draw, session, plans):
    """Deliver what has changed once for each plan, and die in it; return what was seen."""
    world, seen = remote.world, {"kills": 0, "wrong": []}
    for number, plan in enumerate(plans, 1):
        for _change in range(3):
            session.step()
        session.end(commit=True)
        before = remote.mark()
        run = world.start(remote.export)
        if plan == "sending":
            seen["kills"] += killed_while_sending(world, draw.randint(0, 12))
        else:
            seen["kills"] += killed_at(world, plan, 1, number)
        # a number that is there is there whole, and the watermark is where it was
        if remote.numbers() not in (list(range(1, number)), list(range(1, number + 1))):
            seen["wrong"].append(["numbers", number, remote.numbers()])
        if world.told(run)[0] != "delivered" and remote.mark() != before:
            seen["wrong"].append(["mark", number, remote.mark()])
        finish(world, run)
        told, mark = world.told(run), remote.mark()
        if told[:2] != ("delivered", number) or mark[0] != mark[1] or mark == before:
            seen["wrong"].append(["end", number, told, mark])
    return seen | {"numbers": remote.numbers(), "differences": remote.differences()}
