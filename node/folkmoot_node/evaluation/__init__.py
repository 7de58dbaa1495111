"""How well a policy would have found need, and policies fitted to what then happened."""
