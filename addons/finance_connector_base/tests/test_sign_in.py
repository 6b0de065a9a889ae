"""Signing in at a vendor, on the stand-in's real HTTP; and what becomes of the tokens."""

import logging
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from odoo import Command, fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tests.common import _super_send
from odoo.tools import file_open, mute_logger

# before the imports from the root of the suite, which it finds
from odoo.addons.finance_connector_base.tests.stand_in import StandIn

from sandbox.oauth import CLIENTS
from sandbox.server import SandboxServer, mutual_tls
from tests.certificates import Authority

from ..lanes import ports
from ..logs import _WithoutAnswers
from ..models.finance_connector import NEW_SECRETS
from ..providers.base import Provider, Setting
from ..providers.certificates import ClientCertificate
from ..providers.errors import AuthFailed, Held
from ..providers.oauth import OAuth2
from ..providers.session import Token
from .vendor import KEY, KEY_2, ConnectorCase

CLIENT = "sandbox-client"
SECRET = CLIENTS[CLIENT][1]
CALLBACK = "/finance/oauth/callback"


class Bank(Provider):
    """A vendor at which a person signs in."""

    code, label = "bank", "Sandbox Bank"
    oauth = OAuth2("/token", "/authorize", "/revoke", scopes=("read", "write"))
    settings = (
        Setting("client_id", "Client ID", default=CLIENT),
        Setting("client_secret", "Client secret", secret=True),
    )

    def ping(self):
        return self.send("GET", "/me")["text"]


class Robot(Bank):
    """A vendor at which the client signs in, and shows a certificate."""

    code, label = "robot", "Robot Bank"
    oauth = OAuth2("/token")
    certificate = ClientCertificate(passphrase="passphrase")
    settings = (
        *Bank.settings,
        Setting("certificate", "Certificate", secret=True, kind="certificate", required=False),
        Setting("private_key", "Private key", secret=True, kind="private_key", required=False),
        Setting("passphrase", "Passphrase", secret=True, required=False),
    )


class SignInCase(StandIn, ConnectorCase):
    """A connector to the stand-in, in the environment "local"."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor = cls.server.sandbox.vendors["oauth"]
        known = cls.registry["finance.connector"]._provider_classes
        cls.startClassPatcher(
            patch.object(
                cls.registry["finance.connector"],
                "_provider_classes",
                lambda self: known(self) | {"bank": Bank, "robot": Robot},
            )
        )
        cls.bank = cls.new_connector("bank")

    @classmethod
    def new_connector(cls, provider):
        """A connector to the stand-in, with its client secret entered."""
        connector = cls.env["finance.connector"].with_user(cls.admin).create(
            {"name": f"My {provider}", "provider": provider, "environment": "local",
             "local_url": f"{cls.server.url}/oauth"}
        )  # fmt: skip
        cls.secret_of(connector).value = SECRET
        return connector

    @classmethod
    def secret_of(cls, connector, name="client_secret"):
        """The credential row of a name."""
        return connector.credential_ids.filtered(lambda row: row.name == name)

    def go(self, decision="allow", connector=None, user=None):
        """Press Sign In, click on the vendor's page; return what the browser brings back."""
        connector = (connector or self.bank).with_user(user or self.admin)
        page = urlsplit(connector.action_sign_in()["url"])
        asked = {name: value[0] for name, value in parse_qs(page.query).items()}
        form = asked | {"decision": decision}
        request = type("Request", (), {"form": form, "header": lambda *_a: ""})
        location = self.vendor.decide(request).headers["Location"]
        self.assertTrue(location.startswith(asked["redirect_uri"]))
        return {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}

    def sign_in(self, connector=None):
        """The whole walk but for the browser."""
        connector = connector or self.bank
        answer = self.go(connector=connector)
        claimed = self.env["finance.sign.in"].with_user(self.admin)._claim(answer["state"])
        _connector, redirect_url, verifier = claimed
        connector._signed_in(redirect_url, verifier, answer["code"], "")
        return connector._after_sign_in()

    def token(self, connector=None):
        """The stored row."""
        connector = connector or self.bank
        row = self.env["finance.token"].sudo().search([("connector_id", "=", connector.id)])
        row.invalidate_recordset()
        return row

    def stored(self, connector=None):
        """The stored `Token` in the clear."""
        return self.provider(connector).session.tokens.stored()

    def provider(self, connector=None):
        """A provider ready to be called."""
        connector = (connector or self.bank).with_context(finance_secrets=NEW_SECRETS)
        return self.env["finance.operation"]._open_session(connector, self.company)

    def everything(self, table):
        """All rows of a table, as text."""
        self.env.flush_all()
        self.env.cr.execute(f"SELECT row_to_json(t)::text FROM {table} t")
        return str(self.env.cr.fetchall())


