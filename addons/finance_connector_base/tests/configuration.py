"""What tests of every addon with fields on configuration records share."""

from odoo.models import MAGIC_COLUMNS

MAIL = ("message_", "activity_", "my_activity_", "website_message_", "rating_", "has_message")


def unsaid_fields(env, addon, left_out=()):
    """Return the "model.field"s of an addon that are in no configuration file.

    Of the models that files can make new records of. Whoever adds a stored field to one of these
    adds a column in `finance.configuration._sections`, or names it in ``left_out``: what happens
    is not configuration.
    """
    found, written = set(), set()
    for section in env["finance.configuration"]._described().values():
        written |= {f"{section.model}.{column.field}" for column in section.columns.values()}
        if section.creates:
            found |= {
                str(field) for field in env[section.model]._fields.values() if _counts(field, addon)
            }
    return found - written - set(left_out)


def _counts(field, addon):
    return (
        field.store
        and field.name not in MAGIC_COLUMNS
        and field.type != "one2many"
        and field._module == addon
        and not field.name.startswith(MAIL)
    )
