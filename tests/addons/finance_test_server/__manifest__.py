{
    "name": "Finance Connect: servers of the system tests",
    "summary": "Loaded server-wide by the system tests, installed nowhere",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["base"],
    "post_load": "spare",
    "installable": True,
}
