"""What a button returns: the actions that Odoo's web client understands, as dicts."""

RELOAD = {"type": "ir.actions.client", "tag": "soft_reload"}
CLOSE = {"type": "ir.actions.act_window_close"}


def listing(name, model, domain, **more):
    """Return the action that lists the records of ``model`` in ``domain``; ``more``: other keys."""
    return {
        "type": "ir.actions.act_window",
        "name": name,
        "res_model": model,
        "view_mode": "list,form",
        "domain": domain,
    } | more


def dialog(name, model, res_id=False, **more):
    """Return the action that opens a form in a dialog: of a record, or of a new one."""
    return {
        "type": "ir.actions.act_window",
        "name": name,
        "res_model": model,
        "res_id": res_id,
        "view_mode": "form",
        "target": "new",
    } | more


def notice(kind, message, title="", sticky=False, after=RELOAD):
    """Return the action that tells something in a corner of the screen.

    kind: success, info, warning or danger. after: the action that follows, False for none.
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "title": title,
            "message": message,
            "sticky": sticky,
            "next": after,
        },
    }
