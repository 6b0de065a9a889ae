"""A register of companies that speaks SOAP 1.1 and 1.2, after ``sandbox/soap.wsdl``.

Base URL: ``http://127.0.0.1:8099/soap``.

======================  ==========================================================================
``GET /service?wsdl``   the WSDL, with this address in it
``POST /service``       ``lookUp(taxNumber)``; ``leaveNote(key, text)``, which is done each time
======================  ==========================================================================

A tax number that begins with ``BUSY``, ``BAD`` or ``CRASH`` is answered with the fault of that name;
``CLOSED`` is a closed company; one of ``ODD`` answers with a status that is not in the WSDL; ``BOMB``
with a document that defines entities. State: ``{"notes": {key: [texts]}}``.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import escape

from .vendor import Refusal, Response, Vendor

__all__ = ["Soap"]

WSDL = Path(__file__).with_suffix(".wsdl")
TYPES = "urn:sandbox:register:types:v1"
#: namespace of the envelope → (content type, fault codes for the sender and the receiver)
VERSIONS = {
    "http://schemas.xmlsoap.org/soap/envelope/": ("text/xml", ("Client", "Server")),
    "http://www.w3.org/2003/05/soap-envelope": ("application/soap+xml", ("Sender", "Receiver")),
}
#: prefix of a tax number → (is it the sender's fault, words)
FAULTS = {
    "BUSY": (False, "REGISTER_BUSY"),
    "BAD": (True, "INVALID_NUMBER"),
    "CRASH": (False, "Something broke"),
}
BOMB = '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


class Soap(Vendor):
    """The register."""

    prefix = "soap"
    routes = (("GET", "/service", "describe"), ("POST", "/service", "serve"))

    def reset(self):
        """Forget the notes."""
        self.notes = {}

    def state(self):
        """Return the notes, by key."""
        return {"notes": self.notes}

    def describe(self, request):
        """Return the WSDL."""
        text = WSDL.read_text()
        text = text.replace("https://register.example.com", request.base_url)
        return Response(content=text.encode(), content_type="text/xml; charset=utf-8")

    def serve(self, request):
        """Answer an envelope."""
        try:
            envelope = ElementTree.fromstring(request.body)
        except ElementTree.ParseError:
            return Response(400, content=b"not XML", content_type="text/plain")
        version = envelope.tag[1:].partition("}")[0]
        if version not in VERSIONS:
            return Response(400, content=b"not an envelope", content_type="text/plain")
        asked = envelope.find(f"{{{version}}}Body")[0]
        name = asked.tag.rpartition("}")[2]
        values = {part.tag.rpartition("}")[2]: part.text or "" for part in asked}
        answers = {"lookUp": self._look_up, "leaveNote": self._leave_note}
        if name not in answers:
            raise _fault(version, True, "UNKNOWN_OPERATION")
        return answers[name](version, values)

    def _look_up(self, version, values):
        number = values.get("taxNumber", "")
        for prefix, (of_the_sender, words) in FAULTS.items():
            if number.startswith(prefix):
                raise _fault(version, of_the_sender, words)
        statuses = {"ODD": "SLEEPING", "CLOSED": "CLOSED"}
        status = next(
            (text for word, text in statuses.items() if number.startswith(word)), "ACTIVE"
        )
        body = f"""<lookUpResponse xmlns="{TYPES}"><taxNumber>{escape(number)}</taxNumber>
<status>{status}</status><since>2019-04-01</since><capital>25000.10</capital>
<name>Sandbox Trading GmbH</name><iban>DE89370400440532013000</iban></lookUpResponse>"""
        prologue = BOMB if number.startswith("BOMB") else ""
        if prologue:
            body = body.replace("Sandbox Trading GmbH", "&b;")
        return _envelope(version, body, prologue=prologue)

    def _leave_note(self, version, values):
        notes = self.notes.setdefault(values.get("key", ""), [])
        notes.append(values.get("text", ""))
        body = (
            f'<leaveNoteResponse xmlns="{TYPES}"><number>{len(notes)}</number></leaveNoteResponse>'
        )
        return _envelope(version, body)


def _fault(version, of_the_sender, words):
    code = VERSIONS[version][1][0 if of_the_sender else 1]
    detail = f'<registerFault xmlns="{TYPES}"><reason>{words}</reason></registerFault>'
    if code in ("Client", "Server"):
        fault = f"<faultcode>s:{code}</faultcode><faultstring>{words}</faultstring>"
        fault += f"<detail>{detail}</detail>"
    else:
        fault = (
            f'<s:Code><s:Value>s:{code}</s:Value></s:Code><s:Reason><s:Text xml:lang="en">{words}'
        )
        fault += f"</s:Text></s:Reason><s:Detail>{detail}</s:Detail>"
    status = 400 if code == "Sender" else 500
    return Refusal(_envelope(version, f"<s:Fault>{fault}</s:Fault>", status))


def _envelope(version, body, status=200, prologue=""):
    text = f'<s:Envelope xmlns:s="{version}"><s:Body>{body}</s:Body></s:Envelope>'
    text = f'<?xml version="1.0" encoding="UTF-8"?>{prologue}{text}'
    content_type = f"{VERSIONS[version][0]}; charset=utf-8"
    return Response(status, content=text.encode(), content_type=content_type)
