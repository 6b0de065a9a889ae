"""Which records have a key in configuration files."""

from odoo import models


class FinanceConnector(models.Model):
    _name = "finance.connector"
    _inherit = ["finance.connector", "finance.keyed.mixin"]


class FinanceExceptionRule(models.Model):
    _name = "finance.exception.rule"
    _inherit = ["finance.exception.rule", "finance.keyed.mixin"]


class FinanceExceptionTag(models.Model):
    _name = "finance.exception.tag"
    _inherit = ["finance.exception.tag", "finance.keyed.mixin"]


class FinanceAlertRule(models.Model):
    _name = "finance.alert.rule"
    _inherit = ["finance.alert.rule", "finance.keyed.mixin"]
