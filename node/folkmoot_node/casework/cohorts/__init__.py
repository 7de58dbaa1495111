"""Cohorts: who meets conditions, counted before anybody is listed, and decided on by people."""