@tagged("post_install", "-at_install")
class TestSignIn(SignInCase):
    """A person signs in; tokens are kept, renewed, and forgotten."""

    # === WALK === #

    def test_from_the_button_to_ready(self):
        self.assertTrue(self.bank.signs_in)
        self.assertTrue(self.bank.redirect_url.endswith(CALLBACK))
        self.assertEqual(self.sign_in(), "")
        self.assertEqual(self.bank.state, "ready")
        self.assertEqual(self.bank.signed_in_by_id, self.admin)
        self.assertTrue(self.bank.signed_in_at)
        self.assertEqual(self.events("connector.signed_in").user_id, self.admin)
        self.assertEqual(self.provider().ping(), "Sam Sandbox")

    def test_nobody_has_signed_in(self):
        answer = self.bank.action_test()
        self.assertIn("Nobody has signed in at Sandbox Bank yet", answer["params"]["message"])
        self.assertEqual(self.bank.state, "attention")
        [exception] = (
            self.env["finance.exception"]
            .sudo()
            .search([("code", "=", "connector.auth"), ("connector_id", "=", self.bank.id)])
        )
        self.assertIn("sign in again", exception.text)
        self.sign_in()
        self.assertEqual((self.bank.state, exception.state), ("ready", "resolved"))

    def test_a_test_that_fails_after_the_sign_in_is_told(self):
        self.server.sandbox.faults.replace([{"kind": "503", "match": "GET /me$"}])
        self.assertRegex(self.sign_in(), "You are signed in, but .* overloaded")
        self.assertEqual(self.bank.state, "draft")
        self.assertTrue(self.bank.signed_in_at)

    def test_withdrawn_at_the_vendor(self):
        self.sign_in()
        for given in self.vendor.refreshes.values():
            given.grant.active = False
        self.vendor.expire(None)
        answer = self.bank.action_test()
        self.assertIn("Sign in again", answer["params"]["message"])
        self.assertEqual(self.bank.state, "attention")

    def test_only_administrators(self):
        for method in ("action_sign_in", "action_sign_out"):
            for user in (self.user, self.auditor):
                with self.assertRaises(AccessError):
                    getattr(self.bank.with_user(user), method)()

    def test_a_vendor_that_signs_nobody_in(self):
        with self.assertRaisesRegex(UserError, "needs no sign-in"):
            self.new_connector("robot").action_sign_in()

    def test_incomplete_connector(self):
        self.secret_of(self.bank).action_erase()
        with self.assertRaisesRegex(UserError, "Enter: Client secret"):
            self.bank.action_sign_in()

    def test_sign_out(self):
        self.sign_in()
        self.bank.action_sign_out()
        self.assertFalse(self.token())
        self.assertFalse(self.bank.signed_in_at)
        self.assertEqual(self.bank.state, "draft")
        self.assertEqual(self.vendor.state()["tokens"]["active"], 0)
        self.assertTrue(self.events("connector.signed_out"))

    def test_sign_out_of_a_vendor_that_is_away(self):
        self.sign_in()
        self.server.sandbox.faults.replace([{"kind": "500"}])
        answer = self.bank.action_sign_out()
        self.assertIn("could not be told", answer["params"]["message"])
        self.assertFalse(self.token())

    # === STATE === #

    def claim(self, state, user=None):
        return self.env["finance.sign.in"].with_user(user or self.admin)._claim(state)

    def test_state_serves_once(self):
        state = self.go()["state"]
        self.assertTrue(self.claim(state))
        self.assertIsNone(self.claim(state))

    def test_state_is_its_users(self):
        state = self.go()["state"]
        self.assertIsNone(self.claim(state, self.admin_2))
        denied = self.env["finance.denied.action"].sudo().search([("rule", "=", "user")])
        self.assertEqual((denied.user_id, denied.connector_id), (self.admin_2, self.bank))
        self.assertTrue(self.claim(state), "another's try does not use it up")

    def test_state_is_short_lived(self):
        state = self.go()["state"]
        self.env.cr.execute("UPDATE finance_sign_in SET begun_at = begun_at - interval '16 min'")
        self.assertIsNone(self.claim(state))

    def test_state_is_of_one_environment(self):
        state = self.go()["state"]
        self.bank.environment = "sandbox"
        self.assertIsNone(self.claim(state))

    def test_no_state(self):
        for state in ("", None, "made-up"):
            self.assertIsNone(self.claim(state))

    def test_who_never_came_back_is_forgotten(self):
        self.go()
        self.env.cr.execute("UPDATE finance_sign_in SET begun_at = begun_at - interval '2 days'")
        self.env["finance.sign.in"]._vacuum()
        self.assertFalse(self.env["finance.sign.in"].sudo().search([]))

    # === RENEWING === #

    def test_renewed_and_stored(self):
        self.sign_in()
        before = self.stored()
        self.vendor.expire(None)
        self.assertEqual(self.provider().ping(), "Sam Sandbox")
        after = self.stored()
        self.assertNotEqual(before.refresh, after.refresh)
        self.assertEqual(self.vendor.state()["reused"], 0)

    def test_gone_while_it_was_renewed(self):
        """Erased, or signed in anew: what comes back late is not put in its place."""
        self.sign_in()
        tokens = self.provider().session.tokens

        def late(known, keep):
            self.env["finance.token"]._forget(self.bank)
            self.env.flush_all()
            keep(Token(access="late", client="x"))

        self.assertEqual(tokens.get(late, client="x").access, "late")
        self.assertFalse(self.token())
        self.sign_in()

        def overtaken(known, keep):
            tokens.keep(Token(access="newer", client="x"))
            keep(Token(access="older", client="x"))

        tokens.get(overtaken, client="x")
        self.assertEqual(tokens.stored().access, "newer")

    def test_who_waits_too_long_is_held(self):
        self.sign_in()
        connector = self.bank.id
        lock = ports.SqlTokens._turns[connector, "local"]
        tokens = self.provider().session.tokens
        with lock, patch.object(ports, "TOKEN_WAIT", 0.01), self.assertRaises(Held) as raised:
            tokens.get(lambda known, keep: self.fail("renewed"), client="x")
        self.assertEqual(raised.exception.reason, "token")

    def test_store_is_tried_again(self):
        self.sign_in()
        self.vendor.expire(None)
        provider = self.provider()
        link, broken = provider.session.tokens._link, []

        def once_broken():
            real = link()

            def execute(query, params=None):
                if "token_sealed = %(sealed)s" in query and not broken:
                    broken.append(1)
                    raise ports.psycopg2.OperationalError("gone")
                return real.execute(query, params)

            return type("Link", (), {"execute": staticmethod(execute)})

        provider.session.tokens._link = once_broken
        with patch.object(ports, "STORE_PAUSES", (0.0,)):
            self.assertEqual(provider.ping(), "Sam Sandbox")
        self.assertTrue(broken)
        self.assertEqual(self.provider().ping(), "Sam Sandbox")

    # === FORGETTING === #

    def test_erased_with_the_secret(self):
        self.sign_in()
        self.secret_of(self.bank).action_erase()
        self.assertFalse(self.token())

    def test_another_secret_is_tested_with_a_token_of_its_own(self):
        self.sign_in()
        asked = self.vendor.counts["given"]
        self.secret_of(self.bank).value = "WRONG-SECRET-0000"
        answer = self.bank.action_test()
        self.assertEqual(answer["params"]["title"], "The new value is refused")
        self.assertEqual(self.bank.state, "ready")
        company = self.company
        old = self.env["finance.operation"]._open_session(self.bank, company)
        self.assertEqual(old.ping(), "Sam Sandbox", "the old secret still works")
        with patch.dict(CLIENTS, {CLIENT: (CLIENTS[CLIENT][0], "NEW-SECRET-000002")}):
            self.secret_of(self.bank).value = "NEW-SECRET-000002"
            self.assertEqual(self.bank.action_test()["params"]["type"], "success")
            self.assertEqual(self.bank.signed_in_by_id, self.admin, "nobody had to sign in again")
        self.assertEqual(self.vendor.counts["given"], asked + 1)

    def test_forgotten_when_a_first_secret_is_replaced(self):
        self.sign_in()
        credential = self.secret_of(self.bank)
        credential._internal({"tested_at": False})
        credential.value = "OTHER-SECRET-0001"
        self.assertFalse(self.token())

    def test_gone_with_the_connector(self):
        self.sign_in()
        self.bank.unlink()
        self.assertEqual(self.everything("finance_token"), "[]")

    def test_gone_with_the_provider(self):
        self.sign_in()
        self.env["finance.connector"]._provider_leaves(["bank"])
        self.assertFalse(self.token())

    def test_gone_in_a_neutralized_copy(self):
        self.sign_in()
        self.go()
        self.env.flush_all()
        with file_open("finance_connector_base/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        for table in ("finance_token", "finance_sign_in"):
            self.assertEqual(self.everything(table), "[]")

    def test_a_copy_of_the_database_has_none(self):
        """The number of a database tells a copy; there it would take the original's tokens away."""
        self.sign_in()
        self.env.cr.execute("UPDATE finance_token SET database_oid = '1'")
        self.assertIsNone(self.stored())
        with self.assertRaisesRegex(AuthFailed, "Nobody has signed in"):
            self.provider().ping()
        self.assertEqual(self.vendor.counts["refreshed"], 0)
        self.sign_in()
        self.assertEqual(self.provider().ping(), "Sam Sandbox")
        self.assertEqual(len(self.token()), 1)

    # === SECRETS === #

    def test_nowhere_in_the_clear(self):
        self.sign_in()
        self.vendor.expire(None)
        self.provider().ping()
        answer = self.go()
        planted = [
            *self.vendor.codes, *self.vendor.accesses, *self.vendor.refreshes,
            answer["state"], SECRET,
        ]  # fmt: skip
        self.assertGreaterEqual(len(planted), 8)
        for table in (
            "finance_token", "finance_sign_in", "finance_exchange", "finance_audit_event",
            "finance_connector", "finance_credential", "mail_message", "finance_exception",
        ):  # fmt: skip
            shown = self.everything(table)
            self.assertEqual([s for s in planted if s in shown], [], table)
        for exchange in (
            self.env["finance.exchange"].sudo().search([("connector_id", "=", self.bank.id)])
        ):
            if exchange.operation != "sign_in":
                continue
            for part in ("request", "response"):
                opened = exchange.with_user(self.auditor)._open_sealed(part).decode()
                self.assertEqual([s for s in planted if s in opened], [])
        row = self.token().with_user(self.admin).sudo(False)
        self.assertNotIn("token_sealed", str(row.read()))
        with self.assertRaises(AccessError):
            row.read(["token_sealed"])

    def test_sealed_again_with_a_new_key(self):
        self.sign_in()
        token = self.stored()
        mine = (self.connector | self.bank).sudo().credential_ids
        self.env["finance.credential"].sudo().search([("id", "not in", mine.ids)])._erase()
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2},{KEY}"}):
            self.env["finance.vault"]._reseal_all()
            self.assertEqual(self.env["finance.token"]._key_ids(), {})
            self.assertEqual(self.stored(), token)
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY_2}):
            self.assertEqual(self.stored(), token)

    def test_a_token_that_does_not_open_counts_as_none(self):
        self.sign_in()
        self.env.cr.execute("UPDATE finance_token SET uuid = 'moved'")
        self.assertIsNone(self.stored())

    # === END OF A SIGN-IN === #

    def ending(self):
        return (
            self.env["finance.exception"]
            .sudo()
            .search([("code", "=", "sign_in.ending"), ("state", "=", "open")])
        )

    def remind(self, **ends):
        seconds = timedelta(**ends).total_seconds()
        self.vendor.settings["refresh_expires_in"] = int(seconds)
        self.sign_in()
        self.env.invalidate_all()
        self.env["finance.connector"]._cron_daily()
        return self.ending()

    def test_reminder_settles_itself(self):
        self.assertFalse(self.remind(days=60), "far away")
        self.env.cr.execute(
            "UPDATE finance_token SET ends_at = ends_at - interval '50 days',"
            " renewed_at = renewed_at - interval '50 days'"
        )
        self.env.invalidate_all()
        self.env["finance.connector"]._cron_daily()
        exception = self.ending()
        self.assertEqual(exception.connector_id, self.bank)
        self.assertIn("sign in again", exception.text)
        self.assertEqual(
            fields.Date.to_date(self.bank.sign_in_ends_at),
            fields.Date.today() + timedelta(days=10),
        )
        self.assertFalse(self.remind(days=60))
        self.assertEqual(exception.state, "resolved")

    def test_short_lives_do_not_nag(self):
        self.assertFalse(self.remind(minutes=30))


