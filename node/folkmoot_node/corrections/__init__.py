"""What upheld objections change: fields that are not used or are corrected, households left out."""
