import { onWillStart, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { user } from "@web/core/user";
import { useFileImport } from "./file_import";
import { ImportPanel } from "./import_panel";

/** The list of imports, on which statement files are dropped. */
export class ImportListController extends ListController {
    static template = "finance_bank_sync.ImportList";
    static components = { ...ListController.components, ImportPanel };

    setup() {
        super.setup();
        this.rights = useState({ mayImport: false });
        this.imports = useFileImport(
            () => this.props.context.finance_journal_id,
            () => this.model.load()
        );
        this.imports.dropOn(this.rootRef, () => this.rights.mayImport);
        onWillStart(async () => {
            this.rights.mayImport = await user.hasGroup("finance_connector_base.group_user");
        });
    }
}

registry.category("views").add("finance_bank_import_list", {
    ...listView,
    Controller: ImportListController,
});
