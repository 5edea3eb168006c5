"""What the Hub is told: a repository with its model card, and where each sentence of the card comes from."""
