"""Why staff give money back: fixed words, for they go into the log and stay when a guest's data is removed."""

STAFF_REASONS = ("guest's wish", "goodwill", "charged twice", "hotel's mistake", "agreed otherwise")


def for_the_log(reason: str, otherwise: str) -> str:
    """The reason if it is one of ours; what somebody typed may tell about a guest, and has no place in the log."""
    return reason if reason in STAFF_REASONS else otherwise
