"""Numbers nudged up and down by a key."""

import math
from decimal import Decimal, InvalidOperation

from workbench.tui.models import FieldView
from workbench.tui.state.values import format_value


def stepped(text: str, field: FieldView, steps: int) -> str | None:
    """The number in `text` that many steps further, within the field's bounds.

    Whole numbers go by 1, others by a tenth of their power of ten: 0.3 by 0.01, 20 by 1. At zero
    it is the default's power of ten, or else 1. None for what is not one number.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    whole = field.kind == "integer"
    if not value.is_finite() or (whole and value % 1):
        return None
    target = value + steps * (1 if whole else _step(value, field.default))
    if field.low is not None:
        target = max(target, Decimal(str(field.low)))
    if field.high is not None:
        target = min(target, Decimal(str(field.high)))
    return format_value(int(target) if whole else float(target))


def _step(value: Decimal, default: object) -> Decimal:
    measure = value or (Decimal(str(default)) if isinstance(default, int | float) else 0) or 1
    return Decimal(10) ** (math.floor(Decimal(measure).copy_abs().log10()) - 1)
