"""What staff do with a guest's private link; each is written down, the link itself never."""

from portal.db import lock, transaction
from portal.deps import Deps
from portal.models import OutgoingMail, Reservation
from portal.services import audit, links, mails


class LinkChanged(Exception):
    """Somebody else has revoked the links meanwhile. Nothing was done."""


def count_sent(reservation: Reservation) -> int:
    """How many mails with the private link were written for this stay."""
    mine = (OutgoingMail.reservation == reservation.id) & (OutgoingMail.kind == "private_link")
    return int(OutgoingMail.select().where(mine).count())


def send(deps: Deps, reservation_id: int, *, actor: str) -> None:
    """E-mail the link to the guest."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        mails.queue(deps, "private_link", f"{reservation.code}:sent {deps.now().isoformat()}", reservation)
        audit.note(reservation, actor=actor, cause="link sent", now=deps.now())


def show(deps: Deps, reservation_id: int, *, actor: str) -> str:
    """The link, for somebody who gives it to the guest in another way."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        audit.note(reservation, actor=actor, cause="link shown", now=deps.now())
    return links.make_link(deps, reservation)


def revoke(deps: Deps, reservation_id: int, *, version: int, send_new: bool, actor: str) -> None:
    """All links that were given out stop working. LinkChanged unless they still are of that version."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if reservation.link_version != version:
            raise LinkChanged
        reservation.link_version += 1
        Reservation.update(link_version=reservation.link_version, updated_at=deps.now()).where(
            Reservation.id == reservation.id
        ).execute()
        audit.note(reservation, actor=actor, cause="links revoked", now=deps.now())
        if send_new:
            cause = f"{reservation.code}:links of version {reservation.link_version}"
            mails.queue(deps, "private_link", cause, reservation)
