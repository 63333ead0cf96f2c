"""What can happen: transactions, locks and the order of phases."""
