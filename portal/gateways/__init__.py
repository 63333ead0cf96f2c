"""The outside world, one file a party; plain values come back."""
