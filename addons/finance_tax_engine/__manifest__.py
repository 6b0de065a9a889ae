{"name": "x", "installable": False}