@tagged("post_install", "-at_install")
class TestRobot(SignInCase):
    """A client that signs in for itself, with a certificate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.robot = cls.new_connector("robot")
        cls.authority = Authority()

    def test_works_without_anybody(self):
        self.assertEqual(self.robot.action_test()["params"]["type"], "success")
        self.assertFalse(self.robot.signed_in_at)
        self.assertTrue(self.token(self.robot))

    def test_certificate_says_when_it_ends(self):
        certificate, key = self.authority.issue("robot-7", days=10)
        row = self.secret_of(self.robot, "certificate")
        row.value = " ".join(certificate.splitlines())
        self.secret_of(self.robot, "private_key").value = key
        self.assertEqual(row.expires_on, fields.Date.today() + timedelta(days=10))
        self.assertEqual((row.value, row.status), ("•••• robot-7", "expiring"))
        self.assertEqual(self.secret_of(self.robot, "private_key").value, "••••")
        self.assertEqual(row._open_sealed(), {"certificate": certificate})
        self.robot.action_test()
        row.value = self.authority.issue("robot-8", days=400)[0]
        self.assertEqual(row.expires_on, fields.Date.today() + timedelta(days=10), "still in use")

    def test_a_server_that_asks_for_the_certificate(self):
        """From the vault to the handshake, with an encrypted key that lost its line breaks."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        bundle = {"REQUESTS_CA_BUNDLE": str(self.authority.serve_from(folder))}
        self.startPatcher(patch.dict(os.environ, bundle))
        tls = SandboxServer(sandbox=self.server.sandbox, tls=mutual_tls(folder)).start()
        self.addCleanup(tls.server_close)
        self.addCleanup(tls.shutdown)
        self.robot.local_url = f"{tls.url}/oauth"
        guard = type(self)._request_handler
        self.startPatcher(
            patch.object(
                type(self),
                "_request_handler",
                lambda session, request, **options: (
                    _super_send if request.url.startswith(tls.url) else guard
                )(session, request, **options),
            )
        )
        refused = self.robot.action_test()["params"]["message"]
        self.assertIn("our client certificate is not accepted", refused)
        certificate, key = self.authority.issue("robot-7", passphrase="planted-passphrase")
        for name, value in (
            ("certificate", " ".join(certificate.splitlines())),
            ("private_key", " ".join(key.splitlines())),
            ("passphrase", "planted-passphrase"),
        ):
            self.secret_of(self.robot, name).value = value
        self.assertEqual(self.robot.action_test()["params"]["type"], "success")

    def test_a_pair_that_does_not_fit_is_refused_by_the_test(self):
        self.secret_of(self.robot, "certificate").value = self.authority.issue("one")[0]
        self.secret_of(self.robot, "private_key").value = self.authority.issue("two")[1]
        answer = self.robot.action_test()
        self.assertIn("does not belong to the client certificate", answer["params"]["message"])
        self.assertEqual(self.vendor.counts["given"], 0)

    def test_what_is_no_certificate_is_refused_without_being_repeated(self):
        for name, words in (("certificate", "not a certificate"), ("private_key", "not a private")):
            with self.assertRaisesRegex(ValidationError, words) as raised:
                self.secret_of(self.robot, name).value = "planted-nonsense"
            self.assertNotIn("planted", str(raised.exception))


