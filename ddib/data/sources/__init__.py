"""Each file here is a source of images; importing the package registers them all."""

from ddib.data.loading import load_images, load_readable
from ddib.data.mnist import (
    PACKAGED_MNIST,
    colorize,
    count_available,
    download_mnist,
    read_mnist,
)
from ddib.data.pixels import (
    SUFFIXES,
    Pixels,
    Values,
    open_image,
    read_png,
    to_pixels,
    to_tensor,
)
from ddib.data.source import MAX_PICKED, Available, Images
from ddib.data.source import ImageSource as ImageSpec
from ddib.data.sources.colored_mnist import ColoredMNIST, colored_mnist
from ddib.data.sources.image_files import ImageFiles
from ddib.registry import import_modules

import_modules(__name__, list(__path__))
