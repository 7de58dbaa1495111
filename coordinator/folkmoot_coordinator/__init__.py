"""A region's coordinator: enrolment, rounds, intake, aggregation, publication.

It receives noisy counts and nothing else, and post-processes them only.
"""
