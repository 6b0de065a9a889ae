import { Component, onWillStart, onWillUpdateProps, useEffect, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { MultiRecordSelector } from "@web/core/record_selectors/multi_record_selector";
import { useService } from "@web/core/utils/hooks";
import { debounce } from "@web/core/utils/timing";
import { text, units, within } from "./money";
import { amount, day } from "./words";

let lastKey = 0;

/** One bank line: what the bank said, proposals, and the desk where a person puts parts together. */
export class BankLine extends Component {
    static template = "finance_bank_sync.BankLine";
    static components = { RecordSelector, MultiRecordSelector };
    static props = {
        detail: Object,
        companyId: Number,
        mayWork: Boolean,
        busy: Boolean,
        command: Object,
        onAccept: Function,
        onBook: Function,
        onPartner: Function,
        onUndo: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.amount = amount;
        this.day = day;
        this.words = useRef("words");
        this.root = useRef("root");
        this.state = useState({});
        this.searchSoon = debounce(() => this.searchItems(), 200);
        onWillStart(() => this.clear());
        onWillUpdateProps((next) => {
            if (next.detail !== this.props.detail) {
                this.clear();
            }
            if (next.command.number !== this.props.command.number) {
                this.wanted = next.command.name;
            }
        });
        useEffect(
            () => {
                const wanted = this.wanted;
                this.wanted = null;
                if (wanted) {
                    this.obey(wanted);
                }
            },
            () => [this.props.command.number]
        );
        useEffect(
            (panel) => {
                if (panel) {
                    const box = this.root.el?.querySelector(".o_bank_panel input");
                    box?.focus();
                }
            },
            () => [this.state.panel]
        );
    }

    clear() {
        Object.assign(this.state, {
            panel: "",
            parts: [],
            items: null,
            words: "",
            writeoff: { account_id: false, tax_ids: [], label: "", amount: "" },
            more: false,
        });
    }

    get row() {
        return this.props.detail.row;
    }

    // === SUMS === //

    get digits() {
        return this.row.digits;
    }

    get total() {
        return units(this.row.left, this.digits);
    }

    /** What no part explains yet; null while an amount can't be read. */
    get left() {
        let left = this.total;
        for (const part of this.state.parts) {
            const value = units(part.amount, this.digits);
            if (value === null) {
                return null;
            }
            left -= value;
        }
        return left;
    }

    get leftText() {
        return this.left === null ? "?" : this.money(text(this.left, this.digits));
    }

    get explainedText() {
        return this.left === null ? "?" : this.money(text(this.total - this.left, this.digits));
    }

    get settled() {
        return this.left === 0n;
    }

    get complete() {
        return this.state.parts.length > 0 && this.settled;
    }

    money(value) {
        return amount(value, this.row.total_currency_id);
    }

    bad(part) {
        const value = units(part.amount, this.digits);
        return value === null || value === 0n;
    }

    // === WHAT KEYS ASK FOR === //

    obey(name) {
        if (this.row.done || !this.props.mayWork) {
            return;
        }
        if (name === "book") {
            this.book();
        } else if (name === "leave") {
            this.leave();
        } else {
            this.open(name);
        }
    }

    async open(name) {
        this.state.panel = this.state.panel === name ? "" : name;
        if (this.state.panel === "items" && !this.state.items) {
            await this.searchItems();
        }
        if (this.state.panel === "writeoff") {
            this.state.writeoff.amount = text(this.left ?? 0n, this.digits);
            this.state.writeoff.label = this.state.writeoff.label || this.row.label;
        }
    }

    // === PARTS === //

    async searchItems() {
        const id = this.row.id;
        const items = await this.orm.call("finance.bank.desk", "search_items", [id, this.state.words]);
        if (id === this.row.id) {
            this.state.items = items;
        }
    }

    onWords(ev) {
        this.state.words = ev.target.value;
        this.searchSoon();
    }

    onItemsKey(ev) {
        if (ev.key === "Enter" && this.state.items?.length) {
            ev.preventDefault();
            const item = this.state.items.find((one) => !this.has(one.id));
            if (item) {
                this.add(item);
            }
        } else if (ev.key === "Escape") {
            this.state.panel = "";
        }
    }

    has(itemId) {
        return this.state.parts.some((part) => part.kind === "item" && part.id === itemId);
    }

    add(item) {
        if (this.has(item.id)) {
            return;
        }
        const open = units(item.open, this.digits);
        const takes = this.left === null ? open : within(open, this.left) || open;
        this.state.parts.push({
            key: ++lastKey,
            kind: "item",
            id: item.id,
            name: item.name,
            hint: [item.partner, item.ref].filter(Boolean).join(" · "),
            open: item.open,
            amount: text(takes, this.digits),
        });
    }

    remove(part) {
        this.state.parts = this.state.parts.filter((one) => one.key !== part.key);
    }

    /** Start from a proposal, to change it. */
    take(proposal) {
        this.state.parts = proposal.parts.map((part) => ({ ...part, key: ++lastKey }));
        this.state.panel = "";
    }

    addWriteoff() {
        const { writeoff } = this.state;
        this.state.parts.push({
            key: ++lastKey,
            kind: "writeoff",
            account_id: writeoff.account_id,
            name: writeoff.accountName || _t("Write-off"),
            hint: writeoff.label,
            label: writeoff.label,
            tax_ids: [...writeoff.tax_ids],
            amount: writeoff.amount,
        });
        this.state.writeoff = { account_id: false, tax_ids: [], label: "", amount: "" };
        this.state.panel = "";
    }

    async chooseAccount(id) {
        this.state.writeoff.account_id = id;
        this.state.writeoff.accountName = id
            ? (await this.orm.read("account.account", [id], ["display_name"]))[0].display_name
            : "";
    }

    get writeoffReady() {
        const value = units(this.state.writeoff.amount, this.digits);
        return Boolean(this.state.writeoff.account_id && value);
    }

    get accountDomain() {
        return [
            ["company_ids", "parent_of", [this.props.companyId]],
            ["account_type", "not in", ["asset_cash", "liability_credit_card", "off_balance"]],
            ["active", "=", true],
        ];
    }

    get taxDomain() {
        return [
            ["company_id", "parent_of", [this.props.companyId]],
            ["type_tax_use", "=", units(this.row.total, this.digits) > 0n ? "sale" : "purchase"],
        ];
    }

    /** What is left stays open on the partner's account, as a payment on account. */
    leave() {
        if (!this.row.partner_id) {
            this.state.panel = "partner";
            return;
        }
        if (this.left === null || this.left === 0n) {
            return;
        }
        this.state.parts.push({
            key: ++lastKey,
            kind: "partner",
            partner_id: this.row.partner_id,
            name: _t("On account of %s", this.row.partner),
            hint: _t("stays open there until an invoice comes"),
            amount: text(this.left, this.digits),
        });
    }

    book() {
        if (!this.complete || this.props.busy) {
            return;
        }
        this.props.onBook(
            this.state.parts.map(({ kind, id, account_id, partner_id, label, tax_ids, amount }) => {
                const clean = text(units(amount, this.digits), this.digits);
                if (kind === "item") {
                    return { kind, id, amount: clean };
                }
                if (kind === "partner") {
                    return { kind, partner_id, account_id: account_id || false, amount: clean };
                }
                return { kind, account_id, label, tax_ids, amount: clean };
            })
        );
    }

    // === ELSEWHERE === //

    openRecord(model, id) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
            target: "current",
        });
    }
}
