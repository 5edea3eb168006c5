"""Photographs in any style: AdaIN on MS-COCO and WikiArt at 256 px (Huang & Belongie 2017, arXiv 1703.06868).

Content is MS-COCO, style WikiArt, each a folder of images. Their middle squares become 512 px, of which 256 px are cut
at random; VGG-19 up to relu4_1 is the frozen encoder, its weights fetched once from the Hub or given by
--game.extractor.weights. 160,000 steps of 8 images, Adam with rate 1e-4 / (1 + 5e-5 t), as the paper's program has it.

    ggdr train recipes/coco_wikiart_adain.py --data.a.source train2014 --data.b.source wikiart

Unlike there: VGG-19 is torchvision's, not one whose weights are normalized. The weight of `style` is 10, that of ports
to PyTorch, whose distances are means as here; the paper's program has 1e-2 on norms of another scale. The decoder ends
with tanh. There the whole image is 512 px on its shorter side before the cut, here its middle square.
The paper gives no number for its images but its losses on a validation set, in curves.
"""

from ggdr.data.domains import Domain, Domains
from ggdr.games.stylised import StylisedGame
from ggdr.losses.none import NoLoss
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.content import Content
from ggdr.regularizers.style import Style
from ggdr.schedules.inverse import Inverse

recipe = Recipe(
    data=Domains(
        a=Domain(source="data/coco/train2014"),
        b=Domain(source="data/wikiart/train"),
        names=("content", "style"),
        size=256,
        load_size=512,
        channels=3,
    ),
    game=StylisedGame(),
    generator=AdaINTranslatorConfig(),
    discriminator=NoDiscriminatorConfig(),
    loss=NoLoss(),
    regularizers={"content": Content(), "style": Style(weight=10.0)},
    g_optimizer=Adam(lr=Inverse(start=1e-4, kimg=160.0), beta1=0.9, beta2=0.999),
    batch_size=8,
    total_kimg=1280.0,
    ema_kimg=0.0,
    metric_kimg=0.0,
    about=About(
        sources=("data/coco/train2014 data/wikiart/train",),
        name="MS-COCO and WikiArt",
        url="https://cocodataset.org",
        images="photographs of everyday life from Flickr, and paintings that WikiArt collected",
        licence="the photographs' rights are with those who took them, and many paintings are protected",
        limits="Styles are those of paintings, most of them European.",
        paper="1703.06868",
    ),
)
