"""Odoo writes the parameters of every remote call to its debug log; ours may hold secrets."""

import logging
import re


class _WithoutParameters(logging.Filter):
    """Leaves model and method of a call to our models in the log, not what was typed in."""

    def filter(self, record):
        arguments = record.args
        if isinstance(arguments, tuple) and len(arguments) == 3:
            name = getattr(arguments[0], "_name", "")
            # The settings page writes our options through a model of Odoo's own.
            if name.startswith("finance.") or name == "res.config.settings":
                record.args = (*arguments[:2], "…")
        return True


class _WithoutAnswers(logging.Filter):
    """Leaves out of the access log what a vendor sent a browser back with: a code, a state."""

    _query = re.compile(r"(/finance/oauth/callback)\?\S*")

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._query.sub(r"\1?…", argument) if isinstance(argument, str) else argument
                for argument in record.args
            )
        return True


logging.getLogger("odoo.service.model").addFilter(_WithoutParameters())
logging.getLogger("werkzeug").addFilter(_WithoutAnswers())
