"""A server that takes files by PUT.

What it has to do, in the terms of RFC 9110 and RFC 9530:

- ``HEAD <folder>/<name>``: 404, or 200 with ``Repr-Digest: sha-256=:…:`` of what it keeps,
- ``PUT <folder>/<name>`` with ``Content-Digest``: keeps it whole and answers 2xx, or keeps nothing;
  it may answer with ``Repr-Digest`` or JSON {"sha256", "bytes"} of what it keeps,
- ``GET <folder>/ack.json``: 404, or its acknowledgement.

It shows no lists, so that later batches are looked for by their numbers, which have no gaps.
"""

import base64
from contextlib import suppress

from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.base import Setting, dump_json
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import ContractBroken, Rejected, Transient

from ..canonical.delivery import Receipt
from .destination import ACK, REGION, Ahead, Checked, Destination
from .sigv4 import encoded

# What a ping may be told: somebody answers who has no page at the address itself.
NO_PAGE = {404, 405}


class Https(Destination):
    """HTTPS PUT, with a digest of each file (RFC 9530)."""

    code = "export_https"
    label = "HTTPS server"
    api_version = "RFC 9530"
    concurrency = 8
    settings = (
        REGION,
        Setting(
            "user",
            "User Name",
            required=False,
            check=r"[^\s:]{1,64}",
            help="With a password; empty: the secret is sent as a bearer token.",
        ),
        Setting("secret", "Password or Token", secret=True),
    )

    def ping(self):
        """Ask for the address itself."""
        try:
            self._ask("HEAD", "")
        except Rejected as error:
            if error.status not in NO_PAGE:
                raise
        return f"{self.config.base_url} answers."

    def url(self, path):
        """Return the address of a path, encoded."""
        return f"{self.config.base_url}{encoded(path)}"

    def authorize(self, request):
        """Send user name and password, or a token."""
        user, secret = self.config.settings.get("user"), self.config.settings["secret"]
        if user:
            pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
            request.headers["Authorization"] = f"Basic {pair}"
        else:
            request.headers["Authorization"] = f"Bearer {secret}"

    # === DELIVERY === #

    def _deliver(self, delivery):
        self._check_turn(delivery)
        sent, found = [], []
        for parcel in delivery.all:
            path = f"/{delivery.folder}/{parcel.name}"
            known = self._known(path)
            if known == parcel.sha256:
                found.append(parcel)
                continue
            if known is not None:
                raise self.taken(delivery.folder, parcel.name)
            self._put(path, parcel)
            sent.append(parcel)
        return Receipt(
            tuple(one.name for one in sent),
            tuple(one.name for one in found),
            sum(one.bytes for one in sent),
        )

    def _check_turn(self, delivery):
        """Raise `Ahead` where another batch has this number, or the next one is there."""

        def there(number):
            return self._known(f"/{delivery.manifest_of(number)}")

        newest, step = delivery.number, 1
        # one request where nothing is ahead; otherwise further and further, then half the way back
        while there(newest + step) is not None:
            newest, step = newest + step, step * 2
        while step > 1:
            step //= 2
            if there(newest + step) is not None:
                newest += step
        if newest > delivery.number or there(newest) not in (None, delivery.manifest.sha256):
            raise Ahead(newest)

    def _known(self, path):
        """Return the digest of what is at a path, None where nothing is."""
        try:
            digest = self._ask("HEAD", path, read=kept)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        if not digest:
            raise ContractBroken(
                f"{self.label} has a file at {path} and does not tell its digest (Repr-Digest)",
                field="Repr-Digest",
                version=self.api_version,
            )
        return digest

    def _put(self, path, parcel):
        digest = base64.b64encode(bytes.fromhex(parcel.sha256)).decode()
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Digest": f"sha-256=:{digest}:",
            "Idempotency-Key": parcel.sha256,
        }
        body = dump_json({"bytes": parcel.bytes, "sha256": parcel.sha256})
        stream = (lambda: Checked(parcel)) if parcel.bytes else None
        told = self._ask("PUT", path, headers, body if stream else b"", stream, self._told)
        told = told or self._known(path)
        if told is None:
            raise Transient(f"{self.label} took {path} and does not have it", code="lost")
        if told != parcel.sha256:
            raise Rejected(
                f"{self.label} keeps {path} otherwise than it was sent. Have the file removed there,"
                " then retry",
                code="damaged",
            )

    def _told(self, answer):
        """Return the digest that an answer to a PUT tells, "" for none."""
        if digest := kept(answer):
            return digest
        if "json" not in answer.headers.get("Content-Type", ""):
            return ""
        return Answer(self._parse(answer), "answer", self.api_version).text("sha256", "")

    def _answer(self, delivery):
        try:
            content = self._ask("GET", f"/{delivery.folder}/{ACK}", read=lambda answer: answer.body)
        except Rejected as error:
            if error.status != 404:
                raise
            content = None
        return self.read_ack(content)

    def _ask(self, method, path, headers=None, body=b"", stream=None, read=lambda answer: None):
        """Send one request and return what ``read`` makes of its answer."""
        request = http.Request(
            method, self.url(path), dict(headers or {}), None, body, None, stream
        )
        return self._send(request, read)


def kept(answer) -> str:
    """Return the SHA-256 in a Repr-Digest header as hexadecimal digits, "" without one."""
    for part in answer.headers.get("Repr-Digest", "").split(","):
        name, _equals, value = part.strip().partition("=")
        if name.lower() == "sha-256" and value.startswith(":") and value.endswith(":"):
            with suppress(ValueError):
                return base64.b64decode(value[1:-1], validate=True).hex()
    return ""
