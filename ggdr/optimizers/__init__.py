"""Optimizers, one a file: torch.optim's, with schedules, clipping and the correction for lazy regularization."""
