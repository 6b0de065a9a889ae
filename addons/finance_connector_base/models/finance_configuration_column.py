"""How records stand in a configuration file: sections, and one class per kind of column.

A section is a declaration; addons add sections, and columns to the sections of others, by extending
`finance.configuration._sections`. The kind of a column follows from the field, unless a section
says otherwise.
"""

from dataclasses import dataclass, field, replace

from odoo.fields import Command, Domain

# What stands for a secret in a file.
TO_BE_ENTERED = "to be entered"
PRODUCTION = "production"
MOST_INTEGER = 2**31 - 1


class Wrong(Exception):
    """A value that can't be taken over; words: what is wrong and what to do. path: inside of it."""

    def __init__(self, words, *path):
        super().__init__(words)
        self.words, self.path = words, path


class Follows(Exception):
    """A value names an entry of the file that is wrong itself, and is told of there."""


@dataclass(frozen=True)
class Name:
    """The field that names the records of a model in files, wherever they are referred to.

    missing: words for when there is no record called %(word)s, and what to do. also: columns of the
    model's own section that find a record when the name doesn't. by_company: the name is another
    one in each company. archived: whether archived records may be named, too.
    """

    field: str
    missing: str
    also: tuple = ()
    by_company: bool = False
    archived: bool = True


@dataclass(frozen=True)
class Section:
    """One kind of record in a file.

    model: its name. label: the plural, as people say it. identity: columns that tell entries apart;
    optional: those of them that may be empty. columns: {name in the file: name of the field, or a
    `Column`}. domain: which records are exported; creates: whether a file may bring new ones.
    absent: what is written to a record that isn't in a complete file. steps: says of a `Change`
    what is to be done afterwards, in words. former: {column of files from before an update: words
    that say where it went}; it is noted and passed over. single: the section is one entry, without
    identity.
    """

    model: str
    label: str
    identity: tuple
    columns: dict
    domain: Domain = Domain.TRUE
    creates: bool = True
    optional: tuple = ()
    absent: dict = field(default_factory=dict)
    steps: object = None
    former: dict = field(default_factory=dict)
    single = False

    def bound(self, env):
        """Return the section with a `Column` for each name of a field."""
        fields = env[self.model]._fields
        return replace(
            self,
            columns={
                name: column if isinstance(column, Column) else _column(fields[column])
                for name, column in self.columns.items()
            },
        )

    def with_columns(self, columns):
        """Return the section with more columns."""
        return replace(self, columns=self.columns | columns)

    def with_former(self, columns):
        """Return the section with more columns that only files from before an update have."""
        return replace(self, former=self.former | columns)

    def records(self, env):
        """Return what a file can speak of, archived ones too."""
        return env[self.model].sudo().with_context(active_test=False, lang=None).search([])

    def exported(self, env):
        """Return what is written to a file: nothing that has no name there."""
        records = self.records(env).filtered_domain(self.domain)
        return records.filtered(lambda record: self.is_named(self.identity_in(record)))

    def read(self, record) -> dict:
        """Return the entry of a record."""
        return {name: column.read(record) for name, column in self.columns.items()}

    def identity_of(self, entry) -> tuple:
        """Return the values that tell an entry apart."""
        return tuple(entry.get(name) for name in self.identity)

    def identity_in(self, record) -> tuple:
        """Return the values that tell the entry of a record apart."""
        return tuple(self.columns[name].read(record) for name in self.identity)

    def is_named(self, identity) -> bool:
        """Tell whether all of an identity is there that must be."""
        return all(
            isinstance(word, str) and word or (word is None and name in self.optional)
            for name, word in zip(self.identity, identity, strict=True)
        )

    def write(self, record, vals):
        """Change a record as the user of its environment.

        Return the record that holds the change, where that is another one.
        """
        record.write(vals)


