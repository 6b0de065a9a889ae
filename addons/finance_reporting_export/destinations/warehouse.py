"""The tables of a PostgreSQL warehouse and how a batch gets into them."""

import json

from psycopg2 import sql

from odoo.addons.finance_connector_base.providers.errors import ContractBroken, Rejected

from .destination import Ahead
from .rows import header_of, opened

TYPES = {
    "integer": "bigint",
    "string": "text",
    "date": "date",
    "datetime": "timestamp with time zone",
    "decimal": "numeric",
    "boolean": "boolean",
    "json": "jsonb",
}
# The column of increments that says whether a row is gone; no table keeps it.
OPERATION, GONE = "operation", "D"
# By which columns the rows of a company and period are found.
COMPANY, PERIOD = "entity", "period"
STAGE = sql.Identifier("finance_stage")
COPY = "FORMAT csv"
# JSON has neither of these characters: each line is one value.
COPY_JSON = r"FORMAT csv, QUOTE E'\x01', ESCAPE E'\x01', DELIMITER E'\x02'"

BATCHES = """
    CREATE TABLE IF NOT EXISTS {schema}.finance_batches (
        export text NOT NULL,
        number bigint NOT NULL,
        run text NOT NULL UNIQUE,
        manifest_sha256 text NOT NULL,
        manifest jsonb NOT NULL,
        rows jsonb NOT NULL,
        loaded_at timestamp with time zone NOT NULL DEFAULT now(),
        PRIMARY KEY (export, number)
    )
"""
# Which export fills a table: a batch in full would remove the rows of another one's companies.
FEEDS = """
    CREATE TABLE IF NOT EXISTS {schema}.finance_feeds (
        feed text PRIMARY KEY, export text NOT NULL, version integer NOT NULL
    )
"""


