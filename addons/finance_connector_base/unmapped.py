"""An error of our own."""

from odoo.exceptions import UserError


class Unmapped(UserError):
    """Records without an approved external code. answer: `Answer`; items: {id: (count, amount)}."""

    def __init__(self, message, answer, items):
        super().__init__(message)
        self.answer = answer
        self.items = items
