"""What an operator does now and then: setting up, checking, deleting, exporting."""
