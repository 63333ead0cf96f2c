"""What a busy day does to the portal: one file for each kind of load. `bench/load.py` runs them."""
