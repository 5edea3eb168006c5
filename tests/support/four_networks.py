"""The recipe of a game of four networks, for commands: long enough to be killed between two of its checkpoints."""

import dataclasses

import several

recipe = dataclasses.replace(several.recipe("unpaired"), checkpoint_kimg=0.008)
