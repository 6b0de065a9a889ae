"""What all destinations have in common: regions, files that are checked while they are read."""

import hashlib
import time
from contextlib import contextmanager

from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.base import Provider, Setting, dump_json
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ProviderError,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.transports import TransportError, plain
from odoo.addons.finance_connector_base.vault import VaultError

from ..canonical.delivery import ACCEPTED, REFUSED, WAITING, Acknowledgement, Receipt

ACK = "ack.json"
MOST_ACK_BYTES = 1 << 20
CHUNK = 1 << 18
REGION = Setting(
    "region",
    "Region of the Data",
    check=r"[a-z0-9][a-z0-9-]{0,62}",
    help="Where the receiver keeps them: eu-central-1, say, or a country. Only regions on the lists "
    "of odoo.conf (finance_export_regions) and of the companies get data.",
)
# Codes of TransportError by what they mean for a job; all others are for a person.
LATER = {"connection"}
CREDENTIALS = {"login", "key", "host_key"}


class Ahead(Exception):
    """The receiver has another batch of this export, of the same number or a higher one.

    number: the highest that is known.
    """

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Destination(Provider):
    """A place that batches are delivered to; `_deliver` and `_answer` are its own.

    ``config.data["regions"]``: the regions that odoo.conf allows, empty for all.
    """

    # Files are large: the bucket of calls is no obstacle.
    rate = (100.0, 2000)
    timeouts = (10.0, 60.0)

    # === WHAT ODOO CALLS === #

    def deliver(self, delivery) -> Receipt:
        """Bring a `Delivery` to the destination, the manifest last; return the `Receipt`.

        What is there already, the same byte for byte, stays untouched. Where the receiver has
        other batches from this number on, nothing is changed: their highest number is the receipt's
        ``ahead``. Raises the error classes of
        `errors`; `Rejected` with code "region", "taken" (another file has the name), "changed" (a
        file here is no longer what was written), "name", and those of the destination.
        """
        self.check_region()
        self._check_names(delivery)
        try:
            return self._deliver(delivery)
        except Ahead as other:
            return Receipt((), ahead=other.number)

    def acknowledgement(self, delivery) -> Acknowledgement:
        """Return what the receiver says of a `Delivery`."""
        return self._answer(delivery)

    def check_region(self):
        """Raise `Rejected` when data may not go to the region of this destination."""
        allowed = self.config.data.get("regions") or ()
        region = self.config.settings.get(REGION.name, "")
        if allowed and region not in allowed:
            raise Rejected(
                f"{self.label}: {region or 'no region'} is not on the list of regions of odoo.conf"
                " (finance_export_regions)",
                code="region",
            )

    def _check_names(self, delivery):
        """See that no name leads out of the folder of the delivery."""
        names = [*delivery.folder.split("/"), *(parcel.name for parcel in delivery.all)]
        try:
            for name in names:
                plain(name)
        except TransportError as error:
            raise self.failure(error) from None

    # === WHAT A DESTINATION DEFINES === #

    def _deliver(self, delivery):
        """As `deliver`; raises `Ahead` before anything is sent."""
        raise NotImplementedError

    def _answer(self, delivery):
        raise NotImplementedError

    # === EXCHANGES THAT ARE NOT HTTP === #

    @contextmanager
    def visit(self):
        """Take one place of the gate for all exchanges inside."""
        ticket = self.session.gate.enter()
        error = None
        try:
            yield
        except ProviderError as failure:
            error = failure
            raise
        finally:
            self.session.gate.leave(ticket, error)

    @contextmanager
    def told(self, method, path, **facts):
        """Record what happens inside as one exchange; ``facts``: what is kept of its content."""
        request = http.Request(method, self.url(path), body=dump_json(facts) if facts else b"")
        started, error = time.monotonic(), None
        self.session.recorder.sending()
        try:
            yield
        except ProviderError as failure:
            error = failure
            raise
        except TransportError as failure:
            error = self.failure(failure)
            raise error from failure
        finally:
            self._record(request, None, error, (time.monotonic() - started) * 1000)

    def failure(self, error) -> ProviderError:
        """Return the error class of a `TransportError`."""
        kinds = (LATER, Transient), (CREDENTIALS, AuthFailed)
        kind = next((cls for codes, cls in kinds if error.code in codes), Rejected)
        return kind(f"{self.label}: {error}", code=error.code)

    # === WHAT MAY HAPPEN TO FILES === #

    def taken(self, folder, name):
        """Return the `Rejected` for a name that another file has."""
        return Rejected(
            f"{self.label} has another file at {folder}/{name}: nothing was changed there. Find out"
            " who put it there, have it removed, then retry",
            code="taken",
        )

    def read_ack(self, content) -> Acknowledgement:
        """Return the `Acknowledgement` in an ack file; waiting for None.

        JSON: {"state": "accepted", "refused" or "waiting", "rows": {file name: number}, "words"}.
        """
        if content is None:
            return Acknowledgement(WAITING)
        answer = Answer(self._loaded(content), ACK)
        rows = answer.payload.get("rows")
        if rows is not None:
            counts = answer.object("rows")
            rows = {name: counts.integer(name) for name in counts.payload}
        state = answer.choice("state", (ACCEPTED, REFUSED, WAITING))
        return Acknowledgement(state, rows, answer.text("words", "")[:500])

    def _loaded(self, content):
        return self._parse(http.Response(200, {}, content, ""))


class Slice:
    """Bytes of a parcel, from ``start``, at most ``size`` of them; to be sent, or read through.

    Raises `Rejected` (code "changed") where they are not what was written.
    """

    def __init__(self, parcel, start=0, size=None):
        size = parcel.bytes if size is None else size
        self._size = self._left = min(size, parcel.bytes - start)
        self._parcel = parcel
        try:
            self._stream = parcel.open()
        except VaultError as error:
            raise changed(parcel) from error
        self._stream.seek(start)

    def __len__(self):
        return self._size

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._stream.close()

    def __iter__(self):
        return iter(lambda: self.read(CHUNK), b"")

    def read(self, size=CHUNK):
        """Return up to ``size`` bytes, b"" at the end."""
        if not self._left:
            return b""
        try:
            data = self._stream.read(min(size if size and size > 0 else CHUNK, self._left))
        except VaultError as error:
            raise changed(self._parcel) from error
        if not data:
            raise changed(self._parcel)
        self._left -= len(data)
        return data


class Checked(Slice):
    """All bytes of a parcel; the last come only if the digest is right.

    What was sent of another file is then incomplete to the receiver.
    """

    def __init__(self, parcel):
        super().__init__(parcel)
        self._digest = hashlib.sha256()

    def read(self, size=CHUNK):
        data = super().read(size)
        self._digest.update(data)
        if data and not self._left and self._digest.hexdigest() != self._parcel.sha256:
            raise changed(self._parcel)
        return data


def whole(parcel) -> bytes:
    """Return all bytes of a small parcel."""
    with Checked(parcel) as source:
        return b"".join(source)


def check(parcel):
    """See that a parcel is what was written; raises `Rejected` otherwise."""
    with Checked(parcel) as source:
        for _data in source:
            pass


def changed(parcel):
    """Return the `Rejected` for a file that is not what was written here."""
    return Rejected(
        f"{parcel.name} is no longer what was written: its digest differs. Cancel this run and start"
        " a new one",
        code="changed",
    )


def digest_of(stream) -> str:
    """Return the SHA-256 of what a binary stream gives, as hexadecimal digits."""
    digest = hashlib.sha256()
    while data := stream.read(CHUNK):
        digest.update(data)
    return digest.hexdigest()
