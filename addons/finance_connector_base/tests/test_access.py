"""Who may do what with which model, asked over RPC; and what can be called there at all."""

from itertools import count

from odoo import Command, fields
from odoo.fields import NO_ACCESS
from odoo.models import BaseModel
from odoo.tests import HttpCase, new_test_user, tagged

from .evidence import GROUP, EvidenceCase
from .rpc import ROLES, RpcCalls

# Model: what each of ROLES may do: (r)ead, (w)rite, (c)reate, (u)nlink.
TABLE = {
    # model                     nobody user   approver controller administrator auditor
    "finance.alert.rule": ("", "r", "r", "r", "rwcu", "r"),
    "finance.answer": ("", "", "", "", "r", "r"),
    "finance.audit.detail": ("", "", "", "r", "", "r"),
    "finance.audit.event": ("", "", "", "r", "r", "r"),
    "finance.audit.export": ("", "", "", "rwcu", "", "rwcu"),
    "finance.audit.seal": ("", "", "", "r", "r", "r"),
    "finance.audit.verify": ("", "", "", "rwcu", "", "rwcu"),
    "finance.binding": ("", "", "", "", "r", "r"),
    "finance.configuration.import": ("", "", "", "", "rwcu", ""),
    "finance.configuration.version": ("", "", "", "", "r", "r"),
    "finance.close": ("", "rwc", "rwc", "rwc", "rwc", "rwc"),
    "finance.close.check": ("", "r", "r", "r", "r", "r"),
    "finance.connector": ("", "r", "r", "r", "rwcu", "r"),
    "finance.credential": ("", "", "", "", "rwcu", "r"),
    "finance.credential.rotate": ("", "", "", "", "rwcu", ""),
    "finance.denied.action": ("", "", "", "r", "r", "r"),
    "finance.erasure": ("", "", "", "rwcu", "", ""),
    "finance.erasure.line": ("", "", "", "rwcu", "", ""),
    "finance.exception": ("", "rw", "rw", "rw", "rw", "r"),
    "finance.exception.assign": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.exception.close": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.exception.rule": ("", "r", "r", "rwcu", "rwcu", "r"),
    "finance.exception.tag": ("", "rwc", "rwc", "rwcu", "rwc", "r"),
    "finance.exchange": ("", "r", "r", "r", "r", "r"),
    "finance.exchange.day": ("", "", "", "", "r", "r"),
    "finance.external.ref": ("", "r", "r", "r", "r", "r"),
    "finance.gate": ("", "r", "r", "r", "r", "r"),
    "finance.job": ("", "r", "r", "r", "r", "r"),
    "finance.job.done.outside": ("", "", "", "rwcu", "", ""),
    "finance.job.key": ("", "", "", "r", "r", "r"),
    "finance.job.progress": ("", "r", "r", "r", "r", "r"),
    "finance.restore": ("", "r", "r", "r", "r", "r"),
    "finance.legal.hold": ("", "", "", "rwc", "r", "r"),
    "finance.mapping": ("", "r", "rw", "rwc", "rwc", "r"),
    "finance.mapping.add": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.mapping.add.line": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.mapping.import": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.mapping.line": ("", "rwcu", "rwcu", "rwcu", "rwcu", "r"),
    "finance.mapping.missing": ("", "r", "r", "r", "r", "r"),
    "finance.mapping.reject": ("", "", "rwcu", "", "", ""),
    "finance.mapping.use": ("", "r", "r", "r", "r", "r"),
    "finance.mapping.version": ("", "rw", "rw", "rw", "rw", "r"),
    "finance.retention.rule": ("", "", "", "rwcu", "r", "r"),
    "finance.setting": ("", "r", "r", "r", "rwcu", "r"),
    "finance.sign.in": ("", "", "", "", "r", "r"),
    "finance.timeline": ("", "r", "r", "r", "r", "r"),
    "finance.timeline.line": ("", "r", "r", "r", "r", "r"),
    "finance.token": ("", "", "", "", "r", "r"),
    "finance.workflow": ("", "r", "r", "r", "rwcu", "r"),
}

