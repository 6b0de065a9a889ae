/**
 * Exact sums of amounts that the server gives as text: in units of the smallest coin, as BigInt.
 */

/** "-12.50" with 2 digits → -1250n; null for what is no amount. Takes a decimal comma too. */
export function units(text, digits) {
    const found = /^\s*([-+]?)(\d*)(?:[.,](\d*))?\s*$/.exec(String(text));
    if (!found || !(found[2] || found[3]) || (found[3] || "").length > digits) {
        return null;
    }
    const value = BigInt((found[2] || "0") + (found[3] || "").padEnd(digits, "0"));
    return found[1] === "-" ? -value : value;
}

/** -1250n with 2 digits → "-12.50" */
export function text(value, digits) {
    const sign = value < 0n ? "-" : "";
    const plain = (value < 0n ? -value : value).toString().padStart(digits + 1, "0");
    const whole = plain.slice(0, plain.length - digits);
    return sign + whole + (digits ? `.${plain.slice(-digits)}` : "");
}

/** The smaller of two amounts of one sign, 0 where their signs differ. */
export function within(wanted, most) {
    if (wanted > 0n !== most > 0n) {
        return 0n;
    }
    return most > 0n ? (wanted < most ? wanted : most) : wanted > most ? wanted : most;
}
