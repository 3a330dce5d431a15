"""Many runs: the parameters of a study, its conditions, the graph of runs and how they are spread
over workers."""
