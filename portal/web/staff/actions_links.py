"""What staff do with a guest's private link."""

from flask import render_template
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.services import anonymise, guest_links, links
from portal.services.guest_links import LinkChanged
from portal.web.staff.action_base import Action, ActionForm, NotDone, _


class _AboutLink(Action):
    def why_not(self) -> str:
        if anonymise.is_anonymous(self.stay):
            return _("The guest's data was removed from this stay.")
        if links.is_over(self.deps, self.stay):
            return _("The stay ended more than 30 days ago, so its private link no longer opens.")
        return ""


class SendLink(_AboutLink):
    name, title, button = "send-link", _l("Send the payment link"), _l("Send the link")

    def why_not(self) -> str:
        if not self.deps.mail.is_on:
            return _("E-mail is switched off here, so nothing can be sent. Copy the link and give it to the guest.")
        return super().why_not()

    def outlook(self) -> list[str]:
        return [
            _("The private link to this stay is e-mailed to %(email)s.", email=self.stay.email),
            _("Links that were sent before keep working. No money moves."),
        ]

    def shown(self) -> str:
        return f"{super().shown()}|{guest_links.count_sent(self.stay)}"

    def do(self) -> str:
        guest_links.send(self.deps, self.stay.id, actor=self.actor)
        return _("The link is on its way to %(email)s.", email=self.stay.email)


class CopyLink(_AboutLink):
    name, title, button = "copy-link", _l("Copy the private link"), _l("Show the link")

    def outlook(self) -> list[str]:
        return [
            _("You see the link and can give it to the guest yourself. Whoever has it can pay and cancel this stay."),
            _("That you looked is written into the audit log. No money moves, and the guest is not e-mailed."),
        ]

    def do(self) -> Response:
        link = guest_links.show(self.deps, self.stay.id, actor=self.actor)
        return Response(render_template("staff/actions/link.html", stay=self.stay, link=link), mimetype="text/html")


class RevokeForm(ActionForm):
    send_new = BooleanField(_l("E-mail the guest a new link"))


class RevokeLinks(_AboutLink):
    name, title, button = "revoke-links", _l("Revoke the private links"), _l("Revoke all links")
    danger = True
    form_class = RevokeForm

    def outlook(self) -> list[str]:
        return [
            _("Every private link that was given out for this stay stops working at once, on every device."),
            _("No money moves. A payment page that is open at Stripe stays open."),
            self.mail_line(_("The guest is e-mailed a new link only if you tick the box.")),
        ]

    def check(self) -> None:
        if self.form.send_new.data and not self.deps.mail.is_on:
            self.form.send_new.errors = [_("E-mail is switched off here, so nothing can be sent.")]

    def do(self) -> str:
        new = bool(self.form.send_new.data)
        try:
            guest_links.revoke(self.deps, self.stay.id, version=self.stay.link_version, send_new=new, actor=self.actor)
        except LinkChanged:
            raise NotDone(_("The links have been revoked meanwhile.")) from None
        return _("The old links are revoked. A new one is on its way.") if new else _("The old links are revoked.")
