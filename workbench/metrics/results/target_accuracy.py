"""The share of results that became what they were to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric

if TYPE_CHECKING:
    from torch import Tensor


class TargetAccuracy(Metric):
    """1 for a result that the probe takes for the wanted label, else 0."""

    name = "target_accuracy"
    order = 10
    figures = (
        Figure(
            "target_accuracy",
            "target accuracy",
            heading="target",
            unit="%",
            factor=100,
            digits=0,
            better="higher",
            short="{:.0%}",
            labels={"sheet": "", "row": "", "history": "target", "runs": "target"},
            share=True,
            trade_off="y",
        ),
    )

    def applies(self, evidence: Results) -> bool:
        """Where there is a probe, and every result has a label that it was to become."""
        return super().applies(evidence) and evidence.labels_are_known

    def measure(self, evidence: Results) -> Tensor:
        """1 or 0, float64 [N]."""
        import torch

        return (evidence.probe_labels == torch.tensor(evidence.wanted)).double()
