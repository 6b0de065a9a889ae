"""The configuration as a file: what is in it, what is refused, what is applied, what comes back."""

import base64
import json
import os
import random
from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..configuration.text import digest, dump
from ..models.finance_configuration_column import TO_BE_ENTERED
from .configuration import unsaid_fields
from .vendor import KEY, SECRET, SECRET_2, ConnectorCase

POLICY = "finance_connector.configuration_policy"
# Stored, but not configuration.
NOT_IN_FILES = {
    # what happens, not what is wanted
    "finance.connector.state",
    "finance.connector.attention_reason",
    "finance.connector.tested_at",
    "finance.workflow.last_success_at",
}


class ConfigurationCase(ConnectorCase):
    """An administrator and a second one, both of all companies and with the rights of Settings."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b = cls.env["res.company"].create(
            {"name": "Company B", "company_registry": "HRB 4711"}
        )
        everything = cls.env["res.company"].with_context(active_test=False).search([])
        rights = ("base.group_system", "base.group_erp_manager")
        rights += ("finance_connector_base.group_controller",)
        for person in (cls.admin, cls.admin_2):
            person.company_ids = everything
            for right in rights:
                person.group_ids += cls.env.ref(right)
        cls.configuration = cls.env["finance.configuration"].with_user(cls.admin)
        cls.versions = cls.env["finance.configuration.version"].with_user(cls.admin)

    # === FILES === #

    def present(self):
        """The configuration as a document."""
        return json.loads(self.configuration._export())

    def entry(self, document, section="connectors", key="acme-main"):
        """One entry of a document."""
        return next(row for row in document["sections"][section] if row["key"] == key)

    def file_of(self, *entries, section="connectors"):
        """A document with nothing but some entries."""
        return {
            "schema": "finance-connect-configuration",
            "schema_version": 1,
            "sections": {section: list(entries)},
        }

    def review(self, document, complete=False, user=None):
        """What a document would do."""
        text = document if isinstance(document, str) else dump(document)
        return self.configuration.with_user(user or self.admin)._review(text, complete)

    def problems(self, document, **options):
        """[(where, words)] of what is wrong with it."""
        return [(row["where"], row["words"]) for row in self.review(document, **options).problems]

    def wizard(self, document, user=None, **vals):
        """The dialog with a file in it."""
        text = document if isinstance(document, str) else dump(document)
        wizards = self.env["finance.configuration.import"].with_user(user or self.admin)
        file = base64.b64encode(text.encode()).decode()
        return wizards.create({"file": file, "filename": "my.json", **vals})

    def propose(self, document, **vals):
        """The version that a file becomes."""
        wizard = self.wizard(document, **vals)
        action = wizard.action_review()
        self.assertEqual(action.get("res_model"), "finance.configuration.version", wizard.problems)
        return self.versions.with_user(wizard.env.user).browse(action["res_id"])

    def press_apply(self, proposal):
        """Press the button with what is on screen; return what is said."""
        action = proposal.with_context(reviewed=proposal.review_digest).action_apply()
        return action["params"]

    def apply(self, document, **vals):
        """The version that a file has become."""
        proposal = self.propose(document, **vals)
        self.assertEqual(self.press_apply(proposal)["type"], "success")
        return proposal

    def changes(self, version):
        """{(section, title): (kind, {label: (old, new)})} as a person reads them."""
        return {
            (group["section"], change["title"]): (
                change["kind"],
                {row["label"]: (row["old"], row["new"]) for row in change["values"]},
            )
            for group in self.configuration._changes(version.before, version.after)
            for change in group["changes"]
        }

    def forget_everything(self):
        """Make the database as if nothing had been configured but companies and users."""
        connectors = self.env["finance.connector"].with_context(active_test=False)
        for model in (
            "exception",
            "exception.rule",
            "exception.tag",
            "alert.rule",
            "retention.rule",
        ):
            self.env[f"finance.{model}"].with_context(active_test=False).search([]).unlink()
        connectors.search([]).unlink()
        self.env["res.company"].search([]).finance_exception_user_id = False
        parameters = self.env["ir.config_parameter"]
        parameters.search([("key", "=like", "finance_connector.%")]).unlink()


@tagged("post_install", "-at_install")
class TestFiles(ConfigurationCase):
    """What is in a file, and what is wrong with one."""

    # === EXPORT === #

    def test_same_text_for_everybody(self):
        text = self.configuration._export()
        german = self.env["res.lang"]._activate_lang("de_DE")
        self.admin_2.lang = german.code
        self.assertEqual(self.configuration.with_user(self.admin_2)._export(), text)
        self.assertEqual(dump(json.loads(text)), text)

    def test_no_secret_is_in_it(self):
        self.make_ready()
        self.enter(SECRET_2)
        self.enter("sk-production-secret-1234", "production")
        token = self.env["finance.metrics.token"]._renew()
        text = self.configuration._export()
        sealed = self.credential()._read_columns()[self.credential().id]
        planted = [SECRET, SECRET_2, "sk-production-secret-1234", token, KEY.split(":")[1]]
        planted += [SECRET[-4:], SECRET_2[-4:], self.credential().hint]
        planted += [base64.b64encode(value).decode() for value in sealed.values() if value]
        planted += (
            self.env["ir.config_parameter"]
            .search([])
            .filtered(lambda row: "token" in row.key or "secret" in row.key)
            .mapped("value")
        )
        self.assertTrue(all(planted))
        for secret in planted:
            self.assertNotIn(secret, text)
        self.assertEqual(
            self.entry(json.loads(text))["credentials"],
            {name: {"api_key": TO_BE_ENTERED} for name in ("sandbox", "production")},
        )

    def test_an_option_that_became_a_secret_is_left_out(self):
        row = self.connector.sudo().setting_ids[:1]
        self.env.cr.execute("UPDATE finance_setting SET name = 'api_key' WHERE id = %s", [row.id])
        row.invalidate_recordset()
        self.env.cr.execute(
            "UPDATE finance_setting SET value = 'sk-planted' WHERE id = %s", [row.id]
        )
        self.assertNotIn("sk-planted", self.configuration._export())

    def test_records_are_named_by_words(self):
        self.connector.sudo().responsible_id = self.user
        entry = self.entry(self.present())
        self.assertEqual(entry["companies"], [self.company.name])
        self.assertEqual(entry["responsible"], "f_user")
        self.assertEqual(entry["options"]["sandbox"], {"account": "1000"})
        for section in self.present()["sections"].values():
            for row in section if isinstance(section, list) else []:
                self.assertNotIn("id", row)

    def test_every_field_is_in_the_file_or_known_not_to_be(self):
        self.assertEqual(unsaid_fields(self.env, "finance_connector_base", NOT_IN_FILES), set())

    def test_every_setting_of_ours_is_in_the_file(self):
        settings = set(self.present()["sections"]["settings"])
        companies = self.configuration._described()["companies"].columns.values()
        elsewhere = {column.field for column in companies}
        for name, field in self.env["res.config.settings"]._fields.items():
            if name.startswith("finance_") and field._module == "finance_connector_base":
                shown_only = field.compute and not field.inverse and not field.related
                self.assertTrue(shown_only or name in settings | elsewhere, name)

    def test_keys_stay_and_are_unique(self):
        twin = self.connector.sudo().create({"name": "Acme main", "provider": "acme"})
        self.assertEqual((self.connector.config_key, twin.config_key), ("acme-main", "acme-main-2"))
        self.connector.name = "Other"
        self.assertEqual(self.connector.config_key, "acme-main")
        self.assertEqual(self.connector.copy().config_key, "other-copy")
        german = self.connector.sudo().create({"name": "Größe & Co.", "provider": "acme"})
        self.assertEqual(german.config_key, "grosse-co")
        strange = self.connector.sudo().create([{"name": "…", "provider": "acme"}] * 2)
        self.assertEqual(strange.mapped("config_key"), ["connector", "connector-2"])

    def test_records_from_before_keys_get_one(self):
        rules = self.env["finance.alert.rule"]
        count = rules.search_count([])
        self.env.cr.execute("UPDATE finance_alert_rule SET config_key = NULL")
        rules.init()
        self.env.invalidate_all()
        keys = rules.search([]).mapped("config_key")
        self.assertEqual(len(set(keys)), count)
        self.assertIn("a-workflow-is-late", keys)

    # === FROM ONE DATABASE TO ANOTHER === #

    def test_an_empty_database_becomes_the_same(self):
        self.env["res.lang"]._activate_lang("de_DE")
        for seed in range(30 if os.environ.get("SOAK") else 2):
            with self.subTest(seed=seed):
                self.forget_everything()
                self.make_up(random.Random(seed))
                text = self.configuration._export()
                self.forget_everything()
                self.assertNotEqual(self.configuration._export(), text)
                self.apply(text)
                self.assertEqual(self.configuration._export(), text)
                self.assertEqual(self.review(text)[:2], ([], []))

    def make_up(self, dice):
        """A configuration by chance: connectors in three environments, several companies, rules,
        archived ones, translated names, settings."""
        companies = self.company | self.company_b
        people = self.user | self.admin | self.admin_2
        flags = (True, True, False)
        for number in range(dice.randint(1, 4)):
            connector = self.env["finance.connector"].create(
                {
                    "name": dice.choice(["Main", "Größe & Co.", f"Nr. {number}", "Main"]),
                    "provider": dice.choice(["acme", "selfhosted"]),
                    "environment": dice.choice(["sandbox", "local"]),
                    "local_url": dice.choice([False, "http://localhost:8099/acme"]),
                    "company_ids": [Command.set(dice.choice([companies, self.company]).ids)],
                    "responsible_id": dice.choice([False, *people.ids]),
                    "rate_per_second": dice.choice([0.1, 1 / 3, 5.0]),
                    "sequence": dice.randint(1, 99),
                }
            )
            connector.setting_ids.value = dice.choice(["1", "4711", False])
            if connector.environment == "local" and dice.random() < 0.5:
                connector.environment = "sandbox"
            for company in connector.company_ids:
                workflow = self.env["finance.workflow"].create(
                    {
                        "connector_id": connector.id,
                        "company_id": company.id,
                        "flow": "tax",
                        "mode": dice.choice(["event", "batch"]),
                        "max_attempts": dice.randint(1, 9),
                        "active": dice.choice(flags),
                    }
                )
                workflow.setting_ids.value = dice.choice(["DEFAULT", "Ä"])
            connector.active = dice.choice(flags)
            self.env["finance.exception.rule"].create(
                {
                    "name": f"Rule {number}",
                    "kind": dice.choice([False, "business"]),
                    "connector_id": dice.choice([False, connector.id]),
                    "company_id": dice.choice([False, self.company_b.id]),
                    "user_id": dice.choice(people.ids),
                    "active": dice.choice(flags),
                }
            )
        alert = self.env["finance.alert.rule"].create(
            {
                "name": "Late",
                "measure": "backlog",
                "value": dice.random() * 100,
                "user_ids": [Command.set(people.ids)],
            }
        )
        if dice.random() < 0.5:
            alert.with_context(lang="de_DE").name = "Spät"
        self.env["finance.exception.tag"].create({"name": "Audit"})
        self.env["finance.retention.rule"].create(
            [
                {"days": dice.randint(1, 99)},
                {"kind": "job.enqueued", "company_id": self.company_b.id, "days": 7},
            ]
        )
        self.company_b.finance_exception_user_id = dice.choice([self.user.id, False])
        self.env["ir.config_parameter"].set_param(
            "finance_connector.retention_days", dice.choice(["30", "365"])
        )

    def test_companies_are_found_by_their_registry(self):
        document = self.present()
        self.entry(document)["companies"] = ["Company B"]
        self.company_b.name = "Company B Ltd."
        proposal = self.propose(document)
        self.assertIn("“Company B” of the file is taken for Company B Ltd.", proposal.changes_html)
        self.press_apply(proposal)
        self.assertEqual(self.connector.sudo().company_ids, self.company_b)
        self.assertEqual(self.company_b.name, "Company B Ltd.")

    def test_a_renamed_connector_is_still_the_same(self):
        document = self.present()
        self.connector.name = "Renamed"
        version = self.apply(document)
        self.assertEqual(self.connector.name, "Acme main")
        self.assertEqual(
            self.changes(version)["Connectors", "Acme main"],
            ("changed", {"Name": ("Renamed", "Acme main")}),
        )

    def test_archived_ones_come_and_go(self):
        document = self.present()
        self.entry(document)["active"] = False
        version = self.apply(document)
        self.assertFalse(self.connector.active)
        self.assertEqual(self.changes(version)["Connectors", "Acme main"], ("archived", {}))
        self.entry(document)["active"] = True
        version = self.apply(document)
        self.assertTrue(self.connector.active)
        self.assertEqual(self.changes(version)["Connectors", "Acme main"], ("restored", {}))

    def test_translated_names(self):
        self.env["res.lang"]._activate_lang("de_DE")
        document = self.present()
        rule = self.env.ref("finance_connector_base.alert_workflow_late")
        names = {"en_US": "Late", "de_DE": "Zu spät"}
        self.entry(document, "alert_rules", rule.config_key)["name"] = names
        self.apply(document)
        self.assertEqual(rule.with_context(lang="de_DE").name, "Zu spät")
        self.entry(document, "alert_rules", rule.config_key)["name"] = "Late"
        self.apply(document)
        self.assertEqual(rule.with_context(lang="de_DE").name, "Late")
        self.entry(document, "alert_rules", rule.config_key)["name"] = {"en_US": "A", "xx_XX": "B"}
        [(where, words)] = self.problems(document)
        self.assertIn("xx_XX", where)
        self.assertIn("Install the language", words)

    # === EVERYTHING THAT IS WRONG IS TOLD AT ONCE, WITH ITS LINE === #

    def test_each(self):
        acme = {"key": "acme-main"}
        new = {"key": "n", "name": "New", "provider": "acme"}
        flow = {"connector": "acme-main", "company": self.company.name, "flow": "tax"}
        for section, entry, where, words in (
            ("connectors", acme | {"rate_per_second": "5"}, "rate_per_second", "without quotes"),
            ("connectors", acme | {"rate_per_second": 0}, "acme-main", "greater than zero"),
            ("connectors", acme | {"rate_burst": 1.5}, "rate_burst", "whole number"),
            ("connectors", acme | {"rate_burst": 10**10}, "rate_burst", "whole number"),
            ("connectors", acme | {"rate_burst": True}, "rate_burst", "whole number"),
            ("connectors", acme | {"active": "yes"}, "active", "true or false"),
            ("connectors", acme | {"name": 5}, "name", "text in quotes"),
            ("connectors", acme | {"name": None}, "name", "may not be empty"),
            ("connectors", acme | {"colour": 5}, "colour", "not known here"),
            ("connectors", acme | {"environment": None}, "environment", "may not be empty"),
            ("connectors", new | {"provider": ["acme"]}, "provider", "install the addon first"),
            ("connectors", acme | {"environment": "moon"}, "environment", "Possible: local"),
            ("connectors", acme | {"companies": "A"}, "companies", "list of texts"),
            ("connectors", acme | {"companies": ["Nope"]}, "companies", "no company “Nope”"),
            ("connectors", acme | {"companies": []}, "acme-main", "at least one company"),
            ("connectors", acme | {"responsible": "who@x"}, "responsible", "login “who@x”"),
            ("connectors", acme | {"local_url": "http://x.example.com"}, "acme-main", "this machine"),
            ("connectors", new | {"provider": "gone"}, "provider", "install the addon first"),
            ("connectors", {"key": "n", "name": "New"}, "provider", "missing"),
            ("connectors", {"name": "New"}, "New", "which entry"),
            ("connectors", {"key": 7}, "7", "which entry"),
            ("connectors", 7, "entry 1", "object is expected"),
            ("connectors", acme | {"options": {"sandbox": {"x": "1"}}}, "sandbox › x", "account"),
            ("connectors", acme | {"options": {"moon": {}}}, "options › moon", "environment"),
            ("connectors", acme | {"options": {"sandbox": {"account": 5}}}, "account", "in quotes"),
            ("connectors", acme | {"options": {"sandbox": {"account": "A"}}}, "acme-main", "not a valid"),
            ("connectors", acme | {"options": ["x"]}, "options", "environment"),
            ("connectors", acme | {"credentials": {"sandbox": {"x": TO_BE_ENTERED}}}, "x", "api_key"),
            ("workflows", flow | {"connector": "nope"}, "connector", "key “nope”"),
            ("workflows", flow | {"company": "Company B"}, "Company B", "doesn't serve"),
            ("workflows", flow | {"flow": "moon"}, "flow", "Possible: tax"),
            ("workflows", {"connector": "acme-main"}, "acme-main", "which entry"),
            ("companies", {"name": "Nope"}, "Nope", "no company “Nope”"),
            ("exception_rules", {"key": "r", "name": "R", "deadline_days": -1}, "R", "deadline"),
            ("scheduled_actions", {"xml_id": "finance_x.y"}, "finance_x.y", "a file doesn't make"),
            ("settings", {"finance_retention_days": "x"}, "finance_retention_days", "whole number"),
            ("settings", {"finance_x": 1}, "finance_x", "not known"),
            ("connectors", {"a": 1}, "", "list of entries"),
            ("planets", [], "planets", "Install the addon"),
        ):  # fmt: skip
            with self.subTest(section=section, entry=entry):
                document = self.file_of(entry, section=section)
                if section == "settings" or words == "list of entries":
                    document["sections"] = {section: entry}
                [(told_where, told_words)] = self.problems(document)
                self.assertIn(where, told_where)
                self.assertIn(words, told_words)

    def test_head(self):
        good = self.file_of()
        for document, words in (
            ([], "not a configuration file"),
            ({"sections": {}}, "not a configuration file"),
            (good | {"schema_version": 2}, "versions up to 1"),
            (good | {"schema_version": "1"}, "versions up to 1"),
            (good | {"schema_version": True}, "versions up to 1"),
            (good | {"sections": []}, "object of sections"),
            (good | {"extra": 1}, "not known"),
        ):
            with self.subTest(document=document):
                [(_where, told)] = self.problems(document)
                self.assertIn(words, told)

    def test_json_is_told_with_its_line(self):
        [problem] = self.review('{\n  "schema": 1,,\n}').problems
        self.assertEqual(problem["line"], 2)
        self.assertIn("not JSON", problem["words"])
        self.assertIn("twice", self.problems('{"a": 1, "a": 2}')[0][1])

    def test_all_at_once_with_lines(self):
        document = self.file_of(
            {"key": "acme-main", "rate_burst": "x", "responsible": "nobody"},
            {"key": "acme-main"},
            {"key": "new", "name": "New", "provider": "gone"},
        )
        document["sections"]["workflows"] = [
            # told at the connector, not here too
            {"connector": "new", "company": self.company.name, "flow": "tax"}
        ]
        problems = self.review(document).problems
        text = dump(document).splitlines()
        told = [text[problem["line"] - 1].strip() for problem in problems]
        self.assertEqual(
            told, ['"rate_burst": "x",', '"responsible": "nobody"', "{", '"provider": "gone"']
        )

    def test_a_secret_in_a_file_is_neither_shown_nor_kept(self):
        entry = {"key": "acme-main", "credentials": {"sandbox": {"api_key": SECRET}}}
        wizard = self.wizard(self.file_of(entry))
        self.assertIn("A secret never stands in a file", str(wizard.problems))
        self.assertEqual(wizard.action_review()["res_id"], wizard.id)
        self.assertIn("line", wizard.problems_html.lower())
        self.env.cr.execute("SELECT to_jsonb(w)::text FROM finance_configuration_import w")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))
        self.assertFalse(wizard.text)
        wizard.file = base64.b64encode(
            dump(self.file_of({"key": "acme-main", "rate_burst": 7})).encode()
        )
        self.assertEqual(wizard.action_review()["res_model"], "finance.configuration.version")

    def test_text_is_not_slipped_in(self):
        wizard = self.env["finance.configuration.import"].with_user(self.admin)
        wizard = wizard.create({"text": "x", "problems": []})
        wizard.write({"text": "x"})
        self.assertFalse(wizard.text)
        with self.assertRaisesRegex(UserError, "Choose a file"):
            wizard.action_review()

    def test_not_a_text(self):
        wizard = self.env["finance.configuration.import"].with_user(self.admin)
        wizard = wizard.create({"file": base64.b64encode(b"\xff\xfe\x00")})
        self.assertIn("UTF-8", wizard.problems[0]["words"])

    def test_rights_of_settings_are_asked_for(self):
        self.admin_2.group_ids -= self.env.ref("base.group_system")
        self.admin_2.group_ids -= self.env.ref("base.group_erp_manager")
        document = self.present()
        self.assertEqual(self.problems(document, user=self.admin_2), [])
        document["sections"]["settings"]["finance_retention_days"] = 10
        document["sections"]["companies"][0]["exception_owner"] = "f_user"
        document["sections"]["scheduled_actions"][0]["active"] = False
        with mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_access"):
            problems = self.problems(document, user=self.admin_2)
        self.assertEqual(len(problems), 3)
        for _where, words in problems:
            self.assertIn("You may not change this", words)

    def test_what_odoo_makes_of_it_is_told(self):
        document = self.file_of()
        document["sections"] = {"settings": {"finance_retention_days": 0}}
        [(_where, words)] = self.problems(document)
        self.assertIn("Odoo keeps “90” instead", words)

    def test_a_provider_that_is_gone_harms_no_other_change(self):
        self.env.cr.execute(
            "UPDATE finance_connector SET provider = 'gone' WHERE id = %s", [self.connector.id]
        )
        self.env.invalidate_all()
        document = self.present()
        self.assertEqual(self.entry(document)["provider"], "gone")
        document["sections"]["settings"]["finance_retention_days"] = 10
        self.assertEqual(self.problems(document), [])
        self.entry(document)["sequence"] = 3
        self.assertEqual(self.problems(document), [])

    def test_unfinished_jobs_are_respected(self):
        with patch.object(
            type(self.env["finance.connector"]),
            "_check_no_unfinished_jobs",
            side_effect=UserError("There are unfinished jobs"),
        ):
            entry = {"key": "acme-main", "environment": "local"}
            [(where, words)] = self.problems(self.file_of(entry))
        self.assertEqual((where, words), ("Connectors › acme-main", "There are unfinished jobs"))


@tagged("post_install", "-at_install")
class TestVersions(HttpCase, ConfigurationCase):
    """What a file would do, what it has done, and the way back."""

    # === REVIEW === #

    def test_rehearsal_leaves_nothing_behind(self):
        document = self.present()
        entry = self.entry(document)
        entry.update(name="Other", rate_burst=77)
        entry["options"]["sandbox"]["account"] = "2222"
        document["sections"]["settings"]["finance_configuration_policy"] = "other_person"
        document["sections"]["connectors"].append({"key": "n", "name": "N", "provider": "acme"})
        before = self.configuration._export()
        messages = self.env["mail.message"].search_count([])
        events = self.env["finance.audit.event"].sudo().search_count([])
        review = self.review(document)
        self.assertFalse(review.problems)
        self.assertEqual(self.configuration._export(), before)
        self.assertEqual(self.connector.name, "Acme main")
        self.assertFalse(self.env["ir.config_parameter"].sudo().get_param(POLICY))
        self.assertEqual(self.env["mail.message"].search_count([]), messages)
        self.assertEqual(self.env["finance.audit.event"].sudo().search_count([]), events)
        self.env.cr.execute(
            "SELECT burst FROM finance_gate WHERE connector_id = %s", [self.connector.id]
        )
        self.assertEqual(self.env.cr.fetchone()[0], 10)

    def test_words(self):
        self.env["finance.exception.rule"].create({"name": "Rule", "user_id": self.user.id})
        document = self.present()
        entry = self.entry(document)
        entry.update(rate_per_second=7.5, companies=[self.company.name, "Company B"])
        entry["options"]["sandbox"]["account"] = "2222"
        rule = self.entry(document, "exception_rules", "rule")
        rule.update(kind="business", owner=None)
        document["sections"]["settings"]["finance_configuration_policy"] = "other_person"
        document["sections"]["workflows"].append(
            {
                "connector": "acme-main",
                "company": "Company B",
                "flow": "tax",
                "mode": "batch",
                "options": {"sandbox": {"company_code": "B1"}},
            }
        )
        proposal = self.propose(document, note="More pace")
        changes = self.changes(proposal)
        both = ", ".join(sorted([self.company.name, "Company B"]))
        self.assertEqual(
            changes["Connectors", "Acme main"],
            (
                "changed",
                {
                    "Calls per second": ("5", "7.5"),
                    "Companies": (self.company.name, both),
                    "Options, Sandbox, Account number": ("1000", "2222"),
                },
            ),
        )
        self.assertEqual(
            changes["Exception Rules", "Rule"],
            ("changed", {"Kind": ("", "Business"), "Owner": ("f_user", "")}),
        )
        self.assertEqual(
            changes["Settings", "Settings"][1],
            {
                "Who may apply a configuration file": (
                    "Any connector administrator",
                    "Somebody other than who proposed it",
                )
            },
        )
        kind, values = changes["Workflows", "acme-main, Company B, tax"]
        self.assertEqual(kind, "new")
        self.assertEqual(values["Mode"], ("", "In small batches"))
        self.assertEqual(values["Options, Sandbox, Company code"], ("", "B1"))
        for words in ("New", "Changed", "Acme main", "7.5", "In small batches"):
            self.assertIn(words, proposal.changes_html)

    def test_markup_of_a_name_is_shown_as_text(self):
        document = self.file_of({"key": "acme-main", "name": "<script>alert(1)</script>"})
        self.assertNotIn("<script>", self.propose(document).changes_html)
        wizard = self.wizard(self.file_of({"key": "<script>", "<b>": 1}))
        self.assertNotIn("<script>", wizard.problems_html)

    def test_what_is_not_said_is_left_alone(self):
        self.connector.sudo().responsible_id = self.user
        version = self.apply(self.file_of({"key": "acme-main", "rate_burst": 11}))
        self.assertEqual(self.connector.sudo().responsible_id, self.user)
        self.assertEqual(self.connector.setting_ids[0].value, "1000")
        self.assertEqual(len(self.changes(version)), 1)

    def test_what_is_not_in_the_file_is_left_alone_and_named(self):
        self.env["finance.connector"].create({"name": "Second", "provider": "acme"})
        document = self.file_of({"key": "acme-main", "rate_burst": 11})
        proposal = self.propose(document)
        self.assertRegex(proposal.changes_html, "Connectors: not in the file and left.*Second")
        self.press_apply(proposal)
        self.assertEqual(self.env["finance.connector"].search_count([("name", "=", "Second")]), 1)

    def test_a_complete_file_archives_the_rest_of_its_sections(self):
        second = self.env["finance.connector"].create({"name": "Second", "provider": "acme"})
        alerts = self.env["finance.alert.rule"].search([])
        tag = self.env["finance.exception.tag"].create({"name": "Tag"})
        document = self.file_of(
            {"key": "acme-main"}, {"key": "third", "name": "Third", "provider": "acme"}
        )
        document["sections"]["exception_tags"] = []
        version = self.apply(document, is_complete=True)
        self.assertFalse(second.active)
        self.assertTrue(self.env["finance.connector"].search([("config_key", "=", "third")]).active)
        self.assertTrue(self.connector.active)
        self.assertTrue(tag.exists())
        self.assertTrue(all(alerts.mapped("active")), "a section that isn't there says nothing")
        self.assertEqual(self.changes(version)["Connectors", "Second"], ("archived", {}))
        self.assertIn("Exception Tags: not in the file", version.changes_html)

    def test_options_are_emptied_by_null(self):
        entry = {"key": "acme-main", "options": {"sandbox": {"account": None}}}
        version = self.apply(self.file_of(entry))
        row = self.connector.setting_ids.filtered(lambda row: row.environment == "sandbox")
        self.assertFalse(row.value)
        self.assertEqual(
            self.changes(version)["Connectors", "Acme main"][1],
            {"Options, Sandbox, Account number": ("1000", "")},
        )

    def test_nothing_to_apply(self):
        wizard = self.wizard(self.present())
        self.assertIn("already is what the file says", wizard.action_review()["params"]["message"])
        self.assertFalse(self.versions.search([]))

    def test_production_is_not_entered_by_a_file(self):
        document = self.file_of(
            {"key": "acme-main", "environment": "production", "rate_burst": 11},
            {"key": "new", "name": "New", "provider": "acme", "environment": "production"},
        )
        proposal = self.propose(document)
        for name in ("acme-main", "New"):
            self.assertIn(
                f"Connectors › {name}: the environment stays “sandbox”", proposal.changes_html
            )
        self.assertIn(
            "Enter the secrets of New and test it.", self.press_apply(proposal)["message"]
        )
        new = self.env["finance.connector"].search([("config_key", "=", "new")])
        self.assertEqual((self.connector | new).mapped("environment"), ["sandbox"] * 2)
        self.assertEqual(self.connector.rate_burst, 11)

    def test_production_is_not_left_by_a_file(self):
        before = self.present()
        self.connector._by_action({"environment": "production"})
        self.connector.rate_burst = 12
        proposal = self.propose(before)
        self.assertIn("the environment stays “production”", proposal.changes_html)
        self.press_apply(proposal)
        self.assertEqual(
            (self.connector.environment, self.connector.rate_burst), ("production", 10)
        )

    def test_a_neutralised_database_wakes_nothing_up(self):
        lane = self.env.ref("finance_connector_base.cron_lane_1")
        document = self.file_of(
            {"xml_id": "finance_connector_base.cron_lane_1", "active": True, "interval_number": 3},
            section="scheduled_actions",
        )
        lane.active = False
        self.env["ir.config_parameter"].set_param("database.is_neutralized", True)
        proposal = self.propose(document)
        self.assertIn("stays off", proposal.changes_html)
        self.press_apply(proposal)
        self.assertEqual((lane.active, lane.interval_number), (False, 3))
        self.env["ir.config_parameter"].set_param("database.is_neutralized", False)
        self.apply(document)
        self.assertTrue(lane.active)

    def test_a_state_can_not_be_set(self):
        for name in ("state", "tested_at", "attention_reason", "has_value"):
            [(where, words)] = self.problems(self.file_of({"key": "acme-main", name: "ready"}))
            self.assertIn("not known here", words)

    def test_a_changed_address_must_be_tested_again(self):
        self.make_ready()
        proposal = self.propose(self.file_of({"key": "acme-main", "api_version": "v8"}))
        self.assertIn("Test Acme main again.", proposal.changes_html)
        self.assertIn("Test Acme main again.", self.press_apply(proposal)["message"])
        self.assertEqual(self.connector.state, "draft")

    # === VERSIONS === #

    def test_applied_with_all_that_auditors_ask(self):
        document = self.present()
        self.entry(document)["rate_burst"] = 11
        before = self.configuration._export()
        version = self.apply(document, note="Why")
        self.assertEqual((version.number, version.state, version.use), (1, "applied", "current"))
        self.assertEqual(version.applied_by_id, self.admin)
        self.assertEqual((version.before, version.after), (before, self.configuration._export()))
        [event] = self.events("config.applied")
        self.assertEqual(event.user_id, self.admin)
        self.assertEqual(
            {name: event.data[name] for name in ("version", "file", "before", "after")},
            {
                "version": 1,
                "file": digest(dump(document)),
                "before": digest(before),
                "after": digest(version.after),
            },
        )
        self.assertEqual(len(self.events("config.proposed")), 1)
        with self.assertRaisesRegex(UserError, "can't be done"):
            self.press_apply(version)

    def test_changes_by_hand_are_seen(self):
        document = self.present()
        self.entry(document)["rate_burst"] = 11
        version = self.apply(document)
        self.connector.rate_burst = 12
        version.invalidate_recordset()
        self.assertEqual((version.use, version.differs), ("changed", True))
        self.assertRegex(version.since_html, r"(?s)Burst.*11.*12")
        settings = self.env["res.config.settings"].with_user(self.admin).create({})
        self.assertIn("Changed by hand since", settings.finance_configuration_words)
        self.connector.rate_burst = 11
        version.invalidate_recordset()
        self.assertEqual((version.use, version.since_html), ("current", ""))

    def test_a_former_version_comes_back(self):
        document = self.present()
        self.entry(document)["rate_burst"] = 11
        first = self.apply(document)
        self.entry(document)["rate_burst"] = 22
        second = self.apply(document)
        self.connector.sudo().responsible_id = self.user
        later = self.env["finance.connector"].create({"name": "Later", "provider": "acme"})
        self.assertEqual((first.use, second.previous_id), ("former", first))
        action = first.action_restore()
        proposal = self.versions.browse(action["res_id"])
        self.assertEqual(
            self.changes(proposal),
            {
                ("Connectors", "Acme main"): (
                    "changed",
                    {"Burst": ("22", "11"), "Responsible": ("f_user", "")},
                ),
                ("Connectors", "Later"): ("archived", {}),
            },
        )
        self.press_apply(proposal)
        self.assertEqual(self.connector.rate_burst, 11)
        self.assertFalse(later.active)
        self.assertEqual((proposal.number, proposal.restored_id), (3, first))
        self.assertIn("Back to version 1", proposal.note)
        self.connector.rate_burst = 5
        back = self.versions.browse(second.action_restore_before()["res_id"])
        self.assertIn("what was before version 2", back.note)

    def test_a_version_that_does_not_fit_any_more_says_why(self):
        document = self.present()
        self.entry(document)["responsible"] = "f_user"
        first = self.apply(document)
        self.entry(document)["responsible"] = None
        self.apply(document)
        self.user.active = False
        action = first.action_restore()
        wizard = self.env[action["res_model"]].with_user(self.admin).browse(action["res_id"])
        self.assertIn("f_user", wizard.problems[0]["words"])
        self.user.active = True
        self.assertEqual(wizard.action_review()["res_model"], "finance.configuration.version")

    def test_keep(self):
        action = self.versions.action_keep()
        version = self.versions.browse(action["res_id"])
        self.assertEqual((version.number, version.origin, version.use), (1, "screens", "current"))
        with self.assertRaisesRegex(UserError, "Nothing has changed since version 1"):
            self.versions.action_keep()
        self.connector.rate_burst = 33
        version = self.versions.browse(self.versions.action_keep()["res_id"])
        self.assertEqual(
            self.changes(version)["Connectors", "Acme main"][1], {"Burst": ("10", "33")}
        )

    def test_what_was_not_reviewed_is_not_applied(self):
        document = self.file_of({"key": "acme-main", "rate_burst": 11, "name": "By file"})
        proposal = self.propose(document)
        self.connector.name = "By hand"
        said = self.press_apply(proposal)
        self.assertEqual((said["type"], proposal.state), ("warning", "proposed"))
        self.assertEqual((self.connector.name, self.connector.rate_burst), ("By hand", 10))
        self.assertIn("By hand", proposal.changes_html)
        self.assertEqual(self.press_apply(proposal)["type"], "success")
        self.assertEqual(self.connector.name, "By file")

    def test_applied_only_as_it_stands_on_screen(self):
        proposal = self.propose(self.file_of({"key": "acme-main", "rate_burst": 11}))
        for context in ({}, {"reviewed": "x"}):
            said = proposal.with_context(**context).action_apply()["params"]
            self.assertEqual(said["type"], "warning")
        self.assertEqual(self.connector.rate_burst, 10)

    def test_what_went_wrong_meanwhile_applies_nothing(self):
        document = self.file_of(
            {"key": "acme-main", "rate_burst": 11},
            {"key": "new", "name": "New", "provider": "acme", "responsible": "f_user"},
        )
        proposal = self.propose(document)
        self.user.active = False
        with self.assertRaisesRegex(UserError, "f_user"):
            self.press_apply(proposal)
        self.assertEqual(self.connector.rate_burst, 10)
        self.assertEqual(proposal.state, "proposed")

    def test_discarded(self):
        proposal = self.propose(self.file_of({"key": "acme-main", "rate_burst": 11}))
        proposal.action_discard()
        with self.assertRaisesRegex(UserError, "can't be done"):
            self.press_apply(proposal)
        self.assertEqual(len(self.events("config.discarded")), 1)

    @contextmanager
    def refused(self, rule):
        """It is refused, and that is kept."""
        denied = self.env["finance.denied.action"].sudo()
        before = denied.search_count([("rule", "=", rule)])
        try:
            # not assertRaises, which would roll back what the own connection keeps
            yield
        except UserError:
            self.env.invalidate_all()
        else:
            self.fail("it is allowed")
        self.assertEqual(denied.search_count([("rule", "=", rule)]), before + 1)

    def test_another_person_applies_when_the_policy_says_so(self):
        self.env["ir.config_parameter"].set_param(POLICY, "other_person")
        proposal = self.propose(self.file_of({"key": "acme-main", "rate_burst": 11}))
        self.assertTrue(proposal.waits_for_other)
        with self.refused("policy"):
            self.press_apply(proposal)
        theirs = proposal.with_user(self.admin_2)
        self.assertFalse(theirs.waits_for_other)
        self.press_apply(theirs)
        self.assertEqual(
            (proposal.applied_by_id, proposal.uploaded_by_id), (self.admin_2, self.admin)
        )

    def test_a_file_that_lifts_the_policy_is_under_it(self):
        self.env["ir.config_parameter"].set_param(POLICY, "other_person")
        document = self.file_of()
        document["sections"] = {"settings": {"finance_configuration_policy": "any"}}
        proposal = self.propose(document)
        with self.refused("policy"):
            self.press_apply(proposal)

    def test_change_of_the_policy_is_an_event(self):
        settings = self.env["res.config.settings"].with_user(self.admin).create({})
        settings.finance_configuration_policy = "other_person"
        settings.set_values()
        self.assertEqual(self.events("policy.changed").data["policy"], "configuration")

    def test_only_administrators_of_all_companies(self):
        third = self.env["res.company"].create({"name": "Company C"})
        proposal = self.env["finance.configuration.version"]
        self.admin_2.company_ids |= third
        proposal = self.propose(
            self.file_of({"key": "acme-main", "rate_burst": 11}), user=self.admin_2
        )
        self.assertFalse(self.versions.search([]), "it holds what is not the other one's")
        for press in (
            self.versions._present,
            self.versions.action_keep,
            self.versions.action_import,
            lambda: self.wizard(self.present()),
        ):
            with self.refused("company"):
                press()
        with self.assertRaises(AccessError):
            proposal.with_user(self.admin).read(["content"])

    def test_nobody_else(self):
        proposal = self.propose(self.file_of({"key": "acme-main", "rate_burst": 11}))
        everything = self.env["res.company"].search([])
        for login, group in (
            ("c_user", "user"),
            ("c_control", "controller"),
            ("c_audit", "auditor"),
        ):
            person = new_test_user(self.env, login, f"finance_connector_base.group_{group}")
            person.company_ids = everything
            theirs = proposal.with_user(person)
            for button in ("action_apply", "action_discard", "action_restore", "action_keep"):
                with self.subTest(person=login, button=button), self.refused("group"):
                    getattr(theirs, button)()
        self.assertIn("finance-connect", self.versions.with_user(person)._present()[0])
        self.assertIn("Acme main", theirs.changes_html)
        self.assertEqual(theirs.name_search("1"), [])

    def test_nothing_can_be_written(self):
        proposal = self.propose(self.file_of({"key": "acme-main", "rate_burst": 11}))
        with mute_logger("odoo.addons.base.models.ir_model"):
            for vals in ({"content": "{}"}, {"state": "applied"}, {"after": "x"}):
                with self.assertRaises(AccessError):
                    proposal.write(vals)
            with self.assertRaises(AccessError):
                proposal.unlink()
            with self.assertRaises(AccessError):
                self.versions.create({"content": "x"})

    # === DOWNLOAD === #

    def test_download(self):
        version = self.apply(self.file_of({"key": "acme-main", "rate_burst": 11}))
        os.environ.setdefault("FINANCE_VAULT_KEYS", KEY)
        self.authenticate("f_admin", "f_admin")
        answer = self.url_open("/finance/configuration")
        self.assertEqual(answer.text, self.configuration._export())
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(
            self.url_open(f"/finance/configuration/{version.id}/file").text, version.content
        )
        self.assertEqual(self.url_open(f"/finance/configuration/{version.id}/x").status_code, 404)
        [now, then] = self.events("config.exported").sorted("id")
        self.assertEqual(now.data["digest"], digest(version.after))
        self.assertEqual((then.data["version"], then.data["part"]), (1, "file"))

    def test_scripts_export_and_propose(self):
        tomorrow = fields.Datetime.add(fields.Datetime.now(), days=1)
        keys = self.env["res.users.apikeys"].with_user(self.admin).sudo()
        head = {"Authorization": f"Bearer {keys._generate('rpc', 'x', tomorrow)}"}
        text = self.url_open("/finance/configuration.json", headers=head).text
        self.assertEqual(text, self.configuration._export())
        changed = text.replace('"rate_burst": 10,', '"rate_burst": 11,').encode()
        file = base64.b64encode(changed).decode()
        url = "/json/2/finance.configuration.import"
        [wizard] = self.url_open(
            f"{url}/create", json={"vals_list": [{"file": file}]}, headers=head
        ).json()
        action = self.url_open(f"{url}/action_review", json={"ids": [wizard]}, headers=head).json()
        self.assertEqual(action["res_model"], "finance.configuration.version")
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open("/finance/configuration.json").status_code, 401)

    def test_not_for_accountants(self):
        self.authenticate("f_user", "f_user")
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open("/finance/configuration").status_code, 403)
