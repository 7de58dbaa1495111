"""Who may do what, on which households, and the log of what was done."""
