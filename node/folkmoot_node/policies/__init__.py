"""The council's two public documents: how households are scored, and what may leave."""
