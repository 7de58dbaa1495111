"""Makes the documentation site: pages of the repository, and pages made from the code."""
