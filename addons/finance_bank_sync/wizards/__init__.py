"""Wizards of the bank."""
