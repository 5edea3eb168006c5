"""Networks on disk: checkpoints of a run, saved models, and how both are found and loaded."""