class Settings(Section):
    """The suite's own settings: fields of Settings that are kept as parameters of ours."""

    single = True

    @classmethod
    def of(cls, env, label):
        """Return the section of all parameters "finance_connector.…" that Settings can change."""
        fields = env["res.config.settings"]._fields.items()
        names = {
            name: name
            for name, field in fields
            if (getattr(field, "config_parameter", None) or "").startswith("finance_connector.")
        }
        return cls("res.config.settings", label, (), names, creates=False)

    def records(self, env):
        settings = env["res.config.settings"].sudo()
        return settings.new(
            settings.default_get([column.field for column in self.columns.values()])
        )

    def exported(self, env):
        return self.records(env)

    def write(self, record, vals):
        """As somebody who saves Settings."""
        record.env["res.config.settings"].create(vals).set_values()


# === COLUMNS === #


class Column:
    """One field. late: it is written after the record is there, by `put`."""

    late = False

    def __init__(self, field_name):
        self.field = field_name

    def read(self, record):
        """Return what stands in a file."""
        value = record[self.field]
        return None if value is False or value == "" else value

    def wanted(self, load, record, value):
        """Return what the record shall hold, comparable with `now`; raises `Wrong`.

        load: the `Load` that is under way. record: None when it is to be made.
        """
        raise NotImplementedError

    def now(self, record):
        """Return what the record holds."""
        return self.read(record)

    def vals(self, wanted):
        """Return ``wanted`` as `create` and `write` take it."""
        return False if wanted is None else wanted

    def label(self, env, model):
        """Return the column's name for people."""
        return env[model]._fields[self.field]._description_string(env)

    def part(self, env, key):
        """Return the name for people of a key inside the value."""
        return key

    def words(self, env, model, value):
        """Return a value, or a part of it, for people."""
        if isinstance(value, bool):
            return env._("Yes") if value else env._("No")
        if isinstance(value, list):
            return ", ".join(str(item) for item in value)
        return "" if value is None else str(value)


class Text(Column):
    def wanted(self, load, record, value):
        if value is not None and not isinstance(value, str):
            raise Wrong(load.env._("A text in quotes is expected here."))
        return value or None


class Boolean(Column):
    def read(self, record):
        return record[self.field]

    def wanted(self, load, record, value):
        if not isinstance(value, bool):
            raise Wrong(load.env._("true or false is expected here, without quotes."))
        return value


class Clock(Boolean):
    """Whether a scheduled action is active: a neutralised database wakes nothing up."""

    def wanted(self, load, record, value):
        wanted = super().wanted(load, record, value)
        parameters = load.env["ir.config_parameter"].sudo()
        if wanted and not self.now(record) and parameters.get_param("database.is_neutralized"):
            load.note("neutralised")
            return False
        return wanted


class Integer(Column):
    def read(self, record):
        return record[self.field]

    def wanted(self, load, record, value):
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_INTEGER:
            raise Wrong(load.env._("A whole number is expected here, without quotes."))
        return value


class Number(Column):
    def read(self, record):
        return record[self.field]

    def wanted(self, load, record, value):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Wrong(load.env._("A number is expected here, without quotes."))
        return float(value)


class Choice(Column):
    def wanted(self, load, record, value):
        choices = self._choices(load.env, load.section.model)
        if value is not None and not (isinstance(value, str) and value in choices):
            raise Wrong(
                load.env._(
                    "“%(value)s” is not known here. Possible: %(choices)s. If an addon brings it, "
                    "install the addon first.",
                    value=value,
                    choices=", ".join(choices) or "–",
                )
            )
        return value

    def _choices(self, env, model):
        return dict(env[model]._fields[self.field]._description_selection(env))

    def words(self, env, model, value):
        return "" if value is None else self._choices(env, model).get(value, value)


class Environment(Choice):
    """To production and out of it only buttons lead: a file that says otherwise is not obeyed."""

    def wanted(self, load, record, value):
        wanted = super().wanted(load, record, value)
        now = self.now(record) if record else "sandbox"
        if wanted and wanted != now and PRODUCTION in (wanted, now):
            load.note("production", wanted=wanted, now=now)
            return now
        return wanted


class Link(Column):
    def read(self, record):
        return _word(record[self.field], record) if record[self.field] else None

    def wanted(self, load, record, value):
        if value is None:
            return None
        if not isinstance(value, str):
            raise Wrong(load.env._("A text in quotes is expected here."))
        return load.find(load.env[load.section.model]._fields[self.field].comodel_name, value).id

    def now(self, record):
        return record[self.field].id or None


