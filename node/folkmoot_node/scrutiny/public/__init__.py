"""What a council may publish of how it scores: configuration and noisy releases, never figures."""
