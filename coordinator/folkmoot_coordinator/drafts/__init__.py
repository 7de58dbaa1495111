"""Questions that a second person approves before they are asked."""
