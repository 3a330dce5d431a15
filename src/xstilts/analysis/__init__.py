"""What the scores say: differences between conditions, their intervals, and the rules that judge
them."""
