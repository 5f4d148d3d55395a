"""What the use cases need from the outside, and the errors in which it may fail."""
