"""Does one statement follow the other? Numbers, balances and periods of one account."""

from .statement import PART, STATEMENT, Finding, Statement


def follow(previous: Statement, following: Statement) -> tuple[Finding, ...]:
    """Return what is odd where ``following`` comes right after ``previous``.

    Both are statements of the same account, in the bank's order. Numbers that start again with a
    new year are no gap. Reports and notifications are part of later statements and prove nothing.
    """
    if previous.kind != STATEMENT or following.kind != STATEMENT:
        return ()
    found = (
        _numbers(previous, following),
        _balances(previous, following),
        _days(previous, following),
    )
    return tuple(finding for finding in found if finding)


def chain(statements) -> list[tuple[Finding, ...]]:
    """Return what `follow` says of each of ``statements``, compared with the one of the same
    account before it; of the first of an account ()."""
    last, found = {}, []
    for statement in statements:
        key = statement.account.identifier, statement.currency, statement.kind
        found.append(follow(last[key], statement) if key in last else ())
        last[key] = statement
    return found


def _numbers(previous, following):
    before, now = _number(previous), _number(following)
    if before is None or now is None or now == before + 1:
        return None
    values = {"previous": _label(previous), "number": _label(following)}
    if now > before + 1:
        return Finding("gap", values)
    if now == before and _page(following) == _page(previous) + 1:
        return None
    restarted = previous.end and following.end and following.end.year > previous.end.year
    return None if restarted or before == now == 0 else Finding("again", values)


def _number(statement):
    number = statement.number or statement.sequence
    return int(number) if number.isdecimal() and len(number) <= 18 else None


def _page(statement):
    return int(statement.page) if statement.page.isdecimal() else 0


def _label(statement):
    return "/".join(filter(None, (statement.number or statement.sequence, statement.page)))


def _balances(previous, following):
    closing, opening = previous.closing, following.opening
    if not closing or not opening or closing.amount == opening.amount:
        return None
    values = {"closing": closing.amount, "opening": opening.amount, "currency": opening.currency}
    return Finding("opening", {name: str(value) for name, value in values.items()})


def _days(previous, following):
    if not previous.end or not following.start or following.start >= previous.end:
        return None
    if following.opening and following.opening.subtype == PART:
        return None
    return Finding("overlap", {"start": str(following.start), "end": str(previous.end)})
