"""Every exception that there can be: its code, its words, and what may be done about it."""

from dataclasses import dataclass

from odoo import api, models


@dataclass(frozen=True)
class ExceptionKind:
    """What one exception code means, worded in the language of the environment that asked.

    title, text, effect: what happened, what to do about it, and what it does to the books, each
    with the parameters of `_raise` and `document`, `connector`, `partner`, `amount`, `operation`
    as ``%(name)s``; a parameter that is not there reads "–".
    kind: "business" (a person must change something) or "technical" (it may mend itself).
    severity: "low", "medium", "high" or "critical"; sets the deadline when no rule does.
    question: the accountant's heading: "decision" (Needs a decision), "unknown" (Answer unknown),
    "stopped" (Stopped) or "waiting" (Waiting for retry).
    steps: what may be done, of "retry", "query", "done_outside", "open_document", "open_job",
    "open_connector", "handle", "ignore", or a step of another addon.
    blocks_close: whether the period can't be closed before it is settled.
    scope: "document" makes one exception per document and job, "connector" one per connector.
    identity: names of parameters that tell two exceptions of one scope apart.
    """

    title: str
    text: str
    effect: str
    kind: str = "technical"
    severity: str = "medium"
    question: str = "decision"
    steps: tuple = ("open_document", "handle", "ignore")
    blocks_close: bool = False
    scope: str = "document"
    identity: tuple = ()


