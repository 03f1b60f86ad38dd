"""Whether the expectations of vignettes can fail: a passing policy is altered to break each, and `check` has to say so."""
