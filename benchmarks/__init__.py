"""Figures of the suite beside a peer or a limit: ``make bench NAME=queue`` runs ``queue.py``."""