class Warehouse:
    """One schema, through a psycopg2 connection whose transaction the caller ends."""

    def __init__(self, connection, schema):
        self.cursor = connection.cursor()
        self.name = schema
        self.schema = sql.Identifier(schema)

    def look(self):
        """Return (version of the server, whether the schema may be written to or created)."""
        self._do(
            "SELECT current_setting('server_version'), CASE WHEN to_regnamespace(%s) IS NULL"
            " THEN has_database_privilege(current_database(), 'CREATE')"
            " ELSE has_schema_privilege(to_regnamespace(%s), 'CREATE, USAGE') END",
            [f'"{self.name}"'] * 2,
        )
        return self.cursor.fetchone()

    def rows_of(self, delivery):
        """Return {file name: rows that were counted here}, None where it was not loaded."""
        self._do("SELECT to_regclass(%s)", [f'"{self.name}".finance_batches'])
        if not self.cursor.fetchone()[0]:
            return None
        self._do(
            "SELECT rows FROM {schema}.finance_batches WHERE run = %s AND number = %s",
            [delivery.run, delivery.number],
        )
        found = self.cursor.fetchone()
        return found and found[0]

    def load(self, delivery, manifest):
        """Load a `Delivery`; return False where it was loaded before.

        manifest: its bytes. Raises `Ahead` where other batches from this number on were loaded;
        `Rejected` with code "gap", "taken", "owner", "schema" or "mode"; `ContractBroken` for a
        wrong number of rows, and what psycopg2 raises.
        """
        self._prepare()
        if not self._is_next(delivery):
            return False
        rows, feeds = {}, {}
        for parcel in _tables(delivery):
            feeds.setdefault(parcel.feed, []).append(parcel)
        for parcels in feeds.values():
            self._own(delivery.export, parcels[0])
            rows |= self._load_feed(parcels)
        self._do(
            "INSERT INTO {schema}.finance_batches (export, number, run, manifest_sha256, manifest, rows)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                delivery.export,
                delivery.number,
                delivery.run,
                delivery.manifest.sha256,
                json.dumps(json.loads(manifest)),
                json.dumps(rows),
            ],
        )
        return True

    # === WHICH BATCH === #

    def _prepare(self):
        """Have the schema and its table of batches, and be alone in them."""
        self._do(
            "SELECT pg_advisory_xact_lock(hashtext('finance_export'), hashtext(%s))", [self.name]
        )
        self._do("SELECT to_regnamespace(%s)", [f'"{self.name}"'])
        if self.cursor.fetchone()[0] is None:
            self._do("CREATE SCHEMA {schema}")
        self._do(BATCHES)
        self._do(FEEDS)

    def _is_next(self, delivery):
        self._do(
            "SELECT number, run, manifest_sha256 FROM {schema}.finance_batches"
            " WHERE run = %(run)s OR (export = %(export)s AND number >= %(number)s)"
            " ORDER BY number = %(number)s DESC, number DESC LIMIT 1",
            {"run": delivery.run, "export": delivery.export, "number": delivery.number},
        )
        same = delivery.number, delivery.run, delivery.manifest.sha256
        found = self.cursor.fetchone()
        if found == same:
            return False
        batch = f"batch {delivery.number} of {delivery.export}"
        if found and found[1] == delivery.run:
            raise Rejected(
                f"The warehouse has another batch as {batch}: nothing was loaded", code="taken"
            )
        self._do(
            "SELECT max(number) FROM {schema}.finance_batches WHERE export = %s", [delivery.export]
        )
        last = self.cursor.fetchone()[0] or 0
        if found:
            raise Ahead(last)
        self._check_gap(delivery, batch, last)
        return True

    def _check_gap(self, delivery, batch, last):
        """Refuse an increment whose forerunner is missing; a batch of whole feeds needs none."""
        whole = all(parcel.mode == "full" for parcel in _tables(delivery))
        if delivery.number != last + 1 and not whole:
            raise Rejected(
                f"{batch} can't be loaded: the last one here is {last or 'none'}. Deliver those"
                " between first, or run the export in full",
                code="gap",
            )

    # === A FEED === #

    def _own(self, export, parcel):
        """See that no other export fills the table of a feed."""
        self._do(
            "INSERT INTO {schema}.finance_feeds AS known VALUES (%s, %s, %s)"
            " ON CONFLICT (feed) DO UPDATE SET version = excluded.version RETURNING known.export",
            [parcel.feed, export, parcel.schema.version],
        )
        owner = self.cursor.fetchone()[0]
        if owner != export:
            raise Rejected(
                f"{self.name}.{parcel.feed} is filled by the export {owner}. Give {export} a"
                " connector with a schema of its own",
                code="owner",
            )

    def _load_feed(self, parcels):
        """Stage all files of a feed, then bring its table to what they say; return their rows."""
        first = parcels[0]
        if any((p.mode, p.schema) != (first.mode, first.schema) for p in parcels):
            raise Rejected(f"The files of {first.feed} differ in mode or columns", code="schema")
        table = Table(self, first.feed, first.schema)
        table.have()
        self._do("DROP TABLE IF EXISTS pg_temp.{stage}")
        table.stage()
        rows = {parcel.name: self._stage(table, parcel) for parcel in parcels}
        table.index_stage()
        change = {"full": table.replace, "period": table.replace_parts}.get(
            first.mode, table.change
        )
        change(parcels)
        return rows

    def _stage(self, table, parcel):
        """Copy a file into the stage; return how many rows it has."""
        with opened(parcel) as stream:
            if parcel.format == "jsonl":
                count = self._stage_json(table, stream)
            else:
                names = stream.names if parcel.format == "parquet" else header_of(stream)
                if names != table.names:
                    raise Rejected(
                        f"{parcel.name} has other columns than its schema says", code="schema"
                    )
                self._copy(table.stage_columns(), COPY, stream)
                count = self.cursor.rowcount
        if count != parcel.rows:
            raise ContractBroken(
                f"{parcel.name} has {count} rows instead of {parcel.rows}: nothing was loaded",
                code="rows",
                field="rows",
            )
        return count

    def _stage_json(self, table, stream):
        self._do("CREATE TEMP TABLE finance_lines (line jsonb) ON COMMIT DROP")
        self._copy(sql.SQL("finance_lines (line)"), COPY_JSON, stream)
        self._do(
            "INSERT INTO pg_temp.{stage} ({columns}) SELECT {read} FROM finance_lines",
            columns=table.list(table.names),
            read=sql.SQL(", ").join(
                sql.SQL(
                    "line -> {name}" if one.type == "json" else "(line ->> {name})::{type}"
                ).format(name=sql.Literal(one.name), type=sql.SQL(TYPES[one.type]))
                for one in table.columns
            ),
        )
        count = self.cursor.rowcount
        self._do("DROP TABLE finance_lines")
        return count

    def _copy(self, target, options, stream):
        statement = sql.SQL("COPY {} FROM STDIN ({})").format(target, sql.SQL(options))
        self.cursor.copy_expert(statement, stream, 1 << 18)

    def _do(self, statement, values=None, **parts):
        parts = {"schema": self.schema, "stage": STAGE} | parts
        self.cursor.execute(sql.SQL(statement).format(**parts), values)


