"""What is counted, against whom, and the committed baseline that keeps it from growing."""
