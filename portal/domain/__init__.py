"""The rules: values in, answers out. No database, no clock, no network."""
