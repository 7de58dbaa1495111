"""Opening a household: reason, time, limits, and the log that is written first."""
