"""What feeds, files, controls, manifests and destinations say to one another. No Odoo in here."""
