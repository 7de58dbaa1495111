"""The resident's rights: notices, objections, access, rectification, erasure, retention."""