class Links(Column):
    def read(self, record):
        return sorted(_word(linked, record) or "" for linked in record[self.field])

    def wanted(self, load, record, value):
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise Wrong(load.env._('A list of texts is expected here: ["…", "…"].'))
        comodel = load.env[load.section.model]._fields[self.field].comodel_name
        return {load.find(comodel, word).id for word in value}

    def now(self, record):
        return set(record[self.field].ids)

    def vals(self, wanted):
        return [Command.set(sorted(wanted))]


def _word(linked, record):
    """The word for a linked record in a file."""
    name = record.env["finance.configuration"]._names()[linked._name]
    if name.by_company:
        linked = linked.with_company(record.company_id)
    return linked[name.field] or None


class Lines(Column):
    """Rows of a record, in their order: a list of {name in the file: text}.

    columns: {name in the file: name of the field}, texts and choices that must be filled.
    """

    def __init__(self, field_name, columns):
        super().__init__(field_name)
        self.columns = columns

    def read(self, record):
        return [
            {name: row[field] or None for name, field in self.columns.items()}
            for row in record[self.field]
        ]

    def wanted(self, load, record, value):
        example = ", ".join(f'"{name}": "…"' for name in self.columns)
        if not isinstance(value, list) or not all(
            isinstance(row, dict)
            and row.keys() == self.columns.keys()
            and all(text and isinstance(text, str) for text in row.values())
            for row in value
        ):
            raise Wrong(load.env._("A list of rows is expected here: [{%(row)s}, …].", row=example))
        for position, row in enumerate(value):
            for name, choices in self._choices(load.env, load.section.model).items():
                if row[name] not in choices:
                    raise Wrong(
                        load.env._(
                            "“%(value)s” is not known here. Possible: %(choices)s.",
                            value=row[name],
                            choices=", ".join(choices),
                        ),
                        position,
                        name,
                    )
        return value

    def vals(self, wanted):
        rows = [{field: row[name] for name, field in self.columns.items()} for row in wanted]
        return [Command.clear(), *map(Command.create, rows)]

    def words(self, env, model, value):
        choices = self._choices(env, model)
        rows = (
            [choices.get(name, {}).get(text, text) or "" for name, text in row.items()]
            for row in value or ()
        )
        return "; ".join(": ".join(row) for row in rows)

    def _choices(self, env, model):
        """{name in the file: {choice: label}} of those that are chosen."""
        fields = env[env[model]._fields[self.field].comodel_name]._fields
        return {
            name: dict(fields[field]._description_selection(env))
            for name, field in self.columns.items()
            if fields[field].type == "selection"
        }


class Translated(Text):
    """A text, or {language: text} where it is not the same in all of them."""

    late = True

    def read(self, record):
        texts = record._fields[self.field]._get_stored_translations(record) or {}
        return next(iter(texts.values())) if len(set(texts.values())) == 1 else texts or None

    def wanted(self, load, record, value):
        if not isinstance(value, dict):
            return super().wanted(load, record, value)
        for language, text in value.items():
            super().wanted(load, record, text)
            if not text or language not in dict(load.env["res.lang"].get_installed()):
                raise Wrong(
                    load.env._(
                        "A text in an installed language is expected here. Install the language "
                        "“%(language)s” or take it out.",
                        language=language,
                    ),
                    language,
                )
        if "en_US" not in value:
            raise Wrong(load.env._("The text in en_US is missing."))
        return value

    def first(self, wanted):
        """Return the text that a new record begins with."""
        return wanted["en_US"] if isinstance(wanted, dict) else wanted

    def put(self, load, record, wanted):
        """Write the texts; languages that aren't named follow en_US."""
        texts = wanted if isinstance(wanted, dict) else {"en_US": wanted}
        stored = record._fields[self.field]._get_stored_translations(record) or {}
        record.update_field_translations(self.field, dict.fromkeys(stored, False) | texts)


class Shown(Column):
    """Helps to recognise a record, and is never written: only where a file makes no new ones."""

    def wanted(self, load, record, value):
        now = self.now(record)
        if value != now:
            load.note("shown", column=self.field, wanted=value, now=now)
        return now


