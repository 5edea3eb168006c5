"""How parts play: duels of a generator and a discriminator, the terms of the objective, phases and optimizers."""