# Everything of ours that can be called over RPC, beyond what Odoo's own models and mixins offer.
PUBLIC = {
    "account.move": {"action_finance_exceptions"},
    "finance.alert.rule": {"action_open_alerts"},
    "finance.audit.export": {"action_export"},
    "finance.audit.seal": {"action_open_events"},
    "finance.audit.verify": {"action_verify"},
    "finance.audit.event": {
        "action_finance_timeline",
        "action_open_record",
        "action_open_trace",
    },
    "finance.configuration.import": {"action_review"},
    "finance.configuration.version": {
        "action_apply",
        "action_discard",
        "action_download",
        "action_download_after",
        "action_export",
        "action_import",
        "action_keep",
        "action_restore",
        "action_restore_before",
    },
    "finance.close": {
        "action_ask",
        "action_next_month",
        "action_previous_month",
        "action_print",
        "action_record",
    },
    "finance.close.check": {"action_open"},
    "finance.connector": {
        "action_open_exceptions",
        "action_open_exchanges",
        "action_open_form",
        "action_open_unknown",
        "action_open_waiting",
        "action_pause",
        "action_resume",
        "action_sign_in",
        "action_sign_out",
        "action_switch_to_production",
        "action_switch_to_sandbox",
        "action_test",
    },
    "finance.credential": {"action_discard_next", "action_erase", "action_rotate"},
    "finance.credential.rotate": {"action_rotate"},
    "finance.denied.action": {"action_open_record"},
    "finance.audit.detail": {"action_open_event"},
    "finance.erasure": {"action_erase"},
    "finance.legal.hold": {"action_lift"},
    "finance.exception": {
        "action_assign",
        "action_assign_to_me",
        "action_done_outside",
        "action_handle",
        "action_ignore",
        "action_map",
        "action_open_connector",
        "action_open_document",
        "action_open_job",
        "action_query",
        "action_retry",
    },
    "finance.mapping": {
        "action_import",
        "action_new_version",
        "action_unmapped",
        "action_versions",
    },
    "finance.mapping.add": {"action_confirm"},
    "finance.mapping.import": {"action_import"},
    "finance.mapping.missing": {"action_map", "action_open_record"},
    "finance.mapping.reject": {"action_confirm"},
    "finance.mapping.use": {"action_open_record"},
    "finance.mapping.version": {
        "action_approve",
        "action_discard",
        "action_export",
        "action_reject",
        "action_submit",
        "action_try",
        "action_withdraw",
    },
    "finance.exception.assign": {"action_confirm"},
    "finance.exception.close": {"action_confirm"},
    "finance.exchange": {"action_download_request", "action_download_response"},
    "finance.external.ref": {"action_open_record"},
    "finance.job": {
        "action_cancel",
        "action_done_outside",
        "action_open_document",
        "action_open_exchanges",
        "action_query",
        "action_release",
        "action_retry",
        "action_send_again",
    },
    "finance.restore": {
        "action_acknowledge",
        "action_ask_all",
        "action_confirm_production",
        "action_open_jobs",
    },
    "finance.job.done.outside": {"action_confirm"},
    "finance.timeline": {
        "action_next_page",
        "action_open_record",
        "action_previous_page",
        "action_print",
        "action_refresh",
    },
    "finance.timeline.line": {"action_open"},
    "finance.timeline.mixin": {"action_finance_timeline"},
    "res.config.settings": {
        "action_finance_accept_restore",
        "action_finance_confirm_database",
        "action_finance_metrics_close",
        "action_finance_metrics_token",
        "action_finance_open_restore",
        "action_finance_reseal",
    },
}
# What has their buttons has no others by that.
MIXINS = ("finance.timeline.mixin",)
# A value that people may write, where writing nothing would prove nothing.
WRITTEN = {
    "finance.legal.hold": {"lift_reason": "x"},
    "finance.exception": {"deadline": "2026-12-24"},
    "finance.credential": {"value": "sk-planted-1234"},
    "finance.credential.rotate": {"value": "sk-planted-1234"},
}
# What refuses in words of its own, whoever asks.
GUARDED = {"finance.audit.event", "finance.audit.seal"}
# Kinds of details, for as many rules of one company as roles.
KINDS = ("hold.set", "hold.lifted", "partner.merged", "exception.handled", "exception.ignored",
         "job.enqueued", "job.done_outside")  # fmt: skip
