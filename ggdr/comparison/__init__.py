"""Trainings at equal budget: planned, trained here or by a cluster, measured alike, and told in tables and plots."""
