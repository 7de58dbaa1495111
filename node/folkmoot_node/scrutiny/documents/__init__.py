"""Documents that a council must publish or hold, made from facts about its node."""
