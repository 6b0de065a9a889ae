import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { formatCurrency } from "@web/core/currency";

/** An amount that the server gave as text, as people write it. */
export function amount(text, currencyId) {
    return text === false || text === null || text === undefined
        ? ""
        : formatCurrency(Number(text), currencyId);
}

/** A day that the server gave as text, as people write it. */
export function day(text) {
    return text ? formatDate(deserializeDate(text)) : "";
}
