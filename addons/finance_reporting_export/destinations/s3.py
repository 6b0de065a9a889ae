"""A bucket of Amazon S3, or of what speaks as it does: MinIO, Ceph, and others.

Source: Amazon S3 API Reference, 2006-03-01. A PUT is atomic by itself, so there is no renaming; the
server checks the digest that the signature covers, so what it keeps is what was written here.
"""

import hashlib
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.base import Setting, dump_json
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    ProviderError,
    Rejected,
    Transient,
)

from ..canonical.delivery import Receipt
from . import sigv4
from .destination import ACK, REGION, Ahead, Checked, Destination, Slice, changed

# Larger files go in parts.
WHOLE = 100 << 20
PART = 64 << 20
DIGEST = "x-amz-meta-sha256"
LATER = {
    "BadDigest", "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable",
    "SlowDown", "XAmzContentSHA256Mismatch", "NoSuchUpload",
}  # fmt: skip
CREDENTIALS = {
    "AccessDenied", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch",
}  # fmt: skip


class S3(Destination):
    """S3, its REST API with Signature Version 4."""

    code = "export_s3"
    label = "S3"
    api_version = "2006-03-01"
    concurrency = 8
    settings = (
        REGION,
        Setting("bucket", "Bucket", check=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
        Setting("prefix", "Folder in the Bucket", required=False, check=r"[\w.-]+(/[\w.-]+)*"),
        Setting("access_key_id", "Access Key ID", check=r"\S{3,128}"),
        Setting("secret_access_key", "Secret Access Key", secret=True),
        Setting(
            "addressing",
            "Addresses",
            default="path",
            check="path|virtual",
            help="path: the bucket follows the host; virtual: it stands before it.",
        ),
        Setting(
            "signing_region",
            "Region in Signatures",
            required=False,
            check=r"[a-z0-9-]+",
            help="Where it is another than that of the data: us-east-1 for most MinIO servers.",
        ),
    )
    whole, part = WHOLE, PART

    def ping(self):
        """Ask for the bucket."""
        self._ask("HEAD", "")
        return f"The bucket {self.config.settings['bucket']} is there."

    def url(self, path):
        """Return the address of a key, which begins with a slash; "" is the bucket."""
        base, settings = urlsplit(self.config.base_url), self.config.settings
        key = "/".join(filter(None, (settings.get("prefix"), path.strip("/")))) if path else ""
        bucket = settings["bucket"]
        if settings.get("addressing") == "virtual":
            return f"{base.scheme}://{bucket}.{base.netloc}{sigv4.encoded(f'{base.path}/{key}')}"
        place = "/".join(filter(None, (base.path.strip("/"), bucket, key)))
        return f"{base.scheme}://{base.netloc}{sigv4.encoded(f'/{place}')}"

    def authorize(self, request):
        """Sign."""
        settings = self.config.settings
        digest = request.headers.pop("x-amz-content-sha256", "")
        request.headers |= sigv4.sign(
            request.method,
            request.url,
            request.headers,
            key_id=settings["access_key_id"],
            secret=settings["secret_access_key"],
            region=settings.get("signing_region") or settings["region"],
            digest=digest or hashlib.sha256(request.body).hexdigest(),
        )

    def classify(self, response) -> ProviderError | None:
        """Read the error in XML; a HEAD has none."""
        code = _text(response.body, "Code")
        words = f"{self.label} answered {response.status} {code}".rstrip()
        if code in CREDENTIALS:
            return AuthFailed(f"{words}: the credentials are refused", code=code)
        if code in LATER:
            return Transient(f"{words}: try later", code=code)
        if response.status == 404 or code:
            return Rejected(words, code=code or "404")
        return None

    # === DELIVERY === #

    def _deliver(self, delivery):
        self._check_turn(delivery)
        sent, found = [], []
        for parcel in delivery.all:
            path = f"/{delivery.folder}/{parcel.name}"
            known = self._known(path)
            if known is not None:
                if known != (parcel.sha256, parcel.bytes):
                    raise self.taken(delivery.folder, parcel.name)
                found.append(parcel)
                continue
            put = self._put if parcel.bytes <= self.whole else self._put_in_parts
            put(path, parcel)
            sent.append(parcel)
        return Receipt(
            tuple(one.name for one in sent),
            tuple(one.name for one in found),
            sum(one.bytes for one in sent),
        )

    def _check_turn(self, delivery):
        """Raise `Ahead` where another batch has this number, or a later one is complete."""
        later = self._later(delivery)
        if later:
            raise Ahead(max(later))
        manifest = delivery.manifest
        known = self._known(f"/{delivery.manifest_of(delivery.number)}")
        if known not in (None, (manifest.sha256, manifest.bytes)):
            raise Ahead(delivery.number)

    def _later(self, delivery):
        """Return the numbers of later batches that have a manifest."""
        prefix = self.config.settings.get("prefix")
        home, _slash, own = "/".join(filter(None, (prefix, delivery.folder))).rpartition("/")
        # after all keys of this batch: names of its files begin with letters
        found, after = [], f"{home}/{own}/~"
        while after:
            query = {"list-type": 2, "prefix": f"{home}/", "start-after": after}
            answer = self._ask("GET", "", query=query, read=_xml)
            keys = _texts(answer, "Key")
            for key in keys:
                number, _slash, name = key.removeprefix(f"{home}/").partition("/")
                if name == delivery.manifest.name and number.isdecimal():
                    found.append(int(number))
            after = keys[-1] if keys and _text(answer, "IsTruncated") == "true" else ""
        return [number for number in found if number > delivery.number]

    def _known(self, path):
        """Return (digest, bytes) of what is at a path, None where nothing is."""
        try:
            return self._ask("HEAD", path, read=_kept)
        except Rejected as error:
            if error.status == 404:
                return None
            raise

    def _put(self, path, parcel):
        stream = (lambda: Checked(parcel)) if parcel.bytes else None
        self._ask("PUT", path, _meta(parcel), parcel.sha256, stream, parcel.bytes)

    def _put_in_parts(self, path, parcel):
        digests = self._digests(parcel)
        answer = self._ask("POST", path, _meta(parcel), query={"uploads": ""}, read=_xml)
        upload = _text(answer, "UploadId")
        if not upload:
            raise ContractBroken(f"{self.label} gave no id for the parts", field="UploadId")
        try:
            tags = [
                self._put_part(path, parcel, upload, number, digest)
                for number, digest in enumerate(digests)
            ]
            self._complete(path, upload, tags)
        except ProviderError:
            self._abort(path, upload)
            raise

    def _digests(self, parcel):
        """Return the digest of each part, having seen that the whole is what was written."""
        whole, digests = hashlib.sha256(), []
        for start in range(0, parcel.bytes, self.part):
            one = hashlib.sha256()
            with Slice(parcel, start, self.part) as source:
                for data in source:
                    one.update(data)
                    whole.update(data)
            digests.append(one.hexdigest())
        if whole.hexdigest() != parcel.sha256:
            raise changed(parcel)
        return digests

    def _put_part(self, path, parcel, upload, number, digest):
        def stream():
            return Slice(parcel, number * self.part, self.part)

        query = {"partNumber": number + 1, "uploadId": upload}
        size = len(stream())
        tag = self._ask("PUT", path, {}, digest, stream, size, query, read=_tag)
        if not tag:
            raise ContractBroken(f"{self.label} gave no tag for a part", field="ETag")
        return tag

    def _complete(self, path, upload, tags):
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._ask("POST", path, query={"uploadId": upload}, body=body, read=_xml)
        # the status of this answer is sent before it is done, so that it may be an error
        code = _text(answer, "Code")
        if code or not _text(answer, "ETag"):
            raise Transient(f"{self.label} did not join the parts", code=code)

    def _abort(self, path, upload):
        try:
            self._ask("DELETE", path, query={"uploadId": upload})
        except ProviderError:
            return  # the bucket's rule for parts that were left removes them

    def _answer(self, delivery):
        try:
            content = self._ask("GET", f"/{delivery.folder}/{ACK}", read=lambda answer: answer.body)
        except Rejected as error:
            if error.status != 404:
                raise
            content = None
        return self.read_ack(content)

    def _ask(
        self, method, path, headers=None, digest="", stream=None, size=0, query=None, body=b"",
        read=lambda answer: None,
    ):  # fmt: skip
        """Send one request and return what ``read`` makes of its answer."""
        url = self.url(path) + (f"?{urlencode(query)}" if query is not None else "")
        headers = dict(headers or {})
        if stream:
            body = dump_json({"bytes": size, "sha256": digest})
        if digest:
            headers["x-amz-content-sha256"] = digest
        request = http.Request(method, url, headers, None, body, None, stream)
        return self._send(request, read)


def _meta(parcel):
    return {DIGEST: parcel.sha256}


def _kept(answer):
    size = answer.headers.get("Content-Length", "")
    return answer.headers.get(DIGEST, ""), int(size) if size.isdigit() else -1


def _tag(answer):
    return answer.headers.get("ETag", "")


def _xml(answer):
    return answer.body


def _text(body, name):
    """Return the text of the first element of a name, whatever its namespace; "" without one."""
    return next(iter(_texts(body, name)), "")


def _texts(body, name):
    """Return the texts of all elements of a name."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return []
    return [found.text or "" for found in root.iterfind(f".//{{*}}{name}")]
