"""The label that the probe takes a result for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddib.data.digits import digit_word
from workbench.metrics.evidence import Results
from workbench.metrics.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor


class ProbeLabel(Metric):
    """The label that the probe takes each result for; it has no figure."""

    name = "probe_label"
    order = 5

    def applies(self, evidence: Results) -> bool:
        """Where the results are judged."""
        return super().applies(evidence) and evidence.labels_are_known

    def measure(self, evidence: Results) -> Tensor:
        """Class indices, int64 [N]."""
        return evidence.probe_labels

    def image_captions(self, value: float) -> tuple[str, ...]:
        """The digit in words."""
        return (digit_word(int(value)),)
