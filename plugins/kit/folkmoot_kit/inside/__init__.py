"""What runs inside the confined process: it loads plugins and answers calls."""
