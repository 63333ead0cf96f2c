"""The pages of a guest."""
