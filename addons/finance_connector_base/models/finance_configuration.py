"""The configuration of the suite as one text, and a text as the configuration."""

from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..configuration.compare import compare
from ..configuration.text import SCHEMA, VERSION, Unreadable, digest, dump, read
from .finance_configuration_column import (
    Clock,
    Credentials,
    Environment,
    Name,
    Options,
    Section,
    Settings,
    Shown,
    XmlId,
    same,
)
from .finance_configuration_load import Load, title_of
from .finance_connector import ADMINISTRATOR

AUDITOR = "finance_connector_base.group_auditor"
ARCHIVED = {"active": False}
# What stands for TESTED_FIELDS of the connector in a file.
RETESTED = {"environment", "provider", "local_url", "target_url", "api_version"}
# A rehearsal leaves no messages and mails behind.
QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_notrack": True}


class Review(NamedTuple):
    """What a file would do. problems: why it can't be applied; the rest is empty then.

    before, after: texts of the configuration. notes: what is left alone.
    """

    problems: list
    notes: list
    before: str = ""
    after: str = ""

    @property
    def digest(self):
        """What a person who reviewed it has seen."""
        return digest(dump([self.before, self.after, self.notes]))


class _Rehearsed(Exception):
    """Rolls a rehearsal back."""


class FinanceConfiguration(models.AbstractModel):
    """What a file holds is declared in `_sections`; `_export` writes it, `_load` reads it.

    The file covers all companies, so only administrators of all of them work with it.
    """

    _name = "finance.configuration"
    _description = "Configuration"

    # === DECLARATIONS === #

    @api.model
    def _sections(self):
        """Return {name: Section}, in the order in which a file is read: what others name first.

        Addons extend it: ``sections = super()._sections()``, then ``sections | {…}`` for sections
        of their own, ``sections["workflows"].with_columns({…})`` for columns.
        """
        _ = self.env._
        return {
            "settings": Settings.of(self.env, _("Settings")),
            "companies": Section(
                "res.company",
                _("Companies"),
                identity=("name",),
                columns={
                    "name": Shown("name"),
                    "registry": Shown("company_registry"),
                    "exception_owner": "finance_exception_user_id",
                },
                creates=False,
            ),
            "connectors": Section(
                "finance.connector",
                _("Connectors"),
                identity=("key",),
                columns={
                    "key": "config_key",
                    **same("name", "provider", "active", "sequence", "api_version"),
                    **same("local_url", "target_url", "rate_per_second", "rate_burst"),
                    **same("concurrency", "connect_timeout", "read_timeout"),
                    "environment": Environment("environment"),
                    "companies": "company_ids",
                    "responsible": "responsible_id",
                    "options": Options("setting_ids", lambda row: row._known_class().settings),
                    "credentials": Credentials(
                        "credential_ids", lambda row: row._known_class().settings
                    ),
                },
                absent=ARCHIVED,
                steps=self._steps_of_connector,
            ),
            "workflows": Section(
                "finance.workflow",
                _("Workflows"),
                identity=("connector", "company", "flow"),
                columns={
                    "connector": "connector_id",
                    "company": "company_id",
                    **same("flow", "active", "direction", "mode", "system_of_record"),
                    **same("freshness_hours", "max_attempts", "retry_window_hours"),
                    **same("backoff_base_seconds", "backoff_cap_seconds"),
                    "options": Options(
                        "setting_ids", lambda row: row.connector_id._known_class().company_settings
                    ),
                },
                absent=ARCHIVED,
            ),
            "exception_tags": Section(
                "finance.exception.tag",
                _("Exception Tags"),
                identity=("key",),
                columns={"key": "config_key", **same("name", "color")},
            ),
            "exception_rules": Section(
                "finance.exception.rule",
                _("Exception Rules"),
                identity=("key",),
                columns={
                    "key": "config_key",
                    **same("name", "sequence", "active", "code_pattern", "kind", "deadline_days"),
                    "company": "company_id",
                    "connector": "connector_id",
                    "owner": "user_id",
                },
                absent=ARCHIVED,
            ),
            "alert_rules": Section(
                "finance.alert.rule",
                _("Alert Rules"),
                identity=("key",),
                columns={
                    "key": "config_key",
                    **same("name", "active", "measure", "comparison", "value", "least_calls"),
                    "severity": "severity",
                    "connector": "connector_id",
                    "company": "company_id",
                    "mail_to": "user_ids",
                },
                absent=ARCHIVED,
            ),
            "retention_rules": Section(
                "finance.retention.rule",
                _("Retention of Details"),
                identity=("kind", "company"),
                optional=("kind", "company"),
                columns={"kind": "kind", "company": "company_id", "days": "days"},
            ),
            # a file from before an update knows nothing of newer actions, hence never `absent`
            "scheduled_actions": Section(
                "ir.cron",
                _("Scheduled Actions"),
                identity=("xml_id",),
                columns={
                    "xml_id": XmlId(),
                    "name": Shown("name"),
                    "active": Clock("active"),
                    **same("interval_number", "interval_type"),
                },
                domain=Domain("model_id.model", "=like", "finance.%"),
                creates=False,
            ),
        }

    def _steps_of_connector(self, change):
        name = title_of(None, change.entry)
        if change.kind == "new":
            return [self.env._("Enter the secrets of %(name)s and test it.", name=name)]
        if RETESTED & {value.path[0] for value in change.values}:
            return [self.env._("Test %(name)s again.", name=name)]
        return []

    @api.model
    def _names(self):
        """Return {model: Name}: what records are called in files. Addons: ``super() | {…}``."""
        _ = self.env._
        return {
            "res.company": Name(
                "name",
                _("There is no company “%(word)s” here. Create it, or correct its name."),
                also=("registry",),
            ),
            "res.users": Name(
                "login",
                _("Nobody here has the login “%(word)s”. Create the user, or name somebody else."),
                archived=False,
            ),
            "res.country": Name(
                "code", _("“%(word)s” is not a country. Countries are named by two letters: US.")
            ),
            "account.account": Name(
                "code",
                _("There is no account of the code “%(word)s” in this company."),
                by_company=True,
            ),
            "account.journal": Name(
                "code",
                _("There is no journal of the code “%(word)s” in this company."),
                by_company=True,
            ),
            "finance.connector": Name(
                "config_key",
                _("There is no connector of the key “%(word)s”. Correct it, or add the connector."),
            ),
        }

    @api.model
    def _note_words(self):
        """Return {code of a note: words with %(names)s}. Addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "production": _(
                "%(place)s: the environment stays “%(now)s”. The file says “%(wanted)s”, but only "
                "the buttons of the connector lead to production and out of it."
            ),
            "neutralised": _("%(place)s: stays off, because this database is neutralised."),
            "shown": _(
                "%(place)s: “%(column)s” stays “%(now)s”. The file says “%(wanted)s”; it is not "
                "changed by files."
            ),
            "former": _("%(place)s is no longer there and is passed over. %(words)s"),
            "named": _("“%(word)s” of the file is taken for %(now)s: the registry is the same."),
            "left": _("%(place)s: not in the file and left as they are: %(entries)s."),
        }

    @api.model
    def _described(self):
        """Return the sections with a `Column` for each column."""
        return {name: section.bound(self.env) for name, section in self._sections().items()}

    # === WHO === #

    @api.model
    def _check_administrator(self, action, record, auditor=False):
        """Refuse everybody but administrators (and auditors) of all companies."""
        if self.env.su:
            return
        groups = f"{ADMINISTRATOR},{AUDITOR}" if auditor else ADMINISTRATOR
        if not self.env.user.has_groups(groups):
            self.env["finance.denied.action"]._deny(action, "group", record)
            raise AccessError(self.env._("Only connector administrators may do this."))
        others = self.env["res.company"].sudo().search([]) - self.env.user.company_ids
        if others:
            self.env["finance.denied.action"]._deny(action, "company", record)
            raise AccessError(
                self.env._(
                    "The configuration is one for all companies, and %(count)s of them are not "
                    "yours. Ask an administrator of all companies.",
                    count=len(others),
                )
            )

    # === EXPORT === #

    @api.model
    def _export(self) -> str:
        """Return the configuration as the text of a file: the same text for the same configuration.

        No database ids and no secrets. Asks for no rights.
        """
        self.env.flush_all()
        return dump(
            {
                "schema": SCHEMA,
                "schema_version": VERSION,
                "sections": {
                    name: self._export_section(section)
                    for name, section in self._described().items()
                },
            }
        )

    def _export_section(self, section):
        entries = [section.read(record) for record in section.exported(self.env)]
        if section.single:
            return entries[0]
        return sorted(entries, key=lambda entry: dump(section.identity_of(entry)))

    # === IMPORT === #

    @api.model
    def _review(self, text, complete=False) -> Review:
        """Return what a file would do, by doing it and rolling it back.

        So the guards, checks and access rights of the models have had their say.
        """
        try:
            document, lines = read(text)
        except Unreadable as unreadable:
            return Review([self._unreadable(unreadable)], [])
        before = self._export()
        load, after = None, ""
        try:
            with self.env.cr.savepoint():
                load = Load(self._as_answerable(**QUIET), document, lines, complete).run()
                after = "" if load.problems else self._export()
                raise _Rehearsed()
        except _Rehearsed:
            # parameters, say, are cached beyond the transaction
            registry = self.env.registry
            if registry.cache_invalidated:
                registry.clear_cache(*registry.cache_invalidated)
        if load.problems:
            return Review(load.problems, [])
        return Review([], load.notes, before, after)

    @api.model
    def _load(self, text, complete=False):
        """Make the configuration what a reviewed file says."""
        document, lines = read(text)
        load = Load(self._as_answerable(), document, lines, complete).run()
        if load.problems:
            raise AssertionError("reviewed, and yet with problems")

    def _as_answerable(self, **context):
        """The environment of the user, with all companies at hand."""
        user = self.env.user
        companies = user.company_id | user.company_ids
        return self.with_context(allowed_company_ids=companies.ids, **context).env

    def _unreadable(self, unreadable):
        words = {
            "json": self.env._(
                "The file is not JSON: %(detail)s. Look at this line and the one before it.",
                detail=unreadable.detail,
            ),
            "twice": self.env._(
                "“%(detail)s” stands twice. Take one of the two out.", detail=unreadable.detail
            ),
            "number": self.env._("This number can't be stored. Correct it."),
            "letters": self.env._("There are control characters in this text. Take them out."),
            "depth": self.env._("This is nested too deeply to be a configuration file."),
        }
        return {"line": unreadable.line, "where": "", "words": words[unreadable.code]}

    # === WORDS === #

    @api.model
    def _changes(self, before, after) -> list:
        """Return what leads from one text to another, in words, by section.

        Dicts of section (its label) and changes: dicts of kind ("new", "changed", "archived",
        "restored", "gone"), title and values, which are dicts of label, old and new.
        """
        sections, groups = self._described(), {}
        order = list(sections)
        for change in self._compare(sections, before, after):
            groups.setdefault(change.section, []).append(self._told(sections, change))
        return [
            {
                "section": sections[name].label if name in sections else name,
                "changes": sorted(changes, key=lambda change: change["title"]),
            }
            for name, changes in sorted(
                groups.items(), key=lambda item: order.index(item[0]) if item[0] in order else 99
            )
        ]

    def _compare(self, sections, before, after):
        befores, afters = (read(text)[0]["sections"] if text else {} for text in (before, after))
        return compare(befores, afters, {name: row.identity for name, row in sections.items()})

    @api.model
    def _steps(self, before, after) -> list:
        """Return what is to be done after going from one text to another, in words."""
        sections = self._described()
        return [
            step
            for change in self._compare(sections, before, after)
            if change.section in sections and sections[change.section].steps
            for step in sections[change.section].steps(change)
        ]

    def _told(self, sections, change):
        section = sections.get(change.section)
        kind = change.kind
        order = [*(section.columns if section else ()), *(row.path[0] for row in change.values)]
        active = next((value for value in change.values if value.path == ("active",)), None)
        if kind == "changed" and active:
            kind = "restored" if active.new else "archived"
        return {
            "kind": kind,
            "title": title_of(section, change.entry),
            "values": [
                self._value_words(section, value)
                for value in sorted(change.values, key=lambda value: order.index(value.path[0]))
                if kind == "new" or value.path != ("active",)
            ],
        }

    def _value_words(self, section, value):
        name, *inner = value.path
        column = section.columns.get(name) if section else None
        if column is None:
            return {"label": ", ".join(value.path), "old": str(value.old), "new": str(value.new)}
        model = section.model
        parts = [column.part(self.env, key) for key in inner if key]
        return {
            "label": ", ".join([column.label(self.env, model), *parts]),
            "old": column.words(self.env, model, value.old),
            "new": column.words(self.env, model, value.new),
        }

    @api.model
    def _told_notes(self, notes) -> list:
        """Return notes in words."""
        words = self._note_words()
        return [words[note["code"]] % (note | _joined(note)) for note in notes]


def _joined(note):
    return {name: ", ".join(value) for name, value in note.items() if isinstance(value, list)}