OWN = "odoo.addons.finance_connector_base."


class RpcCase(RpcCalls, HttpCase, EvidenceCase):
    """Calls over JSON-2 as one user of each role, and one row of each model in A and in B."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users, cls.keys = {}, {}
        cls.numbers = count()
        for role in ROLES:
            group = "base.group_user" if role == "nobody" else f"{GROUP}{role}"
            user = new_test_user(cls.env, f"rpc_{role}", group, company_id=cls.company_a.id)
            cls.users[role] = user
            cls.keys[role] = cls.key_of(user)

    def setUp(self):
        super().setUp()
        self.homes = {}

    def home(self, company):
        """One connector of ``company`` that no test deletes."""
        if company not in self.homes:
            self.homes[company] = self.new_connector(company)
        return self.homes[company]

    def new_connector(self, company):
        """A connector of ``company`` alone."""
        return self.env["finance.connector"].create(
            {"name": "C", "provider": "acme", "company_ids": [Command.set(company.ids)]}
        )

    def sample(self, model, company=None, user=None):
        """A new row of ``model``, made by ``user``, that belongs to ``company`` (A by default)."""
        company = company or self.company_a
        env = self.env(su=True) if user is None else self.env(user=user.id, su=True)
        samples = env[model]
        if model in ("finance.connector", "finance.gate", "finance.credential", "finance.setting"):
            connector = self.new_connector(company)
            if model == "finance.connector":
                return connector.with_env(env)
            return samples.search([("connector_id", "=", connector.id)], limit=1)
        connector = self.home(company).with_env(env)
        number = str(next(self.numbers))
        if model == "finance.exception":
            return samples._raise("job.held", job=self.make_job(company=company)).with_env(env)
        if model == "finance.audit.event":
            return samples._record("test", company=company)
        if model == "finance.audit.seal":
            self.env["finance.audit.event"]._record("test")
            samples._seal_before_export()
            return samples.search([], limit=1)
        if model == "finance.external.ref":
            return samples._set(connector, connector, "c", number)
        if model == "finance.job":
            return self.make_job(company=company).with_env(env)
        if model.startswith("finance.mapping"):
            return self.mapping_sample(model, env, company, number)
        if model == "finance.erasure.line":
            return self.sample("finance.erasure", company, user).line_ids[:1]
        values = self.values(model, company, connector, number, user or self.env.user)
        if model in ("finance.workflow", "finance.token"):
            connector = self.new_connector(company)
        field = samples._fields.get("connector_id")
        if field is not None and field.store:
            values.setdefault("connector_id", connector.id)
        return samples.create(values)

    def values(self, model, company, connector, number, user):
        """Values of a new row of ``model``; what they stand on is made for this model only."""

        def some():
            raised = self.raised("connector.auth", document=None, company=company)
            return [Command.set(raised.ids)]

        values = {
            "finance.alert.rule": lambda: {
                "name": "x",
                "measure": "calls",
                "value": 1,
                "company_id": company.id,
            },
            "finance.answer": lambda: {"operation": "x", "digest": number},
            "finance.audit.detail": lambda: {"company_id": company.id},
            "finance.audit.export": lambda: {"scope": "trace", "trace_id": "x"},
            "finance.audit.verify": dict,
            "finance.binding": lambda: {
                "database_uuid": "x",
                "database_name": "x",
                "database_oid": "1",
            },
            "finance.configuration.import": dict,
            "finance.configuration.version": lambda: {"company_ids": [Command.set(company.ids)]},
            "finance.close": lambda: {"company_id": company.id},
            "finance.close.check": lambda: {"close_id": self.close_of(user).id},
            "finance.credential.rotate": lambda: {"credential_id": connector.credential_ids[:1].id},
            "finance.denied.action": lambda: {"action": number, "company_id": company.id},
            "finance.erasure": lambda: {"partner_id": self.partner.id},
            "finance.exception.assign": lambda: {
                "exception_ids": some(),
                "owner_id": self.accountant.id,
            },
            "finance.exception.close": lambda: {
                "exception_ids": some(),
                "reason": "x",
            },
            "finance.exception.rule": lambda: {"name": "x", "company_id": company.id},
            "finance.exception.tag": lambda: {"name": f"t{number}"},
            "finance.exchange": lambda: {"operation": "x", "company_id": company.id},
            "finance.exchange.day": lambda: {
                "day": fields.Date.add(fields.Date.today(), days=int(number)),
                "outcome": "ok",
            },
            "finance.job.done.outside": lambda: {"reference": "x"},
            "finance.job.key": lambda: {"key": number},
            "finance.restore": lambda: {"reason": "behind"},
            "finance.job.progress": lambda: {"job_id": self.make_job(company=company).id},
            "finance.sign.in": lambda: {"state_digest": number},
            "finance.token": lambda: {"environment": "sandbox"},
            "finance.timeline": lambda: {
                "res_model": "res.partner",
                "res_id": self.partner.id,
            },
            "finance.timeline.line": lambda: {"timeline_id": self.timeline(user).id},
            "finance.legal.hold": lambda: {"reason": "x", "company_id": company.id},
            "finance.retention.rule": lambda: {
                "kind": KINDS[int(number) % len(KINDS)],
                "company_id": company.id,
            },
            "finance.workflow": lambda: {"flow": "tax", "company_id": company.id},
        }
        return values[model]()

    def mapping_sample(self, model, env, company, number):
        """A mapping of ``company``, or what hangs on it."""
        mapping = env["finance.mapping"].create(
            {"name": "m", "kind": "account", "scope": number, "company_id": company.id}
        )
        version = mapping._draft()
        missing = env["finance.mapping.missing"].create(
            {"mapping_id": mapping.id, "company_id": company.id, "res_id": 1}
        )
        some = {
            "finance.mapping": mapping,
            "finance.mapping.missing": missing,
            "finance.mapping.version": version,
        }
        if model in some:
            return some[model]
        values = {
            "finance.mapping.add": {},
            "finance.mapping.add.line": {"missing_id": missing.id},
            "finance.mapping.import": {"mapping_id": mapping.id},
            "finance.mapping.line": {"version_id": version.id, "rule": "default", "code": "x"},
            "finance.mapping.reject": {"version_id": version.id},
            "finance.mapping.use": {
                "version_id": version.id,
                "company_id": company.id,
                "res_model": "finance.mapping",
            },
        }[model]
        if model == "finance.mapping.reject":
            values["reason"] = "x"
        if model == "finance.mapping.add.line":
            values["wizard_id"] = env["finance.mapping.add"].create({}).id
        return env[model].create(values)

    def close_of(self, user):
        """A month-end that ``user`` looks at."""
        return self.env["finance.close"].with_user(user).sudo().create({})

    def timeline(self, user):
        """A timeline that ``user`` has opened."""
        return self.env["finance.timeline"].with_user(user).sudo().create({})


@tagged("post_install", "-at_install")
class TestAccess(RpcCase):
    """The table, over real RPC."""

    def test_table_names_every_model(self):
        models = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("finance.")
            and model._original_module == "finance_connector_base"
            and not model._abstract
        }
        self.assertEqual(models, set(TABLE))

    def test_read(self):
        for model, row in TABLE.items():
            sample = self.sample(model)
            for role, allowed in zip(ROLES, row, strict=True):
                # of a wizard only its author sees anything
                if self.env[model]._transient:
                    sample = self.sample(model, user=self.users[role])
                self._check(role, model, "read", "r" in allowed, ids=sample.ids, fields=["id"])

    def test_write(self):
        for model, row in TABLE.items():
            values = WRITTEN.get(model, {})
            for role, allowed in zip(ROLES, row, strict=True):
                sample = self.sample(model, user=self.users[role])
                self._check(role, model, "write", "w" in allowed, ids=sample.ids, vals=values)

    def test_create(self):
        for model, row in TABLE.items():
            for role, allowed in zip(ROLES, row, strict=True):
                self._check(role, model, "create", "c" in allowed, vals_list=[{}])

    def test_unlink(self):
        for model, row in TABLE.items():
            for role, allowed in zip(ROLES, row, strict=True):
                sample = self.sample(model, user=self.users[role])
                self._check(role, model, "unlink", "u" in allowed, ids=sample.ids)
                self.assertEqual(bool(sample.exists()), "u" not in allowed)

    def _check(self, role, model, operation, allowed, **arguments):
        with self.subTest(role=role, model=model, operation=operation):
            status, answer = self.call(role, model, operation, **arguments)
            if allowed and status != 200:
                # refused for its content, not for who asks: nothing was filled in
                self.assertEqual(operation, "create", answer)
                self.assertNotIn("AccessError", answer["name"])
            elif not allowed:
                guarded = model in GUARDED and operation != "read"
                expected = "UserError" if guarded else "AccessError"
                self.assertNotEqual(status, 200)
                self.assertIn(expected, answer["name"], answer)

    def test_nobody_writes_a_real_value_where_only_lanes_do(self):
        for model, values in (
            ("finance.job", {"state": "done"}),
            ("finance.job.key", {"digest": "x"}),
            ("finance.exchange", {"outcome": "ok"}),
            ("finance.gate", {"stopped": False}),
            ("finance.answer", {"digest": "y"}),
            ("finance.external.ref", {"external_id": "x"}),
        ):
            sample = self.sample(model)
            for role in ROLES:
                with self.subTest(model=model, role=role):
                    status, answer = self.call(role, model, "write", ids=sample.ids, vals=values)
                    self.assertEqual(status, 403, answer)

    def test_state_of_an_exception_is_not_written(self):
        sample = self.sample("finance.exception")
        for role in ("user", "approver", "controller", "administrator"):
            for values in ({"state": "handled"}, {"question": "waiting"}, {"params": {}}):
                with self.subTest(role=role, values=values):
                    status, _answer = self.call(
                        role, "finance.exception", "write", ids=sample.ids, vals=values
                    )
                    self.assertEqual(status, 422)
        self.assertEqual(sample.state, "open")

    def test_sealed_columns_are_out_of_reach(self):
        for model in TABLE:
            sample = None
            for name, field in self.env[model]._fields.items():
                if field.groups != NO_ACCESS:
                    continue
                sample = sample or self.sample(model)
                for role in ("controller", "administrator", "auditor"):
                    self._check_sealed(role, model, name, sample)
        sealed = [
            (model, name)
            for model in TABLE
            for name in self.env[model]._fields
            if name.endswith("_sealed") or (model, name) == ("finance.answer", "answer")
        ]
        self.assertEqual(len(sealed), 8)
        for model, name in sealed:
            self.assertEqual(self.env[model]._fields[name].groups, NO_ACCESS)

    def _check_sealed(self, role, model, name, sample):
        for method, arguments in (
            ("read", {"ids": sample.ids, "fields": [name]}),
            ("search_read", {"domain": [], "fields": [name]}),
            ("web_read", {"ids": sample.ids, "specification": {name: {}}}),
            ("search", {"domain": [[name, "!=", False]]}),
            ("search", {"domain": [], "order": name}),
            ("read_group", {"domain": [], "fields": [], "groupby": [name]}),
            ("formatted_read_group", {"domain": [], "groupby": [name]}),
            ("export_data", {"ids": sample.ids, "fields_to_export": [name]}),
        ):
            with self.subTest(role=role, model=model, field=name, method=method):
                status, answer = self.call(role, model, method, **arguments)
                self.assertNotEqual(status, 200, answer)
        _status, shown = self.call(role, model, "read", ids=sample.ids, fields=None)
        self.assertFalse(isinstance(shown, list) and any(name in row for row in shown), shown)
        _status, known = self.call(role, model, "fields_get")
        self.assertNotIn(name, known)

    def test_user_of_a_never_sees_b(self):
        everywhere = {"finance.audit.seal", "finance.binding", "finance.exception.tag"}
        everywhere.add("finance.restore")
        for model, row in TABLE.items():
            if model in everywhere:
                continue
            of_a = self.sample(model)
            of_b = self.sample(model, company=self.company_b)
            for role, allowed in zip(ROLES, row, strict=True):
                if "r" not in allowed:
                    continue
                if self.env[model]._transient:
                    of_a = self.sample(model, user=self.users[role])
                with self.subTest(model=model, role=role):
                    _status, found = self.call(role, model, "search", domain=[])
                    self.assertIn(of_a.id, found)
                    self.assertNotIn(of_b.id, found)
                    context = {"allowed_company_ids": [self.company_a.id, self.company_b.id]}
                    status, answer = self.call(role, model, "search", domain=[], context=context)
                    self.assertTrue(status == 403 or of_b.id not in answer, answer)
                    for method, arguments in (
                        ("read", {"fields": ["id"]}),
                        ("write", {"vals": {}}),
                        ("unlink", {}),
                    ):
                        status, answer = self.call(role, model, method, ids=of_b.ids, **arguments)
                        self.assertNotEqual(status, 200, (method, answer))

    def test_buttons_check_who_presses(self):
        exception = self.sample("finance.exception")
        for method in ("action_retry", "action_assign_to_me", "action_ignore", "action_handle"):
            for role in ("nobody", "auditor"):
                with self.subTest(method=method, role=role):
                    status, _answer = self.call(
                        role, "finance.exception", method, ids=exception.ids
                    )
                    self.assertEqual(status, 403)
        job = self.make_job(state="uncertain", company=self.company_a)
        for method, forbidden in (
            ("action_retry", ("nobody", "auditor")),
            ("action_query", ("nobody", "auditor")),
            ("action_done_outside", ("nobody", "user", "approver", "administrator", "auditor")),
            ("action_send_again", ("nobody", "user", "controller", "administrator", "auditor")),
            ("action_cancel", ("nobody", "user", "approver", "administrator", "auditor")),
            ("action_release", ("nobody", "user", "administrator", "auditor")),
        ):
            for role in forbidden:
                with self.subTest(method=method, role=role):
                    status, _answer = self.call(role, "finance.job", method, ids=job.ids)
                    self.assertEqual(status, 403)
        self.assertEqual(job.state, "uncertain")

    def test_connectors_are_the_administrators(self):
        connector = self.new_connector(self.company_a)
        credential = connector.credential_ids[:1]
        for record, methods in (
            (
                connector,
                (
                    "action_test",
                    "action_sign_in",
                    "action_sign_out",
                    "action_pause",
                    "action_resume",
                    "action_switch_to_production",
                    "action_switch_to_sandbox",
                ),
            ),
            (credential, ("action_erase", "action_discard_next")),
        ):
            for method in methods:
                for role in ("nobody", "user", "approver", "controller", "auditor"):
                    with self.subTest(method=method, role=role):
                        status, answer = self.call(role, record._name, method, ids=record.ids)
                        self.assertEqual(status, 403, answer)


@tagged("post_install", "-at_install")
class TestPublicMethods(EvidenceCase):
    """What can be called over RPC is on a list, and nothing else."""

    def test_allow_list(self):
        usual = set(dir(BaseModel)) | set(dir(self.registry["base"]))
        found = {}
        for name, model in self.registry.items():
            ours = {
                method
                for method in set(dir(model)) - usual
                if not method.startswith("_") and self._is_ours_and_callable(model, method)
            }
            if name not in MIXINS:
                ours -= {button for button in ours if self._is_of_a_mixin(model, button)}
            if ours:
                found[name] = ours
        self.maxDiff = None
        self.assertEqual(found, PUBLIC)

    def _is_of_a_mixin(self, model, name):
        return any(
            getattr(model, name) is getattr(self.registry[mixin], name, None) for mixin in MIXINS
        )

    def _is_ours_and_callable(self, model, name):
        method = getattr(model, name)
        module = getattr(method, "__module__", "") or ""
        if not callable(method) or not module.startswith(OWN) or module.startswith(f"{OWN}tests."):
            return False
        return not any(
            getattr(getattr(cls, name, None), "_api_private", False) for cls in model.mro()
        )

    def test_abstract_models_offer_nothing(self):
        usual = set(dir(self.registry["base"]))
        for name in (
            "finance.operation",
            "finance.vault",
            "finance.job.mixin",
            "finance.weak.mixin",
            "finance.health",
            "finance.metrics.token",
            "finance.configuration",
            "finance.keyed.mixin",
        ):
            public = {
                attribute
                for attribute in set(dir(self.registry[name])) - usual
                if not attribute.startswith("_")
                and callable(getattr(self.registry[name], attribute))
            }
            self.assertEqual(public, set(), name)
