"""From results to pages: tables, figures and the build of the book."""
