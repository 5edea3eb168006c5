"""The verbs of the `ggdr` command besides `train`, one a file: what they take, and what they leave behind."""
