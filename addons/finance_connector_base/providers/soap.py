"""Vendors that speak SOAP 1.1 or 1.2: zeep writes and reads envelopes, our template sends them.

The WSDL is a file that is shipped with the provider. Addresses come from the connector, never from
the WSDL; nothing is loaded from the network; a document type in an answer is refused.
"""

import threading
from pathlib import Path
from types import SimpleNamespace

import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault
from zeep.helpers import serialize_object
from zeep.wsdl import Document

from . import http
from .base import Provider, request_id
from .errors import ContractBroken, Rejected, Transient

# Fault codes of SOAP itself (SOAP 1.1, 4.4.1; SOAP 1.2 part 1, 5.4.6).
OF_THE_REQUEST = {"Client", "Sender"}
OF_THE_CONTRACT = {"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"}
# zeep fails in many ways on what does not fit the WSDL.
UNREADABLE = (
    ZeepError, etree.LxmlError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip

_PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


class SoapProvider(Provider):
    """A vendor with a SOAP service. A subclass declares it and uses `call`.

    wsdl: path of the WSDL file. binding: name of its binding, "{namespace}name". endpoint: path of
    the service below the connector's base URL. faults: the vendor's fault code to error class;
    `fault_code` says what counts as code.
    """

    wsdl = ""
    binding = ""
    endpoint = ""
    faults = {}

    # === HOOKS OF A VENDOR === #

    def fault_code(self, fault) -> str:
        """Return the vendor's code of a `zeep.exceptions.Fault`, as `faults` has it.

        The words, a subcode or the code itself: the first that `faults` knows, else the code.
        """
        codes = [_local(code) for code in (*(fault.subcodes or ()), fault.code)]
        words = (fault.message or "").strip()
        return next((code for code in (words, *codes) if code in self.faults), codes[-1])

    def security(self):
        """Return what zeep signs the envelope with (`zeep.wsse`), None for nothing."""
        return None

    # === TEMPLATE === #

    def call(self, operation, **values):
        """Call an operation of the WSDL and return what its answer holds, as plain values.

        values: the parts of the request by their name in the WSDL: dicts, lists, str, int, bool,
        Decimal, date. The result is a dict (the bare value where the answer has but one part);
        what the vendor left out is None. Raises the error classes of `errors`: `Rejected` also for
        values that the WSDL does not take, before anything is sent.
        """
        document = _document(str(self.wsdl))
        # raw_response: what the transport returns comes back, here the request, still to be sent.
        settings = zeep.Settings(raw_response=True, forbid_dtd=True)
        client = zeep.Client(document, self.security(), _Envelopes(), settings=settings)
        service = client.create_service(self.binding, self.url(self.endpoint))
        try:
            request = service[operation](**values)
        except (ZeepError, TypeError, ValueError) as error:
            words = f"The request does not fit what {self.label} takes ({error})"
            raise Rejected(words, code="schema") from error
        request.headers = {"Accept": "text/xml", **self.headers(), **request.headers}
        binding = document.bindings[self.binding]
        return self._send(
            request, lambda response: self._read(client, binding, operation, response)
        )

    def classify(self, response):
        """Find the fault in an answer with an error status; None when there is none."""
        try:
            envelope = etree.fromstring(response.body, etree.XMLParser(**_PARSER))
        except (etree.XMLSyntaxError, ValueError):
            return None
        if envelope.find("{*}Body/{*}Fault") is None:
            return None
        try:
            _document(str(self.wsdl)).bindings[self.binding].process_error(envelope, None)
        except Fault as fault:
            return self._failure(fault)

    def _read(self, client, binding, operation, response):
        reply = SimpleNamespace(
            status_code=response.status,
            headers=response.headers,
            content=response.body,
            encoding="utf-8",
        )
        try:
            result = binding.process_reply(client, binding.get(operation), reply)
            return serialize_object(result, dict)
        except Fault as fault:
            raise self._failure(fault) from fault
        except UNREADABLE as error:
            raise self._doubtful(
                ContractBroken,
                f"{self.label} answered {response.status} with XML that does not fit the WSDL",
                field=operation,
                version=self.config.api_version,
                status=response.status,
                request_id=request_id(response),
            ) from error

    def _failure(self, fault):
        code, kind = self.fault_code(fault), _local(fault.code)
        words = f"{self.label}: {(fault.message or kind or 'a fault without words')[:500]}"
        if code in self.faults:
            return self.faults[code](words, code=code)
        if kind in OF_THE_REQUEST:
            return Rejected(words, code=code)
        if kind in OF_THE_CONTRACT:
            return ContractBroken(words, code=code, version=self.config.api_version)
        return self._doubtful(Transient, words)


class _Envelopes:
    """What zeep takes for the way out: hands the request back, for our template to send it."""

    @staticmethod
    def post_xml(address, envelope, headers):
        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        return http.Request("POST", address, headers, body=body)


class _Files:
    """Loads a WSDL and what it imports, from its own folder alone."""

    def __init__(self, wsdl):
        self._folder = Path(wsdl).resolve().parent

    def load(self, url):
        path = Path(url).resolve()
        if not path.is_relative_to(self._folder):
            raise ValueError(f"{url} is not beside the WSDL; nothing is loaded from elsewhere")
        return path.read_bytes()


_documents = {}
_documents_lock = threading.Lock()


def _document(wsdl):
    """Return the parsed WSDL; it holds nothing of a connector, so a process keeps it."""
    with _documents_lock:
        if wsdl not in _documents:
            settings = zeep.Settings(forbid_dtd=True)
            _documents[wsdl] = Document(wsdl, _Files(wsdl), settings=settings)
        return _documents[wsdl]


def _local(code):
    return str(code or "").rpartition(":")[2].rpartition("}")[2]
