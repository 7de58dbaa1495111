"""A visit to the coordinator: learn of rounds, judge, release, deliver, reconcile."""
