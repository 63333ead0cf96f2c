"""Pages: find for this person, validate, call one service, answer."""
