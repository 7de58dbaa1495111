"""Cohorts: who meets some conditions, counted before anybody is listed, and decided on by people."""
