"""What verification says, in sentences; what stands for %(…)s is in each `Finding`.

Odoo shows them in the reader's language: `_` only marks them for translation.
"""


def _(text):
    return text


# What is wrong, by the code of the finding.
FINDINGS = {
    "event.changed": _(
        "Event %(event)s (%(what)s) was changed after it was sealed in seal %(seal)s."
    ),
    "event.reordered": _(
        "Event %(event)s has the content that was sealed as event %(other)s: events of seal "
        "%(seal)s were put into another order."
    ),
    "event.missing": _("Event %(event)s, sealed in seal %(seal)s, is missing: it was deleted."),
    "event.inserted": _(
        "Event %(event)s (%(what)s) says that it is in seal %(seal)s, but was not there when that "
        "seal was made: it was inserted afterwards."
    ),
    "event.moved": _(
        "Event %(event)s was sealed in seal %(seal)s and is now marked otherwise: its seal number "
        "was changed."
    ),
    "event.backdated": _(
        "Event %(event)s says that it happened at %(at)s, but was not there when seal %(before)s "
        "was made at %(before_at)s: it was inserted later with an earlier time."
    ),
    "event.unsealed": _(
        "Event %(event)s of %(at)s is not sealed, longer than the %(minutes)s minutes allowed; "
        "so are %(count)s events in all."
    ),
    "seal.missing": _("Seal %(seal)s is missing: it was deleted."),
    "seal.repeated": _("Seal %(seal)s is there twice: one of the two was inserted."),
    "seal.dropped": _(
        "Event %(event)s says that it is in seal %(seal)s, as do %(count)s events in all, and there "
        "is no such seal: newest seals were deleted, or the number was set by hand."
    ),
    "seal.changed": _("Seal %(seal)s of %(at)s was changed after it was made."),
    "seal.signature": _(
        "Seal %(seal)s of %(at)s is not signed by the key it names (%(key)s): the seal was made or "
        "changed by somebody without that key."
    ),
    "seal.order": _(
        "Seal %(seal)s of %(at)s does not continue seal %(before)s: one of them was replaced."
    ),
    "seal.key": _(
        "Seal %(seal)s of %(at)s, and what follows, is signed with key %(key)s (fingerprint "
        "%(fingerprint)s), which is none of the keys to trust: the chain was sealed again by "
        "somebody else, or that key has to be given too."
    ),
    "head.ahead": _(
        "The head outside the database names seal %(seal)s; the newest seal here is %(newest)s: "
        "newest seals were deleted, or the database was restored."
    ),
    "head.different": _(
        "Seal %(seal)s is not the one that the head outside the database names: the chain was "
        "replaced, or the database was restored and went on."
    ),
    "detail.missing": _(
        "The details of event %(event)s (%(what)s) are missing, and nothing says that they were "
        "erased."
    ),
    "detail.changed": _(
        "The details of event %(event)s (%(what)s) are not those that were recorded with it."
    ),
    "detail.inserted": _("Details were added to event %(event)s, which was recorded without them."),
    "package.signature": _(
        "The list of files (manifest.json) is not signed by the key in this export: the export was "
        "changed."
    ),
    "package.key": _(
        "This export is signed with the key of fingerprint %(fingerprint)s, which is none of the "
        "keys to trust: it was made by somebody else, or that key has to be given too."
    ),
    "package.file": _("The file %(file)s of this export was changed, added or removed."),
    "proof.missing": _(
        "Event %(event)s (%(what)s) is said to be in seal %(seal)s, and nothing proves it."
    ),
}

# What a reader should know beside, by its code.
REMARKS = {
    "unsealed": _(
        "Events that are not sealed yet: %(count)s, the oldest of %(at)s. They are sealed within "
        "%(minutes)s minutes; until then nothing proves them."
    ),
    "details": _(
        "Details (names, free text): %(fine)s are those that were recorded, %(erased)s were erased, "
        "%(unchecked)s could not be opened without the vault key they are sealed with."
    ),
    "keys.trusted": _("The signatures are those of the keys to trust: %(keys)s."),
    "keys.covered": _(
        "Seals up to %(seal)s are signed with a key that is no longer there; later seals, signed "
        "with a key to trust, vouch for them."
    ),
    "keys.unknown": _(
        "No key was given, so nobody vouches for the key of the signatures (fingerprint "
        "%(fingerprint)s). Compare it with the one you have noted, or give it with --public-key."
    ),
    "head.fits": _(
        "The head outside the database (%(file)s) names seal %(seal)s, and it is the same here."
    ),
    "head.log": _("All %(count)s heads in its log are the same here."),
    "head.none": _(
        "No head from outside the database was compared: seals deleted from the end, with their "
        "events, would not be seen. Give one with --head."
    ),
    "copies": _(
        "Seals up to %(seal)s were made in the database %(database)s, of which this one is a copy."
    ),
    "more": _("%(count)s more findings are not listed."),
    "package.unsealed": _(
        "Some events were not sealed yet when this export was made, first event %(event)s of "
        "%(at)s. Only the signature of the export stands for these."
    ),
    "package": _(
        "Made on %(made_at)s for: %(selection)s. An export proves what is in it, not that nothing else "
        "happened; that is for a verification of the database."
    ),
}

# The outcome.
OUTCOMES = {
    "sound": _("Unbroken: every sealed event is what it was when it was sealed."),
    "broken": _("BROKEN. What was found, the first thing first:"),
    "unproved": _(
        "Consistent, but not proved: neither a key nor a head from outside the database was given."
    ),
    "empty": _("Nothing is sealed here, so nothing is proved."),
}

COUNTS = _(
    "%(events)s sealed events from %(first)s to %(last)s in %(seals)s seals. Read from: %(label)s "
    "(%(database)s)."
)
