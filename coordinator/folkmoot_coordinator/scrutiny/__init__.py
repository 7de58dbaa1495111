"""What the public may know: of councils what they publish, of the region its own record."""
