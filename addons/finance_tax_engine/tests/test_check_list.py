"""The check list, once for each way in which Odoo rounds taxes."""

from odoo.tests import tagged

from . import check_list


@tagged("post_install", "-at_install")
class TestCheckListPerLine(check_list.CheckList):
    allow_inherited_tests_method = True
    rounding_method = "round_per_line"


@tagged("post_install", "-at_install")
class TestCheckListGlobally(check_list.CheckList):
    allow_inherited_tests_method = True
    rounding_method = "round_globally"