@tagged("post_install", "-at_install")
class TestCallback(HttpCase, SignInCase):
    """The address that vendors send the browser back to."""

    def come_back(self, user, **answer):
        self.authenticate(user.login, user.login)
        with mute_logger("odoo.http", "werkzeug"):
            return self.url_open(CALLBACK, params=answer, allow_redirects=False)

    def go(self, *arguments, **options):
        with patch.object(
            self.registry["finance.sign.in"], "_redirect_url", lambda _self: f"{self.base_url()}{CALLBACK}"
        ):  # fmt: skip
            return super().go(*arguments, **options)

    def setUp(self):
        super().setUp()
        for user in (self.admin, self.admin_2, self.user):
            user.sudo().password = user.login

    def test_tokens_and_back_to_the_connector(self):
        response = self.come_back(self.admin, **self.go())
        self.assertEqual(response.status_code, 303)
        self.assertTrue(
            response.headers["Location"].endswith(f"/odoo/finance-connectors/{self.bank.id}")
        )
        self.assertEqual(self.bank.state, "ready")
        self.assertEqual(self.bank.signed_in_by_id, self.admin)

    def test_refused_at_the_vendor(self):
        response = self.come_back(self.admin, **self.go("refuse"))
        self.assertEqual(response.status_code, 400)
        self.assertIn("The sign-in was cancelled, or access was not granted.", response.text)
        self.assertIn("Sam Sandbox said no", response.text)
        self.assertIn(f"/odoo/finance-connectors/{self.bank.id}", response.text)
        self.assertEqual(self.events("connector.sign_in_refused").data["code"], "access_denied")

    def test_words_of_a_vendor_are_no_html(self):
        state = self.go()["state"]
        text = "<script>alert(1)</script>"
        response = self.come_back(self.admin, state=state, error=text, error_description=text)
        self.assertNotIn("<script>alert", response.text)

    def test_a_forged_answer(self):
        response = self.come_back(self.admin, state="made-up", code="stolen")
        self.assertEqual(response.status_code, 400)
        self.assertIn("is not yours, was ended before, or took too long", response.text)
        self.assertFalse(self.token())

    def test_somebody_elses_answer(self):
        answer = self.go()
        self.assertEqual(self.come_back(self.admin_2, **answer).status_code, 400)
        self.assertFalse(self.token())
        self.assertEqual(self.come_back(self.admin, **answer).status_code, 303)

    def test_twice(self):
        answer = self.go()
        self.come_back(self.admin, **answer)
        self.assertEqual(self.come_back(self.admin, **answer).status_code, 400)
        self.assertEqual(self.provider().ping(), "Sam Sandbox", "the first tokens still serve")

    def test_who_is_no_administrator_any_more(self):
        answer = self.go()
        group = self.env.ref("finance_connector_base.group_administrator")
        self.admin.sudo().group_ids = [Command.unlink(group.id)]
        response = self.come_back(self.admin, **answer)
        self.assertNotEqual(response.status_code, 303)
        self.assertFalse(self.token())

    def test_who_is_not_logged_in_has_to_log_in(self):
        self.authenticate(None, None)
        response = self.url_open(CALLBACK, params=self.go(), allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])

    def test_the_access_log_has_neither_code_nor_state(self):
        line = f"GET {CALLBACK}?state=planted-1&code=planted-2 HTTP/1.1"
        record = logging.makeLogRecord({"msg": '"%s" %s %s', "args": (line, "303", "-")})
        self.assertTrue(_WithoutAnswers().filter(record))
        self.assertEqual(record.getMessage(), f'"GET {CALLBACK}?… HTTP/1.1" 303 -')

    def test_odoo_runs_the_request_again(self):
        """The code serves once: a second run of the same request does not redeem it again."""
        connector, calls = self.registry["finance.connector"], []

        def conflict(record, refusal=None):
            calls.append(refusal)
            if len(calls) == 1:
                raise ConcurrencyError("again")
            return "words"

        with (
            patch.object(connector, "_after_sign_in", conflict),
            patch("odoo.service.model.random.uniform", lambda *_bounds: 0.0),
        ):
            response = self.come_back(self.admin, **self.go())
        self.assertEqual((response.status_code, calls), (400, [None, None]))
        self.assertEqual(self.vendor.counts["given"], 1)
