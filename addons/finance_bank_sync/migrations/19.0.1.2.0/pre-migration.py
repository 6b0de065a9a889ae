"""A line has one proposal of each rank; what stands twice is forgotten and weighed anew when needed."""


def migrate(cr, version):
    """Forget the proposals of lines that two had matched at the same moment."""
    if not version:
        return
    cr.execute(
        """
        DELETE FROM finance_bank_proposal WHERE line_id IN (
            SELECT line_id FROM finance_bank_proposal GROUP BY line_id, rank HAVING count(*) > 1)
        """
    )
