import { Component } from "@odoo/owl";

/** How far the files are that somebody gave, and what became of them. */
export class ImportPanel extends Component {
    static template = "finance_bank_sync.ImportPanel";
    static props = { imports: Object };

    get imports() {
        return this.props.imports;
    }

    /** {icon, colour} of a file's state. */
    look(item) {
        return {
            done: item.warning ? ["fa-check", "text-warning"] : ["fa-check", "text-success"],
            refused: ["fa-times", "text-danger"],
            failed: ["fa-times", "text-danger"],
        }[item.state] || ["fa-spinner fa-spin", "text-muted"];
    }
}
