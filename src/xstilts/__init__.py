"""Cross-lingual transfer with intermediate-task training: the library behind the notebooks."""
