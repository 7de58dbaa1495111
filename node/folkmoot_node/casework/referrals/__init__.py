"""Referrals to services: directory, consent, hand-over, order."""
