"""What an operator meets: settings files, problems with a remedy, consoles.

Shared by the commands of node, coordinator and rehearsal, so that all behave alike. It
knows nothing of households, rounds or privacy.
"""
