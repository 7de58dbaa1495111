"""What the programs of Folkmoot share, so that all behave alike.

What an operator meets: settings files, problems with a remedy, consoles. What keeps a program
safe: private files, locks, hash-chained logs, the processes it starts. It knows nothing of
households, rounds or privacy.
"""
