"""A probe is a small classifier that reads which digit a picture shows, whatever its hue."""

from typing import cast

from torch import Tensor, nn

from ddib.networks.configurations import ProbeConfig


class Probe(nn.Module):
    """Three convolutions on the value (the largest colour channel): [N, C, H, W] in [-1, 1] to
    class logits [N, classes]. At full saturation the value is the grey digit, so that no hue
    can sway the verdict.
    """

    def __init__(self, config: ProbeConfig):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in config.widths:
            layers += [
                nn.Conv2d(channels, width, 3, padding=1),
                nn.GroupNorm(8, width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels * 16, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Class logits, see the class."""
        value = images.amax(dim=1, keepdim=True)
        pooled = nn.functional.adaptive_avg_pool2d(self.features(value), 4)
        return cast(Tensor, self.head(pooled.flatten(1)))
