"""InfoGAN on digits: a category of ten and two uniform numbers that D can tell from the image, without any label.

"InfoGAN" (Chen et al. 2016, arXiv 1606.03657), sections 5 and 7.2, on scikit-learn's digits in place of MNIST: a code
is a category of ten, two numbers from -1 to 1, and 50 of noise; Q is a head of D with a layer of 128. The grid `fakes`
has an image a row, then the same with each class of the category, and with each number at -2, -1, 0, 1 and 2: figure 2.
GGDR (arXiv 2207.13320) is on: D redraws G's 8 px maps.

Unlike the paper: noise is normal; Q learns on D's turn, D and G by the optimizers of `digits_dcgan`.
"""

from dataclasses import replace

from digits_dcgan import recipe as dcgan

from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.priors.structured import Structured
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.mutual_information import MutualInformation

recipe = replace(
    dcgan,
    generator=FromPriorGeneratorConfig(
        generator=DCGANGeneratorConfig(z_dim=62, channels=16), prior=Structured(categories=(10,), uniform=2)
    ),
    regularizers={"mutual_information": MutualInformation(), "ggdr": GGDR(resolutions=(8,))},
    total_kimg=40.0,
    sample_images=10,
)
