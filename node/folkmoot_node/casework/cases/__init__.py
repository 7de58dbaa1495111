"""Cases: what people find out about a household, and what is done for it."""
