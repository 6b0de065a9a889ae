import { Component, onMounted, onWillStart, onWillUnmount, useEffect, useExternalListener, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { debounce } from "@web/core/utils/timing";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { useFileImport } from "../import/file_import";
import { ImportPanel } from "../import/import_panel";
import { BankLine } from "./bank_line";
import { amount, day } from "./words";

const MODEL = "finance.bank.desk";
const PAGE = 80;
const NEAR_END = 15;
const FILTERS = [
    ["todo", _t("To do")],
    ["proposed", _t("Proposed")],
    ["doubtful", _t("Doubtful")],
    ["none", _t("No proposal")],
    ["done", _t("Done")],
    ["all", _t("All")],
];
const KEYS = [
    ["j ↓", _t("next line")],
    ["k ↑", _t("line before")],
    ["Enter", _t("accept the best proposal, and on to the next line")],
    ["u", _t("undo: this line, or the last thing done")],
    ["m", _t("choose open items by hand")],
    ["w", _t("write off what is left")],
    ["p", _t("set the partner")],
    ["l", _t("leave what is left on the partner's account")],
    ["b", _t("book what was put together by hand")],
    ["x", _t("select the line")],
    ["/", _t("search lines")],
    ["Esc", _t("leave a box, close what is open")],
    ["?", _t("show or hide these keys")],
];

/** The lines of a bank account: a list on the left, the line that is worked on at the right. */
export class BankDesk extends Component {
    static template = "finance_bank_sync.BankDesk";
    static components = { Layout, BankLine, ImportPanel };
    static props = { ...standardActionServiceProps };
    static path = "bank-lines";
    static displayName = _t("Bank Lines");

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.filters = FILTERS;
        this.keys = KEYS;
        this.amount = amount;
        this.day = day;
        this.details = new Map();
        this.stamp = 0;
        this.last = null; // id of the line that was booked last
        this.list = useRef("list");
        this.search = useRef("search");
        this.root = useRef("root");
        this.state = useState({
            journal: null,
            journals: [],
            counts: {},
            total: 0,
            lines: [],
            filter: "todo",
            words: "",
            these: null, // ids: only the lines of a document are shown
            current: null,
            detail: null,
            selected: {},
            busy: false,
            loading: true,
            help: false,
            command: { name: "", number: 0 },
        });
        this.imports = useFileImport(() => this.state.journal?.id, () => this.reload());
        this.imports.dropOn(this.root, () => Boolean(this.state.journal?.may_import));
        this.searchSoon = debounce(() => this.reload(), 250);
        this.env.config.setDisplayName?.(this.props.action.name || _t("Bank Lines"));
        onWillStart(() => this.open(this.wantedJournal()));
        onMounted(() => this.props.action.params?.choose_files && this.imports.choose());
        onWillUnmount(() => this.searchSoon.cancel());
        useExternalListener(document, "keydown", (ev) => this.onKey(ev));
        useEffect(
            () => {
                const row = this.list.el?.querySelector(".o_bank_row.current");
                row?.scrollIntoView({ block: "nearest" });
            },
            () => [this.state.current]
        );
    }

    wantedJournal() {
        const { context, params } = this.props.action;
        const wanted = params?.journal_id || context?.default_journal_id || context?.journal_id;
        return Number(wanted) || null;
    }

    // === LIST === //

    get line() {
        return this.state.lines.find((line) => line.id === this.state.current) || null;
    }

    get position() {
        return this.state.lines.findIndex((line) => line.id === this.state.current);
    }

    get selectedIds() {
        return this.state.lines.filter((line) => this.state.selected[line.id]).map((line) => line.id);
    }

    get mayWork() {
        return Boolean(this.state.journal?.may_work);
    }

    async open(journalId) {
        const these = this.props.action.params?.line_ids;
        if (these?.length) {
            Object.assign(this.state, { these, filter: "all" });
        }
        await this.fetch({ journal: journalId });
        if (this.state.journal) {
            this.props.updateActionState?.({ journal_id: this.state.journal.id });
        }
    }

    /** Load the first page; the line that is worked on stays where it can. */
    async reload() {
        await this.fetch({ journal: this.state.journal?.id, keep: true });
    }

    async fetch({ journal = null, keep = false, after = "" }) {
        const stamp = ++this.stamp;
        this.state.loading = true;
        const { state } = this;
        const answer = await this.orm.call(MODEL, "list_lines", [], {
            journal_id: journal,
            filter_by: state.filter,
            search: state.words,
            line_ids: state.these,
            after,
            limit: PAGE,
        });
        if (stamp !== this.stamp) {
            return; // something else was asked for in the meantime
        }
        state.loading = false;
        state.journal = answer.journal || null;
        state.journals = answer.journals;
        if (!answer.journal) {
            return;
        }
        state.counts = answer.counts;
        state.total = answer.total;
        if (after) {
            const known = new Set(state.lines.map((line) => line.id));
            state.lines.push(...answer.lines.filter((line) => !known.has(line.id)));
            return;
        }
        state.lines = answer.lines;
        state.selected = {};
        this.details.clear();
        const stays = keep && state.lines.some((line) => line.id === state.current);
        this.select(stays ? state.current : state.lines[0]?.id ?? null);
    }

    async more() {
        const { lines, total, loading } = this.state;
        if (!loading && this.untouched < total && lines.length) {
            await this.fetch({ journal: this.state.journal.id, after: lines.at(-1).index });
        }
    }

    /** How many of the loaded lines the filter still counts. */
    get untouched() {
        return this.state.lines.filter((line) => !line.touched).length;
    }

    async choose(filter) {
        Object.assign(this.state, { filter, these: null });
        await this.fetch({ journal: this.state.journal.id });
    }

    async chooseJournal(ev) {
        Object.assign(this.state, { words: "", these: null });
        await this.fetch({ journal: Number(ev.target.value) });
        this.props.updateActionState?.({ journal_id: this.state.journal.id });
    }

    onWords(ev) {
        this.state.words = ev.target.value;
        this.searchSoon();
    }

    // === THE LINE === //

    async select(id) {
        this.state.current = id;
        this.state.detail = this.details.get(id) || null;
        if (id === null) {
            return;
        }
        if (!this.state.detail) {
            const detail = await this.orm.call(MODEL, "detail", [id]);
            this.details.set(id, detail);
            if (this.state.current === id) {
                this.state.detail = detail;
            }
        }
        this.ahead();
    }

    /** Fetch the next line's detail and, near the end, more lines before anybody waits for them. */
    async ahead() {
        const next = this.state.lines[this.position + 1];
        if (next && !this.details.has(next.id)) {
            const { stamp } = this;
            const detail = await this.orm.silent.call(MODEL, "detail", [next.id]).catch(() => null);
            if (detail && stamp === this.stamp) {
                this.details.set(next.id, detail);
            }
        }
        if (this.position > this.state.lines.length - NEAR_END) {
            await this.more();
        }
    }

    async show(id) {
        if (!this.state.lines.some((line) => line.id === id)) {
            const detail = await this.orm.call(MODEL, "detail", [id]);
            this.state.lines.unshift(detail.row);
        }
        await this.select(id);
    }

    move(step) {
        const target = this.state.lines[this.position + step];
        if (target) {
            this.select(target.id);
        }
        return Boolean(target);
    }

    /** Go to the next line that is not done yet. */
    next() {
        const behind = this.state.lines.slice(this.position + 1);
        const before = this.state.lines.slice(0, Math.max(this.position, 0));
        const target = behind.find((line) => !line.done) || before.find((line) => !line.done);
        if (target) {
            this.select(target.id);
        }
    }

    toggle(id) {
        this.state.selected[id] = !this.state.selected[id];
    }

    toggleAll(ev) {
        this.state.selected = {};
        if (ev.target.checked) {
            for (const line of this.state.lines.filter((one) => !one.done)) {
                this.state.selected[line.id] = true;
            }
        }
    }

    // === WORK === //

    /** Call a method that changes lines; its answer has {lines, counts}, fresh. */
    async work(method, args, kwargs = {}) {
        if (this.state.busy || !this.mayWork) {
            return null;
        }
        this.state.busy = true;
        try {
            const answer = await this.orm.call(MODEL, method, args, kwargs);
            this.take(answer);
            return answer;
        } finally {
            this.state.busy = false;
        }
    }

    take({ lines, counts }) {
        for (const fresh of lines) {
            const index = this.state.lines.findIndex((line) => line.id === fresh.id);
            if (index >= 0) {
                this.state.lines[index] = { ...fresh, touched: true };
            }
            this.details.delete(fresh.id);
        }
        this.state.counts = counts;
        if (!this.state.words && !this.state.these) {
            this.state.total = counts[this.state.filter];
        }
    }

    async accept(proposalId, stay = false) {
        const { id } = this.line;
        const done = await this.work("accept", [id], { proposal_id: proposalId });
        if (done?.changed) {
            this.notification.add(done.changed, { type: "warning" });
            await this.select(id);
        } else if (done) {
            this.after(id, stay);
        }
    }

    async book(parts) {
        const { id } = this.line;
        const done = await this.work("book", [id, parts]);
        if (done) {
            this.after(id, false);
        }
    }

    after(id, stay) {
        this.last = id;
        if (stay) {
            this.select(id);
        } else {
            this.next();
            if (this.state.current === id) {
                this.select(id);
            }
        }
    }

    async acceptBest() {
        const best = this.line?.best;
        if (!best || this.line.done) {
            this.notification.add(
                this.line?.done
                    ? _t("This line is done. Press u to undo it.")
                    : _t("There is no proposal. Choose open items, or write it off."),
                { type: "info" }
            );
            return;
        }
        if (this.line.standing === "doubtful") {
            this.notification.add(
                _t("Something speaks against it. Read the reasons, and press Accept on the right one."),
                { type: "warning" }
            );
            return;
        }
        await this.accept(best.id);
    }

    async acceptMany() {
        const ids = this.selectedIds;
        const answer = await this.work("accept_all", [this.state.journal.id], { line_ids: ids.length ? ids : null });
        if (answer) {
            this.state.selected = {};
            this.notification.add(answer.words, { type: answer.accepted ? "success" : "warning" });
            await this.reload();
        }
    }

    async undo() {
        const id = this.line?.done ? this.line.id : this.last;
        if (!id) {
            this.notification.add(_t("There is nothing to undo."), { type: "info" });
            return;
        }
        if (await this.work("undo", [id])) {
            this.last = null;
            await this.show(id);
        }
    }

    async setPartner(partnerId) {
        const { id } = this.line;
        if (await this.work("set_partner", [id, partnerId])) {
            await this.select(id);
        }
    }

    // === KEYS === //

    onKey(ev) {
        const { target } = ev;
        const typing = target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
        if (ev.key === "Escape" && this.root.el?.contains(target)) {
            return this.leave(target);
        }
        if (typing || ev.ctrlKey || ev.metaKey || ev.altKey || this.ui.activeElement !== document) {
            return;
        }
        if (ev.key === "Enter" && target.closest?.("button, a")) {
            return; // the button that has the focus is pressed
        }
        const handler = this.handlers[ev.key];
        if (handler) {
            ev.preventDefault();
            handler();
        }
    }

    get handlers() {
        const command = (name) => () => this.command(name);
        const work = (act) => () => this.line && this.mayWork && act();
        return {
            j: () => this.move(1),
            ArrowDown: () => this.move(1),
            k: () => this.move(-1),
            ArrowUp: () => this.move(-1),
            Enter: work(() => this.acceptBest()),
            u: work(() => this.undo()),
            x: work(() => this.toggle(this.line.id)),
            "/": () => this.search.el?.focus(),
            "?": () => (this.state.help = !this.state.help),
            m: command("items"),
            w: command("writeoff"),
            p: command("partner"),
            l: command("leave"),
            b: command("book"),
        };
    }

    /** Tell the line's component what a key asks for. */
    command(name) {
        if (this.line && this.mayWork) {
            this.state.command = { name, number: this.state.command.number + 1 };
        }
    }

    leave(target) {
        if (this.state.help) {
            this.state.help = false;
        } else if (target !== document.body) {
            target.blur();
        }
    }

    // === ELSEWHERE === //

    openImports() {
        this.action.doAction("finance_bank_sync.action_finance_bank_import", {
            additionalContext: { search_default_journal_id: this.state.journal?.id },
        });
    }
}

registry.category("actions").add("finance_bank_desk", BankDesk);
