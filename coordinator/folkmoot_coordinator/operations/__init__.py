"""What an operator does now and then: look after the region, and find what is wrong."""
