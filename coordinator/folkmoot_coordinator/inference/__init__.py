"""What the noise allows to say of estimates. Arrays in, arrays out: no database, no files."""
