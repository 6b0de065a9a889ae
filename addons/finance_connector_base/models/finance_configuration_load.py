"""One reading of a configuration file into the database."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..configuration.text import SCHEMA, VERSION
from .finance_configuration_column import Follows, Wrong

HEAD = ("schema", "schema_version", "sections")


class Load:
    """Writes a document entry by entry and gathers what is wrong, so that all of it is told at once.

    env: of the user who answers for it; the models' own guards and access rights hold. document,
    lines: of `configuration.text.read`. complete: what isn't in the file is archived.

    ``problems``: dicts of line, where and words. When there are any, the caller rolls back.
    ``notes``: dicts of what was left alone, worded by `finance.configuration._note_words`.
    """

    def __init__(self, env, document, lines, complete=False):
        self.env, self.document, self.lines, self.complete = env, document, lines, complete
        self.problems, self.notes = [], []
        self.sections = env["finance.configuration"]._described()
        self.names = env["finance.configuration"]._names()
        self.entries, self.failed = {}, set()
        self.section, self.place = None, ()

    def run(self):
        """Write all that can be written."""
        if not self._check_head():
            return self
        written = self.document["sections"]
        for name in sorted(written.keys() - self.sections.keys()):
            self._problem(
                ("sections", name),
                self.env._(
                    "This section is not known here. Install the addon that brings it, or take the "
                    "section out."
                ),
            )
        for name in self.sections:
            if name in written:
                self.entries[name] = self._entries(name, written[name])
        for name, entries in self.entries.items():
            self._load_section(name, entries)
        self.problems.sort(key=lambda problem: problem["line"])
        return self

    # === WHAT IS TOLD === #

    def note(self, code, **facts):
        """Remember what is left alone on purpose, or taken for something else."""
        note = {"code": code, "place": self._where(self.place)} | facts
        if note not in self.notes:
            self.notes.append(note)

    def _problem(self, path, words):
        """Remember what is wrong; path: where, as far down as the file goes and further."""
        known = path
        while known not in self.lines:
            known = known[:-1]
        self.problems.append(
            {"line": self.lines[known], "where": self._where(path), "words": str(words)}
        )

    def _where(self, path):
        """Words for a path: section, what tells the entry apart, column."""
        if len(path) < 2:
            return ", ".join(path)
        _sections, name, *inner = path
        section = self.sections.get(name)
        words = [section.label if section else name]
        if inner and isinstance(inner[0], int):
            entry = self.document["sections"][name][inner[0]]
            words.append(title_of(section, entry) or self.env._("entry %(n)s", n=inner[0] + 1))
            inner = inner[1:]
        return " › ".join([*words, *map(str, inner)])

    # === THE FORM OF THE FILE === #

    def _check_head(self):
        document = self.document
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            self._problem(
                (),
                self.env._(
                    "This is not a configuration file of Finance Connect: such a file is made by "
                    "Export and begins with the schema “%(schema)s”.",
                    schema=SCHEMA,
                ),
            )
            return False
        version = document.get("schema_version")
        if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION:
            self._problem(
                ("schema_version",),
                self.env._(
                    "The file has schema version %(version)s; this Odoo reads versions up to "
                    "%(known)s. Update Finance Connect here, or export the file anew.",
                    version=version,
                    known=VERSION,
                ),
            )
            return False
        for name in document.keys() - set(HEAD):
            self._unknown((name,), HEAD)
        if not isinstance(document.get("sections"), dict):
            self._problem(("sections",), self.env._("An object of sections is expected here."))
            return False
        return True

    def _unknown(self, path, known):
        self._problem(
            path,
            self.env._(
                "“%(name)s” is not known here. Take it out, or correct the name. Possible: "
                "%(names)s.",
                name=path[-1],
                names=", ".join(sorted(known)),
            ),
        )

    def _entries(self, name, written):
        """Return {identity: (path, entry)} of the entries that are fit to be read."""
        section, path = self.sections[name], ("sections", name)
        if section.single:
            written = [written] if isinstance(written, dict) else None
        if not isinstance(written, list):
            self._problem(
                path,
                self.env._("An object is expected here.")
                if section.single
                else self.env._("A list of entries is expected here."),
            )
            return {}
        entries = {}
        for position, entry in enumerate(written):
            place = path if section.single else (*path, position)
            identity = self._identity(section, place, entry)
            if identity is None:
                continue
            if identity in entries:
                self._problem(
                    place,
                    self.env._(
                        "This entry stands twice, first in line %(line)s. Take one of the two out.",
                        line=self.lines[entries[identity][0]],
                    ),
                )
                continue
            entries[identity] = (place, entry)
        return entries

    def _identity(self, section, place, entry):
        """Return what tells an entry apart; None when that is not there."""
        if not isinstance(entry, dict):
            self._problem(place, self.env._("An object is expected here."))
            return None
        for name in entry.keys() - section.columns.keys():
            if name not in section.former:
                self._unknown((*place, name), section.columns)
            elif entry[name]:
                self.note("former", place=self._where((*place, name)), words=section.former[name])
        if not (
            section.is_named(section.identity_of(entry)) and entry.keys() >= set(section.identity)
        ):
            self._problem(
                place,
                self.env._(
                    "It is not said which entry this is. Give each of these a text: %(names)s.",
                    names=", ".join(section.identity),
                ),
            )
            return None
        return section.identity_of(entry)

    # === NAMES === #

    def find(self, model, word):
        """Return the record of ``model`` that a file calls ``word``; raises `Wrong` without one."""
        name, company = self.names[model], self._company() if self.names[model].by_company else None
        found = self._search(model, name.field, word, company) or self._found_otherwise(model, word)
        if len(found) == 1:
            return found
        if (model, word) in self.failed:
            raise Follows()
        if found:
            raise Wrong(
                self.env._(
                    "Several records are called “%(word)s” here. Give them names of their own.",
                    word=word,
                )
            )
        raise Wrong(name.missing % {"word": word})

    def _search(self, model, field, word, company=None):
        records = self.env[model].sudo().with_context(active_test=not self.names[model].archived)
        domain = [(field, "=", word)]
        if company:
            records = records.with_company(company)
            owner = "company_ids" if "company_ids" in records._fields else "company_id"
            domain.append((owner, "parent_of", company.ids))
        found = records.search(domain, limit=2)
        # a field of limited size cuts what is looked for: AUT would find AU
        return found.filtered(lambda record: record[field] == word)

    def _found_otherwise(self, model, word):
        """Find a record by what else the file says of it."""
        for name, section in self.sections.items():
            _path, entry = self.entries.get(name, {}).get((word,), ((), {}))
            for column in self.names[model].also if section.model == model else ():
                if entry.get(column):
                    found = self._search(model, section.columns[column].field, entry[column])
                    if len(found) == 1:
                        self.note("named", place="", word=word, now=found.display_name)
                        return found
        return self.env[model]

    def _company(self):
        """The company of the entry that is being read."""
        return self.find("res.company", self._entry.get("company"))

    # === WRITING === #

    def _load_section(self, name, entries):
        section = self.section = self.sections[name]
        known = {}
        for row in section.records(self.env):
            known.setdefault(section.identity_in(row), []).append(row)
        seen = set()
        for identity, (place, entry) in entries.items():
            self.place, self._entry = place, entry
            record, *twins = known.get(identity) or [self._other_record(section, entry)]
            if twins:
                words = self.env._("Several records are called so. Give them names of their own.")
                self._problem(place, words)
                continue
            record = self._load_entry(record, entry)
            if record:
                seen.add(record.id)
            elif len(identity) == 1:
                self.failed.add((section.model, identity[0]))
        if not section.single:
            exported = section.exported(self.env)
            self._left_out(name, exported.filtered(lambda row: row.id not in seen))

    def _other_record(self, section, entry):
        name = self.names.get(section.model)
        found = name and self._found_otherwise(section.model, entry[section.identity[0]])
        return found or None

    def _load_entry(self, record, entry):
        """Write one entry; return its record, None when something is wrong."""
        before = len(self.problems)
        if not record and not self.section.creates:
            self._problem(self.place, self._words_for_missing(entry))
            return None
        try:
            wanted = self._wanted(record, entry)
        except Follows:
            return None
        if not record:
            self._check_required(entry)
        if len(self.problems) > before:
            return None
        if record and not wanted:
            return record
        return self._attempt(self.place, lambda: self._write(record, wanted))

    def _words_for_missing(self, entry):
        name = self.names.get(self.section.model)
        if name:
            return name.missing % {"word": entry[self.section.identity[0]]}
        return self.env._(
            "There is no such record here, and a file doesn't make one. Take the entry out."
        )

    def _wanted(self, record, entry):
        """Return {column: value} of what differs from the record; raises `Follows`."""
        wanted, follows = {}, False
        for name in entry.keys() & self.section.columns.keys():
            column, value = self.section.columns[name], entry[name]
            if record and (name in self.section.identity or column.read(record) == value):
                continue
            try:
                found = column.wanted(self, record, value)
                if not record or column.late or column.now(record) != found:
                    self._check_filled(column, found)
                    wanted[name] = found
            except Wrong as wrong:
                self._problem((*self.place, name, *wrong.path), wrong.words)
            except Follows:
                follows = True
        if follows:
            raise Follows()
        return wanted

    def _check_filled(self, column, value):
        if value is None and self.env[self.section.model]._fields[column.field].required:
            raise Wrong(self.env._("This may not be empty."))

    def _check_required(self, entry):
        defaults = (
            self.env[self.section.model]
            .sudo()
            .default_get([column.field for column in self.section.columns.values()])
        )
        for name, column in self.section.columns.items():
            field = self.env[self.section.model]._fields[column.field]
            if (
                field.required
                and not field.compute
                and name not in entry
                and field.name not in defaults
            ):
                self._problem((*self.place, name), self.env._("This is missing."))

    def _write(self, record, wanted):
        section = self.section
        columns = {name: section.columns[name] for name in wanted}
        vals = {
            column.field: column.vals(wanted[name])
            for name, column in columns.items()
            if not column.late
        }
        if record:
            record = (vals and section.write(record.with_env(self.env), vals)) or record
        else:
            vals |= {
                column.field: column.first(wanted[name])
                for name, column in columns.items()
                if hasattr(column, "first")
            }
            record = self.env[section.model].create(vals)
        for name, column in columns.items():
            if column.late:
                self._put(record.with_env(self.env), name, column, wanted[name])
        self._check_kept(record, wanted)
        return record

    def _put(self, record, name, column, wanted):
        try:
            column.put(self, record, wanted)
        except Wrong as wrong:
            raise Wrong(wrong.words, name, *wrong.path) from None

    def _check_kept(self, record, wanted):
        """What Odoo made of it must be what was asked for."""
        self.env.flush_all()
        kept = self.section.records(self.env) if self.section.single else record.sudo()
        for name, value in wanted.items():
            column = self.section.columns[name]
            if not column.late and column.now(kept) != value:
                raise Wrong(
                    self.env._(
                        "Odoo keeps “%(now)s” instead. Write that, or choose another value.",
                        now=column.read(kept),
                    ),
                    name,
                )

    def _attempt(self, path, change):
        """Do ``change`` and return its result, or nothing of it; what is wrong with it is told."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return change()
        except Wrong as wrong:
            self._problem((*path, *wrong.path), wrong.words)
        except AccessError:
            self._problem(
                path,
                self.env._(
                    "You may not change this. Take the entry out, or let somebody do it who may."
                ),
            )
        except UserError as error:
            self._problem(path, error)
        except IntegrityError as error:
            self._problem(path, self.env[self.section.model]._sql_error_to_message(error))
        return None

    # === WHAT IS NOT IN THE FILE === #

    def _left_out(self, name, records):
        section = self.section
        if section.absent:
            records = records.filtered(
                lambda row: any(row[field] != value for field, value in section.absent.items())
            )
        if section.absent and self.complete:
            for record in records:
                self._attempt(
                    ("sections", name, title_of(section, section.read(record))),
                    lambda record=record: section.write(record.with_env(self.env), section.absent),
                )
        elif records:
            titles = sorted(title_of(section, section.read(row)) for row in records)
            self.notes.append({"code": "left", "place": section.label, "entries": titles})


def title_of(section, entry):
    """What people call an entry: its name, else what tells it apart, else what it is."""
    if not isinstance(entry, dict):
        return ""
    name = entry.get("name")
    if isinstance(name, dict):
        name = name.get("en_US")
    if not name and section:
        name = ", ".join(str(part) for part in section.identity_of(entry) if part) or section.label
    return str(name or "")
