"""Pictures that the hotel uploads. Kept in the database, so that every web host has them."""

import hashlib

from portal.db import transaction
from portal.models import Picture
from portal.services import hotels
from portal.services.hotels import By

LOGO = "logo"
LARGEST = 200 * 1024
"""Bytes of a logo: every page of every guest loads it."""


class BadPicture(Exception):
    """What was uploaded cannot be the logo; the text says why."""


def media_type_of(content: bytes) -> str | None:
    """By its first bytes, whatever its name says; None for what is neither PNG, JPEG nor WebP.

    SVG is none of them on purpose: it is a document that may carry scripts and load things from elsewhere."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:15] == b"VP8":
        return "image/webp"
    return None


def set_logo(by: By, content: bytes) -> None:
    """Take these bytes as the hotel's logo; BadPicture unless they are a PNG, JPEG or WebP of at most 200 KiB."""
    if not content:
        raise BadPicture("has nothing in it")
    if len(content) > LARGEST:
        raise BadPicture(f"has {-(-len(content) // 1024)} KiB; at most {LARGEST // 1024} are taken")
    media_type = media_type_of(content)
    if media_type is None:
        raise BadPicture("is not a PNG, JPEG or WebP picture")
    row = {"media_type": media_type, "content": content, "content_hash": _hash(content), "updated_at": by.now}
    with transaction():
        Picture.insert(name=LOGO, **row).on_conflict(conflict_target=[Picture.name], update=row).execute()
        hotels.store(by, {"logo": row["content_hash"]})


def remove_logo(by: By) -> None:
    """Back to the one that the portal comes with."""
    with transaction():
        Picture.delete().where(Picture.name == LOGO).execute()
        hotels.store(by, {"logo": ""})


def find_logo() -> Picture | None:
    found: Picture | None = Picture.get_or_none(Picture.name == LOGO)
    return found


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
