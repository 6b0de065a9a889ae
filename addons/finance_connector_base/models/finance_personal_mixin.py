"""Rows that hold what is known about a person, and how it is taken out of them."""

from functools import cached_property

from odoo import api, models
from odoo.tools import SQL

# Values of an index, each looked up instead of read from every row.
MODELS_OF_EVENTS = """
WITH RECURSIVE found AS (
    (SELECT res_model FROM finance_audit_event WHERE res_model IS NOT NULL
      ORDER BY res_model LIMIT 1)
    UNION ALL
    SELECT (SELECT res_model FROM finance_audit_event WHERE res_model > found.res_model
             ORDER BY res_model LIMIT 1)
      FROM found WHERE found.res_model IS NOT NULL
)
SELECT res_model FROM found WHERE res_model IS NOT NULL
"""


class Subject:
    """Whose values are looked for: partners with their contacts, in some companies.

    partners: `res.partner`. companies: `res.company`; rows of none are meant too. Everything is
    read as superuser and once, so that it stays right while rows are being erased.
    """

    def __init__(self, partners, companies):
        self.env = partners.sudo().with_context(active_test=False).env
        tree = [("id", "child_of", partners.ids)]
        self.partners = self.env["res.partner"].search(tree) if partners else partners
        self.companies = companies

    def of_companies(self, column="company_id"):
        """The condition that a row belongs to one of the companies, or to none."""
        column = SQL.identifier(*column.split("."))
        return SQL("(%s IS NULL OR %s = ANY(%s))", column, column, self.companies.ids)

    @cached_property
    def documents(self):
        """{model: ids} of the documents that name a partner, of the models that rows tell of."""
        models = {model for (model,) in self.env.execute_query(SQL(MODELS_OF_EVENTS))}
        models.update(*(model._personal_documents() for model in personal(self.env)))
        found = {"res.partner": self.partners.ids}
        for model in sorted(models):
            if model in self.env and not model.startswith(("finance.", "res.")):
                found[model] = self._naming(self.env[model])
        return {model: ids for model, ids in found.items() if ids}

    def _naming(self, documents):
        domains = [
            [(name, "in", self.partners.ids)]
            for name, field in documents._fields.items()
            if field.type == "many2one" and field.comodel_name == "res.partner" and field.store
        ]
        if not domains:
            return []
        domain = ["|"] * (len(domains) - 1) + [term for (term,) in domains]
        if "company_id" in documents._fields:
            domain = ["&", ("company_id", "in", [False, *self.companies.ids]), *domain]
        return documents.search(domain).ids

    def about(self, *columns):
        """The condition that columns (model, id) of a row name one of the documents."""
        terms = [
            SQL(
                "%s = %s AND %s = ANY(%s)", SQL.identifier(named), model, SQL.identifier(ids), found
            )
            for named, ids in columns
            for model, found in self.documents.items()
        ]
        return SQL("(%s)", SQL(" OR ").join(terms)) if terms else SQL("FALSE")

    @cached_property
    def traces(self):
        """The traces of everything that happened to the documents."""
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT trace_id FROM finance_audit_event"
                " WHERE trace_id IS NOT NULL AND %s AND %s",
                self.of_companies(),
                self.about(("res_model", "res_id")),
            )
        )
        found = {trace for (trace,) in rows}
        return list(found.union(*(model._personal_traces(self) for model in personal(self.env))))


def personal(env):
    """Return the models whose rows hold what is known about a person, as superuser."""
    names = (name for name, cls in env.registry.items() if hasattr(cls, "_erase_personal"))
    return [env[name].sudo() for name in sorted(names) if not env[name]._abstract]


class FinancePersonalMixin(models.AbstractModel):
    """A model whose rows hold what is known about a person.

    It says which rows those are and empties them; the wizard *Erase Personal Data* and legal holds
    find it by this mixin, so a new model takes part by inheriting it.
    """

    _name = "finance.personal.mixin"
    _description = "Rows About a Person"

    # === WHAT A MODEL DEFINES === #

    @api.model
    def _personal_words(self):
        """Return what is erased, in the reader's language: "Words of handled exceptions", say."""
        return self._description

    @api.model
    def _personal_of(self, subject):
        """Return the rows with values of a `Subject` that may be erased, and are not yet."""
        raise NotImplementedError

    def _erase_personal(self, basis):
        """Empty in these rows what is personal; ids, amounts, states and digests stay.

        basis: a code of `finance.erasure`, kept where the row remembers why it is empty.
        """
        raise NotImplementedError

    @api.model
    def _personal_documents(self):
        """Return the names of the models of documents that rows without an event belong to."""
        return []

    @api.model
    def _personal_traces(self, subject):
        """Return trace ids by which other rows belong to a `Subject`; must not read its traces."""
        return []

    # === WHAT IT GETS === #

    @api.model
    def _select(self, condition):
        """Return the rows that fulfil a condition in SQL."""
        self.flush_model()
        query = SQL("SELECT id FROM %s WHERE %s", SQL.identifier(self._table), condition)
        return self.browse(row[0] for row in self.env.execute_query(query))

    def _empty(self, *columns, **values):
        """Set columns to NULL, and others to values, in plain SQL: jobs are no rows of the ORM."""
        if not self:
            return
        assignments = dict.fromkeys(columns) | values
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value)
                    for name, value in assignments.items()
                ),
                self.ids,
            )
        )
        self.invalidate_recordset()

    @api.model
    def _held(self):
        """The condition that a row of this table is kept by a legal hold."""
        return self.env["finance.legal.hold"].sudo()._condition(self)