class XmlId(Shown):
    """The external id."""

    def __init__(self):
        super().__init__("id")

    def read(self, record):
        return record.get_external_id()[record.id] or None

    def label(self, env, model):
        return env._("External ID")


class Rows(Column):
    """Rows that the provider asks for: {environment: {technical name: value}}.

    settings: says of a record which `Setting`s there may be.
    """

    late = True

    def __init__(self, field_name, settings):
        super().__init__(field_name)
        self.settings = settings

    def declared(self, record) -> list:
        """Return the technical names of what the provider asks for."""
        return [row.name for row in self.settings(record) if row.secret == self.secret]

    def read(self, record):
        declared, result = self.declared(record), {}
        for row in record[self.field]:
            if row.name in declared:
                result.setdefault(row.environment, {})[row.name] = self.value(row)
        return result

    def wanted(self, load, record, value):
        """Return {(environment, name): value}. What belongs to a new record is known only later."""
        environments = dict(load.env["finance.connector"]._fields["environment"].selection)
        if not isinstance(value, dict):
            raise Wrong(load.env._("Expected here: {environment: {name: value}}."))
        wanted = {}
        for environment, values in value.items():
            if environment not in environments or not isinstance(values, dict):
                raise Wrong(
                    load.env._(
                        "“%(value)s” is not an environment with its values. Possible: %(choices)s.",
                        value=environment,
                        choices=", ".join(environments),
                    ),
                    environment,
                )
            for name, text in values.items():
                self.check(load.env, text, environment, name)
                wanted[environment, name] = text or None
        return wanted

    def put(self, load, record, wanted):
        """Write what differs; raises `Wrong` for a name that the provider doesn't know."""
        declared = self.declared(record)
        rows = {(row.environment, row.name): row for row in record[self.field]}
        for (environment, name), text in wanted.items():
            if name not in declared:
                raise Wrong(
                    load.env._(
                        "The provider does not ask for “%(name)s”. Take the line out, or correct "
                        "the name. Possible: %(names)s.",
                        name=name,
                        names=", ".join(declared) or "–",
                    ),
                    environment,
                    name,
                )
            row = rows.get((environment, name))
            if row is None:
                row = record[self.field].create(
                    {
                        record._fields[self.field].inverse_name: record.id,
                        "environment": environment,
                        "name": name,
                        "sequence": declared.index(name),
                    }
                )
            self.enter(row, text)

    def part(self, env, key):
        environments = dict(
            env["finance.connector"]._fields["environment"]._description_selection(env)
        )
        return environments.get(key) or _setting_labels(env).get(key, key)


class Options(Rows):
    """Plain options. A row that isn't named is left alone."""

    secret = False

    def value(self, row):
        return row.value or None

    def check(self, env, text, *path):
        if text is not None and not isinstance(text, str):
            raise Wrong(env._("A text in quotes is expected here."), *path)

    def enter(self, row, text):
        if (row.value or None) != text:
            row.value = text


class Credentials(Rows):
    """Only the names: the secrets are entered in the connector."""

    secret = True

    def value(self, row):
        return TO_BE_ENTERED

    def enter(self, row, text):
        """A person does."""

    def check(self, env, text, *path):
        if text != TO_BE_ENTERED:
            # the text must not appear in the words
            raise Wrong(
                env._(
                    "A secret never stands in a file. Write “%(words)s” here, and enter it in the "
                    "connector.",
                    words=TO_BE_ENTERED,
                ),
                *path,
            )


def _setting_labels(env):
    """{technical name: label} of everything that providers ask for."""
    return {
        setting.name: setting.label
        for provider in env["finance.connector"]._provider_classes().values()
        for setting in (*provider.settings, *provider.company_settings)
    }


KINDS = {
    "char": Text,
    "text": Text,
    "boolean": Boolean,
    "integer": Integer,
    "float": Number,
    "monetary": Number,
    "selection": Choice,
    "many2one": Link,
    "many2many": Links,
}


def _column(of):
    """The `Column` for a field."""
    kind = Translated if of.translate else KINDS[of.type]
    return kind(of.name)


def same(*names):
    """Columns that are called in files what the fields are called in Odoo."""
    return {name: name for name in names}
