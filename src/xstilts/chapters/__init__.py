"""What each chapter asks of the study, and what it expects."""
