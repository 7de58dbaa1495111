"""From a score to help: cohorts, cases, referrals, and the resident's rights."""
