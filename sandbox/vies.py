"""VIES: the European Commission's answers about VAT numbers, after its published WSDL.

Base URL: ``http://127.0.0.1:8099/vies``.

==============================  ==================================================================
``POST /checkVatService``       ``checkVat``, ``checkVatApprox`` (document/literal, SOAP 1.1)
``POST /checkVatTestService``   the same
``PUT /settings``               ``{"states": {"DE": "MS_UNAVAILABLE"}}``; not a part of the service
==============================  ==================================================================

Numbers of :data:`COMPANIES` are valid, and :data:`BY_NUMBER` are answered by their number alone as
those of the public test service are, whatever the country; all others are invalid. A consultation
number is given to a valid requester. Germany and Spain do not disclose names; Spain compares them.
State: ``{"questions": [...], "consultations": {number: question}}``.
"""

import xml.etree.ElementTree as ElementTree
from datetime import date
from xml.sax.saxutils import escape

from .vendor import Refusal, Response, Vendor

__all__ = ["BY_NUMBER", "COMPANIES", "Vies"]

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "urn:ec.europa.eu:taxud:vies:services:checkVat:types"
STATES = set(
    "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split()
)
#: Made-up companies: (name, street, postal code, city).
COMPANIES = {
    "AT": {"U12345675": ("Donau Handel GmbH", "Ringstrasse 1", "1010", "Wien")},
    "BE": {"0477472701": ("Brabant Trading NV", "Kerkstraat 12", "1000", "Brussel")},
    "DE": {"123456788": ("Elbe Werkzeug GmbH", "Hafenweg 3", "20457", "Hamburg")},
    "EL": {"123456783": ("AEGEAN FOODS SA", "AKTI MIAOULI 5", "18535", "PEIRAIAS")},
    "ES": {"A12345674": ("Iberia Tools SA", "Calle Mayor 1", "28013", "Madrid")},
    "FR": {"23334175221": ("Loire Distribution SAS", "2 Rue Centrale", "44000", "Nantes")},
    "IE": {"1234567FA": ("Shannon Software Ltd", "1 Main Street", "D02", "Dublin")},
    "NL": {"123456782B90": ("Amstel Import BV", "Damrak 1", "1012LG", "Amsterdam")},
    "XI": {"123456782": ("Lagan Linen Ltd", "9 Linen Hall St", "BT2 8AA", "Belfast")},
}
DISCRETE = {"DE", "ES"}
COMPARING = {"ES"}
BY_NUMBER = {
    "100": None,
    "200": None,
    "201": "INVALID_INPUT",
    "202": "INVALID_REQUESTER_INFO",
    "300": "SERVICE_UNAVAILABLE",
    "301": "MS_UNAVAILABLE",
    "302": "TIMEOUT",
    "400": "VAT_BLOCKED",
    "401": "IP_BLOCKED",
    "500": "GLOBAL_MAX_CONCURRENT_REQ",
    "501": "GLOBAL_MAX_CONCURRENT_REQ_TIME",
    "600": "MS_MAX_CONCURRENT_REQ",
    "601": "MS_MAX_CONCURRENT_REQ_TIME",
    "701": "SERVER_BUSY",
}
ANSWERED = ("John Doe", "123 Main St", "1000", "Anytown")
COMPARED = ("traderName", "traderStreet", "traderPostcode", "traderCity")


class Vies(Vendor):
    """The gateway."""

    prefix = "vies"
    routes = (
        ("POST", "/checkVatService", "serve"),
        ("POST", "/checkVatTestService", "serve"),
        ("PUT", "/settings", "change"),
    )

    def reset(self):
        """Forget the questions; all member states answer."""
        self.questions, self.consultations, self.states = [], {}, {}

    def state(self):
        """Return what was asked, and under which consultation numbers."""
        return {"questions": self.questions, "consultations": self.consultations}

    def change(self, request):
        """Let member states fail from now on."""
        self.states = request.json().get("states", {})
        return Response(200, {"states": self.states})

    def serve(self, request):
        """Answer an envelope."""
        try:
            envelope = ElementTree.fromstring(request.body)
        except ElementTree.ParseError:
            raise _fault("Client", "Error reading XMLStreamReader") from None
        body = envelope.find(f"{{{SOAP}}}Body")
        if body is None or not len(body):
            raise _fault("Client", "Error reading XMLStreamReader")
        name = body[0].tag
        asked = {part.tag.rpartition("}")[2]: part.text or "" for part in body[0]}
        answers = {f"{{{TYPES}}}checkVat": False, f"{{{TYPES}}}checkVatApprox": True}
        if name not in answers:
            raise _fault("Client", f"Unexpected element {name}")
        self.questions.append(asked)
        return self._answer(asked, approx=answers[name])

    def _answer(self, asked, approx):
        state, number = asked.get("countryCode", ""), asked.get("vatNumber", "")
        if state not in STATES or not number:
            raise _fault("Server", "INVALID_INPUT")
        if state in self.states:
            raise _fault("Server", self.states[state])
        if BY_NUMBER.get(number):
            raise _fault("Server", BY_NUMBER[number])
        consultation = self._consultation(asked) if approx else ""
        company = ANSWERED if number == "100" else COMPANIES.get(state, {}).get(number)
        values = {
            "countryCode": state,
            "vatNumber": number,
            "requestDate": f"{date.today()}+01:00",
            "valid": "true" if company else "false",
        }
        told = company if company and state not in DISCRETE else None
        values |= self._trader(asked, company, told) if approx else _plain(told)
        if approx:
            values["requestIdentifier"] = consultation
        return _message("checkVatApproxResponse" if approx else "checkVatResponse", values)

    def _consultation(self, asked):
        state = asked.get("requesterCountryCode", "")
        number = asked.get("requesterVatNumber", "")
        if not state and not number:
            return ""
        if number not in COMPANIES.get(state, {}) and number != "100":
            raise _fault("Server", "INVALID_REQUESTER_INFO")
        consultation = f"WAPIAAAAY{len(self.consultations) + 1:07d}"
        self.consultations[consultation] = asked
        return consultation

    @staticmethod
    def _trader(asked, company, told):
        if not company:
            return {"traderName": "---", "traderCompanyType": None, "traderAddress": "---"}
        name, street, code, city = told or ("---",) * 4
        values = {"traderName": name, "traderCompanyType": None}
        values["traderAddress"] = f"{street}\n{code} {city}" if told else "---"
        if asked.get("countryCode") in COMPARING:
            for part, kept in zip(COMPARED, company, strict=True):
                given = asked.get(part, "")
                same = "1" if given.casefold() == kept.casefold() else "2"
                values[f"{part}Match"] = same if given else "3"
        return values


def _plain(told):
    if not told:
        return {"name": "---", "address": "---"}
    name, street, code, city = told
    return {"name": name, "address": f"{street}\n{code} {city}"}


def _fault(code, words):
    fault = f"<faultcode>s:{code}</faultcode><faultstring>{escape(words)}</faultstring>"
    return Refusal(_envelope(f"<s:Fault>{fault}</s:Fault>", 500))


def _message(name, values):
    nil = 'xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    parts = "".join(
        f"<{part} {nil}/>" if text is None else f"<{part}>{escape(text)}</{part}>"
        for part, text in values.items()
    )
    return _envelope(f'<{name} xmlns="{TYPES}">{parts}</{name}>')


def _envelope(body, status=200):
    text = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'
    content = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
    return Response(status, content=content, content_type="text/xml; charset=utf-8")
