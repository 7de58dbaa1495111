"""Rounds and the councils' answers to them, stored once and receipted."""
