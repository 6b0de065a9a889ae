"""The built-in feeds, a data table each. No Odoo in here."""

from . import (
    accounts,
    analytic,
    cash,
    entities,
    group_balances,
    journal_entries,
    journal_items,
    open_items,
    partners,
    payments,
    rates,
    taxes,
    traces,
    trial_balance,
)

FEEDS = {
    feed.code: feed
    for feed in (
        entities.FEED,
        journal_items.FEED,
        journal_entries.FEED,
        trial_balance.FEED,
        group_balances.FEED,
        open_items.RECEIVABLE,
        open_items.PAYABLE,
        partners.CUSTOMERS,
        partners.VENDORS,
        partners.BANK_ACCOUNTS,
        accounts.FEED,
        taxes.TAXES,
        taxes.DETAILS,
        payments.PAYMENTS,
        payments.SETTLEMENTS,
        cash.BALANCES,
        cash.POSITION,
        analytic.FEED,
        rates.FEED,
        traces.FEED,
    )
}
