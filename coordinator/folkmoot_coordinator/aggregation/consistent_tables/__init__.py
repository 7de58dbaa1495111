"""Tables for readers: whole numbers, none negative, all sums agreeing."""
