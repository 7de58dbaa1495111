"""The privacy boundary: exact counts in, a paid-for noisy answer out. Zone P."""
