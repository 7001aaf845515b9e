"""What is agreed between organisations, without I/O."""