def _tables(delivery):
    """Return the parcels that have rows of a feed: lineage has none."""
    return [parcel for parcel in delivery.parcels if parcel.schema]


class Table:
    """The table of a feed, and the stage that its files are copied to."""

    def __init__(self, warehouse, feed, schema):
        self._do, self._cursor = warehouse._do, warehouse.cursor
        self._place = warehouse.name
        self.feed, self.key = feed, schema.key
        self.columns = schema.columns
        self.names = tuple(column.name for column in schema.columns)
        self.kept = [column for column in schema.columns if column.name != OPERATION]
        self.tells_gone = OPERATION in self.names
        self.table = sql.Identifier(warehouse.name, feed)

    def list(self, names, alias=None):
        """Return names of columns for a statement."""
        parts = (sql.Identifier(*([alias] if alias else []), name) for name in names)
        return sql.SQL(", ").join(parts)

    def stage_columns(self):
        """Return what COPY writes to."""
        return sql.SQL("pg_temp.{} ({})").format(STAGE, self.list(self.names))

    # === WHAT THERE IS === #

    def have(self):
        """Make the table, or add the columns that it does not have yet."""
        found = self._found()
        if not found:
            key = (
                sql.SQL(", PRIMARY KEY ({})").format(self.list(self.key))
                if self.key
                else sql.SQL("")
            )
            self._do(
                "CREATE TABLE {table} ({columns}{key})",
                table=self.table,
                columns=self._typed(self.kept),
                key=key,
            )
            return
        for column in self.kept:
            kind = found.get(column.name)
            if kind is None:
                self._do("ALTER TABLE {table} ADD COLUMN {column}", table=self.table,
                         column=self._typed([column]))  # fmt: skip
            elif kind != TYPES[column.type]:
                raise Rejected(
                    f"{self._place}.{self.feed}: the column {column.name} is {kind} in the warehouse"
                    f" and {TYPES[column.type]} in the feed. Rename or drop the table there, then run"
                    " the export in full",
                    code="schema",
                )
        self._check_key()

    def _found(self):
        """Return {column: type} of the table, {} where there is none."""
        self._do(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [f'"{self._place}"."{self.feed}"'],
        )
        return dict(self._cursor.fetchall())

    def _check_key(self):
        self._do(
            "SELECT coalesce(array_agg(a.attname::text), '{{}}') FROM pg_index i"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
            " WHERE i.indrelid = to_regclass(%s) AND i.indisprimary",
            [f'"{self._place}"."{self.feed}"'],
        )
        if set(self._cursor.fetchone()[0]) != set(self.key):
            raise Rejected(
                f"{self._place}.{self.feed} has another primary key in the warehouse than in the feed"
                f" ({', '.join(self.key) or 'none'}). Rename or drop the table there, then run the"
                " export in full",
                code="schema",
            )

    def _typed(self, columns):
        return sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(TYPES[column.type]))
            for column in columns
        )

    def stage(self):
        """Make the stage, which goes with the transaction."""
        self._do("CREATE TEMP TABLE {stage} ({columns}) ON COMMIT DROP",
                 columns=self._typed(self.columns))  # fmt: skip

    def index_stage(self):
        """Make the stage quick to look up in; a key that is not unique fails here."""
        if self.key:
            self._do("CREATE UNIQUE INDEX ON pg_temp.{stage} ({key})", key=self.list(self.key))
        self._do("ANALYZE pg_temp.{stage}")

    # === WHAT CHANGES === #

    def replace(self, _parcels):
        """Make the table what the stage is."""
        self._remove(sql.SQL("true"))
        self._put()

    def replace_parts(self, parcels):
        """Make the companies and periods of the files what the stage is."""
        for parcel in parcels:
            parts = {PERIOD: parcel.period, COMPANY: parcel.company}
            asked = {name: value for name, value in parts.items() if value}
            if PERIOD not in asked or asked.keys() - set(self.names):
                raise Rejected(
                    f"{self.feed} has no column {PERIOD}, so no period of it can be replaced: run it"
                    " in full",
                    code="mode",
                )
            conditions = [
                sql.SQL("kept.{} = {}").format(sql.Identifier(name), sql.Literal(value))
                for name, value in asked.items()
            ]
            self._remove(sql.SQL(" AND ").join(conditions))
        self._put()

    def change(self, _parcels):
        """Put what the stage has as changed, and remove what it has as gone."""
        if not self.key:
            raise Rejected(f"{self.feed} has no key, so it can't be loaded by changes", code="mode")
        if self.tells_gone:
            self._do(
                "DELETE FROM {table} kept USING pg_temp.{stage} gone"
                " WHERE gone.{operation} = {letter} AND {same}",
                table=self.table,
                operation=sql.Identifier(OPERATION),
                letter=sql.Literal(GONE),
                same=self._same("kept", "gone"),
            )
        self._put()

    def _remove(self, condition):
        """Remove the rows of a condition that the stage does not have."""
        absent = sql.SQL("true")
        if self.key:
            absent = sql.SQL("NOT EXISTS (SELECT FROM pg_temp.{} staged WHERE {})").format(
                STAGE, self._same("kept", "staged")
            )
        self._do("DELETE FROM {table} kept WHERE {condition} AND {absent}", table=self.table,
                 condition=condition, absent=absent)  # fmt: skip

    def _put(self):
        """Insert what is new, and update what differs."""
        kept = [column.name for column in self.kept]
        rest = [name for name in kept if name not in self.key]
        conflict = sql.SQL("")
        if self.key and rest:
            conflict = sql.SQL(
                "ON CONFLICT ({key}) DO UPDATE SET ({rest}) = ROW({new})"
                " WHERE ({old}) IS DISTINCT FROM ({new})"
            ).format(
                key=self.list(self.key),
                rest=self.list(rest),
                new=self.list(rest, "excluded"),
                old=self.list(rest, "kept"),
            )
        elif self.key:
            conflict = sql.SQL("ON CONFLICT DO NOTHING")
        here = sql.SQL("true")
        if self.tells_gone:
            here = sql.SQL("{} <> {}").format(sql.Identifier(OPERATION), sql.Literal(GONE))
        self._do(
            "INSERT INTO {table} AS kept ({columns}) SELECT {columns} FROM pg_temp.{stage}"
            " WHERE {here} {conflict}",
            table=self.table,
            columns=self.list(kept),
            here=here,
            conflict=conflict,
        )

    def _same(self, one, other):
        return sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(one, name), sql.Identifier(other, name))
            for name in self.key
        )
