"""Every table whose rows a feed shows, with the way from it to the feed's records."""

from ..feeds.feed import Watch


def watches_of(model, columns, more=()):
    """Return the `Watch`es of a feed with these columns.

    model: the feed's; columns: those that are told (what isn't told needs no watch). more: what
    paths don't say. The first is the model's own table.
    """
    found = {"": Watch(model._table)}
    for column in columns:
        for path in column.paths:
            _follow(model, path.split(".")[:-1], found)
    return (*found.values(), *more)


def _follow(model, links, found):
    joins, here, at = "", model, "item"
    for number, name in enumerate(links):
        field = here._fields.get(name)
        if field is None or field.type != "many2one" or not field.store:
            return
        target = here.env[field.comodel_name]
        way = ".".join(links[: number + 1])
        found.setdefault(
            way,
            Watch(
                target._table,
                f'SELECT item.id FROM "{model._table}" AS item{joins} WHERE {at}."{name}" = changed.id',
            ),
        )
        joins += f' JOIN "{target._table}" AS step{number} ON step{number}.id = {at}."{name}"'
        here, at = target, f"step{number}"
