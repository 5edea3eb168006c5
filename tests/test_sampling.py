"""What a pipeline may be asked for: seeds, truncation and numbers of images, and what is no such thing."""

import pytest
import torch
from tiny import STYLEGAN2

from ggdr.networks.base import Brief
from ggdr.pipeline import GANPipeline

PIPE = GANPipeline(STYLEGAN2.build(Brief(16, 16)))


def test_seeds_may_be_one_or_a_tensor():
    both = PIPE(seeds=torch.tensor([3, 4]), output_type="pt")
    assert both.seeds == [3, 4] and torch.allclose(PIPE(seeds=3, output_type="pt").images[0], both.images[0], atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"batch_size": 2.0}, "batch_size is 2.0"),
        ({"seeds": [0.5]}, "0.5 is none"),
        ({"seeds": "abc"}, "'a' is none"),
        ({"truncation_psi": "x"}, "psi is 'x'"),
        ({"truncation_psi": 0.5, "truncation_cutoff": 1.5}, "cutoff is 1.5"),
    ],
)
def test_what_is_no_number_is_refused_in_one_sentence(asked, hint):
    with pytest.raises(ValueError, match=hint):
        PIPE(**asked)
