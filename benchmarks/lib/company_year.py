"""A year of a company that never was: its invoices, its payments, its bank lines, and the truth.

Written from what people do when they pay, without a look at how lines are matched, and not changed
to please it. Everything comes from one seed. The truth of a line is what it really pays, in the
currency of each item; `None` where it pays nothing that is open.

How people pay (`HABITS`) is a share of all payments of customers; suppliers are paid by the company
itself, whose bank repeats the end-to-end id of the order, or collect by direct debit.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

CENT = Decimal("0.01")
FIRST_DAY = date(2026, 1, 1)
DAYS = 365
CUSTOMERS, SUPPLIERS = 60, 25
OWN_ACCOUNTS = ("DE02120300000000202051", "DE02500105170137075030")
RATE = Decimal("1.0850")  # USD for one EUR, on average

# Habit and how many of a thousand customer payments it makes.
HABITS = (
    ("whole", 480),  # the number as it is printed
    ("rewritten", 140),  # the number in other words
    ("structured", 100),  # the creditor reference of ISO 11649
    ("several", 75),  # several invoices at once, with the numbers
    ("silent", 40),  # no number at all
    ("mistyped", 25),  # two figures swapped, or a wrong one
    ("netted", 15),  # invoices less a credit note
    ("several_silent", 10),  # several invoices at once, without a number
    ("instalments", 25),  # in two or three parts
    ("fee", 25),  # a bank on the way kept something
    ("discount", 30),  # less the early payment discount, in time
    ("stranger", 15),  # somebody else pays, with the number
    ("stale", 8),  # the number of an invoice that is long paid
    ("over", 4),  # too much
    ("twice", 8),  # paid, and once more by mistake
)
TWO_NAMES = ("Nordlicht Handel GmbH", "Nordlicht Handel GmbH")
NAMES = (
    "Meier", "Meier & Söhne", "Meier Elektro", "Alpha", "Alpha Systems", "Alpha Systems Nord", "Brandt",
    "Krüger", "Kruger", "Lindqvist", "Ostwind", "Ostwind Reisen", "Fischer", "Fischer Bau", "Hansa",
    "Hansa Logistik", "Weber", "Weber Druck", "Schulz", "Steinmetz", "Rosenthal", "Bergmann",
)  # fmt: skip
FORMS = ("GmbH", "AG", "KG", "Ltd", "SARL", "BV")
NOISE = (
    "",
    "",
    "",
    "Danke",
    "thank you",
    "SVWZ+",
    "Kd.-Nr. {customer}",
    "vom {day}",
    "Rg.",
    "invoice",
)
# What the bank and the world book that no open item asks for: text, name, least, most.
OTHERS = (
    ("Kontofuehrung Entgelt {month}", "", -35, -8),
    ("Abschluss Zinsen Quartal {month}", "", -180, -3),
    ("Lohn/Gehalt {month}/2026 PersNr {number}", "Employee {number}", -5200, -1800),
    ("Finanzamt StNr 143/{number}/20117 USt {month}/26", "Finanzkasse", -9000, -900),
    ("Miete {month}/2026 Objekt {number}", "Immo Invest KG", -4100, -4000),
    ("Kartenzahlung {number} Tankstelle", "", -120, -20),
    ("Bargeldauszahlung GA {number}", "", -400, -100),
    ("Versicherung Beitrag {number}", "Versicherung AG", -900, -200),
    ("Erstattung {number}", "Krankenkasse", 50, 900),
    ("Darlehen {number} Tilgung/Zins", "Sparbank", -1600, -1500),
    ("Webshop Auszahlung 2026/{number}", "Marketplace SA", 100, 3000),
    ("Gutschrift Bestellung 2026/{number}", "Online Shop Ltd", 20, 300),
)


@dataclass
class Partner:
    """A customer or a supplier; iban is known to the company only where ``known``."""

    key: int
    name: str
    iban: str
    known: bool
    customer: bool
    foreign: bool = False


@dataclass
class Item:
    """What is open: an invoice (amount positive), a credit note or a bill (negative)."""

    key: int
    partner: int
    number: str
    amount: Decimal
    currency: str
    day: date
    due: date
    reference: str = ""  # structured, as printed on the invoice
    partner_number: str = ""  # a supplier's own number of a bill
    end_to_end: str = ""  # of the order that pays it
    order: str = ""  # id of the order, when many are debited as one
    discount_day: date | None = None
    discounted: Decimal | None = None
    balance: Decimal = Decimal(0)  # in the company's currency


@dataclass
class Truth:
    """What a line is: paid of each item by key, and why the rest (fee, discount, over…) is there.

    kind: the habit, or "other", "transfer", "twice". pays is empty where it pays nothing open.
    """

    kind: str
    pays: dict[int, Decimal] = field(default_factory=dict)
    rest: Decimal = Decimal(0)
    mirror: int | None = None


@dataclass
class Line:
    """A line of the bank in the currency of the account, and, apart, its truth."""

    key: int
    day: date
    amount: Decimal
    text: str
    truth: Truth
    name: str = ""
    iban: str = ""
    structured: str = ""
    end_to_end: str = ""
    order: str = ""
    original_amount: Decimal | None = None
    original_currency: str = ""
    journal: int = 0


@dataclass
class Year:
    """All of it; lines in the order of the bank."""

    partners: list[Partner]
    items: list[Item]
    lines: list[Line]


def iban(rng, country="DE"):
    """Return an account number with right check digits that nobody has."""
    number = "".join(str(rng.randrange(10)) for _ in range(18))
    turned = "".join(str(int(sign, 36)) for sign in number + country + "00")
    return f"{country}{98 - int(turned) % 97:02d}{number}"


def creditor_reference(number):
    """Return ISO 11649 for the figures and letters of ``number``."""
    body = "".join(sign for sign in number.upper() if sign.isalnum())
    turned = "".join(str(int(sign, 36)) for sign in body + "RF00")
    return f"RF{98 - int(turned) % 97:02d}{body}"


def year(seed=1, per_day=6):
    """Return a `Year` with about ``per_day`` invoices a day."""
    return _Maker(random.Random(seed), per_day).make()


class _Maker:
    def __init__(self, rng, per_day):
        self.rng, self.per_day = rng, per_day
        self.partners, self.items, self.lines = [], [], []
        self.numbers = {"INV": 0, "RINV": 0}
        self.waiting = {}  # customer -> invoices that he will pay together

    def make(self):
        self._people()
        for offset in range(DAYS):
            day = FIRST_DAY + timedelta(offset)
            if day.weekday() < 5:
                self._business(day)
        for customer in list(self.waiting):
            self._several(customer)
        lines = sorted(self.lines, key=lambda line: (line.day, self.rng.random()))
        keys = {line.key: position for position, line in enumerate(lines)}
        for line in lines:
            if line.truth.mirror is not None:
                line.truth.mirror = keys[line.truth.mirror]
        for position, line in enumerate(lines):
            line.key = position
        return Year(self.partners, self.items, lines)

    # --- people --- #

    def _people(self):
        rng = self.rng
        for key in range(CUSTOMERS + SUPPLIERS):
            name = f"{rng.choice(NAMES)} {rng.choice(FORMS)}"
            if key < 2:
                name = TWO_NAMES[key]
            elif key % 3:
                name = f"{name} {rng.choice('ABCDEFGH')}{key}"
            self.partners.append(
                Partner(key, name, iban(rng), rng.random() < 0.7, key < CUSTOMERS, key % 12 == 5)
            )

    # --- a day --- #

    def _business(self, day):
        rng = self.rng
        for _ in range(self._about(self.per_day)):
            customer = self.partners[rng.randrange(CUSTOMERS)]
            invoice = self._invoice(customer, day)
            if rng.random() < 0.06:  # a twin: the same thing bought twice
                twin = self._invoice(customer, day, invoice.amount)
                self._pay(customer, twin)
            self._pay(customer, invoice)
        for _ in range(self._about(self.per_day / 3)):
            self._bill(self.partners[CUSTOMERS + rng.randrange(SUPPLIERS)], day)
        if day.day in (10, 25) or (day.day in (11, 12, 26, 27) and day.weekday() == 0):
            self._order(day)
        for _ in range(self._about(self.per_day / 5)):
            self._other(day)
        if rng.random() < 0.15:
            self._transfer(day)

    def _about(self, mean):
        return int(mean) + (self.rng.random() < mean % 1)

    def _amount(self):
        rng = self.rng
        if rng.random() < 0.3:  # subscriptions and list prices come again and again
            return Decimal(rng.choice((49, 99, 119, 199, 238, 499, 1190)))
        return Decimal(rng.randrange(2_000, 900_000)) * CENT

    def _invoice(self, customer, day, amount=None):
        rng = self.rng
        self.numbers["INV"] += 1
        number = f"INV/2026/{self.numbers['INV']:05d}"
        item = Item(
            len(self.items), customer.key, number, amount or self._amount(), "EUR", day,
            day + timedelta(rng.choice((14, 30))), creditor_reference(number),
        )  # fmt: skip
        item.balance = item.amount
        if customer.foreign:
            item.currency = "USD"
            item.balance = (item.amount / RATE).quantize(CENT)
        elif rng.random() < 0.15:
            item.discount_day = day + timedelta(10)
            item.discounted = (item.amount * Decimal("0.98")).quantize(CENT)
        self.items.append(item)
        return item

    # --- how customers pay --- #

    def _pay(self, customer, item):
        rng = self.rng
        if rng.random() < 0.03:
            return  # never
        habit = rng.choices([name for name, _ in HABITS], [share for _, share in HABITS])[0]
        if habit == "discount" and item.discount_day is None:
            habit = "whole"
        if customer.foreign and habit not in ("whole", "rewritten", "fee", "silent"):
            habit = "whole"
        if habit in ("several", "several_silent", "netted"):
            self.waiting.setdefault(customer.key, []).append((item, habit))
            if len(self.waiting[customer.key]) >= rng.choice((2, 2, 3, 4, 6)):
                self._several(customer.key)
            return
        day = item.due + timedelta(rng.choice((-10, -5, -3, -1, 0, 0, 1, 2, 5, 12, 30)))
        getattr(self, f"_{habit}")(customer, item, max(day, item.day + timedelta(1)))

    def _line(self, day, amount, text, truth, customer=None, **more):
        if customer is not None:
            more.setdefault("name", self._name(customer))
            more.setdefault("iban", customer.iban)
        line = Line(len(self.lines), self._bank_day(day), amount, text.strip(), truth, **more)
        self.lines.append(line)
        return line

    def _bank_day(self, day):
        return day + timedelta({5: 2, 6: 1}.get(day.weekday(), 0))

    def _name(self, customer):
        rng = self.rng
        return rng.choice((customer.name, customer.name, customer.name.upper(), customer.name[:18]))

    def _words(self, customer, *texts):
        noise = self.rng.choice(NOISE).format(customer=10_000 + customer.key, day="03.02.")
        texts = list(filter(None, (*texts, noise)))
        if self.rng.random() < 0.5:
            texts.reverse()
        return " ".join(texts)

    def _exact(self, customer, item, day, text, kind, **more):
        amount, more = item.amount, dict(more)
        if item.currency != "EUR":
            rate = RATE * Decimal(self.rng.randrange(9_600, 10_400)) / 10_000
            amount = (item.amount / rate).quantize(CENT)
            if self.rng.random() < 0.8:  # most banks tell what was ordered
                more |= {"original_amount": item.amount, "original_currency": "USD"}
        truth = Truth(kind, {item.key: item.amount})
        return self._line(day, amount, text, truth, customer, **more)

    def _whole(self, customer, item, day):
        self._exact(customer, item, day, self._words(customer, item.number), "whole")

    def _rewritten(self, customer, item, day):
        text = self._words(customer, self._other_words(item.number))
        self._exact(customer, item, day, text, "rewritten")

    def _other_words(self, number):
        _prefix, fiscal, serial = number.split("/")
        return self.rng.choice(
            (
                number.replace("/", "-"),
                number.replace("/", " "),
                number.replace("/", ""),
                number.lower(),
                f"{fiscal}/{serial}",
                f"{fiscal}-{serial}",
                f"INV {fiscal}/{int(serial)}",
                f"Rechnung {fiscal}/{int(serial)}",
                f"RE-NR {serial}",
                f"inv.{serial}",
                f"INV/{fiscal}/ {serial}",
            )
        )

    def _structured(self, customer, item, day):
        if self.rng.random() < 0.5:
            self._exact(customer, item, day, "", "structured", structured=item.reference)
        else:
            groups = " ".join(item.reference[i : i + 4] for i in range(0, len(item.reference), 4))
            self._exact(customer, item, day, groups, "structured")

    def _silent(self, customer, item, day):
        self._exact(customer, item, day, self._words(customer, "Zahlung"), "silent")

    def _mistyped(self, customer, item, day):
        prefix, fiscal, serial = item.number.split("/")
        figures = list(serial)
        place = self.rng.randrange(1, 5)
        if self.rng.random() < 0.5 and figures[place - 1] != figures[place]:
            figures[place - 1], figures[place] = figures[place], figures[place - 1]
        else:
            figures[place] = str((int(figures[place]) + self.rng.randrange(1, 10)) % 10)
        text = self._words(customer, f"{prefix}/{fiscal}/{''.join(figures)}")
        self._exact(customer, item, day, text, "mistyped")

    def _stale(self, customer, item, day):
        old = [i for i in self.items if i.partner == customer.key and i.key < item.key]
        named = self.rng.choice(old) if old else item
        self._exact(customer, item, day, self._words(customer, named.number), "stale")

    def _stranger(self, customer, item, day):
        name = f"{self.rng.choice(NAMES)} Holding {self.rng.randrange(100)}"
        text = self._words(customer, item.number)
        self._exact(customer, item, day, text, "stranger", name=name, iban=iban(self.rng))

    def _fee(self, customer, item, day):
        fee = Decimal(self.rng.choice(("2.50", "5", "7.50", "12", "15", "25")))
        if item.currency != "EUR" or item.amount < 10 * fee:
            self._whole(customer, item, day)
            return
        text = self._words(customer, item.number)
        truth = Truth("fee", {item.key: item.amount}, -fee)
        self._line(day, item.amount - fee, text, truth, customer)

    def _discount(self, customer, item, day):
        day = item.day + timedelta(self.rng.randrange(2, 7))  # on the account within ten days
        truth = Truth("discount", {item.key: item.amount}, item.discounted - item.amount)
        text = self._words(customer, item.number, "2% Skonto")
        self._line(day, item.discounted, text, truth, customer)

    def _over(self, customer, item, day):
        extra = Decimal(self.rng.randrange(100, 5_000)) * CENT
        truth = Truth("over", {item.key: item.amount}, extra)
        self._line(day, item.amount + extra, self._words(customer, item.number), truth, customer)

    def _twice(self, customer, item, day):
        text = self._words(customer, item.number)
        self._exact(customer, item, day, text, "whole")
        later = day + timedelta(self.rng.randrange(4, 20))  # after the weekend: it is the second
        self._line(later, item.amount, text, Truth("twice"), customer)

    def _instalments(self, customer, item, day):
        parts = self.rng.choice((2, 3))
        each = (item.amount / parts).quantize(CENT)
        paid = Decimal(0)
        for position in range(parts):
            amount = item.amount - paid if position == parts - 1 else each
            text = self._words(customer, item.number, f"Rate {position + 1}")
            truth = Truth("instalments", {item.key: amount})
            self._line(day + timedelta(30 * position), amount, text, truth, customer)
            paid += amount

    def _several(self, key):
        rng, customer = self.rng, self.partners[key]
        waiting = self.waiting.pop(key)
        items, habits = [item for item, _ in waiting], {habit for _, habit in waiting}
        day = max(item.day for item in items) + timedelta(rng.randrange(3, 20))
        if "netted" in habits:
            worst = max(items, key=lambda item: item.amount)
            self.numbers["RINV"] += 1
            number = f"RINV/2026/{self.numbers['RINV']:05d}"
            credit = Item(
                len(self.items), key, number, -(worst.amount * Decimal("0.2")).quantize(CENT),
                "EUR", day - timedelta(2), day, creditor_reference(number),
            )  # fmt: skip
            credit.balance = credit.amount
            self.items.append(credit)
            items = [*items, credit]
        kind = next(name for name in ("netted", "several_silent", "several") if name in habits)
        pays = {item.key: item.amount for item in items}
        total = sum(pays.values())
        if kind == "several_silent":
            text = self._words(customer, "Sammelzahlung")
        else:
            text = self._words(customer, self._list(items))
        self._line(day, total, text, Truth(kind, pays), customer)

    def _list(self, items):
        numbers = [item.number for item in items]
        if self.rng.random() < 0.25:  # the first in full, the others by their end
            numbers = [numbers[0]] + [number.split("/")[-1] for number in numbers[1:]]
        if self.rng.random() < 0.1 and len(numbers) > 2:
            numbers = [*numbers[:2], "etc"]
        return self.rng.choice((", ", " ", " + ", "/ ", ";")).join(numbers)

    # --- suppliers --- #

    def _bill(self, supplier, day):
        rng = self.rng
        own = f"{rng.choice(('R', 'RE', '', 'F-'))}{rng.randrange(10_000, 999_999)}"
        number = f"BILL/2026/{day.month:02d}/{len(self.items):04d}"
        item = Item(
            len(self.items), supplier.key, number, -self._amount(), "EUR", day,
            day + timedelta(30), partner_number=own,
        )  # fmt: skip
        item.balance = item.amount
        self.items.append(item)
        if rng.random() < 0.2:  # the supplier collects it
            text = self._words(supplier, f"Lastschrift {own}")
            self._exact(supplier, item, item.due, text, "debit")
        elif rng.random() < 0.15:  # paid at the bank's own screen
            text = self._words(supplier, own)
            self._exact(supplier, item, item.due, text, "by_hand")
        else:
            item.order = "next"

    def _order(self, day):
        """Pay what is due: one order, debited line by line or as one sum."""
        due = [item for item in self.items if item.order == "next" and item.day < day]
        if not due:
            return
        order = f"PAY{day:%Y%m%d}"
        whole = self.rng.random() < 0.3
        for item in due:
            item.order, item.end_to_end = order, f"{order}-{item.key}"
        if whole:
            truth = Truth("batch", {item.key: item.amount for item in due})
            total = sum(item.amount for item in due)
            self._line(day, total, f"SAMMLER {len(due)} AUFTRAEGE", truth, order=order)
            return
        for item in due:
            supplier = self.partners[item.partner]
            text = f"{item.partner_number} {item.number}"
            end_to_end = item.end_to_end
            self._exact(supplier, item, day, text, "order", end_to_end=end_to_end, order=order)

    # --- the rest --- #

    def _other(self, day):
        rng = self.rng
        text, name, least, most = rng.choice(OTHERS)
        number = rng.randrange(1, 2_000)
        words = text.format(month=f"{day.month:02d}", number=f"{number:05d}")
        name = name.format(number=number)
        amount = Decimal(rng.randrange(least * 100, most * 100)) * CENT
        if rng.random() < 0.1 and amount > 0 and self.items:  # by chance what somebody owes
            amount = abs(rng.choice(self.items[-60:]).amount)
        self._line(day, amount, words, Truth("other"), name=name)

    def _transfer(self, day):
        rng = self.rng
        amount = Decimal(rng.randrange(1, 40)) * 500
        source = rng.randrange(2)
        text = rng.choice(("Umbuchung", "Uebertrag eigenes Konto", "Liquiditaet"))
        out = self._line(
            day, -amount, text, Truth("transfer"), iban=OWN_ACCOUNTS[1 - source], journal=source
        )
        into = self._line(
            day + timedelta(rng.randrange(3)), amount, text, Truth("transfer", mirror=out.key),
            iban=OWN_ACCOUNTS[source], journal=1 - source,
        )  # fmt: skip
        out.truth.mirror = into.key
