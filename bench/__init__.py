"""What the portal costs, side by side with what the same work costs without it: docs/performance.md is made here."""
