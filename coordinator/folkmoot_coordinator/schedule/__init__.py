"""Rounds that open by themselves, files of those that close, and the history of it all."""
