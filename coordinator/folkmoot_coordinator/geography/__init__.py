"""The shapes of areas: a region's boundary files, read, checked and simplified for pictures."""
