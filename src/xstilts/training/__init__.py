"""One training: the recipe, the loop, batches, evaluation."""
