import { markRaw, onWillUnmount, reactive, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useDropzone } from "@web/core/dropzone/dropzone_hook";
import { checkFileSize } from "@web/core/utils/files";
import { useService } from "@web/core/utils/hooks";

const ROUTE = "/finance/bank/import";
const FIRST_LOOK_MS = 300;
const LONGEST_LOOK_MS = 3000;
const ENDED = ["done", "refused", "failed"];

/** Statement files that a person gives: uploaded one by one, then watched until they are done. */
export class FileImport {
    constructor({ http, orm, action, notification, journal, onDone }) {
        Object.assign(this, { http, orm, action, notification, journal, onDone });
        this.files = [];
        this.stopped = false;
    }

    get open() {
        return this.files.length > 0;
    }

    get busy() {
        return this.files.some((file) => !ENDED.includes(file.state));
    }

    /** Let the person choose files. */
    choose() {
        const input = document.createElement("input");
        Object.assign(input, { type: "file", multiple: true });
        input.addEventListener("change", () => this.add(input.files));
        input.click();
    }

    async add(fileList) {
        const files = [...fileList].map((file) => ({ file, name: file.name, state: "sending" }));
        const first = this.files.length;
        this.files.push(...files);
        for (let index = first; index < this.files.length; index++) {
            await this.send(this.files[index]); // through the reactive list
        }
        await this.watch();
    }

    async send(item) {
        if (!checkFileSize(item.file.size, this.notification)) {
            Object.assign(item, { state: "failed", words: _t("The file is too large to send.") });
            return;
        }
        try {
            const answer = await this.http.post(ROUTE, {
                csrf_token: odoo.csrf_token,
                journal_id: this.journal() || "",
                ufile: [item.file],
            });
            if (answer.error) {
                Object.assign(item, { state: "failed", words: answer.error });
            } else {
                this.take(item, answer.imports);
            }
        } catch {
            const words = _t("The file did not get through. Nothing was imported; send it again.");
            Object.assign(item, { state: "failed", words });
        }
        delete item.file;
    }

    /** A file with accounts of several companies is one import in each of them. */
    take(item, [first, ...others]) {
        Object.assign(item, { columns: false, exceptions: false }, first);
        this.files.push(...others);
    }

    /** Ask how far they are until all have ended. */
    async watch() {
        if (this.watching) {
            return;
        }
        this.watching = true;
        let wait = FIRST_LOOK_MS;
        while (this.busy && !this.stopped) {
            await new Promise((resolve) => setTimeout(resolve, wait));
            wait = Math.min(wait * 1.5, LONGEST_LOOK_MS);
            const ids = this.files.filter((file) => file.id && !ENDED.includes(file.state)).map((file) => file.id);
            if (ids.length && !this.stopped) {
                await this.look(ids);
            }
        }
        this.watching = false;
        if (!this.stopped) {
            this.onDone();
        }
    }

    async look(ids) {
        const answers = await this.orm.silent.call("finance.bank.desk", "imports", [ids]).catch(() => []);
        for (const answer of answers) {
            const item = this.files.find((file) => file.id === answer.id);
            if (item) {
                Object.assign(item, answer);
            }
        }
    }

    close() {
        this.files = this.files.filter((file) => !ENDED.includes(file.state));
    }

    openImport(item) {
        this.openRecord("finance.bank.import", item.id);
    }

    openExceptions(item) {
        this.action.doAction(item.exceptions);
    }

    /** Let a person say what the columns of a file are; the file is imported with what is said. */
    async setUpColumns(item) {
        const action = await this.orm.call("finance.bank.desk", "set_up_columns", [item.id], {
            journal_id: this.journal() || null,
        });
        this.action.doAction(action, {
            onClose: async (infos) => {
                if (infos?.imports) {
                    this.take(item, infos.imports);
                    await this.watch();
                }
            },
        });
    }

    openRecord(model, id) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }
}

/**
 * @param {() => number | undefined} journal the journal that files are for; none: by their account
 * @param {() => void} onDone when all files have ended
 */
export function useFileImport(journal, onDone) {
    const imports = reactive(
        new FileImport({
            http: markRaw(useService("http")),
            orm: markRaw(useService("orm")),
            action: markRaw(useService("action")),
            notification: markRaw(useService("notification")),
            journal,
            onDone,
        })
    );
    onWillUnmount(() => (imports.stopped = true));
    const shown = useState(imports);
    shown.dropOn = (ref, enabled) =>
        useDropzone(ref, (ev) => shown.add(ev.dataTransfer.files), "o_bank_dropzone", enabled);
    return shown;
}
