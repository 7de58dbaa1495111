"""How well scores found what then happened: pure functions of columns, and what they say."""
