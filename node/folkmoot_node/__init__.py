"""A council's node: everything that touches residents' data.

Two halves meet in `tabulate`: the data path (records, households, factor scores, bands)
and the privacy path (round, admission, ledger, release, outbox). Only noisy counts cross.
"""