class FinanceExceptionCatalog(models.AbstractModel):
    """What the codes of `finance.exception` mean, and the words for how exceptions end."""

    _name = "finance.exception.catalog"
    _description = "Catalog of Exceptions"

    @api.model
    def _catalog(self):
        """Return {code: ExceptionKind} in the language of the environment.

        Addons extend it: ``super()._catalog() | {"tax.fallback": ExceptionKind(…)}``.
        """
        _ = self.env._
        return {
            "job.rejected": ExceptionKind(
                title=_("%(connector)s refused it"),
                text=_(
                    "%(connector)s refused %(document)s: %(answer)s. "
                    "Correct the document, or what it refers to, and try again."
                ),
                effect=_("Your books are unchanged. %(connector)s has not recorded %(document)s."),
                kind="business",
                steps=("open_document", "retry", "done_outside", "open_job"),
                blocks_close=True,
            ),
            "job.dead": ExceptionKind(
                title=_("Gave up after several attempts"),
                text=_(
                    "%(connector)s could not be reached for %(document)s, or failed %(attempts)s "
                    "times. Last answer: %(answer)s. Try again when the service works."
                ),
                effect=_(
                    "Your books are unchanged. %(connector)s has not recorded %(document)s, "
                    "and later changes of it wait."
                ),
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_connector", "done_outside", "open_job"),
                blocks_close=True,
            ),
            "job.uncertain": ExceptionKind(
                title=_("Sent, but no answer came"),
                text=_(
                    "%(document)s was sent to %(connector)s and no answer came back: it may have "
                    "been recorded or not. Ask %(connector)s what became of it, or look there "
                    "yourself and note it as done outside. It is not sent twice by itself."
                ),
                effect=_(
                    "Your books are unchanged. Whether %(connector)s has recorded %(document)s "
                    "is not known; later changes of it wait."
                ),
                severity="high",
                question="unknown",
                steps=("query", "done_outside", "open_document", "open_connector", "open_job"),
                blocks_close=True,
            ),
            "job.held": ExceptionKind(
                title=_("Waiting for the service"),
                text=_("%(document)s waits for %(connector)s: %(reason)s. It goes on by itself."),
                effect=_("Your books are unchanged. %(connector)s gets %(document)s later."),
                severity="low",
                question="waiting",
                steps=("open_connector", "open_document", "open_job", "ignore"),
            ),
            "connector.auth": ExceptionKind(
                title=_("%(connector)s refuses the credentials"),
                text=_(
                    "%(connector)s no longer accepts what it is signed in with: %(answer)s. "
                    "Open the connector, enter new credentials or sign in again, and test it."
                ),
                effect=_("Nothing is sent to %(connector)s until then; all its work waits."),
                severity="critical",
                question="stopped",
                steps=("open_connector", "handle"),
                blocks_close=True,
                scope="connector",
            ),
            "contract.drift": ExceptionKind(
                title=_("Answers of %(connector)s changed"),
                text=_(
                    "An answer of %(connector)s does not fit version %(version)s of its interface "
                    "in “%(field)s”: %(answer)s. First seen with %(document)s. The answers are "
                    "kept; the connector needs an update or another version."
                ),
                effect=_("Nothing was taken over from these answers. Your books are unchanged."),
                severity="high",
                question="stopped",
                steps=("open_connector", "retry", "open_job", "handle"),
                blocks_close=True,
                scope="connector",
                identity=("field", "version"),
            ),
            "credential.expiring": ExceptionKind(
                title=_("A credential of %(connector)s expires soon"),
                text=_(
                    "“%(credential)s” of %(connector)s expires on %(expires)s. Enter the new one "
                    "in the connector; the old one stays in use until the new one is tested."
                ),
                effect=_("None yet. After that day nothing can be sent to %(connector)s."),
                severity="medium",
                steps=("open_connector", "ignore"),
                scope="connector",
                identity=("credential",),
            ),
            "restore.detected": ExceptionKind(
                title=_("This database was restored or copied: nothing is sent"),
                text=_(
                    "The database is older than what it has sent, or a copy, and %(jobs)s jobs of "
                    "this company may have been done already: they are held. An administrator of "
                    "the connectors opens the restore, reads what happened and acknowledges it; "
                    "then somebody decides on each held job."
                ),
                effect=_(
                    "Nothing new goes to connected systems until an administrator has acknowledged "
                    "it; held work waits until it is decided. Questions are still answered."
                ),
                kind="business",
                severity="critical",
                question="stopped",
                steps=("open_document",),
                blocks_close=True,
            ),
            "restore.no_mark": ExceptionKind(
                title=_("Nothing can be sent: a file can't be written"),
                text=_(
                    "Before anything is sent, its number is written to a file outside the database, "
                    "so that nothing is sent twice after a restore. This doesn't work: %(path)s: "
                    "%(reason)s. Make the folder writable for Odoo's account, or name another one "
                    "in odoo.conf: finance_evidence_dir. It then goes on by itself within a minute."
                ),
                effect=_("Your books are unchanged. Nothing new goes to connected systems."),
                severity="critical",
                question="stopped",
                steps=(),
                blocks_close=True,
                scope="connector",
            ),
            "restore.mark_lost": ExceptionKind(
                title=_("A file that guards against sending twice was gone"),
                text=_(
                    "%(path)s was not there any more and was written again. If the folder is lost "
                    "at each start (a container without a volume), a restored database can't tell "
                    "what it has already sent: name a lasting folder in odoo.conf: "
                    "finance_evidence_dir. If somebody restored this database just now, look at "
                    "the connected systems before more is sent."
                ),
                effect=_("None. Work goes on."),
                steps=("handle", "ignore"),
                scope="connector",
            ),
            "sign_in.ending": ExceptionKind(
                title=_("The sign-in at %(connector)s ends soon"),
                text=_(
                    "What somebody signed in with at %(connector)s ends on %(expires)s. Open the "
                    "connector and sign in again."
                ),
                effect=_("None yet. After that day nothing can be sent to %(connector)s."),
                severity="medium",
                steps=("open_connector", "ignore"),
                scope="connector",
            ),
            "operation.unknown": ExceptionKind(
                title=_("An addon is missing"),
                text=_(
                    "“%(operation)s” belongs to an addon that is missing or older than the work "
                    "that waits for it. Install or update the addon, then try again."
                ),
                effect=_("Your books are unchanged. The work waits and is not lost."),
                severity="high",
                question="stopped",
                steps=("retry", "open_job", "open_document", "handle"),
                blocks_close=True,
            ),
            "provider.unknown": ExceptionKind(
                title=_("The addon of %(connector)s is missing"),
                text=_(
                    "The provider “%(provider)s” of %(connector)s is not known here. Install or "
                    "update the addon it comes from, then try again."
                ),
                effect=_("Nothing is sent to %(connector)s until then; all its work waits."),
                severity="high",
                question="stopped",
                steps=("open_connector", "retry", "open_job", "handle"),
                blocks_close=True,
                scope="connector",
            ),
        }

    @api.model
    def _endings(self):
        """Return {note of `_resolve`: words} in the reader's language.

        Addons extend it by ``super() | {…}``.
        """
        _ = self.env._
        return {
            "job.done": _("The work was done later."),
            "job.cancelled": _("The work was cancelled."),
            "job.done_outside": _("A person did it at the vendor."),
            "job.asked": _("Held after a restore: the vendor was asked."),
            "job.released": _("Held after a restore: somebody let it go out."),
            "restore.mark_works": _("The file can be written again."),
            "restore.settled": _("It was acknowledged, and nothing is held any more."),
            "connector.signed_in": _("Somebody signed in again."),
            "connector.tested": _("The connector passed its test."),
            "connector.resumed": _("The connector was resumed."),
            "credential.entered": _("A new value was entered."),
            "superseded": _("Something else is now the matter with the same work."),
            "health.calm": _("The measure is within its bounds again."),
            "merged": _("Merged with the same exception of another record."),
        }
