"""Which plugins may run, what each is granted, and the processes in which they run."""
