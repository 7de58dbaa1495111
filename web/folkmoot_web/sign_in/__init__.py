"""Who may sign in, how they do it, and how long they stay signed in."""
