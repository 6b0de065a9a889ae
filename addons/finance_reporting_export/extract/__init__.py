"""From a query to the bytes of a file, at the speed of PostgreSQL's COPY. No Odoo in here.

`writing.write` is the way in: it copies one or more queries into a target in a format and tells
rows, bytes and digest.
"""
